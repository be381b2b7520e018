"""Decides on claimed alerts, and sends them to the gateway."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from account_alerts.config.gateways import Disclosure
from account_alerts.model.alerts import DeliveryState
from account_alerts.service.backoff import Backoff
from delivery import policy
from delivery.alert import DeadLetter, Delivery, policy_update, retry_update, update_for
from delivery.gateways.base import Message, Outcome, Result
from delivery.gateways.outcomes import retry, unsendable
from delivery.ledger.writer import LedgerWriter
from delivery.metrics import SenderMetrics
from delivery.opt_out.check import OptOutCheck
from delivery.reasons import Reason, keep_reasons, list_reasons
from delivery.rendering.messages import build_message
from delivery.worker.capacity import Capacity
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.gateway_health import GatewayHealth
from delivery.worker.ports import Ports

_log = logging.getLogger(__name__)
_CHECK_SECONDS = 5.0
"""How long the ledger may take to say whether a number has opted out."""


@dataclass(frozen=True)
class SendSettings:
    """How messages are sent; durations in milliseconds."""

    policy: policy.Policy
    timeout: int
    initial_backoff: int
    max_backoff: int
    disclosure: Disclosure = "full"


class Dispatcher:
    """Takes the alerts of one message from a claim to an update in the ledger."""

    def __init__(
        self,
        channel: str,
        settings: SendSettings,
        ports: Ports,
        writer: LedgerWriter,
        capacity: Capacity,
        breakers: CircuitBreakers,
        metrics: SenderMetrics,
    ) -> None:
        """Send nothing yet."""
        self._channel, self._settings, self._ports = channel, settings, ports
        self._writer, self._capacity, self._breakers = writer, capacity, breakers
        self._metrics, self._clock = metrics, ports.clock
        self._health = GatewayHealth(breakers, metrics, ports.clock)
        self._backoff = Backoff(settings.initial_backoff, settings.max_backoff)
        self._tasks: set[asyncio.Task[None]] = set()

    def dispatch(self, group: Sequence[Delivery], probe: bool = False) -> None:
        """Decide on the alerts of one message: one alert, or those of a digest.

        What is to be sent now is sent in a task of its own; a probe is sent although its gateway is down.
        """
        now = self._clock.now_ms()
        to_send = []
        for delivery in group:
            decision = policy.decide(
                delivery.alert,
                delivery.recipient,
                self._settings.policy,
                written_at=delivery.source.written_at,
                now=now,
                deferred_for=delivery.deferred_for,
            )
            if isinstance(decision, policy.SendNow):
                to_send.append(_for_reasons(delivery, decision.reasons))
            else:
                self._writer.add(policy_update(delivery, decision, now), delivery)
        if not to_send:
            return
        if self._breakers.is_open(to_send[0].route) and not probe:
            for delivery in to_send:
                self._writer.add(retry_update(delivery, now, now, "gateway down"), delivery)
            return
        task = asyncio.create_task(self.send(to_send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, group: Sequence[Delivery]) -> None:
        """Send the alerts of one message, and have the outcome written."""
        first, started = group[0], self._clock.monotonic()
        if started + self._settings.timeout / 1000 > first.lease_ends:
            # It may not stay this process's own for long enough; it is due again when the lease ends.
            self._metrics.lost_leases.inc(len(group))
            self._capacity.release(group)
            return
        outcome = await self._attempt(group)
        if outcome.result is Result.WITHDRAWN:
            await self._withdraw(group, outcome)
            return
        outcome = self._health.record_outcome(first, outcome, started)
        if outcome.gone:
            # Nobody can mend it, and the alert goes to the customer's other devices and channels as well.
            self._metrics.gone_devices.inc(len(group))
        elif outcome.result is Result.REJECTED:
            letters = [DeadLetter(delivery.source, outcome.reason or "rejected") for delivery in group]
            await self._ports.dead_letters.write(letters)
            self._metrics.dead_letters.inc(len(letters))
        now = self._clock.now_ms()
        retry_in = 0 if outcome.gateway_down else int(self._backoff.after(first.attempt))
        for delivery in group:
            self._writer.add(update_for(delivery, outcome, now, retry_in), delivery)

    async def cancel(self) -> None:
        """Stop sending; what is under way is sent again by whoever claims it next."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _attempt(self, group: Sequence[Delivery]) -> Outcome:
        try:
            message = build_message(group, self._channel, self._ports.unsubscribe, self._settings.disclosure)
        except Exception as error:  # Values that no text can be made of.
            return unsendable(f"cannot be rendered: {type(error).__name__}: {error}")
        check = self._ports.opt_outs
        if check is None or all(map(self._is_all_mandatory, group)):
            return await self._hand_to_gateway(message, group[0].route)
        wanted = StillWanted(check, message.address)
        outcome = await self._hand_to_gateway(replace(message, is_wanted=wanted), group[0].route)
        if outcome.result is not Result.WITHDRAWN or wanted.known:
            return outcome
        return replace(outcome, reason="the ledger did not say whether the number has opted out")

    async def _withdraw(self, group: Sequence[Delivery], outcome: Outcome) -> None:
        """Cancel what its customer does not want; what is mandatory goes out without it."""
        now = self._clock.now_ms()
        if outcome.reason is not None:
            for delivery in group:
                due_at = now + int(self._backoff.after(delivery.attempt))
                self._writer.add(retry_update(delivery, now, due_at, outcome.reason), delivery)
            return
        opted_out = policy.Suppress(DeliveryState.CANCELLED, policy.OPTED_OUT)
        to_send = []
        for delivery in group:
            if mandatory := self._mandatory_reasons(delivery):
                to_send.append(_for_reasons(delivery, mandatory))
            else:
                self._writer.add(policy_update(delivery, opted_out, now), delivery)
        if to_send:
            await self.send(to_send)

    def _mandatory_reasons(self, delivery: Delivery) -> list[Reason]:
        mandatory = self._settings.policy.mandatory
        return [reason for reason in list_reasons(delivery.alert) if reason["alert_type"] in mandatory]

    def _is_all_mandatory(self, delivery: Delivery) -> bool:
        return len(self._mandatory_reasons(delivery)) == len(list_reasons(delivery.alert))

    async def _hand_to_gateway(self, message: Message, route: str) -> Outcome:
        try:
            async with asyncio.timeout(self._settings.timeout / 1000):
                outcome = await self._ports.gateway.send(message)
        except TimeoutError:
            return self._health.record_timeout(route, "no answer in time")
        except Exception as error:  # A gateway promises not to raise; an alert must not hang on it.
            _log.exception("the gateway raised")
            return retry(f"the gateway raised {type(error).__name__}")
        if outcome.unanswered:
            return self._health.record_timeout(route, outcome.reason or "no answer in time")
        if outcome.result is not Result.WITHDRAWN and not outcome.unasked:
            self._health.record_answer(route)
        return outcome


def _for_reasons(delivery: Delivery, reasons: Sequence[Reason]) -> Delivery:
    return replace(delivery, alert=keep_reasons(delivery.alert, reasons))


class StillWanted:
    """Whether an SMS may still go out to its number; no where nobody knows in time."""

    def __init__(self, check: OptOutCheck, address: str) -> None:
        """Ask when called."""
        self._check, self._address = check, address
        self.known = True
        """False after a question that was not answered."""

    async def __call__(self) -> bool:
        """Ask the ledger."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return not await self._check.is_stopped(self._address)
        except TimeoutError:
            self.known = False
            return False
