"""What the answers of Firebase Cloud Messaging mean: its own codes, else the general status, else HTTP's."""

from collections.abc import Mapping

from delivery.gateways import http_answers
from delivery.gateways.outcomes import About, Meaning

_ERROR_CODE = "firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode"
_RPC = "google.rpc.Code (googleapis/google/rpc/code.proto)"

TOKEN_FIELD = "message.token"
"""The field that a BadRequest names where the token is not one."""
WRONG_TOKEN = Meaning(About.GONE, f"{_ERROR_CODE}: INVALID_ARGUMENT of the field {TOKEN_FIELD}")

CODES: Mapping[str, Meaning] = {
    "UNSPECIFIED_ERROR": Meaning(About.UNKNOWN, _ERROR_CODE),
    "INVALID_ARGUMENT": Meaning(About.UNKNOWN, f"{_ERROR_CODE}: a wrong token, or a wrong request"),
    "UNREGISTERED": Meaning(About.GONE, _ERROR_CODE),
    "SENDER_ID_MISMATCH": Meaning(About.UNKNOWN, f"{_ERROR_CODE}: of this token, or our project is wrong"),
    "QUOTA_EXCEEDED": Meaning(About.US, f"{_ERROR_CODE}: the sending limit"),
    "UNAVAILABLE": Meaning(About.US, f"{_ERROR_CODE}: overloaded"),
    "INTERNAL": Meaning(About.LATER, _ERROR_CODE),
    "THIRD_PARTY_AUTH_ERROR": Meaning(About.US, f"{_ERROR_CODE}: a certificate or key of the project"),
    "NOT_FOUND": Meaning(About.GONE, f"{_RPC}: the message's token, the only thing that is looked up"),
    "UNAUTHENTICATED": Meaning(About.US, f"{_RPC}: the access token"),
    "PERMISSION_DENIED": Meaning(About.US, f"{_RPC}: the service account or the project"),
    "RESOURCE_EXHAUSTED": Meaning(About.US, f"{_RPC}: a quota"),
    "FAILED_PRECONDITION": Meaning(About.UNKNOWN, _RPC),
    "DEADLINE_EXCEEDED": Meaning(About.LATER, _RPC),
    "ABORTED": Meaning(About.LATER, _RPC),
}


def meaning(status: int, code: str, fields: frozenset[str] = frozenset()) -> Meaning:
    """Say what an answer other than 2xx is about.

    Args:
        status: HTTP's.
        code: FCM's own code, or the general one; empty where the answer has none.
        fields: The fields that are said to be wrong.
    """
    if code == "INVALID_ARGUMENT" and fields == {TOKEN_FIELD}:
        return WRONG_TOKEN
    return CODES.get(code) or http_answers.meaning(status, {})
