"""Phone numbers as customers write them."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from delivery.gateways.sms.phone import international


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+420 777 123 456", "420777123456"),
        ("0031-6-1234567", "3161234567"),
        ("+31 (6) 12345678", "31612345678"),
        ("+49 (0) 209 2233445", "492092233445"),
        ("0049 (0)209/2233445", "492092233445"),
        ("+4902092233445", "492092233445"),
        ("+44 ( 0 ) 20 7946 0958", "442079460958"),
        ("+31(0)612345678", "31612345678"),
        ("(+41) (0)79 123 45 67", "41791234567"),
        ("+39 06 698 12345", "390669812345"),
        ("+39 (0)6 698 12345", "390669812345"),
        ("+420 (0) 777 123 456", "420777123456"),
        ("+999 (0) 1234567", "9991234567"),
        ("+99912345678", "99912345678"),
        ("420777123456", "420777123456"),
        ("\u202a+420\u2011777\u2011123\u2011456\u202c", "420777123456"),
        ("+420\u2011777\u2011123\u2011456", "420777123456"),
        ("+212 6 123 45678", "212612345678"),
        ("+42 0777", None),
        ("+420 777 123 456 ext. 5", None),
        ("+1 800 FLOWERS", None),
        ("0777123456", None),
        ("", None),
        ("+1", None),
        ("+4207771234567890", None),
        ("+420x77123456", None),
        ("+٤٢٠٧٧٧١٢٣٤٥٦", None),
    ],
)
def test_numbers_become_e164(written: str, number: str | None) -> None:
    assert international(written) == number


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_each_countrys_example_is_read_in_any_form(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    example = example or phonenumbers.example_number(region)
    assert example is not None
    wanted = phonenumbers.format_number(example, PhoneNumberFormat.E164).removeprefix("+")
    for form in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL):
        assert international(phonenumbers.format_number(example, form)) == wanted
    assert international(f"00{wanted}") == international(wanted) == wanted


@given(st.text("+0123456789() -x\u0660", max_size=20))
def test_what_is_read_is_e164_and_reads_the_same_again(written: str) -> None:
    number = international(written)
    if number is not None:
        assert re.fullmatch(r"[1-9][0-9]{6,14}", number)
        assert international(f"+{number}") == number
