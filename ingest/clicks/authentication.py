"""Whose events a request may send: by a JSON Web Token of the bank's login (RFC 7519).

A token is signed with HS256 and the secret that the login shares with this endpoint. Claims: `sub` is the
customer; `exp` is required; `nbf` counts; where there is an `aud`, it must name `account-alerts-clicks`. A
token of the bank's own servers, never of a browser, has the `scope` `clicks:any-customer` (RFC 8693, section
4.2), and `sub` names the server: no name of a customer gives more than their own rights.
"""

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from account_alerts.config import Config, ConfigError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from account_alerts.service.problems import ProblemError

ALGORITHM = "HS256"
AUDIENCE = "account-alerts-clicks"
ANY_CUSTOMER = "clicks:any-customer"
"""The scope of the bank's own servers."""
_FORMERLY_ANYBODY = "*"
_SHORTEST_SECRET = 32
"""Bytes: as long as the hash (RFC 7518, section 3.2)."""
_REMEDY = "Send Authorization: Bearer and a token of the bank's login that has not expired."


class Authenticator:
    """Checks tokens."""

    def __init__(self, secret: bytes, clock: Clock = SYSTEM_CLOCK) -> None:
        """Take the secret that tokens are signed with; `clock` tells which have expired."""
        self._key = OctKey.import_key(secret)
        self._claims = jwt.JWTClaimsRegistry(
            lambda: clock.now_ms() // 1000,
            sub={"essential": True},
            exp={"essential": True},
            aud={"value": AUDIENCE},
        )

    def customer(self, authorization: str) -> str | None:
        """Return the customer whose events a request's `Authorization` lets in; None: any customer's.

        Raises:
            ProblemError: 401: no token, or one that is not valid.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized("There is no token.")
        try:
            claims = jwt.decode(token.strip(), self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            # The cause, such as an expired token, without anything of the token.
            raise _unauthorized(f"The token is not valid: {type(error).__name__}.") from None
        scope, customer = claims.get("scope", ""), claims["sub"]
        if isinstance(scope, str) and ANY_CUSTOMER in scope.split():
            return None
        if customer == _FORMERLY_ANYBODY:
            raise _unauthorized(f"The token's subject is {customer}; a server's has scope {ANY_CUSTOMER}.")
        return str(customer)


def make_authenticator(config: Config) -> Authenticator | None:
    """Make what checks tokens; None where the configuration asks for none.

    Raises:
        ConfigError: There is no section `clicks`, or no usable secret where there must be one.
    """
    clicks = config.require("clicks")
    if clicks.authentication == "none":
        return None
    secret = clicks.secret.get_secret_value().encode() if clicks.secret else b""
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigError(
            f"{config.path}: clicks.secret: authentication by token needs one of at least {_SHORTEST_SECRET} "
            "bytes; set ALERTS_CLICKS__SECRET in the environment, the same as in the bank's login."
        )
    return Authenticator(secret)


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(401, f"{detail} {_REMEDY}", headers={"WWW-Authenticate": "Bearer"})
