"""What is said to the device service and by it; what is wrong is refused here, with a reason."""

from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from delivery.gateways import base64url

MOST_CUSTOMERS = 100
"""Most customers in one look-up."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")]
"""What FCM or APNs gave the app; opaque."""
Kind = Literal["WEB_PUSH", "FCM", "APNS"]
KINDS: tuple[str, ...] = get_args(Kind)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_POINT_BYTES = 65
"""Of a public key on P-256, uncompressed: 4, x, y (RFC 8291)."""
_SECRET_BYTES = 16


def _endpoint(text: str) -> str:
    url = urlsplit(text)
    if not url.hostname or url.scheme not in ("https", "http"):
        raise ValueError("is no https address")
    if url.scheme == "http" and url.hostname not in _LOCAL:
        raise ValueError("must be https; http is for localhost only")
    if url.port not in (None, 443) and url.hostname not in _LOCAL:
        raise ValueError("must have no port, or 443; others are for localhost only")
    return text


def _decoded(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError:
        raise ValueError("is not base64url") from None


def _public_key(text: str) -> str:
    key = _decoded(text)
    if len(key) != _POINT_BYTES or key[0] != 4:
        raise ValueError(f"is no P-256 public key: {_POINT_BYTES} bytes, the first of them 4")
    return text


def _secret(text: str) -> str:
    if len(_decoded(text)) != _SECRET_BYTES:
        raise ValueError(f"is not {_SECRET_BYTES} bytes long")
    return text


class Keys(BaseModel):
    """The keys of a Web Push subscription, base64url as the browser gives them."""

    p256dh: Annotated[str, AfterValidator(_public_key)]
    auth: Annotated[str, AfterValidator(_secret)]


class Subscription(BaseModel):
    """A Web Push subscription, as `PushSubscription.toJSON()` gives it; what else that says is left out."""

    endpoint: Annotated[str, StringConstraints(max_length=4096), AfterValidator(_endpoint)]
    keys: Keys


class _Registration(BaseModel):
    """A device that is to get a customer's push messages."""

    model_config = ConfigDict(extra="forbid")

    customer: Id
    device: Id | None = None
    """The id of a device of the customer that is registered: it has a new token, and keeps its id."""


class Browser(_Registration):
    """A browser, by its Web Push subscription."""

    kind: Literal["WEB_PUSH"]
    to: Subscription

    def address(self) -> Any:
        """Return `to` as JSON."""
        return self.to.model_dump()

    def token(self) -> str:
        """Return what no two devices share."""
        return self.to.endpoint


class App(_Registration):
    """An app on a phone, by its token."""

    kind: Literal["FCM", "APNS"]
    to: Token

    def address(self) -> Any:
        """Return `to` as JSON."""
        return self.to

    def token(self) -> str:
        """Return what no two devices share."""
        return self.to


Registration = Browser | App


class Device(BaseModel):
    """A device as the resolver gets it."""

    device: str
    kind: Kind
    to: dict[str, Any] | str


class ListedDevice(Device):
    """A device with when it was registered and last changed, milliseconds UTC."""

    registered_at: int
    updated_at: int


class Devices(BaseModel):
    """The devices of one customer, the oldest first."""

    devices: list[ListedDevice]


class Question(BaseModel):
    """Whose devices are wanted."""

    model_config = ConfigDict(extra="forbid")

    customers: Annotated[list[str], Field(max_length=MOST_CUSTOMERS)]


class Answer(BaseModel):
    """The devices of each customer; one without any, or unknown, has an empty list."""

    devices: dict[str, list[Device]]


class Removed(BaseModel):
    """How many devices were removed."""

    removed: int
