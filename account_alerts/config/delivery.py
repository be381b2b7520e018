"""The configuration of the senders, which deliver alerts to the gateways."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from account_alerts.config.gateways import Gateways
from account_alerts.config.types import Duration, LocalPort, Port, Positive, Section, Text


class Rates(Section):
    """How many messages a second each process of a channel may send; None: no limit."""

    email: Annotated[float, Field(gt=0)] | None = None
    sms: Annotated[float, Field(gt=0)] | None = None
    push: Annotated[float, Field(gt=0)] | None = None


class Senders(Gateways):
    """The processes that hand alerts over to e-mail, SMS and push."""

    max_deferral: Duration
    """An alert that could not be sent for longer (quiet hours, digest, a gateway that is down) is recorded
    and not sent."""
    recheck_after: Duration = 300_000
    """An alert that is sent so much later than it was raised is looked at again: authorization, address and
    setting. One that was held always is."""
    digest_at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "08:00"
    """When a daily digest goes out, by the customer's clock."""
    always_sent: tuple[Text, ...] = ()
    """Alert types that go out at once whatever the customer's quiet hours, snooze and digest."""
    mandatory: tuple[Text, ...] = ()
    """Alert types that go out by SMS to numbers that have sent STOP, too: those that the law wants sent."""
    lease: Duration = 150_000
    """After a claim, when another process takes an alert over, as its sender must have died."""
    send_timeout: Duration = 60_000
    """How long a gateway may take for a message, its own waiting included. Where it has not answered by then,
    nobody knows whether it has the message: longer than the gateway's own time-outs."""
    in_flight: Positive = 100
    """Alerts that a process has on their way at once; a gateway has to get through so many within
    `send_timeout`."""
    rates: Rates = Rates()
    initial_backoff: Duration = 1_000
    max_backoff: Duration = 300_000
    """Between attempts: first so long, then twice as long after each, up to the longest."""
    max_probe_interval: Duration = 5_000
    """While a gateway is down, how often it is tried at least."""
    retention: Duration = 90 * 86_400_000
    """How long the ledger keeps what became of an alert, and with it what is personal."""
    email_metrics_port: Annotated[Port, LocalPort("email_metrics_port")] = 9401
    sms_metrics_port: Annotated[Port, LocalPort("sms_metrics_port")] = 9402
    push_metrics_port: Annotated[Port, LocalPort("push_metrics_port")] = 9403
    profiles_metrics_port: Annotated[Port, LocalPort("profiles_metrics_port")] = 9404

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.lease < 2 * self.send_timeout:
            raise ValueError("lease must be at least twice send_timeout: make it longer")
        return self

    def rate(self, channel: str) -> float | None:
        """Return the messages a second that a process of a channel (`EMAIL`) may send."""
        rate: float | None = getattr(self.rates, channel.lower())
        return rate

    def metrics_port(self, process: str) -> int:
        """Where a process (`email`, `sms`, `push`, `profiles`) tells its metrics."""
        port: int = getattr(self, f"{process}_metrics_port")
        return port
