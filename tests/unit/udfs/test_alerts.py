"""The alerts of a raised rule."""

from hypothesis import given
from hypothesis import strategies as st

from udfs.alerts import alert_id, make_alerts

IDS = st.text(min_size=1, max_size=8)


def made(channels: list[str], addresses: list[tuple[str, str]]) -> list[tuple[str, str | None]]:
    results = make_alerts(
        b"e", b"c", b"s", channels, [of for of, _ in addresses], [address for _, address in addresses]
    )
    return [(channel, address) for _, channel, address in results]


def test_one_per_channel_and_address() -> None:
    addresses = [("EMAIL", "x"), ("SMS", "1"), ("EMAIL", "y"), ("PUSH", "c")]
    assert made(["EMAIL", "SMS"], addresses) == [("EMAIL", "x"), ("EMAIL", "y"), ("SMS", "1")]


def test_what_is_named_twice_counts_once() -> None:
    assert made(["EMAIL", "EMAIL"], [("EMAIL", "x"), ("EMAIL", "x")]) == [("EMAIL", "x")]


def test_a_channel_without_address_is_told_but_sends_nothing() -> None:
    assert list(make_alerts(b"e", b"c", b"s", ["SMS"], ["EMAIL"], ["x"])) == [(None, "SMS", None)]


@given(st.tuples(IDS, IDS, IDS, IDS, IDS), st.tuples(IDS, IDS, IDS, IDS, IDS))
def test_ids_tell_alerts_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    def of(parts: tuple[str, ...]) -> str:
        entry, customer, setting, channel, address = parts
        return alert_id(entry.encode(), customer.encode(), setting.encode(), channel, address)

    assert (of(one) == of(other)) == (one == other)


def test_ids_do_not_run_together() -> None:
    assert alert_id(b"ab", b"c", b"s", "EMAIL", "x") != alert_id(b"a", b"bc", b"s", "EMAIL", "x")


def test_an_id_stays_what_it_is() -> None:
    """Senders remove repeats by it: it must not change from one release to the next."""
    assert alert_id(b"E1", b"C1", b"S1", "EMAIL", "a@example.com") == "e6e5819871751c98cab35be10eba41d2"
