"""Phone numbers as customers write them."""

import pytest

from delivery.gateways.sms.phone import international


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+420 777 123 456", "420777123456"),
        ("0031-6-1234567", "3161234567"),
        ("+31 (6) 12345678", "31612345678"),
        ("0777123456", None),
        ("", None),
        ("+1", None),
        ("+4207771234567890", None),
        ("+420x77123456", None),
        ("+٤٢٠٧٧٧١٢٣٤٥٦", None),
    ],
)
def test_phone_numbers(written: str, number: str | None) -> None:
    assert international(written) == number
