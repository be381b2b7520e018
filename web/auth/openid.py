"""The bank's OpenID provider: the login (Authorization Code with PKCE), and the API's bearer tokens."""

import logging
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from starlette.requests import Request
from starlette.responses import Response

from account_alerts.config import Config
from account_alerts.model.errors import ConfigError, InvalidRequestError, UnreachableError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from web.auth.identity import Identity

CALLBACK = "/login/callback"
LOCAL_MARK = "account_alerts_local_provider"
"""In the metadata of the local environment's provider, at which anybody is anybody."""
_SECONDS = 5.0
_KEYS_SECONDS = 10.0
"""How often the provider's keys are asked for again, where a token names one that is not known."""
_log = logging.getLogger(__name__)


class ProviderUnreachableError(UnreachableError):
    """The OpenID provider does not answer, or not as one does."""


class LoginFailedError(InvalidRequestError):
    """A login that did not come about: denied, too old, or not begun here."""


class InvalidTokenError(InvalidRequestError):
    """A bearer token that is not valid, or not for this API."""


class OpenIdProvider:
    """The provider that the configuration names; it is asked when it is needed first."""

    def __init__(
        self,
        config: Config,
        clock: Clock = SYSTEM_CLOCK,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Ask nobody yet.

        Args:
            config: Names the provider.
            clock: Tells which tokens have expired.
            transport: How it is asked, where not over the network.

        Raises:
            ConfigError: There is no section `web`.
        """
        web = config.require("web")
        self._web, self._openid, self._clock = web, web.openid, clock
        self._may_be_local = config.local is not None
        secret = self._openid.client_secret
        self._client: Any = OAuth().register(
            "bank",
            client_id=self._openid.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            server_metadata_url=f"{self._openid.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": self._openid.scopes,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
                "timeout": _SECONDS,
                "transport": transport,
            },
        )
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    async def check(self) -> None:
        """Read the provider's metadata.

        Raises:
            ProviderUnreachableError: It does not answer.
            ConfigError: It is the local environment's, and this is another.
        """
        try:
            metadata = await self._client.load_server_metadata()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnreachableError(f"{self._openid.issuer}: {type(error).__name__}") from error
        if metadata.get("issuer") != self._openid.issuer:
            raise ProviderUnreachableError(f"{self._openid.issuer}: its metadata names another issuer")
        if metadata.get(LOCAL_MARK) and not self._may_be_local:
            raise ConfigError(
                f"web.openid.issuer: {self._openid.issuer} is the local environment's provider, at which "
                "anybody logs in as anybody. Name the bank's."
            )

    async def send_to_login(self, request: Request) -> Response:
        """Send a browser to the provider; the session remembers what the answer must fit."""
        await self.check()
        redirect: Response = await self._client.authorize_redirect(
            request, f"{self._web.public_url}{CALLBACK}"
        )
        return redirect

    async def finish_login(self, request: Request) -> Identity:
        """Exchange the code that a browser came back with.

        Raises:
            LoginFailedError: It was denied, is too old, or was begun elsewhere.
            ProviderUnreachableError: The provider does not answer.
        """
        await self.check()
        try:
            token = await self._client.authorize_access_token(request)
        except (OAuthError, JoseError) as error:
            raise LoginFailedError(f"the login did not succeed: {type(error).__name__}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnreachableError(f"{self._openid.issuer}: {type(error).__name__}") from error
        if "userinfo" not in token:
            raise LoginFailedError("the provider gave no ID token")
        return Identity.from_claims(token["userinfo"], self._openid)

    async def logout_url(self) -> str:
        """Return where a browser ends its session at the provider; the front door, where it has no such."""
        home = f"{self._web.public_url}/"
        try:
            await self.check()
            made = await self._client.create_logout_url(home, client_id=self._openid.client_id)
        except (UnreachableError, RuntimeError):
            return home
        return str(made["url"])

    async def identify(self, token: str) -> Identity:
        """Return who a bearer token of the API is.

        Raises:
            InvalidTokenError: It is not valid.
            ProviderUnreachableError: The provider's keys cannot be read.
        """
        try:
            claims = await self._decode(token)
            jwt.JWTClaimsRegistry(
                lambda: self._clock.now_ms() // 1000,
                iss={"essential": True, "value": self._openid.issuer},
                aud={"essential": True, "value": self._openid.audience},
                sub={"essential": True},
                exp={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            # The cause, such as an expired token, without anything of the token.
            raise InvalidTokenError(f"the token is not valid: {type(error).__name__}") from None
        return Identity.from_claims(claims, self._openid)

    async def _decode(self, token: str) -> dict[str, Any]:
        algorithms = list(self._openid.algorithms)
        try:
            return jwt.decode(token, await self._known_keys(), algorithms=algorithms).claims
        except InvalidKeyIdError:
            return jwt.decode(token, await self._known_keys(again=True), algorithms=algorithms).claims

    async def _known_keys(self, *, again: bool = False) -> KeySet:
        now = self._clock.monotonic()
        if self._keys is None or (again and now - self._keys_at > _KEYS_SECONDS):
            await self.check()
            try:
                self._keys = KeySet.import_key_set(await self._client.fetch_jwk_set(force=True))
            except (httpx2.HTTPError, ValueError, RuntimeError) as error:
                raise ProviderUnreachableError(f"{self._openid.issuer}: {type(error).__name__}") from error
            self._keys_at = now
        return self._keys
