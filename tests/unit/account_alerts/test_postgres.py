"""How PostgreSQL is reached, and that a password is told to nobody else."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from account_alerts.config.postgres import Database
from account_alerts.model.errors import UnreachableError
from account_alerts.postgres import DatabaseError, address, connect, parameters, reachable

BANK = Database(host="localhost", port=5432, name="bank", user="alerts", password=SecretStr("hunter2"))


def test_a_password_reaches_the_library_and_nothing_else() -> None:
    assert parameters(BANK)["password"] == "hunter2"
    assert address(BANK) == "postgresql://alerts@localhost:5432/bank"
    assert "hunter2" not in repr(BANK)


def test_certificates_are_named_where_they_are_verified() -> None:
    verified = BANK.model_copy(update={"ca_file": Path("/etc/ca.pem")})
    assert parameters(verified)["sslrootcert"] == "/etc/ca.pem"
    plain = BANK.model_copy(update={"ssl_mode": "disable", "password": None})
    assert "sslrootcert" not in parameters(plain)
    assert "password" not in parameters(plain)


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        gone = BANK.model_copy(update={"host": "127.0.0.1", "port": one.getsockname()[1]})
        with pytest.raises(
            DatabaseError, match=f"postgresql://alerts@127.0.0.1:{gone.port}/bank: "
        ) as caught:
            connect(gone)
        assert isinstance(caught.value, UnreachableError)
        assert "hunter2" not in str(caught.value)
        assert not reachable(gone)
