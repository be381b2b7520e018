"""`python -m bench mail-composition`: a mail composed by us, and by the standard library.

Both make the same mail of two parts, with the headers that end a subscription in one click. Processor time of
this process; the library is measured as it has to be set up for a long List-Unsubscribe
(`max_line_length=998`; by default it encodes the header, and no mail program can use it).
"""

import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Annotated

import typer

from delivery.gateways.base import Message
from delivery.gateways.email.mail import compose

_SENDER = "Example Bank <alerts@bank.example>"
_POLICY = SMTP.clone(max_line_length=998)
_MESSAGE = Message(
    key="0123456789abcdef0123456789abcdef",
    customer_id="c1",
    address="anna@example.com",
    language="cs",
    title="Zůstatek pod 100,00 €",
    text="Zůstatek na účtu …6789 klesl pod 100,00 €. Nyní činí -12,50 €.\n" * 6,
    html="<p>Zůstatek na účtu …6789 klesl pod 100,00 €. Nyní činí -12,50 €.</p>\n" * 40,
    unsubscribe=f"https://bank.example/stop?token={'x' * 120}",
)


def compose_by_library(message: Message, sender: str) -> bytes:
    """Compose the mail with email.message.EmailMessage."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"], mail["To"], mail["Subject"] = sender, message.address, message.title
    mail["Message-ID"] = f"<{message.key}@bank.example>"
    mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def microseconds(work: Callable[[], object], count: int) -> float:
    """Measure the processor time of one call."""
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count * 1e6


def main(count: Annotated[int, typer.Option(help="Mails composed by each.")] = 2_000) -> None:
    """Compare the cost of composing a mail: ours and the standard library's.

    By-passed: all else; no mail is sent.
    """
    ours = microseconds(lambda: compose(_MESSAGE, _SENDER), count)
    library = microseconds(lambda: compose_by_library(_MESSAGE, _SENDER), count)
    typer.echo(f"ours {ours:.0f} us, standard library {library:.0f} us: {library / ours:.0f} times")
