"""A sender: claims the alerts of a channel, hands them over to its gateway, and writes down what became.

Each alert holds one of `senders.in_flight` places from its claim to its mark. Records are committed on Kafka
as soon as the ledger has them: what happens after that is the ledger's to remember.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import psycopg

from account_alerts.config.delivery import Senders
from account_alerts.records.codec import Codec, Record
from account_alerts.service.backoff import Backoff
from account_alerts.service.rate_limit import TokenBucket
from delivery import policy
from delivery.alert import (
    Delivery,
    Mark,
    Source,
    UnusableError,
    claimed_again,
    mark_of_verdict,
    marks_of,
    read,
    route_of,
    with_standing,
)
from delivery.gateways.base import Gateway, Outcome, Result
from delivery.ledger.ledger import Ledger
from delivery.ledger.writer import Marks
from delivery.metrics import Metrics
from delivery.rendering.messages import UnsubscribeLink, message_of
from delivery.worker.alert_consumer import Inbox
from delivery.worker.dead_letters import Letters
from delivery.worker.flow import Routes, Slots
from delivery.worker.gateway_health import Health

_log = logging.getLogger(__name__)
_AT_ONCE = 500
_LOOK_SECONDS = 0.25
_DIGESTS_AT_ONCE = 20


def now_ms() -> int:
    """The time, in milliseconds UTC."""
    return time.time_ns() // 1_000_000


class Sender:
    """One process of one channel."""

    def __init__(
        self,
        channel: str,
        settings: Senders,
        *,
        ledger: Ledger,
        inbox: Inbox,
        letters: Letters,
        gateway: Gateway,
        decoder: Codec,
        topic: str,
        metrics: Metrics,
        unsubscribe: UnsubscribeLink | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """Do nothing yet; `topic` is where the channel's alerts come from."""
        self._channel, self._settings, self._topic = channel, settings, topic
        self._ledger, self._inbox, self._letters, self._gateway = ledger, inbox, letters, gateway
        self._decoder, self._metrics, self._unsubscribe = decoder, metrics, unsubscribe
        self._clock = clock
        self._policy = policy.Policy(
            settings.max_deferral,
            settings.recheck_after,
            settings.digest_at,
            frozenset(settings.always_sent),
        )
        self._slots = Slots(settings.in_flight)
        self._again = Slots(max(1, settings.in_flight // 2))
        self._bucket = TokenBucket(settings.rate(channel))
        self._retries = Backoff(settings.initial_backoff, settings.max_backoff)
        self._routes = Routes(settings.max_probe_interval / 1000)
        self._health = Health(self._routes, metrics)
        self._marks = Marks(ledger, gateway, metrics, written=self._release)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then let what is on its way arrive.

        Raises:
            Exception: Something that trying again does not mend; the supervisor starts a new process.
        """
        loops = [
            asyncio.create_task(loop, name=name)
            for name, loop in {
                "read": self._inbox.read(),
                "receive": self._receive(),
                "due": self._look(),
                "mark": self._marks.write(),
                "receipts": self._marks.read_receipts(),
                "confirm": self._marks.confirm(),
                "report": self._report(),
            }.items()
        ]
        stopping = asyncio.create_task(stop.wait())
        self._metrics.ready.set(1)
        try:
            done, _ = await asyncio.wait([stopping, *loops], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # A loop ends by its fault only.
            if stopping not in done:
                raise RuntimeError("a loop of the sender has ended")
            await self._leave(loops[0])
        finally:
            self._inbox.stop()
            for task in (stopping, *loops[1:], *self._tasks):
                task.cancel()
            await asyncio.gather(stopping, *loops, *self._tasks, return_exceptions=True)

    async def _leave(self, reading: asyncio.Task[None]) -> None:
        """Take nothing more, and wait for what is on its way."""
        self._metrics.ready.set(0)
        end = time.monotonic() + self._settings.send_timeout / 1000 + 2
        self._stopping = True
        while self._slots.used > 0 and time.monotonic() < end:
            await asyncio.sleep(0.02)
        self._inbox.stop()
        await reading

    _stopping = False

    # What comes from Kafka.

    async def _receive(self) -> None:
        while not self._stopping:
            await self._inbox.arrival()
            if self._stopping:
                return
            places = await self._slots.take(min(len(self._inbox), _AT_ONCE))
            permits = await self._bucket.take(places)
            self._slots.release(places - permits)
            sources = self._inbox.pop(permits)
            self._metrics.received.inc(len(sources))
            fresh, broken = await self._decode(sources)
            writing = asyncio.create_task(self._dead(broken))
            claimed = await self._claim(list(fresh.values()))
            for delivery in claimed:
                self._decide([delivery])
            unused = permits - len(claimed)
            self._metrics.repeated.inc(unused - len(broken))
            self._slots.release(unused)
            self._bucket.give_back(unused)
            await writing
            self._inbox.done(sources)

    async def _decode(
        self, sources: Sequence[Source]
    ) -> tuple[dict[str, Delivery], list[tuple[Source, str]]]:
        """The deliveries in records, by alert id, and those that are none, with the reason."""
        fresh: dict[str, Delivery] = {}
        broken: list[tuple[Source, str]] = []
        ends = time.monotonic() + self._settings.lease / 1000
        for source in sources:
            try:
                alert = await self._read(source)
            except UnusableError as error:
                broken.append((source, str(error)))
            else:
                fresh.setdefault(alert["alert_id"], Delivery(alert, source, route_of(alert), 1, ends))
        return fresh, broken

    async def _read(self, source: Source) -> Record:
        while True:
            try:
                return read(source, self._channel, self._decoder)
            except UnusableError:
                raise
            except Exception as error:  # The registry is away; the record may be a good one.
                _log.warning("an alert cannot be decoded yet: %s", type(error).__name__)
                await asyncio.sleep(1)

    async def _claim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those that are new, and this process's own now."""
        if not deliveries:
            return []
        try:
            found = await self._ledger.claim(deliveries)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            # One of them cannot be held by the ledger: find it, and let the others go on.
            if len(deliveries) == 1:
                await self._dead(
                    [(deliveries[0].source, f"the ledger cannot hold it: {type(error).__name__}")]
                )
                return []
            half = len(deliveries) // 2
            return await self._claim(deliveries[:half]) + await self._claim(deliveries[half:])
        return [with_standing(each, found[each.alert_id]) for each in deliveries if each.alert_id in found]

    async def _dead(self, letters: Sequence[tuple[Source, str]]) -> None:
        await self._letters.write(letters)
        self._metrics.dead_letters.inc(len(letters))

    # What has become due.

    async def _look(self) -> None:
        while not self._stopping:
            found = 0
            for route in self._routes.to_probe():
                found += await self._take(1, only=[route], probe=True)
            down = self._routes.down()
            # Where all of the channel is down, its rows need not be looked at.
            if self._channel not in down:
                places = await self._again.take(_AT_ONCE // 2)
                self._again.release(places)
                for digests in (False, True):
                    wanted = min(places, _DIGESTS_AT_ONCE) if digests else places
                    if permits := self._bucket.try_take(wanted):
                        groups = await self._take(permits, without=down, digests=digests)
                        self._bucket.give_back(permits - groups)
                        found += groups
            if not found:
                await asyncio.sleep(_LOOK_SECONDS)

    async def _take(
        self,
        limit: int,
        *,
        only: list[str] | None = None,
        without: Sequence[str] = (),
        digests: bool = False,
        probe: bool = False,
    ) -> int:
        """Claim what is due and decide on it; how many messages. A probe goes even where all is down."""
        ends = time.monotonic() + self._settings.lease / 1000
        rows = await self._ledger.take(limit, only=only, without=without, digests=digests)
        if not rows and probe and not digests:
            return await self._take(limit, only=only, digests=True, probe=True)
        groups: dict[str, list[Delivery]] = {}
        for row in rows:
            delivery = claimed_again(row, self._topic, self._decoder, ends)
            key = delivery.alert_id
            if digests:
                key = repr((row["customer_id"], row["address"], delivery.digest_id))
            groups.setdefault(key, []).append(delivery)
        self._slots.force(len(rows))
        self._again.force(len(rows))
        for group in groups.values():
            self._decide(group, probe=probe)
        return len(groups)

    # What is done with an alert, or with the alerts of a digest.

    def _decide(self, group: Sequence[Delivery], *, probe: bool = False) -> None:
        now = self._clock()
        to_send = []
        for delivery in group:
            verdict = policy.judge(
                delivery.alert,
                delivery.standing,
                self._policy,
                written_at=delivery.source.written_at,
                now=now,
                held_for=delivery.held_for,
            )
            if isinstance(verdict, policy.Send):
                to_send.append(delivery)
            else:
                self._marks.add(mark_of_verdict(delivery, verdict, now), delivery)
        if to_send and self._routes.is_down(to_send[0].route) and not probe:
            for delivery in to_send:
                self._marks.add(
                    Mark(delivery.alert_id, delivery.attempt, "retry", now, now, reason="gateway down"),
                    delivery,
                )
        elif to_send:
            task = asyncio.create_task(self._hand_over(to_send))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, group: Sequence[Delivery]) -> None:
        first, started = group[0], time.monotonic()
        try:
            message = message_of(group, self._channel, self._unsubscribe)
        except Exception as error:  # Values that no text can be made of.
            outcome = Outcome(Result.REFUSED, reason=f"cannot be written: {type(error).__name__}: {error}")
        else:
            timeout = self._settings.send_timeout / 1000
            if time.monotonic() + timeout > first.lease_ends:
                # It may not stay this process's own for long enough; it is due again when the lease ends.
                self._metrics.leases_lost.inc(len(group))
                self._release(group)
                return
            try:
                async with asyncio.timeout(timeout):
                    outcome = await self._gateway.send(message)
                self._health.answer(first.route)
            except TimeoutError:
                outcome = self._health.no_answer(first.route)
            except Exception as error:  # A gateway promises not to raise; an alert must not hang on it.
                _log.exception("the gateway raised")
                outcome = Outcome(Result.RETRY, reason=f"the gateway raised {type(error).__name__}")
        outcome = self._health.heed(first.route, outcome, started)
        if outcome.result is Result.REFUSED:
            await self._dead([(delivery.source, outcome.reason or "refused") for delivery in group])
        now = self._clock()
        retry_in = 0
        if not outcome.gateway_down:
            retry_in = int(self._retries.after(first.attempt))
        for delivery in group:
            self._marks.add(marks_of(delivery, outcome, now, retry_in), delivery)

    def _release(self, group: Sequence[Delivery]) -> None:
        self._slots.release(len(group))
        self._again.release(sum(delivery.attempt > 1 for delivery in group))

    async def _report(self) -> None:
        next_prune = 0.0
        while True:
            rows = await self._ledger.waiting()
            self._metrics.waiting({row["state"]: (row["count"], row["oldest"]) for row in rows})
            self._metrics.lag.set(self._inbox.lag)
            self._metrics.in_flight.set(self._slots.used)
            if time.monotonic() > next_prune:
                while await self._ledger.prune(self._settings.retention):
                    await asyncio.sleep(0.1)
                next_prune = time.monotonic() + 60
            await asyncio.sleep(5)
