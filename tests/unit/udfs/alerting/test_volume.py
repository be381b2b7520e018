"""When the volume of alerts is unusual: measured by the hour before, and never on too little."""

from hypothesis import given
from hypothesis import strategies as st

from udfs.alerting.volume import Volume

SECOND = 1000
NOON = 1_750_000_000_000


class Chain:
    """Sends alerts at a rate, and looks at their volume every ten seconds."""

    def __init__(self, times_usual: float = 10, at_least: int = 100, total: int = 0) -> None:
        self.volume = Volume(times_usual, at_least)
        self.now, self.total = NOON, total
        self.volume.see(self.now, self.total)

    def look(self, more: int, seconds: int = 10) -> bool:
        """Look again when so many more have been sent."""
        self.now += seconds * SECOND
        self.total += more
        return self.volume.see(self.now, self.total)

    def run(self, minutes: int, a_minute: int) -> list[bool]:
        """Send so many a minute, evenly: what each look said."""
        assert a_minute % 6 == 0
        return [self.look(a_minute // 6) for _ in range(minutes * 6)]


def test_a_burst_is_unusual_and_ends() -> None:
    chain = Chain()
    assert not any(chain.run(20, 60))
    assert chain.look(700)
    assert chain.volume.last_minute() == 750
    assert [chain.look(10) for _ in range(6)] == [True] * 5 + [False]


def test_exactly_so_many_times_the_usual_is_not_unusual() -> None:
    chain = Chain()
    chain.run(20, 60)
    assert not chain.look(550)
    chain = Chain()
    chain.run(20, 60)
    assert chain.look(551)


def test_few_are_never_unusual() -> None:
    chain = Chain()
    assert not any(chain.run(20, 0))
    assert not chain.look(100)
    assert chain.look(1)


def test_nothing_is_unusual_until_ten_minutes_are_known() -> None:
    chain = Chain()
    chain.run(10, 6)
    assert [chain.look(5000) for _ in range(6)] == [False] * 5 + [True]


def test_what_was_sent_before_the_first_look_does_not_count() -> None:
    chain = Chain(total=10**9)
    assert not any(chain.run(20, 60))
    assert chain.volume.last_minute() == 60


def test_what_lasts_becomes_usual() -> None:
    chain = Chain()
    chain.run(60, 12)
    said = chain.run(30, 1200)
    assert any(said)
    assert not said[-1]


def test_the_usual_is_that_of_the_last_hour() -> None:
    chain = Chain()
    chain.run(60, 6000)
    assert not any(chain.run(62, 60))
    assert chain.look(1000), "what was usual two hours ago is forgotten"


def test_a_decline_is_not_unusual() -> None:
    chain = Chain()
    chain.run(20, 6000)
    assert not any(chain.run(20, 0))
    assert chain.volume.last_minute() == 0


def test_it_remembers_little_more_than_an_hour() -> None:
    chain = Chain()
    chain.run(300, 60)
    assert chain.volume.totals[0][0] >= chain.now - 61 * 60 * SECOND
    assert len(chain.volume.totals) <= 61 * 6 + 1


def test_a_pause_in_looking_is_no_flood() -> None:
    chain = Chain()
    chain.run(20, 600)
    assert not chain.look(600 * 30, seconds=30 * 60), "as many a minute as ever"
    assert chain.volume.last_minute() == 600


@given(st.integers(0, 1000), st.lists(st.integers(1, 60), max_size=120))
def test_a_steady_rate_is_never_unusual(a_second: int, pauses: list[int]) -> None:
    chain = Chain(times_usual=2, at_least=0)
    assert not any(chain.look(a_second * pause, pause) for pause in pauses)
