"""Health endpoints of services of the local environment."""

import httpx2

_SECONDS = 5


def answers(url: str) -> bool:
    """Tell whether a health endpoint says that its service does its work; never raise."""
    try:
        # Without TLS: loading the authorities for it would take longer than the request.
        return httpx2.get(url, timeout=_SECONDS, verify=False).status_code == 200
    except httpx2.HTTPError:
        return False
