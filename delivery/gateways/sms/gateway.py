"""What the gateways of SMS have in common beside sending: customers write back."""

from collections.abc import Awaitable, Callable

from delivery.gateways.base import Gateway
from delivery.gateways.sms.incoming import IncomingSms

IncomingHandler = Callable[[IncomingSms], Awaitable[None]]
"""Returns when an SMS from a customer is recorded; until then it is not acknowledged."""


class SmsGateway(Gateway):
    """A gateway that hands SMS from customers to a handler."""

    handler: IncomingHandler | None = None
    """Set before `open`; without one, SMS from customers are acknowledged and dropped."""
