"""After all the others: nothing came that nobody asked for."""

from tests.pipeline.chain import Chain
from tests.pipeline.environment import Environment
from tests.reference.binary import decode


def test_every_alert_is_about_a_booking(environment: Environment, chain: Chain) -> None:
    """Broken bytes taken for a booking would show up under an id that nobody gave."""
    assert chain.until(chain.fence()), "the chain does not run any more"
    booked = {
        found["entry_id"]
        for record in chain.records
        if record.topic == chain.topics.entries
        and (found := decode("AccountEntry", record.value)) is not None
    }
    prefixes = tuple(f"{prefix}-" for prefix in chain.prefixes)
    ids = {observed.record["entry_id"] for observed in chain.alerts}
    assert ids
    assert not {entry_id for entry_id in ids - booked if not entry_id.startswith(prefixes)}
    assert not chain.broken
