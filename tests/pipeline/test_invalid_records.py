"""Broken records: each is a dead letter with its own bytes, and harms nothing that follows."""

import hashlib
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, Producer

from tests.builders import entry, setting, settings
from tests.pipeline.harness import PipelineHarness
from tests.pipeline.scenario import Scenario
from tests.reference.binary import encode
from tests.reference.compare import DeadLetter

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
    # The last but one byte is the branch of original_amount_minor, the last is reversal.
    "union branch that is not there": lambda whole: whole[:-2] + _zigzag(2) + b"\0\0",
    "union branch below zero": lambda whole: whole[:-2] + _zigzag(-1) + whole[-1:],
    "a boolean that is none": lambda whole: whole[:-1] + b"\2",
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


def _accounts(scenario: Scenario) -> list[str]:
    """Accounts, on several partitions, whose customer hears of every debit."""
    names = [scenario.id(f"a{number}") for number in range(ACCOUNTS)]
    customer = scenario.id("c")
    for account in names:
        scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, *(setting(f"s-{account}", account) for account in names)))
    scenario.await_effect()
    return names


@pytest.fixture
def accounts(scenario: Scenario) -> list[str]:
    """Accounts of this test only."""
    return _accounts(scenario)


@pytest.fixture(scope="module")
def ground(pipeline: PipelineHarness) -> Scenario:
    """Accounts that these tests share, as their rules do not change."""
    shared = Scenario(pipeline, pipeline.new_prefix())
    _accounts(shared)
    return shared


@pytest.fixture
def shared(ground: Scenario) -> tuple[Scenario, list[str]]:
    """A test's own bookings on the shared accounts."""
    return ground.fork(), [ground.id(f"a{number}") for number in range(ACCOUNTS)]


def _after(scenario: Scenario, account: str, name: str) -> None:
    """Good bookings at once, on the same partition as what was written with the account as key."""
    for number in range(GOOD_AFTER):
        scenario.write_booking(entry(scenario.id(f"{account}-{name}-{number}"), account))


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_booking(shared: tuple[Scenario, list[str]], name: str) -> None:
    scenario, accounts = shared
    for account in accounts:
        scenario.write_booking(entry(scenario.id(f"{account}-before"), account))
        # Were it taken for a booking, it would raise an alert.
        whole = encode("AccountEntry", entry(scenario.id(f"{account}-poison"), account))
        scenario.write_invalid(account.encode(), BYTES[name](whole))
        _after(scenario, account, "after")
    expected = scenario.verify()
    assert len(expected.dead_letters) == len(accounts)
    assert len(expected.certain) == len(accounts) * (GOOD_AFTER + 1)


def test_every_cut_of_a_booking(scenario: Scenario, accounts: list[str]) -> None:
    whole = encode("AccountEntry", entry(scenario.id("cut"), accounts[0], merchant_name="m", country="CZ"))
    for end in range(len(whole)):
        scenario.write_invalid(accounts[0].encode(), whole[:end])
        scenario.write_booking(entry(scenario.id(f"after-{end}"), accounts[0]))
    expected = scenario.verify()
    assert len(expected.dead_letters) == len(whole)
    assert len(expected.certain) == len(whole)


def test_every_bit_flipped(scenario: Scenario, accounts: list[str]) -> None:
    """Some flips still make a booking: the model says which, and what comes of them."""
    whole = encode("AccountEntry", entry(scenario.id("flipped"), accounts[0], country="CZ"))
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        scenario.write_invalid(accounts[0].encode(), bytes(flipped))
        scenario.write_booking(entry(scenario.id(f"after-{position}"), accounts[0]))
    assert scenario.verify().dead_letters


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_booking_that_breaks_a_rule(shared: tuple[Scenario, list[str]], fields: dict[str, Any]) -> None:
    scenario, accounts = shared
    for account in accounts:
        broken = entry(scenario.id(f"{account}-broken"), account) | fields
        scenario.write_invalid(account.encode(), encode("AccountEntry", broken))
        _after(scenario, account, "after")
    assert len(scenario.verify().dead_letters) == len(accounts)


@pytest.mark.parametrize("key", [None, b"", b"other", b"\xff\xfe", b"\0"], ids=str)
def test_a_key_that_is_not_the_account(shared: tuple[Scenario, list[str]], key: bytes | None) -> None:
    scenario, (account, *_) = shared
    scenario.write_invalid(key, encode("AccountEntry", entry(scenario.id("broken"), account)))
    scenario.write_invalid(
        account.encode() + b" ", encode("AccountEntry", entry(scenario.id("space"), account))
    )
    _after(scenario, account, "after")
    assert len(scenario.verify().dead_letters) == 2


