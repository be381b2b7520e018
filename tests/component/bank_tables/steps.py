"""Changes of the bank's tables: what each does to the model, and the same in SQL."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.component.bank_model import PREFERENCE, Bank

NUMBERS = st.integers(0, 2).map(str)


LONGS = st.integers(-(2**63), 2**63 - 1)


Step = tuple[Callable[[Bank], None], str, dict[str, Any]]
"""What it does to the model, and the same in SQL."""


def put_customer(number: str, language: str, quiet: bool, digest: str | None) -> Step:
    fields = {"language": language, "digest": digest}
    fields |= {"quiet_from": "22:00", "quiet_to": "07:00"} if quiet else {}
    values = {"id": number, "quiet_from": None, "quiet_to": None, **fields}
    text = (
        "INSERT INTO customers VALUES (%(id)s, %(language)s, 'UTC', %(quiet_from)s, %(quiet_to)s, %(digest)s)"
        " ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language, digest = excluded.digest,"
        " quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to"
    )
    return lambda model: model.put_customer(number, **fields), text, values


def drop_customer(number: str) -> Step:
    text = "DELETE FROM customers WHERE customer_id = %(id)s"
    return lambda model: model.drop_customer(number), text, {"id": number}


def put_account(number: str) -> Step:
    text = "INSERT INTO accounts VALUES (%(id)s) ON CONFLICT DO NOTHING"
    return lambda model: model.accounts.add(number), text, {"id": number}


def drop_account(number: str) -> Step:
    text = "DELETE FROM accounts WHERE account_id = %(id)s"
    return lambda model: model.drop_account(number), text, {"id": number}


def put_right(account: str, customer: str) -> Step:
    def change(model: Bank) -> None:
        if account in model.accounts and customer in model.customers:
            model.rights.add((account, customer))

    text = (
        "INSERT INTO access_rights SELECT account_id, customer_id FROM accounts, customers"
        " WHERE account_id = %(account)s AND customer_id = %(customer)s ON CONFLICT DO NOTHING"
    )
    return change, text, {"account": account, "customer": customer}


def drop_rights(customer: str) -> Step:
    def change(model: Bank) -> None:
        model.rights = {right for right in model.rights if right[1] != customer}

    return change, "DELETE FROM access_rights WHERE customer_id = %(id)s", {"id": customer}


def put_address(customer: str, number: str) -> Step:
    def change(model: Bank) -> None:
        if customer in model.customers:
            model.addresses.add((customer, "SMS", f"+{number}"))

    text = (
        "INSERT INTO addresses SELECT customer_id, 'SMS', %(to)s FROM customers WHERE customer_id = %(id)s"
        " ON CONFLICT DO NOTHING"
    )
    return change, text, {"id": customer, "to": f"+{number}"}


def move_addresses(customer: str) -> Step:
    def change(model: Bank) -> None:
        def moved(each: tuple[str, str, str]) -> tuple[str, str, str]:
            who, channel, to = each
            return (who, channel, to + "0") if who == customer else each

        model.addresses = set(map(moved, model.addresses))
        model.unconfirmed = set(map(moved, model.unconfirmed))

    return (
        change,
        "UPDATE addresses SET address = address || '0' WHERE customer_id = %(id)s",
        {"id": customer},
    )


def put_preference(customer: str, name: str, account: str, threshold: int, until: int | None) -> Step:
    def change(model: Bank) -> None:
        if account in model.accounts and customer in model.customers:
            model.preferences[customer, name] = {
                **PREFERENCE,
                "account_id": account,
                "threshold_minor": threshold,
                "snoozed_until": until,
            }

    text = (
        "INSERT INTO preferences"
        " SELECT customer_id, %(name)s, account_id, 'EUR', 'BALANCE_BELOW', '{EMAIL}', %(threshold)s,"
        " NULL, NULL, timestamptz 'epoch' + %(until)s * interval '1 ms' FROM customers, accounts"
        " WHERE customer_id = %(customer)s AND account_id = %(account)s"
        " ON CONFLICT (customer_id, setting_id) DO UPDATE SET account_id = excluded.account_id,"
        " threshold_minor = excluded.threshold_minor, snoozed_until = excluded.snoozed_until"
    )
    values = {"customer": customer, "name": name, "account": account, "threshold": threshold, "until": until}
    return change, text, values


def confirm_addresses(customer: str, confirmed: bool) -> Step:
    def change(model: Bank) -> None:
        own = {each for each in model.addresses if each[0] == customer}
        model.unconfirmed = model.unconfirmed - own if confirmed else model.unconfirmed | own

    text = (
        "UPDATE addresses SET confirmed_at = CASE WHEN %(confirmed)s THEN now() END"
        " WHERE customer_id = %(id)s"
    )
    return change, text, {"id": customer, "confirmed": confirmed}


def switch_preferences(customer: str, enabled: bool) -> Step:
    def change(model: Bank) -> None:
        own = {each for each in model.preferences if each[0] == customer}
        model.switched_off = model.switched_off - own if enabled else model.switched_off | own

    text = "UPDATE preferences SET enabled = %(enabled)s WHERE customer_id = %(id)s"
    return change, text, {"id": customer, "enabled": enabled}


def pause(customer: str, until: int | None) -> Step:
    def change(model: Bank) -> None:
        model.paused.pop(customer, None)
        if until is not None and customer in model.customers:
            model.paused[customer] = until

    text = (
        "UPDATE customers SET paused_until = timestamptz 'epoch' + %(until)s * interval '1 ms'"
        " WHERE customer_id = %(id)s"
    )
    return change, text, {"id": customer, "until": until}


STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        put_customer,
        NUMBERS,
        st.sampled_from(["en", "nl", "de-AT"]),
        st.booleans(),
        st.sampled_from([None, "HOURLY", "DAILY"]),
    ),
    st.builds(drop_customer, NUMBERS),
    st.builds(put_account, NUMBERS),
    st.builds(drop_account, NUMBERS),
    st.builds(put_right, NUMBERS, NUMBERS),
    st.builds(drop_rights, NUMBERS),
    st.builds(put_address, NUMBERS, NUMBERS),
    st.builds(move_addresses, NUMBERS),
    st.builds(confirm_addresses, NUMBERS, st.booleans()),
    st.builds(switch_preferences, NUMBERS, st.booleans()),
    st.builds(pause, NUMBERS, st.none() | st.integers(0, 4_000_000_000_000)),
    st.builds(
        put_preference, NUMBERS, NUMBERS, NUMBERS, LONGS, st.none() | st.integers(0, 4_000_000_000_000)
    ),
)


FIRST = [step for n in "012" for step in (put_customer(n, "en", False, None), put_account(n))]
