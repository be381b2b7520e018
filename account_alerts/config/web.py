"""The configuration of the web application: pages of customers and operators, and the API."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from account_alerts.config.brand import Brand
from account_alerts.config.types import THIS_MACHINE, Duration, LocalPort, Port, Positive, Section, Text
from account_alerts.model.money import exponent

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]
"""Scheme, host and port, without a path."""

Service = Literal["clicks", "publisher", "sender-email", "sender-sms", "sender-push"]
Job = Literal["alerting", "device-resolver", "reminders", "adhoc-alerts"]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/\S*)?$")]


def _currency(code: str) -> str:
    exponent(code)
    return code


Currency = Annotated[str, AfterValidator(_currency)]
"""ISO 4217."""


def is_local(url: str) -> bool:
    """Tell whether an address is without TLS, or this machine's: good for trying out only."""
    parts = urlsplit(url)
    return parts.scheme != "https" or parts.hostname in THIS_MACHINE


class OpenId(Section):
    """The bank's OpenID provider: who logs in, and whose tokens the API takes."""

    issuer: Annotated[Text, LocalPort("openid_port", "http://localhost:{}")]
    client_id: Text = "account-alerts-web"
    client_secret: SecretStr | None = None
    """Where the provider gave one; a public client has none, and is protected by PKCE."""
    scopes: Text = "openid"
    """What is asked for at the login, separated by blanks."""
    audience: Text = "account-alerts-api"
    """What `aud` of the API's bearer tokens names."""
    algorithms: tuple[Text, ...] = ("RS256", "PS256", "ES256")
    """What tokens may be signed with: public keys only."""
    customer_claim: Text = "customer_id"
    """The claim with the customer's id; who has it is a customer."""
    roles_claim: Text = "roles"
    """The claim with the roles of the bank's own people: operator, analyst, approver."""


class Web(Section):
    """The web application."""

    host: Text
    port: Annotated[Port, LocalPort("web_port")]
    metrics_port: Annotated[Port, LocalPort("web_metrics_port")] = 9406
    """Of metrics and health, which are not for the web."""
    public_url: Annotated[Origin, LocalPort("web_port", "http://localhost:{}")]
    """Where browsers find it: the origin of its pages."""
    openid: OpenId
    brand: Brand = Brand()
    default_currency: Currency = "EUR"
    """Of a new alert on an account without bookings and alerts, which tell its own."""
    session_secret: SecretStr | None = None
    """What session cookies are encrypted with, the same for all processes; from the environment."""
    session_idle: Duration = 900_000
    """Who does nothing for so long has to log in again."""
    session_length: Duration = 28_800_000
    """Who logged in so long ago has to log in again, whatever they did."""
    requests_per_second: Annotated[float, Field(gt=0)] = 20.0
    """How many requests of one customer a process answers; more get 429."""
    burst: Positive = 60
    """How many of them may come at once."""
    connections: Positive = 10
    """To each of the two databases, of each process."""
    job_managers: dict[Job, HttpUrl] = Field(default_factory=dict)
    """Addresses of Flink, where each job has a cluster of its own; of the others it is `flink.rest_url`."""
    service_metrics: dict[Service, HttpUrl] = Field(default_factory=dict)
    """Addresses of metrics, such as `sender-sms: http://sender-sms:9402/metrics`: there the operators' page
    learns whether gateways take messages and capture runs. Those of the local environment are known."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.session_idle > self.session_length:
            raise ValueError("session_idle must be at most session_length")
        return self

    def refuse_trial(self) -> None:
        """Raise a `ValueError` where something is good for trying out only, such as the local provider."""
        for name, url in (("openid.issuer", self.openid.issuer), ("public_url", self.public_url)):
            if is_local(url):
                raise ValueError(
                    f"web.{name}: {url} is for the local environment only: https, and a host other than "
                    "this machine, are needed elsewhere"
                )