def test_an_empty_account(scenario: Scenario, accounts: list[str]) -> None:
    scenario.write_invalid(b"", encode("AccountEntry", entry(scenario.id("broken"), "")))
    _after(scenario, accounts[0], "after")
    assert len(scenario.verify().dead_letters) == 1


def test_arrays_in_blocks_with_a_size_are_valid(scenario: Scenario) -> None:
    """Avro may write an array's count below zero, followed by the block's size in bytes."""
    customer, account = scenario.id("c"), scenario.id("a")
    name = customer.encode()
    item = _zigzag(len(name)) + name
    value = _zigzag(len(account)) + account.encode() + _zigzag(-1) + _zigzag(len(item)) + item + b"\0"
    scenario.produce(scenario.pipeline.topics.authorizations, account.encode(), value)
    scenario.write_settings(settings(customer, setting("s", account)))
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("e"), account))
    assert len(scenario.verify().certain) == 1


LARGE: dict[str, tuple[bytes, bytes]] = {
    "zeros": (b"zeros", b"\0" * 20_000_000),
    "a long key": (b"k" * 5_000_000, b"\0"),
    "a booking with a long text": (
        b"long",
        encode("AccountEntry", entry("long", "long", description="x" * 5_000_000)),
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_record_that_is_small_only_while_it_is_packed(scenario: Scenario, name: str) -> None:
    """Its dead letter has the first part; of all three topics it stops nothing."""
    customer, account = scenario.id("c"), scenario.id("a")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("s", account)))
    key, value = LARGE[name]
    topics = scenario.pipeline.topics
    written: list[tuple[str, int, int]] = []
    packed = {"compression.type": "gzip", "message.max.bytes": 30_000_000}
    producer = Producer(scenario.pipeline.config.kafka.librdkafka() | packed)
    for topic in (topics.entries, topics.authorizations, topics.settings):
        producer.produce(topic, value, key, on_delivery=partial(_note, written))
    assert producer.flush(120) == 0
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("after"), account))
    assert len(scenario.verify().certain) == 1
    scenario.wait_for(lambda: len(_letters(scenario, written)) == 3, "the dead letters")
    for letter in _letters(scenario, written):
        headers = dict(letter.headers)
        for what, whole, kept in (("record", value, letter.value), ("key", key, letter.key)):
            assert kept is not None
            assert whole.startswith(kept)
            if len(kept) < len(whole):
                assert headers[f"{what}.size"] == str(len(whole))
                assert headers[f"{what}.sha256"] == hashlib.sha256(whole).hexdigest()
            else:
                assert f"{what}.size" not in headers


def _note(places: list[tuple[str, int, int]], error: KafkaError | None, message: Message) -> None:
    assert error is None, error
    places.append((message.topic() or "", message.partition() or 0, message.offset() or 0))


def _letters(scenario: Scenario, places: list[tuple[str, int, int]]) -> list[DeadLetter]:
    found = {letter.source: letter for letter in scenario.pipeline.dead_letters if letter.source in places}
    return list(found.values())


def _broken_changes(whole: bytes) -> Iterator[bytes]:
    yield from (b"", whole[:-1], whole + b"\0", b"\xff" * 12, _zigzag(2**31 - 1) + whole)
    yield bytes.fromhex("00 67 61 72 62 61 67 65")
    # An array that says it has more items than there are bytes.
    yield whole[:1] + b"x" * (whole[0] // 2) + _zigzag(2**40)


@pytest.mark.parametrize("number", range(7))
def test_undecodable_changes_leave_the_last_good_ones(scenario: Scenario, number: int) -> None:
    customer, account = scenario.id("c"), scenario.id("a")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("s", account)))
    scenario.pipeline.flush()
    good = [record.value or b"" for record in sorted(scenario.records, key=lambda record: record.topic)]
    topics = scenario.pipeline.topics
    for topic, key, value in zip(
        (topics.authorizations, topics.settings), (account, customer), good, strict=True
    ):
        scenario.produce(topic, key.encode(), list(_broken_changes(value))[number])
    other = scenario.id("other")
    scenario.authorize(other, customer)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("e"), account))
    expected = scenario.verify()
    assert len(expected.certain) == 1
    assert len(expected.dead_letters) == 2
