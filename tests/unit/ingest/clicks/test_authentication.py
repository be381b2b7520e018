"""Whose events a token lets in."""

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from account_alerts.config import ConfigError, load
from account_alerts.service.problems import ProblemError
from devenv.bank import web_page
from ingest.clicks.authentication import ANY_CUSTOMER, AUDIENCE, Authenticator, make_authenticator
from tests.clock import FakeClock

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = 1_764_000_000


def issue(claims: dict[str, Any], secret: bytes = SECRET, algorithm: str = "HS256") -> str:
    """Make a token as the bank's login issues it."""
    return jwt.encode({"alg": algorithm}, claims, OctKey.import_key(secret), algorithms=[algorithm])


def customer(token: str, scheme: str = "Bearer") -> str | None:
    """Return the customer whose events the token lets in now; None: any customer's."""
    return Authenticator(SECRET, FakeClock(NOW * 1_000)).customer(f"{scheme} {token}")


def refusal(authorization: str) -> str:
    """Why no event is let in."""
    with pytest.raises(ProblemError) as caught:
        Authenticator(SECRET, FakeClock(NOW * 1_000)).customer(authorization)
    assert caught.value.status == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}
    return caught.value.detail


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(NOW + 1, 2**40))
def test_a_token_names_its_customer_until_it_expires(name: str, expires: int) -> None:
    assume(name != "*")
    token = issue({"sub": name, "exp": expires})
    assert customer(token) == name
    later = Authenticator(SECRET, FakeClock(expires * 1_000))
    with pytest.raises(ProblemError, match="ExpiredTokenError"):
        later.customer(f"Bearer {token}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert customer(issue({"sub": "2", "exp": NOW + 1}), scheme) == "2"


@pytest.mark.parametrize("scope", [ANY_CUSTOMER, f"other {ANY_CUSTOMER} more"])
def test_a_server_of_the_bank_has_its_scope(scope: str) -> None:
    assert customer(issue({"sub": "core-banking", "scope": scope, "exp": NOW + 1})) is None


@pytest.mark.parametrize(
    "scope", ["", "clicks:any-customers", "CLICKS:ANY-CUSTOMER", [ANY_CUSTOMER], 1, None]
)
def test_another_scope_gives_no_more_than_ones_own_rights(scope: Any) -> None:
    assert customer(issue({"sub": "2", "scope": scope, "exp": NOW + 1})) == "2"


def test_no_name_of_a_customer_is_that_of_all() -> None:
    assert "scope clicks:any-customer" in refusal(f"Bearer {issue({'sub': '*', 'exp': NOW + 1})}")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"sub": "2", "exp": NOW}, "ExpiredTokenError"),
        ({"sub": "2"}, "MissingClaimError"),
        ({"exp": NOW + 1}, "MissingClaimError"),
        ({"sub": "", "exp": NOW + 1}, "InvalidClaimError"),
        ({"sub": 2, "exp": NOW + 1}, "InvalidClaimError"),
        ({"sub": ["2"], "exp": NOW + 1}, "InvalidClaimError"),
        ({"sub": "2", "exp": "never"}, "InvalidClaimError"),
        ({"sub": "2", "exp": NOW + 9, "nbf": NOW + 1}, "InvalidTokenError|InvalidClaimError"),
        ({"sub": "2", "exp": NOW + 9, "aud": "another-service"}, "InvalidClaimError"),
    ],
)
def test_claims_that_let_nobody_in(claims: dict[str, Any], reason: str) -> None:
    detail = refusal(f"Bearer {issue(claims)}")
    assert any(name in detail for name in reason.split("|"))


def test_an_audience_may_be_ours_among_others() -> None:
    assert customer(issue({"sub": "2", "exp": NOW + 1, "aud": ["app", AUDIENCE]})) == "2"


def test_another_secret_signs_nothing() -> None:
    token = issue({"sub": "2", "exp": NOW + 1}, b"another secret of 32 bytes......")
    assert "BadSignatureError" in refusal(f"Bearer {token}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_an_unsigned_token_lets_nobody_in(algorithm: str) -> None:
    parts = (json.dumps(part).encode() for part in ({"alg": algorithm}, {"sub": "2", "exp": NOW + 1}))
    unsigned = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()
    assert "UnsupportedAlgorithmError" in refusal(f"Bearer {unsigned}.")


def test_only_hs256_is_taken() -> None:
    claims = {"sub": "2", "exp": NOW + 1}
    longer = issue(claims, SECRET, "HS512")
    key = RSAKey.generate_key(2048)
    with_rsa = jwt.encode({"alg": "RS256"}, claims, key, algorithms=["RS256"])
    for token in (longer, with_rsa):
        assert "UnsupportedAlgorithmError" in refusal(f"Bearer {token}")


@given(st.integers(0, 200), st.characters(codec="utf-8"))
def test_a_changed_token_lets_nobody_in(position: int, other: str) -> None:
    token = issue({"sub": "server", "scope": ANY_CUSTOMER, "exp": NOW + 1})
    position %= len(token)
    changed = token[:position] + other + token[position + 1 :]
    try:
        # The last character of a signature has bits that say nothing.
        assert customer(changed) is None
        assert changed == token or position == len(token) - 1
    except ProblemError:
        assert changed != token


_DEEP = base64.urlsafe_b64encode(b"[" * 20_000).decode()


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "e30.e30.e30", "é.1.x", "W10.W10.", f"{_DEEP}.e30.x"]
)
def test_what_is_no_token_lets_nobody_in(token: str) -> None:
    assert "The token is not valid" in refusal(f"Bearer {token}")


@pytest.mark.parametrize("authorization", ["", "Basic MjoyCg==", "Bearer"])
def test_without_a_token_nobody_gets_in(authorization: str) -> None:
    assert "Send Authorization: Bearer" in refusal(authorization)


def test_the_tools_issue_such_tokens() -> None:
    config = load(overrides={"clicks": {"authentication": "token", "secret": SECRET.decode()}})
    authenticator = make_authenticator(config)
    assert authenticator is not None
    assert authenticator.customer(f"Bearer {web_page.token(config, '2', 60)}") == "2"
    assert authenticator.customer(f"Bearer {web_page.token(config, None, 60)}") is None


def test_without_authentication_no_token_is_asked_for() -> None:
    assert make_authenticator(load(overrides={"clicks": {"authentication": "none"}})) is None


@pytest.mark.parametrize("secret", [None, "short"])
def test_tokens_need_a_secret(secret: str | None) -> None:
    given_secret = {} if secret is None else {"secret": secret}
    config = load(overrides={"clicks": {"authentication": "token", **given_secret}})
    with pytest.raises(ConfigError, match="ALERTS_CLICKS__SECRET"):
        make_authenticator(config)


def test_a_secret_is_written_to_no_file(tmp_path: Any) -> None:
    config = load(overrides={"clicks": {"authentication": "token", "secret": SECRET.decode()}})
    config.write(tmp_path / "written.yaml")
    assert SECRET.decode() not in (tmp_path / "written.yaml").read_text()
