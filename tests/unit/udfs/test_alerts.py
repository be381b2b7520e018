"""The alerts of a booking, and of a setting that has alerts of its own."""

from hypothesis import given
from hypothesis import strategies as st

from udfs.alerts import alert_id, make_alerts, make_setting_alerts

IDS = st.text(min_size=1, max_size=8)


def made(channels: list[str], addresses: list[tuple[str, str]]) -> list[tuple[str, str | None]]:
    results = make_alerts(
        b"e", b"c", channels, [of for of, _ in addresses], [address for _, address in addresses]
    )
    return [(channel, address) for _, channel, address in results]


def test_one_per_channel_and_address() -> None:
    addresses = [("EMAIL", "x"), ("SMS", "1"), ("EMAIL", "y"), ("PUSH", "c")]
    assert made(["EMAIL", "SMS"], addresses) == [("EMAIL", "x"), ("EMAIL", "y"), ("SMS", "1")]


def test_what_is_named_twice_counts_once() -> None:
    assert made(["EMAIL", "EMAIL"], [("EMAIL", "x"), ("EMAIL", "x")]) == [("EMAIL", "x")]


def test_a_channel_without_address_is_told_but_sends_nothing() -> None:
    assert list(make_alerts(b"e", b"c", ["SMS"], ["EMAIL"], ["x"])) == [(None, "SMS", None)]


def test_the_settings_of_a_booking_share_one_alert_unless_they_have_their_own() -> None:
    reached = ["EMAIL"], ["EMAIL"], ["x"]
    (shared,) = make_alerts(b"e", b"c", *reached)
    own = [next(make_setting_alerts(b"e", b"c", setting, *reached)) for setting in (b"s", b"t")]
    assert shared[0] == alert_id((b"e", b"c"), "EMAIL", "x")
    assert len({shared[0], *(each[0] for each in own)}) == 3


@given(st.tuples(IDS, IDS, IDS, IDS), st.tuples(IDS, IDS, IDS, IDS))
def test_ids_tell_alerts_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    def of(parts: tuple[str, ...]) -> str:
        entry, customer, channel, address = parts
        return alert_id((entry.encode(), customer.encode()), channel, address)

    assert (of(one) == of(other)) == (one == other)


def test_ids_do_not_run_together() -> None:
    assert alert_id((b"ab", b"c"), "EMAIL", "x") != alert_id((b"a", b"bc"), "EMAIL", "x")


def test_an_id_stays_what_it_is() -> None:
    """Senders remove repeats by it: it must not change from one release to the next."""
    of_setting = alert_id((b"E1", b"C1", b"S1"), "EMAIL", "a@example.com")
    assert of_setting == "e6e5819871751c98cab35be10eba41d2"
    assert alert_id((b"E1", b"C1"), "EMAIL", "a@example.com") == "e23881a1450490dd862a402ba8070255"
