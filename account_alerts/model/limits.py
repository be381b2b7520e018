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
RECORD_BYTES = 1_048_576
"""Of a record that is read, unpacked: Kafka's own limit. What is made of it stays below LARGEST_RECORD."""
TEXT_BYTES = 1_000
"""Of an id, an address or another text of AccountAuthorization and AlertSettings, in UTF-8."""

DEAD_LETTER_KEY = 500_000
"""Bytes; of a longer key a dead letter has the first part, and its size and hash."""
DEAD_LETTER_RECORD = 19_000_000
"""Bytes, in the same way; key, record and reason together stay below LARGEST_RECORD."""
DEAD_LETTER_REASON = 10_000
"""Characters."""
