"""The ledger: what has become of each alert, in PostgreSQL."""
