"""Watermarks say how far a topic has been read, whatever stands at its end; one made anew is noticed."""

import itertools
import statistics
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Message, Producer, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from account_alerts.config import Config
from account_alerts.kafka import clients
from tests.component.following import Follower, Following, Place, places
from tests.component.programs import Programs

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def follower(kafka: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    follower = Follower(tmp_path_factory.mktemp("follow"), kafka)
    yield follower
    follower.close()


class Topic:
    """A topic of the test's own, and a producer."""

    def __init__(self, config: Config, partitions: int = 1, name: str = "") -> None:
        self.name = name or f"followed-{next(_numbers)}"
        self.partitions = partitions
        self.config = config
        self.places: list[Place] = []
        self.newest = 0
        self.admin = clients.admin(config)
        self._producer = clients.producer(config)
        options = {"message.timestamp.type": "LogAppendTime"}
        created = self.admin.create_topics([NewTopic(self.name, partitions, 1, config=options)])
        created[self.name].result(60)

    def delete(self) -> None:
        self.admin.delete_topics([self.name])[self.name].result(60)
        self.admin.poll(0)

    def _delivered(self, error: object, message: Message) -> None:
        assert error is None, error
        self.places.append((message.partition() or 0, message.offset() or 0))
        self.newest = max(self.newest, message.timestamp()[1])

    def write(self, count: int = 1, partition: int | None = None) -> None:
        """Write records, one partition after the other or all to one."""
        for number in range(count):
            where = number % self.partitions if partition is None else partition
            while True:
                try:
                    self._producer.produce(self.name, b"x", partition=where, on_delivery=self._delivered)
                    break
                except BufferError:
                    self._producer.poll(0.1)
        assert self._producer.flush(60) == 0

    def transactional(self) -> Producer:
        """Return a producer that has begun nothing yet."""
        producer = clients.producer(
            self.config, **{"transactional.id": f"{self.name}-{next(_numbers)}", "linger.ms": 0}
        )
        producer.init_transactions(60)
        return producer

    def in_transaction(self, producer: Producer, count: int = 1, partition: int = 0) -> None:
        """Begin a transaction and write records that stand on Kafka, undecided."""
        producer.begin_transaction()
        for _ in range(count):
            producer.produce(self.name, b"x", partition=partition, on_delivery=self._delivered)
        assert producer.flush(60) == 0


def now() -> float:
    return time.time() * 1000


def assert_complete(job: Following, topic: Topic) -> None:
    """All records came, each before the watermark of its time."""
    assert job.too_late == []
    assert sorted(job.passed) == sorted(topic.places)


def test_cold_start_says_nothing_before_all_is_read(kafka: Config, follower: Follower) -> None:
    topic = Topic(kafka, partitions=5)
    topic.write(20_000)
    began = now()
    job = follower.start(topic.name, parallelism=2, max_wait=1, max_lag=1)
    follower.wait_until_known(job, began)
    assert_complete(job, topic)
    follower.cancel(job)


def test_partitions_that_are_empty_hold_nothing_up(kafka: Config, follower: Follower) -> None:
    """Some without a record, a subtask without a partition, a topic whose records are all deleted."""
    topic = Topic(kafka, partitions=2)
    topic.write(10, partition=1)
    job = follower.start(topic.name, parallelism=3)
    follower.wait_until_known(job, now())
    assert_complete(job, topic)
    topic.write(10, partition=1)
    follower.wait_until_known(job, topic.newest)
    assert_complete(job, topic)
    follower.cancel(job)

    end = TopicPartition(topic.name, 1, max(offset for _, offset in topic.places) + 1)
    topic.admin.delete_records([end])[end].result(60)
    job = follower.start(topic.name, parallelism=1)
    follower.wait_until_known(job, now())
    assert job.passed == []
    follower.cancel(job)


def test_offsets_without_records_hold_nothing_up(kafka: Config, follower: Follower) -> None:
    """Markers at the end, of transactions committed and aborted, and what was aborted."""
    topic = Topic(kafka, partitions=2)
    producer = topic.transactional()
    topic.in_transaction(producer, 3)
    producer.commit_transaction(60)
    committed = list(topic.places)
    topic.in_transaction(producer, 100)
    producer.abort_transaction(60)
    topic.places = list(committed)
    job = follower.start(topic.name)
    follower.wait_until_known(job, now())
    assert_complete(job, topic)
    # While it runs as well.
    topic.in_transaction(producer, 100)
    producer.abort_transaction(60)
    topic.places = list(committed)
    follower.wait_until_known(job, now())
    topic.write(1, partition=0)
    follower.wait_until_known(job, topic.newest)
    assert_complete(job, topic)
    follower.cancel(job)


def test_transactions_one_after_the_other_are_followed_closely(kafka: Config, follower: Follower) -> None:
    """Each leaves a marker at the end; the watermark must not be further behind than the effect_delay."""
    topic = Topic(kafka, partitions=2)
    producer = topic.transactional()
    job = follower.start(topic.name)
    follower.wait_until_known(job, now())
    first = len(job.marks)
    for number in range(100):
        topic.in_transaction(producer, partition=number % 2)
        producer.commit_transaction(60)
        time.sleep(0.02)
    follower.wait_until_known(job, topic.newest)
    assert_complete(job, topic)
    assert statistics.median(behind for _, behind in job.marks[first:]) < 500
    follower.cancel(job)


@pytest.mark.parametrize("committed", [True, False])
def test_a_transaction_that_is_open_holds_the_watermark(
    kafka: Config, follower: Follower, committed: bool
) -> None:
    topic = Topic(kafka, partitions=3)
    topic.write(3)
    job = follower.start(topic.name)
    follower.wait_until_known(job, now())
    decided = list(topic.places)
    producer = topic.transactional()
    opened = now()
    topic.in_transaction(producer, partition=1)
    written = topic.newest
    # Others get on meanwhile; it does not.
    topic.write(30, partition=0)
    follower.wait(lambda: len(places(job.passed, 0)) == 31)
    time.sleep(1)
    assert job.known < written
    if committed:
        producer.commit_transaction(60)
    else:
        producer.abort_transaction(60)
        topic.places = decided + [place for place in topic.places if place[0] == 0 and place not in decided]
    follower.wait_until_known(job, opened + 1000)
    assert_complete(job, topic)
    follower.cancel(job)


def test_a_transaction_that_stays_open_is_not_waited_for_longer_than_max_wait(
    kafka: Config, follower: Follower
) -> None:
    topic = Topic(kafka, partitions=2)
    job = follower.start(topic.name, max_wait=3_000)
    follower.wait_until_known(job, now())
    producer = topic.transactional()
    topic.in_transaction(producer, partition=1)
    written = topic.newest
    # What gets on in another partition decides nothing.
    writing = now()
    while job.known < written:
        assert now() < writing + 100_000
        topic.write(1, partition=0)
        time.sleep(0.1)
    known, behind = job.marks[-1]
    assert behind >= 3_000
    assert now() - writing >= 2_900
    errors = [line for line in follower.log if " ERROR " in line and f"{topic.name} has not got on" in line]
    assert len(errors) == 1, "said once"
    producer.commit_transaction(60)
    follower.wait_until_known(job, now())
    assert sorted(job.passed) == sorted(topic.places)
    follower.cancel(job)
    assert known >= written


def test_a_topic_that_gets_on_is_waited_for_up_to_max_lag(kafka: Config, follower: Follower) -> None:
    topic = Topic(kafka)
    topic.write(1)
    job = follower.start(topic.name, parallelism=1, max_wait=2_000, max_lag=6_000, microseconds=5_000)
    follower.wait_until_known(job, now())
    topic.write(3_000)  # 15 s of work.
    written = topic.newest
    follower.wait_until_known(job, written)
    known, behind = job.marks[-1]
    assert behind >= 6_000
    assert len(job.passed) < len(topic.places)
    follower.wait(lambda: len(job.passed) == len(topic.places))
    assert sorted(job.passed) == sorted(topic.places)
    follower.cancel(job)
    assert known >= written


def test_a_job_goes_on_at_another_parallelism(kafka: Config, follower: Follower) -> None:
    topic = Topic(kafka, partitions=5)
    producer = topic.transactional()
    topic.write(1_000)
    topic.in_transaction(producer, partition=4)
    producer.commit_transaction(60)
    job = follower.start(topic.name, parallelism=2)
    follower.wait_until_known(job, now())
    savepoint = follower.stop(job)
    before = len(topic.places)
    topic.write(1_003)
    began = now()
    job = follower.start(topic.name, parallelism=3, savepoint=savepoint)
    follower.wait_until_known(job, began)
    topic.places = topic.places[before:]
    assert_complete(job, topic)
    savepoint = follower.stop(job)
    began = now()
    job = follower.start(topic.name, parallelism=1, savepoint=savepoint)
    follower.wait_until_known(job, began)
    assert job.passed == []
    follower.cancel(job)


def test_kafka_that_is_away_loses_nothing(kafka: Config, follower: Follower, programs: Programs) -> None:
    topic = Topic(kafka, partitions=2)
    topic.write(10)
    job = follower.start(topic.name, max_wait=2_000)
    follower.wait_until_known(job, now())
    with programs.paused("kafka"):
        away = now()
        # Without an answer the watermark follows the clock, by max_wait behind.
        follower.wait_until_known(job, away)
        assert now() >= away + 2_000
    topic.write(10)
    follower.wait_until_known(job, now())
    assert_complete(job, topic)
    assert not job.failures
    follower.cancel(job)


def test_a_topic_made_anew_is_refused(kafka: Config, follower: Follower) -> None:
    topic = Topic(kafka)
    topic.write(10)
    job = follower.start(topic.name, parallelism=1)
    follower.wait_until_known(job, now())
    savepoint = follower.stop(job)
    topic.delete()
    follower.wait(lambda: topic.name not in topic.admin.list_topics(timeout=60).topics)
    other = Topic(kafka, name=topic.name)
    other.write(20)
    job = follower.start(topic.name, parallelism=1, savepoint=savepoint)
    # The reason is one of several causes, told one by one.
    follower.wait(lambda: any(topic.name in each and "upgrades.md" in each for each in job.failures))
    assert job.passed == []
    # The way out: without state.
    job = follower.start(topic.name, parallelism=1)
    follower.wait_until_known(job, now())
    assert_complete(job, other)
    follower.cancel(job)
