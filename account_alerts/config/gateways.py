"""The configuration of the gateways: how mail, SMS and push leave the bank.

Secrets come from the environment only. A secret that is needed and not there is named when a sender starts
(`delivery.gateways.factory`): no other program needs it.
"""

from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from account_alerts.config.types import THIS_MACHINE, Duration, LocalPort, Port, Positive, Section, Text

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s/]+(/\S*)?$")]
ReceiptIds = Literal["same", "decimal", "hexadecimal"]
Disclosure = Literal["full", "no_balance", "minimal"]
"""What a channel's messages say: all; neither balances nor their thresholds; or only that there is news."""
VendorTag = Annotated[int, Field(ge=0x1400, le=0x3FFF)]


class Email(Section):
    """The mail server that takes mails (SMTP submission)."""

    type: Literal["smtp"] = "smtp"
    host: Text
    port: Annotated[Port, LocalPort("mailbox_port")]
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte (port 465); `none` only to a server on this machine."""
    sender: Text
    """The From of every mail: `Example Bank <alerts@bank.example>`."""
    disclosure: Disclosure = "full"
    """What mails say: `full`; `no_balance`: neither balances nor their thresholds; `minimal`: only that there
    is news."""
    connections: Positive = 8
    timeout: Duration = 10_000
    unsubscribe_url: Annotated[
        str | None, LocalPort("web_port", "http://localhost:{}/unsubscribe/{{token}}")
    ] = None
    """Where one click ends such mails (RFC 8058), with `{token}` in it: the web application's
    `/unsubscribe/{token}`, or a page of the bank's own."""
    username: SecretStr | None = None
    password: SecretStr | None = None
    unsubscribe_secret: SecretStr | None = None

    @field_validator("sender")
    @classmethod
    def _is_address(cls, value: str) -> str:
        address = parseaddr(value)[1]
        if not value.isprintable() or address.count("@") != 1 or not all(address.split("@")):
            raise ValueError("is no mail address; write Example Bank <alerts@bank.example>")
        return value

    @field_validator("unsubscribe_url")
    @classmethod
    def _is_template(cls, value: str | None) -> str | None:
        if value is None:
            return None
        is_safe = value.startswith("https://") or urlsplit(value).hostname in THIS_MACHINE
        if not is_safe or value.count("{token}") != 1:
            raise ValueError("must begin with https:// and hold {token} once")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls == "none" and self.host not in THIS_MACHINE:
            raise ValueError("tls none is for a server on this machine only: take starttls or tls")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        return self


class Smpp(Section):
    """An SMSC that takes SMS by SMPP 3.4."""

    host: Text
    port: Annotated[Port, LocalPort("smsc_port")]
    tls: bool = True
    """Verified against the system's certificates, or those of the variable SSL_CERT_FILE."""
    system_id: Annotated[str, StringConstraints(min_length=1, max_length=15)]
    system_type: Annotated[str, StringConstraints(max_length=12)] = ""
    sender: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{3,15}|[A-Za-z0-9 ._-]{1,11})$")]
    """Whom SMS are from: a number, or up to 11 letters."""
    window: Positive = 50
    """Messages that may be without an answer at a time."""
    timeout: Duration = 10_000
    throttled_wait: Duration = 1_000
    """How long to wait where the SMSC says that it is too much."""
    long_texts: Literal["parts", "message_payload"] = "parts"
    """A text longer than one SMS: in parts joined by a header, or whole, for the SMSC to cut."""
    idempotency_tag: VendorTag | None = None
    """The vendor TLV that carries the message's key, for SMSCs that drop repeats by one."""
    receipt_ids: ReceiptIds = "same"
    """How receipts write a message's id: as it was given when the SMSC took the message, or as a decimal
    number where it was given as a hexadecimal one (SMPP 3.4, appendix B), or the other way round."""
    validity: Duration = 24 * 3_600_000
    """How long the SMSC tries; a phone that is off longer does not get it."""
    password: SecretStr | None = None


class SmsCallback(Section):
    """Where the gateway posts what customers answer, as a form or as JSON; behind the bank's TLS."""

    host: Text = "localhost"
    port: Port = 8094
    path: Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/_.~-]*$")] = "/v1/sms"
    header: Text = "Authorization"
    """The request's header that has the secret, whole: `Bearer ...`, `Basic ...`."""
    secret: SecretStr | None = None
    """What the header must be; needed where others than this machine may post."""
    messages: Text | None = None
    """Where the list of several SMS stands in a request, `a.b` for nested; without it the request is one."""
    number: Text = "from"
    """Where an SMS has the customer's number."""
    text: Text = "text"
    """Where it has its text."""


