"""What the answers of Apple's push service mean: its reasons, else HTTP's status."""

from collections.abc import Mapping

from delivery.gateways import http_answers
from delivery.gateways.outcomes import About, Meaning

_RESPONSES = "developer.apple.com, Handling notification responses from APNs"


def _meaning(about: About, what: str) -> Meaning:
    return Meaning(about, f"{_RESPONSES}: {what}")


REASONS: Mapping[str, Meaning] = {
    "BadCollapseId": _meaning(About.US, "400, our header"),
    "BadDeviceToken": _meaning(About.UNKNOWN, "400, no token, or one of the other environment"),
    "BadExpirationDate": _meaning(About.US, "400, our header"),
    "BadMessageId": _meaning(About.US, "400, our header"),
    "BadPriority": _meaning(About.US, "400, our header"),
    "BadTopic": _meaning(About.US, "400, our topic"),
    "DeviceTokenNotForTopic": _meaning(About.MISMATCH, "400, our topic is not the app's"),
    "DuplicateHeaders": _meaning(About.US, "400, our headers"),
    "IdleTimeout": _meaning(About.LATER, "400, the connection was idle"),
    "InvalidPushType": _meaning(About.US, "400, our header"),
    "MissingDeviceToken": _meaning(About.US, "400, our path"),
    "MissingTopic": _meaning(About.US, "400, our header"),
    "PayloadEmpty": _meaning(About.MESSAGE, "400, no payload"),
    "TopicDisallowed": _meaning(About.US, "400, our topic"),
    "BadCertificate": _meaning(About.US, "403"),
    "BadCertificateEnvironment": _meaning(About.US, "403"),
    "BadEnvironmentKeyIdInToken": _meaning(About.US, "403, our key is of the other environment"),
    "ExpiredProviderToken": _meaning(About.US, "403, our token is old, or our clock is wrong"),
    "Forbidden": _meaning(About.US, "403"),
    "InvalidProviderToken": _meaning(About.US, "403, our key or team"),
    "MissingProviderToken": _meaning(About.US, "403"),
    "UnrelatedKeyIdInToken": _meaning(About.US, "403, our key"),
    "BadPath": _meaning(About.US, "404, our path"),
    "MethodNotAllowed": _meaning(About.US, "405"),
    "ExpiredToken": _meaning(About.GONE, "410"),
    "Unregistered": _meaning(About.GONE, "410"),
    "PayloadTooLarge": _meaning(About.MESSAGE, "413"),
    "TooManyProviderTokenUpdates": _meaning(About.US, "429, new tokens more often than every 20 minutes"),
    "TooManyRequests": _meaning(About.LATER, "429, to this device"),
    "InternalServerError": _meaning(About.LATER, "500"),
    "ServiceUnavailable": _meaning(About.US, "503"),
    "Shutdown": _meaning(About.US, "503"),
}
STATUSES: Mapping[int, Meaning] = {410: _meaning(About.GONE, "410, whatever the reason")}


def meaning(status: int, reason: str) -> Meaning:
    """Say what an answer other than 200 is about; `reason` is empty where the answer has none."""
    return REASONS.get(reason) or http_answers.meaning(status, STATUSES)
