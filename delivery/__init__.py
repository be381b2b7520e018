"""The senders: one process per channel hands alerts over to the gateway that reaches the customer."""
