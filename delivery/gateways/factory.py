"""Makes the gateway of a channel, as the configuration describes it."""

from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import SecretStr

from account_alerts.config import PREFIX, Config, ConfigError
from account_alerts.config.gateways import Push, Sms
from account_alerts.model.alerts import Channel
from delivery.gateways import base64url
from delivery.gateways.base import Gateway
from delivery.gateways.email.smtp import SmtpGateway
from delivery.gateways.email.unsubscribe import UnsubscribeLinks
from delivery.gateways.push.apns import ApnsService
from delivery.gateways.push.fcm import FcmService, ServiceAccount
from delivery.gateways.push.gateway import PushGateway, PushService
from delivery.gateways.push.web_push import WebPushService
from delivery.gateways.sms.http import SmsHttpGateway
from delivery.gateways.sms.smpp import SmppGateway


def make_gateway(config: Config, channel: Channel) -> Gateway:
    """Make the gateway of a channel.

    Raises:
        ConfigError: The channel is not described, or a secret is missing or none; the message names the key.
    """
    senders = config.require("senders")
    described = {Channel.EMAIL: senders.email, Channel.SMS: senders.sms, Channel.PUSH: senders.push}[channel]
    if described is None:
        _reject(
            config, f"senders.{channel.lower()}", "missing: describe the gateway, as in conf/production.yaml"
        )
    if senders.ca_file is not None and not senders.ca_file.is_file():
        _reject(config, "senders.ca_file", f"{senders.ca_file} is no file")
    if isinstance(described, Push):
        return PushGateway(_push_services(config, described))
    if isinstance(described, Sms):
        if described.type == "smpp":
            assert described.smpp is not None  # The configuration has checked it.
            return SmppGateway(described.smpp)
        assert described.http is not None  # As above.
        callback = described.http.callback
        if callback is not None and callback.host not in ("localhost", "127.0.0.1", "::1"):
            _secret(config, "senders.sms.http.callback.secret", callback.secret)
        return SmsHttpGateway(described.http, senders.ca_file)
    return SmtpGateway(described, senders.ca_file)


def make_unsubscribe_links(config: Config) -> UnsubscribeLinks | None:
    """Make the signer of the links by which a customer ends mails; None where none are configured.

    Raises:
        ConfigError: There is an address for them and no secret to sign them with.
    """
    email = None if config.senders is None else config.senders.email
    if email is None or email.unsubscribe_url is None:
        return None
    key = "senders.email.unsubscribe_secret"
    _secret(config, key, email.unsubscribe_secret)
    return UnsubscribeLinks.of(email)


def _push_services(config: Config, push: Push) -> dict[str, PushService]:
    assert config.senders is not None  # The caller has it from there.
    services: dict[str, PushService] = {}
    ca_file = config.senders.ca_file
    if push.web is not None:
        key = "senders.push.web.vapid_private_key"
        try:
            vapid = parse_vapid_key(_secret(config, key, push.web.vapid_private_key))
        except ValueError:
            _reject(config, key, "is no private key of P-256, neither 32 bytes in base64url nor PEM")
        services["WEB_PUSH"] = WebPushService(push.web, vapid, ca_file)
    if push.fcm is not None:
        key = "senders.push.fcm.service_account"
        try:
            account = ServiceAccount.read(_secret(config, key, push.fcm.service_account))
        except ValueError as error:
            _reject(config, key, f"is {error}: give the JSON that the Google Cloud console makes")
        services["FCM"] = FcmService(push.fcm, account, ca_file)
    if push.apns is not None:
        key = "senders.push.apns.private_key"
        try:
            provider = ECKey.import_key(_secret(config, key, push.apns.private_key))
        except (ValueError, JoseError):
            _reject(config, key, "is no private key: give the text of the .p8 file")
        services["APNS"] = ApnsService(push.apns, provider, ca_file)
    return services


def parse_vapid_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Read a VAPID key: 32 bytes in base64url as most tools make it, or PEM.

    Raises:
        ValueError: It is neither.
    """
    if text.lstrip().startswith("-----BEGIN"):
        key = load_pem_private_key(text.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("not of P-256")
        return key
    data = base64url.decode(text)
    if len(data) != 32:
        raise ValueError("not 32 bytes")
    return ec.derive_private_key(int.from_bytes(data, "big"), ec.SECP256R1())


def _secret(config: Config, key: str, value: SecretStr | None) -> str:
    if value is None:
        _reject(config, key, "missing")
    return value.get_secret_value()


def _reject(config: Config, key: str, what: str) -> NoReturn:
    variable = f"{PREFIX}{key.upper().replace('.', '__')}"
    raise ConfigError(f"{config.path}: {key}: {what}. Set it, or {variable} in the environment.")
