"""The strip on top of the chain's page: a few figures of the whole."""

from collections.abc import Iterator

from account_alerts.config import Config
from account_alerts.model.alerts import Channel
from jobs.catalog import ALERTING
from web.operator.chain import Headline, duration_words
from web.operator.readings import JobFigures, KafkaFigures, LedgerFigures

CHANNEL_NAMES = {Channel.EMAIL: "E-mail", Channel.SMS: "SMS", Channel.PUSH: "Push"}
UNKNOWN = "\N{EN DASH}"


def headlines(
    config: Config,
    kafka: KafkaFigures | None,
    jobs: tuple[JobFigures, ...] | None,
    ledger: LedgerFigures | None,
    now: int,
) -> Iterator[Headline]:
    """Make the strip of what is known; None is what there is no news of.

    Args:
        config: Says which parts there are.
        kafka: Topics and groups.
        jobs: Flink's jobs.
        ledger: What the ledger says.
        now: Milliseconds UTC.
    """
    if config.delivery is not None:
        yield _alert_to_gateway(ledger)
    yield _bookings(config, kafka, now)
    if config.delivery is not None:
        yield _alerts(ledger, now)
    yield _dead_letters(config, kafka)
    yield _last_checkpoint(config, jobs, now)
    yield _restarts(jobs)


def per_second(rate: float | None) -> str:
    """Return a rate with its unit."""
    if rate is None:
        return UNKNOWN
    return f"{rate:,.1f}/s" if 0 < rate < 10 else f"{rate:,.0f}/s"


def _alert_to_gateway(ledger: LedgerFigures | None) -> Headline:
    name = "Alert to gateway"
    if ledger is None:
        return Headline(name, UNKNOWN, "the ledger does not answer")
    p50, p99 = ledger.whole.p50, ledger.whole.p99
    if p50 is None or p99 is None:
        return Headline(name, UNKNOWN, "nothing was sent in the last minute")
    return Headline(name, duration_words(p50), f"p50; p99 {duration_words(p99)}; last minute")


def _bookings(config: Config, kafka: KafkaFigures | None, now: int) -> Headline:
    if kafka is None:
        return Headline("Bookings", UNKNOWN, "Kafka does not answer")
    name = config.topics.account_entries.name
    topic = kafka.topics.get(name)
    minute = kafka.minutes.get(name, {}).get(_last_minute(now))
    detail = "" if minute is None else f"{minute:,} in the last full minute"
    return Headline("Bookings", per_second(topic.rate if topic else None), detail)


def _alerts(ledger: LedgerFigures | None, now: int) -> Headline:
    if ledger is None:
        return Headline("Alerts", UNKNOWN, "the ledger does not answer")
    by_channel = dict.fromkeys(Channel, 0)
    for (channel, _), count in ledger.minutes.get(_last_minute(now), {}).items():
        by_channel[Channel(channel)] += count
    detail = ", ".join(f"{count:,} {CHANNEL_NAMES[channel]}" for channel, count in by_channel.items())
    return Headline("Alerts", f"{sum(by_channel.values()):,}/min", detail)


def _dead_letters(config: Config, kafka: KafkaFigures | None) -> Headline:
    if kafka is None:
        return Headline("Dead letters", UNKNOWN, "Kafka does not answer")
    name = config.topics.dead_letters.name
    topic = kafka.topics.get(name)
    new = sum(kafka.minutes.get(name, {}).values())
    return Headline(
        "Dead letters", UNKNOWN if topic is None else f"{topic.kept:,}", f"{new:,} new in the last hour"
    )


def _last_checkpoint(config: Config, jobs: tuple[JobFigures, ...] | None, now: int) -> Headline:
    alerting = next((job for job in jobs or () if job.name == ALERTING), None)
    if alerting is None or not alerting.checkpoints:
        return Headline("Last checkpoint", UNKNOWN, "Flink does not answer" if jobs is None else "none yet")
    last = alerting.checkpoints[-1]
    every = duration_words(config.alerting.checkpoint_interval)
    return Headline(
        "Last checkpoint",
        f"{duration_words(max(0, now - last.at))} ago",
        f"took {duration_words(last.duration)}; every {every}",
    )


def _restarts(jobs: tuple[JobFigures, ...] | None) -> Headline:
    known = [job for job in jobs or () if job.restarts is not None]
    if not known:
        return Headline("Restarts", UNKNOWN, "Flink does not answer" if jobs is None else "no job runs")
    names = ", ".join(job.name for job in known if job.restarts)
    return Headline("Restarts", str(sum(job.restarts or 0 for job in known)), names or "since the jobs began")


def _last_minute(now: int) -> int:
    """Return the start of the last minute that has passed as a whole."""
    return now // 60_000 * 60_000 - 60_000
