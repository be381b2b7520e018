"""What kind of booking an entry is, and who the other side is."""

import pytest

from account_alerts.model.alerts import EntryType
from tests.unit.ingest.formats.messages import camt, ntry, one

_OWN, _OTHER = "NL01", "NL02"


def code(family: str, sub_family: str, own: str = "") -> str:
    """Make a bank transaction code of payments."""
    given = f"<Prtry><Cd>{own}</Cd><Issr>DK</Issr></Prtry>" if own else ""
    return (
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub_family}</SubFmlyCd></Fmly></Domn>"
        f"{given}</BkTxCd>"
    )


def own_code(given: str) -> str:
    """Make a bank's own transaction code, and no other."""
    return f"<BkTxCd><Prtry><Cd>{given}</Cd><Issr>DK</Issr></Prtry></BkTxCd>"


_CARD_USE = "<NtryDtls><TxDtls><CardTx><POI><Id><Id>t</Id></Id></POI></CardTx></TxDtls></NtryDtls>"


@pytest.mark.parametrize(
    ("family", "sub_family", "wanted"),
    [
        ("CCRD", "POSD", "CARD"),
        ("CCRD", "CWDL", "CARD"),
        ("MCRD", "POSP", "OTHER"),
        ("MCRD", "UPCT", "OTHER"),
        ("MCRD", "CHRG", "FEE"),
        ("RCDT", "ESCT", "TRANSFER"),
        ("XXXX", "OTHR", "OTHER"),
    ],
)
def test_isos_code_decides(family: str, sub_family: str, wanted: str) -> None:
    assert one(camt(ntry(code=code(family, sub_family))))["entry_type"] == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (code("MCRD", "POSP"), "OTHER"),
        (code("XXXX", "OTHR"), "CARD"),
        (own_code("unknown"), "CARD"),
        ("", "CARD"),
    ],
)
def test_an_entry_with_card_details(given: str, wanted: str) -> None:
    assert one(camt(ntry(code=given, details=_CARD_USE)))["entry_type"] == wanted


_CODES = {
    "NDDT+106+*": EntryType.CARD,
    "NDDT+1??+*": EntryType.DIRECT_DEBIT,
    "807": EntryType.FEE,
    "*": EntryType.TRANSFER,
}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (own_code("NDDT+106+9248"), "CARD"),
        (own_code("NDDT+105+9248"), "DIRECT_DEBIT"),
        (own_code("807"), "FEE"),
        (own_code("8070"), "TRANSFER"),
        (code("RDDT", "ESDD", "NDDT+106+1"), "CARD"),
    ],
)
def test_the_banks_own_code_decides_first(given: str, wanted: str) -> None:
    assert one(camt(ntry(code=given)), codes=_CODES)["entry_type"] == wanted
    in_transaction = f"<NtryDtls><TxDtls>{given}</TxDtls></NtryDtls>"
    assert one(camt(ntry(code="", details=in_transaction)), codes=_CODES)["entry_type"] == wanted


def test_a_code_that_is_not_in_the_table_is_as_without_it() -> None:
    assert one(camt(ntry(code=own_code("CASH"))), codes={"1": EntryType.CARD})["entry_type"] == "CASH"
    given = code("RDDT", "ESDD", "2")
    assert one(camt(ntry(code=given)), codes={"1": EntryType.CARD})["entry_type"] == "DIRECT_DEBIT"


def parties(debtor: str, creditor: str, returned: str = "") -> str:
    """Make a transaction between two accounts; without those that are empty."""

    def side(role: str, account: str) -> str:
        party = f"<{role}><Pty><Nm>{role} of it</Nm></Pty></{role}>"
        return party + (f"<{role}Acct><Id><IBAN>{account}</IBAN></Id></{role}Acct>" if account else "")

    related = f"<RltdPties>{side('Dbtr', debtor)}{side('Cdtr', creditor)}</RltdPties>"
    return f"<NtryDtls><TxDtls>{related}{returned}</TxDtls></NtryDtls>"


_RETURN = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
_REVERSAL = "<RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>"


@pytest.mark.parametrize("indicator", ["CRDT", "DBIT"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    "marks",
    [
        pytest.param({}, id="nothing says so"),
        pytest.param({"returned": _RETURN}, id="RtrInf"),
        pytest.param({"status": _REVERSAL}, id="RvslInd"),
        pytest.param({"returned": _RETURN, "status": _REVERSAL}, id="both"),
    ],
)
def test_the_other_side_is_not_the_account_itself(
    indicator: str, swapped: bool, marks: dict[str, str]
) -> None:
    debtor, creditor = (_OTHER, _OWN) if swapped else (_OWN, _OTHER)
    transaction = parties(debtor, creditor, marks.get("returned", ""))
    entry = ntry(
        details=transaction,
        indicator=f"<CdtDbtInd>{indicator}</CdtDbtInd>",
        **({"status": marks["status"]} if "status" in marks else {}),
    )
    assert one(camt(entry))["counterparty"] == _OTHER


@pytest.mark.parametrize(
    ("parts", "returned"),
    [
        pytest.param({}, _RETURN, id="RtrInf"),
        pytest.param({"status": _REVERSAL}, "", id="RvslInd"),
        pytest.param({"code": code("ICDT", "RRTN")}, "", id="the code of a returned transfer"),
        pytest.param({"code": code("IDDT", "UPDD")}, "", id="the code of an unpaid direct debit"),
    ],
)
def test_what_came_back_has_the_parties_of_before_where_no_account_tells(
    parts: dict[str, str], returned: str
) -> None:
    for indicator, other in (("CRDT", "Cdtr"), ("DBIT", "Dbtr")):
        entry = ntry(
            details=parties("", "", returned), indicator=f"<CdtDbtInd>{indicator}</CdtDbtInd>", **parts
        )
        assert one(camt(entry))["counterparty"] == f"{other} of it"


def test_an_ordinary_payment_where_no_account_tells() -> None:
    for indicator, other in (("CRDT", "Dbtr"), ("DBIT", "Cdtr")):
        entry = ntry(details=parties("", ""), indicator=f"<CdtDbtInd>{indicator}</CdtDbtInd>")
        assert one(camt(entry))["counterparty"] == f"{other} of it"
