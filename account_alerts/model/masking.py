"""How much of an account's number may be shown."""


def masked(account_id: str) -> str:
    """Shorten an account's number to its last four characters, and never to more than half of it."""
    return "…" + account_id[len(account_id) - min(4, len(account_id) // 2) :]
