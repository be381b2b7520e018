"""Ids that are made of others: the same parts always give the same id, in every release and every process."""

import hashlib

_DIGITS = 32


def stable_id(*parts: bytes) -> str:
    """Derive an id from parts: 128 bits of SHA-256 over them, as 32 hexadecimal digits.

    Each part is led by its length in 4 bytes: ids of the bank are opaque strings, so no separator could be
    trusted. Receivers recognise duplicates by such ids, so the result must never change.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.hexdigest()[:_DIGITS]
