"""What one record may hold at most: more makes it a dead letter, and the last good record stays in force.

So no record of one customer or account can cost more than the jobs and databases are made for. The bank's
database and docs/concepts/data-contract.md repeat the numbers; tests compare them.
"""

SETTINGS_PER_CUSTOMER = 5_000
"""Bounds the accounts that a customer's settings name, too."""
ADDRESSES_PER_CUSTOMER = 100
CHANNELS_PER_SETTING = 10
CUSTOMERS_PER_ACCOUNT = 10_000
"""Customers who may see one account."""
