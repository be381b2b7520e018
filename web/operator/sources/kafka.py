"""Topics and consumer groups, by the administration client; nothing is read or committed."""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from account_alerts.config import Config
from account_alerts.kafka import groups
from account_alerts.kafka.clients import KafkaUnreachableError, admin
from account_alerts.model.alerts import Channel
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from web.operator.readings import GroupFigures, KafkaFigures, TopicFigures

MINUTE_MS = 60_000
HOUR = 60
"""Minutes that are shown."""
_TIMEOUT = 5.0


class KafkaSource:
    """Looks at Kafka again and again; rates are those since the look before."""

    def __init__(self, config: Config, clock: Clock = SYSTEM_CLOCK) -> None:
        """Prepare; nothing is asked yet."""
        self._config, self._clock = config, clock
        self._client: Any = None
        self._before: tuple[float, dict[str, int]] | None = None
        topics = config.topics
        self._counted = (topics.account_entries.name, topics.dead_letters.name)
        self._marks: dict[str, dict[int, int]] = {name: {} for name in self._counted}
        """By topic and time, the sum of the end offsets at that time: Kafka knows it, also of the past."""
        self._groups = [groups.PROFILES, *(groups.SENDER_PREFIX + channel.lower() for channel in Channel)]

    def look(self) -> KafkaFigures:
        """Ask for offsets and groups.

        Raises:
            KafkaUnreachableError: Kafka does not answer, or a partition has no leader.
        """
        self._client = self._client or admin(self._config)
        try:
            known = self._client.list_topics(timeout=_TIMEOUT).topics
            names = [topic.name for topic in self._config.topics.all().values() if topic.name in known]
            parts = [TopicPartition(name, number) for name in names for number in known[name].partitions]
            ends = self._offsets(parts, OffsetSpec.latest())  # type: ignore[no-untyped-call]
            # What is kept matters of the dead letters only: they are what somebody has to look at.
            dead = self._config.topics.dead_letters.name
            dead_parts = [part for part in parts if part.topic == dead]
            begins = self._offsets(dead_parts, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            found = self._ask_groups(ends)
            totals = _by_topic(ends)
            minutes = {
                name: self._minutes(name, [part for part in parts if part.topic == name], ends)
                for name in self._counted
                if name in totals
            }
        except KafkaException as error:
            raise KafkaUnreachableError(f"Kafka does not answer ({error.args[0].str()})") from error
        rates = self._rates(totals)
        kept = {name: total - _by_topic(begins).get(name, 0) for name, total in totals.items()}
        topics = {name: TopicFigures(totals[name], kept[name], rates.get(name)) for name in totals}
        return KafkaFigures(topics, found, minutes)

    def _offsets(self, parts: Iterable[TopicPartition], spec: Any) -> dict[tuple[str, int], int]:
        wanted = dict.fromkeys(parts, spec)
        if not wanted:
            return {}
        futures = self._client.list_offsets(wanted, request_timeout=_TIMEOUT)
        return {(part.topic, part.partition): future.result().offset for part, future in futures.items()}

    def _ask_groups(self, ends: Mapping[tuple[str, int], int]) -> dict[str, GroupFigures]:
        described = self._client.describe_consumer_groups(self._groups, request_timeout=_TIMEOUT)
        committed = {
            group: self._client.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT
            )[group]
            for group in self._groups
        }
        found = {}
        for group in self._groups:
            try:
                members = len(described[group].result().members)
                parts = committed[group].result().topic_partitions
            except KafkaException:
                continue  # Nobody has ever been in it, or it may not be described.
            lag: dict[str, int] = {}
            for part in parts:
                end = ends.get((part.topic, part.partition))
                if end is not None:
                    behind = max(0, end - max(part.offset, 0))
                    lag[part.topic] = lag.get(part.topic, 0) + behind
            found[group] = GroupFigures(members, lag)
        return found

    def _rates(self, totals: dict[str, int]) -> dict[str, float]:
        now = self._clock.monotonic()
        before, self._before = self._before, (now, totals)
        if before is None or now <= before[0]:
            return {}
        seconds = now - before[0]
        return {
            name: max(0, total - before[1][name]) / seconds
            for name, total in totals.items()
            if name in before[1]
        }

    def _minutes(
        self, topic: str, parts: list[TopicPartition], ends: Mapping[tuple[str, int], int]
    ) -> dict[int, int]:
        """Count the records of each minute of the last hour, this one included."""
        this = self._clock.now_ms() // MINUTE_MS * MINUTE_MS
        wanted = [this - back * MINUTE_MS for back in range(HOUR - 1, -1, -1)]
        marks = self._marks[topic]
        for gone in [at for at in marks if at < wanted[0]]:
            del marks[gone]
        # All that are missing at once: an hour of them at the first look, then one a minute.
        asked = {
            at: self._client.list_offsets(
                dict.fromkeys(parts, OffsetSpec.for_timestamp(at)), request_timeout=_TIMEOUT
            )
            for at in wanted
            if at not in marks
        }
        for at, futures in asked.items():
            total = 0
            for part, future in futures.items():
                offset = future.result().offset
                # Negative: nothing was written since. What will be stands behind the end.
                total += ends[part.topic, part.partition] if offset < 0 else offset
            marks[at] = total
        end = sum(ends[part.topic, part.partition] for part in parts)
        limits = [*(marks[at] for at in wanted), end]
        return {
            at: max(0, after - before) for at, before, after in zip(wanted, limits, limits[1:], strict=False)
        }


def _by_topic(offsets: Mapping[tuple[str, int], int]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for (topic, _), offset in offsets.items():
        totals[topic] = totals.get(topic, 0) + offset
    return totals
