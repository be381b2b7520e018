"""An account's number is never shown whole."""

import pytest

from account_alerts.model.masking import masked


@pytest.mark.parametrize(
    ("account", "shown"),
    [("NL01BANK0123456789", "…6789"), ("123456", "…456"), ("12", "…2"), ("1", "…"), ("", "…")],
)
def test_four_characters_are_shown_and_no_more_than_half(account: str, shown: str) -> None:
    assert masked(account) == shown
