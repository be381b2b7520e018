"""Reads what a form of a page sends."""

from urllib.parse import parse_qsl

from fastapi import Request

from account_alerts.service.problems import ProblemError

_MOST_FIELDS = 200


class Form:
    """The fields of a form, as they were typed."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        """Take the fields in their order."""
        self.pairs = pairs

    def __contains__(self, name: str) -> bool:
        return any(found == name for found, _ in self.pairs)

    def get(self, name: str) -> str:
        """Return a field's value; empty where it was not sent."""
        return next((value for found, value in self.pairs if found == name), "")

    def all(self, name: str) -> list[str]:
        """Return the values of a field that may be sent several times."""
        return [value for found, value in self.pairs if found == name]


async def read_form(request: Request) -> Form:
    """Read the form of a request.

    Raises:
        ProblemError: It is none.
    """
    body = await request.body()
    try:
        text = body.decode("utf-8", "strict")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise ProblemError(400, "This is no form.") from None
    if any("\0" in part for pair in pairs for part in pair):
        raise ProblemError(400, "A form holds no NUL character.")
    return Form(pairs)