class SmsHttp(Section):
    """A gateway that takes SMS by HTTP as JSON."""

    url: Annotated[HttpsUrl, LocalPort("sms_http_port", "https://localhost:{}/v1/messages")]
    body: dict[str, Any]
    """What is posted; `{to}`, `{text}`, `{sender}` and `{key}` in its texts are filled in."""
    sender: Text
    idempotency_header: Text = "Idempotency-Key"
    id_field: Text = "id"
    """Where the answer names the message, `a.b` for nested ones, `a.0` for the first of a list. A yes with a
    body that does not name it is none."""
    code_field: Text | None = None
    """Where an answer has the vendor's own code, also one of 200: `error.code`."""
    codes: dict[str, Literal["taken", "message", "address", "later", "us"]] = Field(default_factory=dict)
    """What the vendor's codes and the statuses of HTTP are about, by its manual: `us` where no credit is
    left. Codes that are not listed are as docs/reference/gateway-answers.md says."""
    connections: Positive = 20
    timeout: Duration = 10_000
    bearer: SecretStr | None = None
    callback: SmsCallback | None = None


class Sms(Section):
    """How SMS leave the bank: by SMPP or by HTTP."""

    type: Literal["smpp", "http"]
    disclosure: Disclosure = "full"
    """What SMS say, as for mails."""
    smpp: Smpp | None = None
    http: SmsHttp | None = None
    reply_language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "en"
    """Of the answers to STOP, START and HELP where the number is no customer's and several languages have
    the word."""
    reply_name: Text | None = None
    """Who answers, as customers know the bank; without it the sender of the SMS."""

    @model_validator(mode="after")
    def _chosen_is_there(self) -> Self:
        if getattr(self, self.type) is None:
            raise ValueError(f"type is {self.type}, and there is no {self.type}: describe it")
        return self

    @property
    def name(self) -> str:
        """Who answers STOP, START and HELP."""
        chosen = self.smpp if self.type == "smpp" else self.http
        assert chosen is not None  # `_chosen_is_there` has looked.
        return self.reply_name or chosen.sender


class WebPush(Section):
    """Browsers, by Web Push with VAPID; each device names its own push service."""

    subject: Annotated[str, StringConstraints(pattern=r"^(mailto:\S+@\S+|https://\S+)$")]
    """Whom a push service may turn to: `mailto:` or https."""
    hosts: Annotated[list[Text], Field(min_length=1)]
    """The push services that are spoken to, their subdomains included: what a device names is not trusted."""
    ttl: Duration = 24 * 3_600_000
    connections: Positive = 50
    timeout: Duration = 10_000
    vapid_private_key: SecretStr | None = None


class Fcm(Section):
    """Android apps, by Firebase Cloud Messaging (HTTP v1)."""

    url: Annotated[HttpsUrl, LocalPort("push_port", "https://localhost:{}")] = "https://fcm.googleapis.com"
    ttl: Duration = 24 * 3_600_000
    connections: Positive = 50
    timeout: Duration = 10_000
    service_account: SecretStr | None = None
    """The JSON of the service account's key."""


class Apns(Section):
    """iOS apps, by Apple's push service (HTTP/2, provider tokens)."""

    url: Annotated[HttpsUrl, LocalPort("push_port", "https://localhost:{}")] = "https://api.push.apple.com"
    topic: Text
    """The app's bundle id."""
    team_id: Text
    key_id: Text
    ttl: Duration = 24 * 3_600_000
    connections: Positive = 4
    timeout: Duration = 10_000
    private_key: SecretStr | None = None
    """The PEM of the provider's key (.p8)."""


class Push(Section):
    """How pushes leave the bank, by the kind of the device; a kind that is not described gets none."""

    disclosure: Disclosure = "no_balance"
    """What pushes say, as for mails: anybody may read them on a locked phone."""
    web: WebPush | None = None
    fcm: Fcm | None = None
    apns: Apns | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.web is None and self.fcm is None and self.apns is None:
            raise ValueError("describe at least one of web, fcm and apns")
        return self


class Gateways(Section):
    """The gateways of all channels; a channel that is not described has no sender."""

    ca_file: Path | None = None
    """Certificates (PEM) that gateways are verified against, instead of the system's."""
    email: Email | None = None
    sms: Sms | None = None
    push: Push | None = None

    def disclosure(self, channel: str) -> Disclosure:
        """Return what messages of a channel (`EMAIL`) may say."""
        section: Email | Sms | Push | None = getattr(self, channel.lower())
        return "full" if section is None else section.disclosure
