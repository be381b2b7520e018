"""Which alerts an operator has sent again."""

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.model.errors import InvalidRequestError
from delivery.ledger.retry import Selection, retry


@pytest.mark.parametrize(
    ("selection", "what"),
    [
        (Selection(), "give the ids"),
        (Selection(channel="EMAIL"), "give the ids"),
        (Selection(since="soon"), "--since"),
        (Selection(reason="x", channel="FAX"), "--channel: FAX is none of EMAIL, SMS, PUSH"),
    ],
)
def test_what_is_not_said_clearly_sends_nothing(selection: Selection, what: str) -> None:
    with pytest.raises(InvalidRequestError, match=what):
        retry(load(PROJECT / "conf/local.yaml"), selection)
