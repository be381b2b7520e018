"""TODO."""


def masked(account_id: str) -> str:
    """An account's number with no more than its last four characters, and never more than half of it."""
    return "…" + account_id[len(account_id) - min(4, len(account_id) // 2) :]
