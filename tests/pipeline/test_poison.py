"""Broken records: each is a dead letter with its own bytes, and harms nothing that follows."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.builders import entry, setting, settings
from tests.pipeline.chain import Case, Chain
from tests.reference.binary import encode

GOOD_AFTER = 3
ACCOUNTS = 8


def _zigzag(number: int) -> bytes:
    """Avro's long."""
    value, out = (number << 1) ^ (number >> 63), bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _random(size: int, _: bytes) -> bytes:
    return random.Random(size).randbytes(size)


BYTES: dict[str, Callable[[bytes], bytes | None]] = {
    "null": lambda whole: None,
    "empty": lambda whole: b"",
    "one zero": lambda whole: b"\0",
    "the first byte only": lambda whole: whole[:1],
    "without the last byte": lambda whole: whole[:-1],
    "half": lambda whole: whole[: len(whole) // 2],
    "one byte more": lambda whole: whole + b"\0",
    "a long tail": lambda whole: whole + b"tail" * 100,
    "twice": lambda whole: whole * 2,
    "0 garbage": lambda whole: bytes.fromhex("00 67 61 72 62 61 67 65"),
    "twelve ff": lambda whole: b"\xff" * 12,
    "a hundred ff": lambda whole: b"\xff" * 100,
    "length of 2 GB": lambda whole: _zigzag(2**31 - 1) + whole,
    "length of 2 GB and one": lambda whole: _zigzag(2**31) + whole,
    "length of all a long holds": lambda whole: _zigzag(2**63 - 1) + whole,
    "length below zero": lambda whole: _zigzag(-1) + whole,
    "lowest length": lambda whole: _zigzag(-(2**63)) + whole,
    "not UTF-8": lambda whole: whole[:1] + b"\xff\xfe" + whole[3:],
    "overlong UTF-8": lambda whole: whole[:1] + b"\xc0\x80" + whole[3:],
    "half a surrogate": lambda whole: whole[:1] + b"\xed\xa0\x80" + whole[4:],
    "union branch that is not there": lambda whole: whole[:-1] + _zigzag(2) + b"\0",
    "union branch below zero": lambda whole: whole[:-1] + _zigzag(-1),
    "JSON": lambda whole: b'{"entry_id": "e1", "account_id": "a1"}',
    "text": lambda whole: "účet".encode("utf-16"),
    "Confluent header": lambda whole: b"\0\0\0\0\1" + whole,
    **{f"random {size}": partial(_random, size) for size in (1, 2, 3, 7, 8, 9, 63, 64, 65, 1000, 100_000)},
}

FIELDS: list[dict[str, Any]] = [
    {"amount_minor": 0},
    {"amount_minor": -1},
    {"amount_minor": -(2**63)},
    {"credit_debit": "crdt"},
    {"credit_debit": ""},
    {"entry_type": "CHEQUE"},
    {"entry_type": "card"},
    {"entry_type": ""},
    {"currency": "EURO"},
    {"currency": "eur"},
    {"currency": "ZZZ"},
    {"currency": " EUR"},
    {"currency": ""},
    {"entry_id": ""},
]


def _accounts(case: Case) -> list[str]:
    """Accounts, on several partitions, whose customer hears of every debit."""
    names = [case.id(f"a{number}") for number in range(ACCOUNTS)]
    customer = case.id("c")
    for account in names:
        case.authorize(account, customer)
    case.ask(settings(customer, *(setting(f"s-{account}", account) for account in names)))
    case.settle()
    return names


@pytest.fixture
def accounts(case: Case) -> list[str]:
    """Accounts of this test only."""
    return _accounts(case)


@pytest.fixture(scope="module")
def ground(chain: Chain) -> Case:
    """Accounts that these tests share, as their rules do not change."""
    shared = chain.case()
    _accounts(shared)
    return shared


@pytest.fixture
def shared(ground: Case) -> tuple[Case, list[str]]:
    """A test's own bookings on the shared accounts."""
    return ground.fork(), [ground.id(f"a{number}") for number in range(ACCOUNTS)]


def _after(case: Case, account: str, name: str) -> None:
    """Good bookings at once, on the same partition as what was written with the account as key."""
    for number in range(GOOD_AFTER):
        case.book(entry(case.id(f"{account}-{name}-{number}"), account))


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_booking(shared: tuple[Case, list[str]], name: str) -> None:
    case, accounts = shared
    for account in accounts:
        case.book(entry(case.id(f"{account}-before"), account))
        # Were it taken for a booking, it would raise an alert.
        whole = encode("AccountEntry", entry(case.id(f"{account}-poison"), account))
        case.poison(account.encode(), BYTES[name](whole))
        _after(case, account, "after")
    expected = case.verify()
    assert len(expected.dead_letters) == len(accounts)
    assert len(expected.certain) == len(accounts) * (GOOD_AFTER + 1)


def test_every_cut_of_a_booking(case: Case, accounts: list[str]) -> None:
    whole = encode("AccountEntry", entry(case.id("cut"), accounts[0], merchant_name="m", country="CZ"))
    for end in range(len(whole)):
        case.poison(accounts[0].encode(), whole[:end])
        case.book(entry(case.id(f"after-{end}"), accounts[0]))
    expected = case.verify()
    assert len(expected.dead_letters) == len(whole)
    assert len(expected.certain) == len(whole)


def test_every_bit_flipped(case: Case, accounts: list[str]) -> None:
    """Some flips still make a booking: the model says which, and what comes of them."""
    whole = encode("AccountEntry", entry(case.id("flipped"), accounts[0], country="CZ"))
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        case.poison(accounts[0].encode(), bytes(flipped))
        case.book(entry(case.id(f"after-{position}"), accounts[0]))
    assert case.verify().dead_letters


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_booking_that_breaks_a_rule(shared: tuple[Case, list[str]], fields: dict[str, Any]) -> None:
    case, accounts = shared
    for account in accounts:
        broken = entry(case.id(f"{account}-broken"), account) | fields
        case.poison(account.encode(), encode("AccountEntry", broken))
        _after(case, account, "after")
    assert len(case.verify().dead_letters) == len(accounts)


@pytest.mark.parametrize("key", [None, b"", b"other", b"\xff\xfe", b"\0"], ids=str)
def test_a_key_that_is_not_the_account(shared: tuple[Case, list[str]], key: bytes | None) -> None:
    case, (account, *_) = shared
    case.poison(key, encode("AccountEntry", entry(case.id("broken"), account)))
    case.poison(account.encode() + b" ", encode("AccountEntry", entry(case.id("space"), account)))
    _after(case, account, "after")
    assert len(case.verify().dead_letters) == 2


def test_an_empty_account(case: Case, accounts: list[str]) -> None:
    case.poison(b"", encode("AccountEntry", entry(case.id("broken"), "")))
    _after(case, accounts[0], "after")
    assert len(case.verify().dead_letters) == 1


def test_arrays_in_blocks_with_a_size_are_valid(case: Case) -> None:
    """Avro may write an array's count below zero, followed by the block's size in bytes."""
    customer, account = case.id("c"), case.id("a")
    name = customer.encode()
    item = _zigzag(len(name)) + name
    value = _zigzag(len(account)) + account.encode() + _zigzag(-1) + _zigzag(len(item)) + item + b"\0"
    case.put(case.chain.topics.authorizations, account.encode(), value)
    case.ask(settings(customer, setting("s", account)))
    case.settle()
    case.book(entry(case.id("e"), account))
    assert len(case.verify().certain) == 1


def _broken_changes(whole: bytes) -> Iterator[bytes]:
    yield from (b"", whole[:-1], whole + b"\0", b"\xff" * 12, _zigzag(2**31 - 1) + whole)
    yield bytes.fromhex("00 67 61 72 62 61 67 65")
    # An array that says it has more items than there are bytes.
    yield whole[:1] + b"x" * (whole[0] // 2) + _zigzag(2**40)


@pytest.mark.parametrize("number", range(7))
def test_undecodable_changes_leave_the_last_good_ones(case: Case, number: int) -> None:
    customer, account = case.id("c"), case.id("a")
    case.authorize(account, customer)
    case.ask(settings(customer, setting("s", account)))
    case.chain.flush()
    good = [record.value or b"" for record in sorted(case.records, key=lambda record: record.topic)]
    topics = case.chain.topics
    for topic, key, value in zip(
        (topics.authorizations, topics.settings), (account, customer), good, strict=True
    ):
        case.put(topic, key.encode(), list(_broken_changes(value))[number])
    other = case.id("other")
    case.authorize(other, customer)
    case.settle()
    case.book(entry(case.id("e"), account))
    expected = case.verify()
    assert len(expected.certain) == 1
    assert len(expected.dead_letters) == 2
