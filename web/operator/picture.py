"""The picture of the chain, made of the readings.

Pure: the same readings at the same time give the same picture. A reading that is too old is never shown: its
part says that there is no news, and for how long.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from account_alerts.config import Config
from account_alerts.kafka import groups
from account_alerts.model.alerts import Channel
from jobs.catalog import ALERTING, ANALYST_ALERTS, DEVICE_RESOLVER, REMINDERS, RULE
from web.operator.chain import Health, Node, Snapshot, Stage, duration_words
from web.operator.headlines import CHANNEL_NAMES, headlines
from web.operator.readings import (
    NO_SPREAD,
    UNREACHABLE,
    CaptureFigures,
    ChannelFigures,
    JobFigures,
    QueueFigures,
    Reading,
    Readings,
    ServiceFigures,
    Spread,
)

FRESH_MS = 15_000
"""A reading that is older is no news; three looks of the slowest source."""
_BACKLOG_SECONDS = 10
_BACKLOG_LEAST = 100
"""A part is behind when more waits than it takes in so many seconds, and no fewer than this."""
_OVERDUE_MS = 60_000
"""As the alarm AlertsNotSent."""
_CHECKPOINTS = 3
"""So many intervals without a completed checkpoint are too many."""
_GATEWAYS = {Channel.EMAIL: "Mail server", Channel.SMS: "SMS gateway", Channel.PUSH: "Push services"}
_JOB_WORDS = {"NOT SUBMITTED": "Not started", "STARTING": "Starts", "RESTARTING": "Restarts"}
_T = TypeVar("_T")


def snapshot(config: Config, readings: Readings, now: int) -> Snapshot:
    """Make the picture of what was read.

    Args:
        config: Says which parts there are, and the topics' names.
        readings: What was read.
        now: Milliseconds UTC.
    """
    picture = _Picture(config, readings, now)
    stages = (
        Stage("Comes from", tuple(picture.sources())),
        Stage("Taken in by", tuple(picture.intakes())),
        Stage("Topics in", tuple(picture.topics_in())),
        Stage("Jobs", tuple(picture.jobs())),
        Stage("Topics out", tuple(picture.topics_out())),
        Stage("Senders", tuple(picture.senders())),
        Stage("Gateways", tuple(picture.gateways())),
    )
    strip = headlines(config, picture.kafka, picture.found_jobs, picture.ledger, now)
    shown = tuple(stage for stage in stages if stage.nodes)
    return Snapshot(now, shown, tuple(strip), tuple(picture.rules()))


def is_behind(waiting: int, rate: float | None) -> bool:
    """Tell whether so much waits that it is more than a moment's work."""
    return waiting > max(_BACKLOG_LEAST, _BACKLOG_SECONDS * (rate or 0))


