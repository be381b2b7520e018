"""Bookings as camt.054.001.08 messages, such as a bank's core system sends: for replays and tests."""

import re
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from account_alerts.model.money import to_major
from account_alerts.records.codec import Record
from ingest.formats import camt054_codes

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
BALANCE_NAMESPACE = "urn:account-alerts:balance:1"
"""Of the `Bal` in an entry's supplementary data; readers go by local names."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(*bookings: Record) -> bytes:
    """One message with a notification for each booking.

    Raises:
        ValueError: A text holds a character that XML cannot carry.
    """
    created = _time(max(booking["booked_at"] for booking in bookings))
    first = bookings[0]["entry_id"]
    notifications = "".join(
        _notification(booking, number, created) for number, booking in enumerate(bookings, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>{_text(first)}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"{notifications}</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def _notification(booking: Record, number: int, created: str) -> str:
    return (
        f"<Ntfctn><Id>{_text(booking['entry_id'])}-{number}</Id><CreDtTm>{created}</CreDtTm>"
        f"<Acct><Id>{_account(booking['account_id'])}</Id></Acct>{_entry(booking)}</Ntfctn>"
    )


def _entry(booking: Record) -> str:
    credit_debit, currency = booking["credit_debit"], booking["currency"]
    domain, family, sub_family = camt054_codes.code(booking["entry_type"], credit_debit)
    return (
        f"<Ntry>{_amount(booking['amount_minor'], currency)}<CdtDbtInd>{credit_debit}</CdtDbtInd>"
        f"{'<RvslInd>true</RvslInd>' if booking['reversal'] else ''}"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>{_time(booking['booked_at'])}</DtTm></BookgDt>"
        f"<AcctSvcrRef>{_text(booking['entry_id'])}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd><NtryDtls><TxDtls>{_original(booking)}{_parties(booking)}"
        f"{_if('<RmtInf><Ustrd>{}</Ustrd></RmtInf>', booking['description'])}{_card(booking)}"
        f"{_balance(booking['balance_minor'], currency)}</TxDtls></NtryDtls></Ntry>"
    )


def _original(booking: Record) -> str:
    minor, currency = booking["original_amount_minor"], booking["original_currency"]
    if minor is None or currency is None:
        return ""
    return f"<AmtDtls><InstdAmt>{_amount(minor, currency)}</InstdAmt></AmtDtls>"


def _balance(balance: int | None, currency: str) -> str:
    if balance is None:
        return ""
    return (
        f'<SplmtryData><Envlp><Bal xmlns="{BALANCE_NAMESPACE}">{_amount(balance, currency)}'
        f"<CdtDbtInd>{'DBIT' if balance < 0 else 'CRDT'}</CdtDbtInd></Bal></Envlp></SplmtryData>"
    )


def _parties(booking: Record) -> str:
    # Of what is taken back, the parties are those of the booking before.
    role = "Dbtr" if (booking["credit_debit"] == "CRDT") != booking["reversal"] else "Cdtr"
    country = _if("<PstlAdr><Ctry>{}</Ctry></PstlAdr>", booking["country"])
    said = _if("<Nm>{}</Nm>", booking["counterparty_name"]) + country
    party = f"<{role}><Pty>{said}</Pty></{role}>" if said else ""
    other = booking["counterparty"]
    account = f"<{role}Acct><Id>{_account(other)}</Id></{role}Acct>" if other else ""
    return f"<RltdPties>{party}{account}</RltdPties>" if party or account else ""


def _card(booking: Record) -> str:
    shop = _if("<Id>{}</Id>", booking["merchant_id"]) + _if("<ShrtNm>{}</ShrtNm>", booking["merchant_name"])
    point = f"<POI><Id>{shop}</Id></POI>" if shop else ""
    category = _if("<Tx><Indv><TxCtgy>{}</TxCtgy></Indv></Tx>", booking["merchant_category"])
    card = _if("<Card><PlainCardData><PAN>{}</PAN></PlainCardData></Card>", booking["card_last_four"])
    return f"<CardTx>{card}{point}{category}</CardTx>" if card or point or category else ""


def _account(identification: str) -> str:
    if _IBAN.fullmatch(identification):
        return f"<IBAN>{identification}</IBAN>"
    return f"<Othr><Id>{_text(identification)}</Id></Othr>"


def _amount(minor: int, currency: str) -> str:
    return f'<Amt Ccy="{currency}">{to_major(abs(minor), currency):f}</Amt>'


def _time(milliseconds: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _if(template: str, value: str | None) -> str:
    return template.format(_text(value)) if value else ""


def _text(value: str) -> str:
    if _UNWRITABLE.search(value):
        raise ValueError("a text holds a character that XML cannot carry")
    return escape(value, {"\r": "&#13;"})
