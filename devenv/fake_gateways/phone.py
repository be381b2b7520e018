"""A customer's phone: sends SMS to the bank by the local SMSC."""

import ssl

import httpx2

from account_alerts.config import Config
from account_alerts.model.errors import UnreachableError
from delivery.gateways.sms.phone import international
from devenv.fake_gateways.files import files


def send_sms(
    config: Config, number: str, text: str, *, parts: int = 1, payload: bool = False, timeout: float = 60.0
) -> None:
    """Send an SMS to the bank; returns when a sender has acknowledged it.

    Args:
        config: The local environment.
        number: Whose phone; international.
        text: What it says.
        parts: In how many parts, whatever its length.
        payload: Whether it goes in message_payload.
        timeout: Seconds to wait; the SMSC goes on all the same.

    Raises:
        UnreachableError: The SMSC does not answer, or no sender has acknowledged the SMS in time.
    """
    port = config.local_environment().sms_http_port
    digits = international(number)
    body = {"number": digits or number, "text": text, "cut": parts, "payload": payload}
    try:
        trusted = ssl.create_default_context(cafile=str(files(config).certificate))
        with httpx2.Client(verify=trusted, timeout=timeout, trust_env=False) as client:
            client.post(f"https://localhost:{port}/v1/incoming", json=body).raise_for_status()
    except (httpx2.HTTPError, OSError) as error:
        raise UnreachableError(
            f"the SMS was not acknowledged: {type(error).__name__}. Do SMSC and sender run (`alerts status`)?"
        ) from error