class _Picture:
    """Judges each part by what was read of it."""

    def __init__(self, config: Config, readings: Readings, now: int) -> None:
        self._config, self._topics, self._readings, self._now = config, config.topics, readings, now
        self.kafka = self._fresh(readings.kafka)
        self.found_jobs = self._fresh(readings.jobs)
        self.ledger = self._fresh(readings.ledger)

    def sources(self) -> Iterator[Node]:
        def queue(found: QueueFigures) -> Node:
            node = Node("Bank's queue", Health.HEALTHY, "Healthy", self._bookings(), found.waiting)
            return _backlog(node, "Fills up", "Bookings wait at the bank's queue.")

        def bank(milliseconds: float) -> Node:
            spread = Spread(milliseconds, milliseconds)
            return Node("Bank's database", Health.HEALTHY, "Healthy", spread=spread)

        yield from self._judge("Bank's queue", self._readings.queue, queue, "It may be down: see the broker.")
        yield from self._judge(
            "Bank's database",
            self._readings.bank,
            bank,
            "Customers cannot change their settings; alerts go on with those known.",
        )

    def intakes(self) -> Iterator[Node]:
        def bridge(found: QueueFigures) -> Node:
            if found.bridges == 0:
                return Node("Bridge", Health.DOWN, "Down", 0, meaning="Nobody takes bookings from the queue.")
            return Node("Bridge", Health.HEALTHY, "Healthy", self._bookings(), found.unsettled)

        def capture(found: CaptureFigures) -> Node:
            if found.running:
                rate = self._rate(self._topics.alert_settings.name)
                return Node("Capture", Health.HEALTHY, "Healthy", rate)
            meaning = f"Changes of settings do not reach the chain. {found.reason}".strip()
            return Node("Capture", Health.DOWN, "Down", 0, meaning=meaning)

        def publisher(found: ServiceFigures) -> Node:
            return capture(CaptureFigures(bool(found.connector)))

        def clicks(_: ServiceFigures) -> Node:
            return Node("Click intake", Health.HEALTHY, "Healthy", self._rate(self._topics.click_events.name))

        yield from self._judge("Bridge", self._readings.queue, bridge, "The queue does not answer.")
        away = "Changes of settings may not reach the chain."
        yield from self._judge("Capture", self._readings.capture, capture, away)
        yield from self._judge("Capture", self._readings.services.get("publisher"), publisher, away)
        service = self._readings.services.get("clicks")
        yield from self._judge("Click intake", service, clicks, "Events of web pages may be refused.")

    def topics_in(self) -> Iterator[Node]:
        settings = self._topics.alert_settings.name
        yield from self._topic(self._topics.account_entries.name, self._waiting_of(ALERTING))
        yield from self._topic(settings, self._lag(groups.PROFILES, settings))
        if self._config.clicks is not None:
            yield from self._topic(self._topics.click_events.name, self._waiting_of(REMINDERS))

    def jobs(self) -> Iterator[Node]:
        known = [job.name for job in self._readings.jobs.value or ()] or [ALERTING]
        return self._jobs([name for name in known if not _is_of_rules(name)])

    def rules(self) -> Iterator[Node]:
        known = [job.name for job in self._readings.jobs.value or ()]
        return self._jobs([name for name in known if _is_of_rules(name)])

    def _jobs(self, names: list[str]) -> Iterator[Node]:
        away = "Flink does not answer; jobs may run all the same."
        for name in names:

            def judged(found: tuple[JobFigures, ...], name: str = name) -> Node:
                return self._job(next(job for job in found if job.name == name))

            yield from self._judge(_capital(name), self._readings.jobs, judged, away)

    def topics_out(self) -> Iterator[Node]:
        for channel, topic in self._topics.map_channels().items():
            lag = self._waiting_of(DEVICE_RESOLVER)
            if channel != Channel.PUSH:
                lag = self._lag(_group(channel), topic.name)
            yield from self._topic(topic.name, lag, self._channel(channel).written)

    def senders(self) -> Iterator[Node]:
        if self._readings.ledger is None:
            return
        away = "The ledger does not answer: senders wait for it, and nothing is lost."
        for channel in Channel:

            def judged(_: object, channel: Channel = channel) -> Node:
                return self._sender(channel)

            name = CHANNEL_NAMES[channel]
            if self.ledger is None:
                yield from self._judge(name, self._readings.ledger, judged, away)
            else:
                yield from self._judge(name, self._readings.kafka, judged, "Kafka does not answer.")

    def gateways(self) -> Iterator[Node]:
        for channel in Channel:

            def judged(found: ServiceFigures, channel: Channel = channel) -> Node:
                return self._gateway(channel, found)

            service = self._readings.services.get(f"sender-{channel.lower()}")
            yield from self._judge(_GATEWAYS[channel], service, judged, "The sender's metrics do not answer.")

    def _sender(self, channel: Channel) -> Node:
        name, figures = CHANNEL_NAMES[channel], self._channel(channel)
        group = self.kafka.groups.get(_group(channel)) if self.kafka else None
        if group is None or group.members == 0:
            meaning = "No sender of this channel runs: alerts wait on Kafka."
            return Node(name, Health.DOWN, "Down", 0, group.waiting if group else None, meaning=meaning)
        waiting = group.waiting + figures.overdue
        node = Node(name, Health.HEALTHY, "Healthy", figures.sent / 60, waiting, figures.sending)
        oldest = figures.oldest_overdue or 0
        since = f", the oldest for {duration_words(oldest)}" if oldest else ""
        meaning = f"{waiting:,} alerts wait{since}. The sender goes on trying; nothing is lost."
        if oldest > _OVERDUE_MS:
            return replace(node, health=Health.BEHIND, words="Behind", meaning=meaning)
        return _backlog(node, "Behind", "The sender goes on; nothing is lost.")

    def _gateway(self, channel: Channel, service: ServiceFigures) -> Node:
        figures = self._channel(channel)
        known = self.ledger is not None
        node = Node(
            _GATEWAYS[channel],
            Health.HEALTHY,
            "Healthy",
            figures.sent / 60 if known else None,
            figures.retrying if known else None,
        )
        down = sorted(route for route, up in service.gateways.items() if not up)
        if not down:
            return node
        words = "Down" if len(down) == len(service.gateways) else "Partly down"
        meaning = f"{', '.join(down)} takes no messages. The sender tries again; nothing is lost."
        return replace(node, health=Health.DOWN, words=words, meaning=meaning)

    def _job(self, job: JobFigures) -> Node:
        reads = {
            ALERTING: self._topics.account_entries.name,
            DEVICE_RESOLVER: self._topics.outbound_push.name,
            REMINDERS: self._topics.click_events.name,
        }
        if job.state == UNREACHABLE:
            meaning = "Its JobManager does not answer; it may run all the same."
            return Node(_capital(job.name), Health.NO_NEWS, "No news", meaning=meaning)
        rate = self._rate(reads[job.name]) if job.name in reads else None
        node = Node(_capital(job.name), Health.HEALTHY, "Healthy", rate, job.waiting)
        if job.state != "RUNNING":
            health = Health.BEHIND if job.state == "STARTING" else Health.DOWN
            words = _JOB_WORDS.get(job.state, "Down")
            meaning = "What comes meanwhile waits on Kafka; nothing is lost."
            return replace(node, health=health, words=words, meaning=meaning)
        last = job.checkpoints[-1].at if job.checkpoints else None
        if last is not None and self._now - last > _CHECKPOINTS * self._config.alerting.checkpoint_interval:
            since = duration_words(self._now - last)
            meaning = f"None was made for {since}: after a restart so much is done again."
            return replace(node, health=Health.BEHIND, words="No checkpoint", meaning=meaning)
        return _backlog(node, "Behind", "It reads more slowly than records come.")

    def _topic(self, name: str, lag: int | None, spread: Spread | None = None) -> Iterator[Node]:
        def judged(_: object) -> Node:
            topic = self.kafka.topics.get(name) if self.kafka else None
            if topic is None:
                meaning = "`alerts topics create` creates it."
                return Node(name, Health.DOWN, "Missing", meaning=meaning, waiting_label="Lag")
            node = Node(name, Health.HEALTHY, "Healthy", topic.rate, lag, spread or NO_SPREAD)
            return replace(_backlog(node, "Fills up", "Its reader is slow, or away."), waiting_label="Lag")

        return self._judge(name, self._readings.kafka, judged, "Kafka does not answer.")

    def _judge(
        self, name: str, reading: Reading[_T] | None, judged: Callable[[_T], Node], meaning: str
    ) -> Iterator[Node]:
        """Judge a part by a reading; nothing where the environment has no such part."""
        if reading is None:
            return
        value = self._fresh(reading)
        if value is not None:
            yield judged(value)
            return
        since = f", {duration_words(self._now - reading.at)}" if reading.at else ""
        yield Node(name, Health.NO_NEWS, f"No news{since}", meaning=meaning)

    def _fresh(self, reading: Reading[_T] | None) -> _T | None:
        return None if reading is None or self._now - reading.at > FRESH_MS else reading.value

    def _bookings(self) -> float | None:
        return self._rate(self._topics.account_entries.name)

    def _rate(self, topic: str) -> float | None:
        found = self.kafka.topics.get(topic) if self.kafka else None
        return found.rate if found else None

    def _lag(self, group: str, topic: str) -> int | None:
        found = self.kafka.groups.get(group) if self.kafka else None
        return found.lag.get(topic) if found else None

    def _waiting_of(self, job: str) -> int | None:
        return next((found.waiting for found in self.found_jobs or () if found.name == job), None)

    def _channel(self, channel: str) -> ChannelFigures:
        found = self.ledger.channels.get(channel) if self.ledger else None
        return found or ChannelFigures()


def _backlog(node: Node, words: str, meaning: str) -> Node:
    """Call a part behind where too much waits for it."""
    if node.waiting is None or not is_behind(node.waiting, node.rate):
        return node
    return replace(node, health=Health.BEHIND, words=words, meaning=f"{node.waiting:,} wait. {meaning}")


def _is_of_rules(job: str) -> bool:
    return job == ANALYST_ALERTS or job.startswith(RULE)


def _group(channel: str) -> str:
    return groups.SENDER_PREFIX + channel.lower()


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:].replace("-", " ")
