"""One test's records, under ids of its own, and what came for them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.builders import Record, authorization
from tests.pipeline.harness import TIMEOUT, Observed, PipelineHarness
from tests.reference.binary import decode, encode
from tests.reference.compare import DeadLetter, Difference, as_alert, compare
from tests.reference.model import Expected, KafkaRecord, expect


@dataclass(repr=False)  # Of thousands of records; pytest would write it out where a test fails.
class Scenario:
    """One test's records, under ids of its own."""

    pipeline: PipelineHarness
    prefix: str
    records: list[KafkaRecord] = field(default_factory=list)
    _serial: int = 0

    def id(self, name: str) -> str:
        """An id that no other test has."""
        return f"{self.prefix}-{name}"

    def fork(self) -> "Scenario":
        """A scenario with the same rules, and bookings of its own on the same accounts."""
        return Scenario(self.pipeline, self.pipeline.new_prefix(), list(self.records))

    def next_id(self) -> str:
        """An id for the next booking."""
        self._serial += 1
        return self.id(f"e{self._serial}")

    def produce(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Write any bytes."""
        self.pipeline.produce(topic, key, value, self.records)

    def write_booking(self, record: Record) -> None:
        """Write a booking."""
        self.produce(
            self.pipeline.topics.entries, record["account_id"].encode(), encode("AccountEntry", record)
        )

    def write_invalid(self, key: bytes | None, value: bytes | None) -> None:
        """Write bytes that are no booking."""
        self.produce(self.pipeline.topics.entries, key, value)

    def authorize(self, account_id: str, *customers: str) -> None:
        """Say who may see an account; nobody leaves a tombstone."""
        value = encode("AccountAuthorization", authorization(account_id, *customers)) if customers else None
        self.produce(self.pipeline.topics.authorizations, account_id.encode(), value)

    def write_settings(self, record: Record) -> None:
        """Write a customer's settings."""
        key = record["customer_id"].encode()
        self.produce(self.pipeline.topics.settings, key, encode("AlertSettings", record))

    def delete_settings(self, customer_id: str) -> None:
        """Write a tombstone for a customer's settings."""
        self.produce(self.pipeline.topics.settings, customer_id.encode(), None)

    def await_effect(self) -> None:
        """Make sure that the changes so far count for what is booked from now on."""
        self.pipeline.flush()
        self.pipeline.await_effect(self.records)

    def alerts(self) -> list[Observed]:
        """What came for this test's bookings and accounts, repeats included."""
        return [each for each in self.pipeline.alerts if self._mine(each)]

    def dead_letters(self) -> list[DeadLetter]:
        """Dead letters of this test's records."""
        sources = {record.source for record in self.records}
        return [letter for letter in self.pipeline.dead_letters if letter.source in sources]

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
        """Take in what comes until the condition holds, and fail when it does not in time."""
        assert self.pipeline.consume_until(condition, timeout), f"not within {timeout:.0f} s: {what}"

    def verify(self, timeout: float = TIMEOUT) -> Expected:
        """Wait for all that must come, and fail with what is missing, or came though it must not."""
        pipeline = self.pipeline
        pipeline.flush()
        expected = expect(self.records, pipeline.topics)
        barrier = pipeline.barrier()
        seen_alerts, seen_letters = [0], [0]
        missing, letters = set(expected.certain), set(expected.dead_letters)

        def complete() -> bool:
            for observed in pipeline.alerts[seen_alerts[0] :]:
                missing.discard(as_alert(observed.record))
            for letter in pipeline.dead_letters[seen_letters[0] :]:
                letters.discard(letter.source)
            seen_alerts[0], seen_letters[0] = len(pipeline.alerts), len(pipeline.dead_letters)
            return barrier() and not missing and not letters

        in_time = pipeline.consume_until(complete, timeout)
        difference = self.difference(expected)
        assert not difference, f"the pipeline is not what the contract says:\n{difference}"
        assert in_time, f"the bookings written last were not alerted within {timeout:.0f} s"
        assert not pipeline.broken, f"not an OutboundAlert: {pipeline.broken}"
        return expected

    def difference(self, expected: Expected) -> Difference:
        """Compare what came so far."""
        alerts = [(observed.channel, observed.record) for observed in self.alerts()]
        return compare(expected, alerts, self.dead_letters())

    def latencies(self) -> list[int]:
        """Milliseconds on Kafka's clock from each booking to its alerts, in the order they came."""
        booked = {
            found["entry_id"]: record.timestamp
            for record in self.records
            if record.topic == self.pipeline.topics.entries
            and (found := decode("AccountEntry", record.value)) is not None
        }
        return [each.timestamp - booked[each.record["entry_id"]] for each in self.alerts()]

    def _mine(self, observed: Observed) -> bool:
        record = observed.record
        fields = record["account_id"], record["customer_id"], record["entry_id"]
        return any(value.startswith(f"{self.prefix}-") for value in fields)
