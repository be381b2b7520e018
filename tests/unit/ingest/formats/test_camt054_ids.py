"""An id depends on the booking alone, and no two bookings of a message have the same."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.bank import camt054_writer
from tests.builders import entry
from tests.unit.ingest.formats.messages import at, camt, closing, ntry, one, parse


def ids(*entries: str, version: str = "08", account: str = "NL01") -> list[str]:
    """Return the ids of a message's entries."""
    data = camt("".join(entries), version=version, head=closing("1000.00", account=account))
    parsed = parse(data)
    assert not parsed.errors
    return [each["entry_id"] for each in parsed.bookings]


def said(**parts: str) -> str:
    """Make an entry with the reference that all have."""
    return ntry(**{"reference": "<NtryRef>CH44</NtryRef>", **parts})


def details(*transactions: str) -> str:
    """Make the details of an entry."""
    inner = "".join(f"<TxDtls><Refs><EndToEndId>{each}</EndToEndId></Refs></TxDtls>" for each in transactions)
    return f"<NtryDtls><Btch><NbOfTxs>{len(transactions)}</NbOfTxs></Btch>{inner}</NtryDtls>"


_FEE = "<BkTxCd><Domn><Cd>ACMT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd>"
_DIFFERENT = {
    "the same": said(),
    "amount": said(amount='<Amt Ccy="EUR">12.35</Amt>'),
    "direction": said(indicator="<CdtDbtInd>CRDT</CdtDbtInd>"),
    "reversal": said(indicator="<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd>"),
    "fee": said(code=_FEE),
    "time": said(date=at("2026-11-25T09:30:01+01:00")),
    "date": said(date=at("2026-11-25")),
    "entry's reference": said(reference="<NtryRef>CH45</NtryRef>"),
    "bank's reference": said(service="<AcctSvcrRef>e2</AcctSvcrRef>"),
    "no reference": said(service=""),
    "transaction": said(details=details("A")),
    "other transaction": said(details=details("B")),
    "batch": said(details=details("A", "B")),
    "description": said(details="<AddtlNtryInf>Rent</AddtlNtryInf>"),
}


def test_entries_that_differ_in_anything_have_different_ids_wherever_they_come() -> None:
    together = ids(*_DIFFERENT.values())
    assert len(set(together)) == len(_DIFFERENT)
    alone = {name: ids(each)[0] for name, each in _DIFFERENT.items()}
    assert set(alone.values()) == set(together)


@given(st.permutations(list(_DIFFERENT)), st.integers(1, len(_DIFFERENT)))
def test_another_message_with_others_in_another_order(names: list[str], size: int) -> None:
    some = [_DIFFERENT[name] for name in names[:size]]
    assert sorted(ids(*some)) == sorted(ids(each)[0] for each in some)


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(said(date=at("2026-11-25T08:30:00.250Z")), id="time in another zone"),
        pytest.param(said(amount='<Amt Ccy="EUR">12.340</Amt>'), id="decimals"),
        pytest.param(said(status="<RvslInd>false</RvslInd><Sts>BOOK</Sts>"), id="earlier version"),
        pytest.param(re.sub(r"><", ">\n  <", said()), id="blanks"),
    ],
)
def test_other_spellings_of_the_same(again: str) -> None:
    assert ids(again) == ids(said())


def test_the_message_has_no_part_in_it() -> None:
    [first] = ids(said())
    other = camt(said(), version="02", head=closing("7.00")).replace(b"<MsgId>m<", b"<MsgId>n<")
    other = other.replace(b"<Ntfctn><Id>n<", b"<Ntfctn><Id>o<").replace(b"T10:00:00Z", b"T23:00:00Z")
    assert one(other)["entry_id"] == first
    assert (
        one(
            other.replace(b"<Document", b"<x:Document")
            .replace(b"</Document", b"</x:Document")
            .replace(b"xmlns=", b"xmlns:x=")
        )["entry_id"]
        == first
    )
    assert ids(said(), account="NL 01") == [first]
    assert ids(said(), account="NL02") != [first]


def test_a_date_alone_has_one_id_whenever_it_is_told() -> None:
    dated = said(date=at("2026-11-25"))
    [first] = ids(dated)
    later = camt(dated, head=closing("7.00")).replace(b"2026-11-25T10:00:00Z", b"2026-11-25T22:00:00Z")
    assert one(later)["entry_id"] == first
    assert ids(said(date=at("2026-11-25Z"))) == [first]


def test_transactions_of_a_batch_in_another_order() -> None:
    assert ids(said(details=details("A", "B"))) == ids(said(details=details("B", "A")))


def test_twins_of_a_message_are_told_apart_and_the_same_again() -> None:
    first = ids(said(), said(), said(service=""), said())
    assert len(set(first)) == 4
    assert first[0] == ids(said())[0]
    assert Counter(ids(said(service=""), said(), said(), said())) == Counter(first)


def test_twins_in_two_notifications_of_one_account() -> None:
    twice = camt(said(), head=closing("9.00")).replace(
        b"</Ntfctn>", b"</Ntfctn><Ntfctn>" + (closing("8.00") + said()).encode() + b"</Ntfctn>"
    )
    assert len({each["entry_id"] for each in parse(twice).bookings}) == 2


def test_a_twin_that_is_refused_leaves_the_other_its_id() -> None:
    both = ids(said(), said())
    alone = parse(camt(said(status="<Sts><Cd>OTHR</Cd></Sts>") + said())).bookings
    assert alone[0]["entry_id"] in both


def test_both_sides_of_a_payment_with_one_reference_together_or_not() -> None:
    debit, credit = entry("p", "A"), entry("p", "B", credit_debit="CRDT")
    together = [each["entry_id"] for each in parse(camt054_writer.write(debit, credit)).bookings]
    alone = [one(camt054_writer.write(booking))["entry_id"] for booking in (debit, credit)]
    assert together == alone
    assert len(set(together)) == 2
    assert all(each.startswith("p/") for each in together)


def test_an_id_is_short_however_long_the_references_are() -> None:
    long = "x" * 100_000
    [first, second] = ids(
        said(service=f"<AcctSvcrRef>{long}1</AcctSvcrRef>"),
        said(service=f"<AcctSvcrRef>{long}2</AcctSvcrRef>"),
    )
    assert first != second
    assert max(len(first), len(second)) < 100
