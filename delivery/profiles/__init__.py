"""The profiles: customers' newest settings, and who may see accounts, as senders look at them."""
