"""The limits of records are the same in Python, in the bank's database and in the data contract."""

import re

from account_alerts.config import LARGEST_RECORD, PROJECT
from account_alerts.model import limits

MIGRATION = (PROJECT / "database/bank/0007_limits.sql").read_text(encoding="utf-8")
CONTRACT = (PROJECT / "docs/concepts/data-contract.md").read_text(encoding="utf-8")


def test_the_database_has_them() -> None:
    checks = re.findall(r"(\w+)(?: -> '(\w+)')?\) <= (\d+)", MIGRATION)
    assert {list_ or column: int(most) for column, list_, most in checks} == {
        **dict.fromkeys(
            ("customer_id", "account_id", "setting_id", "address", "language"), limits.TEXT_BYTES
        ),
        "channels": limits.CHANNELS_PER_SETTING,
        "settings": limits.SETTINGS_PER_CUSTOMER,
        "addresses": limits.ADDRESSES_PER_CUSTOMER,
        "customer_ids": limits.CUSTOMERS_PER_ACCOUNT,
    }
    numbers = {int(number) for number in re.findall(r"at_most_(\d+)", MIGRATION)}
    assert numbers == {int(number) for number in re.findall(r"<= (\d+)", MIGRATION)}
    assert max(numbers) in range(limits.RECORD_BYTES - 1_000, limits.RECORD_BYTES)


def test_the_contract_states_them() -> None:
    table = CONTRACT.partition("### Limits")[2].partition("\n## ")[0]
    stated = {int(number.replace(",", "")) for number in re.findall(r"\b\d[\d,]*\b(?!_)", table)}
    assert stated >= {value for name, value in vars(limits).items() if name.isupper()}


def test_a_dead_letter_fits_its_topic() -> None:
    in_utf8 = 4 * limits.DEAD_LETTER_REASON
    assert limits.DEAD_LETTER_KEY + limits.DEAD_LETTER_RECORD + in_utf8 + 10_000 < LARGEST_RECORD
