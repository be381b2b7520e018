"""The local environment's secrets: made once, handed to its programs as variables, as a bank's would be."""

import json
import os
import secrets
import shlex
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from account_alerts.config import PREFIX, Config
from devenv.fake_gateways.files import Files, files

_DAYS = 3_650


def prefix(config: Config) -> str:
    """Return how a program's shell command begins to have the secrets of the senders' gateways.

    Makes them where they are not there yet.
    """
    variables(config)
    return f"set -a; . {shlex.quote(str(files(config).variables))}; set +a; "


def variables(config: Config) -> dict[str, str]:
    """Return the variables that a sender needs for the local gateways; they are also in a file."""
    own = files(config)
    own.folder.mkdir(parents=True, exist_ok=True)
    _make_certificate(own)
    keys = _keys(own)
    port = config.local_environment().push_port
    account = {
        "type": "service_account",
        "project_id": "local",
        "private_key_id": "local",
        "private_key": keys["fcm"],
        "client_email": "alerts@local.example",
        "token_uri": f"https://localhost:{port}/token",
    }
    values = {
        "CA_FILE": str(own.certificate),
        "EMAIL__USERNAME": "alerts",
        "EMAIL__PASSWORD": keys["mail"],
        "EMAIL__UNSUBSCRIBE_SECRET": keys["unsubscribe"],
        "SMS__SMPP__PASSWORD": keys["smpp"],
        "SMS__HTTP__BEARER": keys["bearer"],
        "PUSH__WEB__VAPID_PRIVATE_KEY": keys["vapid"],
        "PUSH__FCM__SERVICE_ACCOUNT": json.dumps(account),
        "PUSH__APNS__PRIVATE_KEY": keys["apns"],
    }
    found = {f"{PREFIX}SENDERS__{name}": value for name, value in values.items()}
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in found.items())
    _write(own.variables, text.encode())
    return found


def _keys(own: Files) -> dict[str, Any]:
    if not own.keys.exists():
        made = {name: secrets.token_urlsafe(6 if name == "smpp" else 24) for name in _WORDS}
        made |= {name: _pem(ec.generate_private_key(ec.SECP256R1())) for name in ("vapid", "apns")}
        made["fcm"] = _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
        _write(own.keys, json.dumps(made).encode())
    keys: dict[str, Any] = json.loads(own.keys.read_text())
    return keys


_WORDS = ("mail", "unsubscribe", "smpp", "bearer")


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _make_certificate(own: Files) -> None:
    if own.certificate.exists():
        return
    own.certificate.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(own.private_key, _pem(key).encode())
    _write(own.certificate, certificate.public_bytes(Encoding.PEM))


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, for the owner's eyes only."""
    number, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # Two may write at once.
    with os.fdopen(number, "wb") as file:
        file.write(data)
    Path(draft).replace(path)
