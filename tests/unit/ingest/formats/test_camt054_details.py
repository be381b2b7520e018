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
        booking = one(camt(entry))
        assert booking["counterparty"] is None
        assert booking["counterparty_name"] == f"{other} of it"
        assert booking["reversal"]


def test_an_ordinary_payment_where_no_account_tells() -> None:
    for indicator, other in (("CRDT", "Dbtr"), ("DBIT", "Cdtr")):
        entry = ntry(details=parties("", ""), indicator=f"<CdtDbtInd>{indicator}</CdtDbtInd>")
        booking = one(camt(entry))
        assert booking["counterparty"] is None
        assert booking["counterparty_name"] == f"{other} of it"
        assert not booking["reversal"]


def transaction(*parts: str) -> str:
    """Make the only transaction of an entry."""
    return f"<NtryDtls><TxDtls>{''.join(parts)}</TxDtls></NtryDtls>"


_BANK = "<FinInstnId><BICFI>BANKNLXX</BICFI><Nm>The bank</Nm><PstlAdr><Ctry>DE</Ctry></PstlAdr></FinInstnId>"


@pytest.mark.parametrize(
    ("parts", "name", "country"),
    [
        pytest.param("<RltdPties><Cdtr><Nm>Shop</Nm></Cdtr></RltdPties>", "Shop", None, id="to version 7"),
        pytest.param(
            "<RltdPties><Cdtr><Pty><Nm>Shop</Nm></Pty></Cdtr></RltdPties>", "Shop", None, id="from 8"
        ),
        pytest.param(
            f"<RltdPties><Cdtr><Agt>{_BANK}</Agt></Cdtr></RltdPties>", "The bank", "DE", id="a bank"
        ),
        pytest.param(
            "<RltdPties><Cdtr><PstlAdr><Ctry>FR</Ctry></PstlAdr></Cdtr>"
            "<UltmtCdtr><Nm>Seller</Nm></UltmtCdtr></RltdPties>",
            "Seller",
            "FR",
            id="who gets it in the end",
        ),
        pytest.param(
            f"<RltdAgts><CdtrAgt>{_BANK}</CdtrAgt></RltdAgts>", "The bank", None, id="only the bank"
        ),
        pytest.param(f"<RltdAgts><DbtrAgt>{_BANK}</DbtrAgt></RltdAgts>", None, None, id="the own bank"),
        pytest.param("<RltdPties><Dbtr><Nm>Me</Nm></Dbtr></RltdPties>", None, None, id="oneself"),
    ],
)
def test_the_name_of_the_other_side(parts: str, name: str | None, country: str | None) -> None:
    booking = one(camt(ntry(details=transaction(parts))))
    assert (booking["counterparty_name"], booking["country"]) == (name, country)


def test_a_batch_is_of_nobody() -> None:
    party = "<TxDtls><RltdPties><Cdtr><Nm>Shop</Nm></Cdtr></RltdPties></TxDtls>"
    booking = one(camt(ntry(details=f"<NtryDtls>{party}{party}</NtryDtls>")))
    assert (booking["counterparty_name"], booking["reversal"]) == (None, False)
    returned = party.replace("</TxDtls>", f"{_RETURN}</TxDtls>")
    assert one(camt(ntry(details=f"<NtryDtls>{returned}{returned}</NtryDtls>")))["reversal"]
    assert not one(camt(ntry(details=f"<NtryDtls>{returned}{party}</NtryDtls>")))["reversal"]


@pytest.mark.parametrize(
    ("number", "last_four"),
    [("5412345678901234", "1234"), ("541234******9876", "9876"), ("123", None), ("************", None)],
)
def test_of_a_card_number_the_last_four_digits_are_read(number: str, last_four: str | None) -> None:
    card = f"<CardTx><Card><PlainCardData><PAN>{number}</PAN></PlainCardData></Card></CardTx>"
    for details in (transaction(card), card):
        assert one(camt(ntry(details=details)))["card_last_four"] == last_four


def test_the_name_of_the_shop_of_a_card_payment() -> None:
    shop = "<CardTx><POI><Id><Id>m</Id><ShrtNm>Shop 7</ShrtNm></Id></POI></CardTx>"
    party = "<RltdPties><Cdtr><Nm>Shops of the town</Nm></Cdtr></RltdPties>"
    agent = f"<RltdAgts><CdtrAgt>{_BANK}</CdtrAgt></RltdAgts>"
    both = one(camt(ntry(code=code("CCRD", "POSD"), details=transaction(party, agent, shop))))
    assert (both["merchant_name"], both["counterparty_name"]) == ("Shop 7", "Shops of the town")
    named = one(camt(ntry(code=code("CCRD", "POSD"), details=transaction(party, agent))))
    assert named["merchant_name"] == "Shops of the town"
    # The shop's bank is not the shop.
    unnamed = one(camt(ntry(code=code("CCRD", "POSD"), details=transaction(agent))))
    assert (unnamed["merchant_name"], unnamed["counterparty_name"]) == (None, None)


def amount_of(name: str, currency: str, digits: str) -> str:
    return f'<{name}><Amt Ccy="{currency}">{digits}</Amt></{name}>'


@pytest.mark.parametrize(
    ("stated", "currency", "minor"),
    [
        (amount_of("InstdAmt", "USD", "20.00"), "USD", 2000),
        (amount_of("InstdAmt", "JPY", "350.00") + amount_of("TxAmt", "EUR", "12.34"), "JPY", 350),
        (amount_of("InstdAmt", "EUR", "12.00") + amount_of("TxAmt", "KWD", "1.234"), "KWD", 1234),
        (amount_of("CntrValAmt", "CHF", "7"), "CHF", 700),
        (amount_of("InstdAmt", "EUR", "12.00"), None, None),
        (amount_of("InstdAmt", "USD", "1e3") + amount_of("TxAmt", "USD", "7.00"), "USD", 700),
        (amount_of("InstdAmt", "USX", "20.00"), None, None),
        (amount_of("InstdAmt", "USD", "0.00"), None, None),
        (amount_of("InstdAmt", "JPY", "0.5"), None, None),
    ],
)
def test_the_amount_before_its_conversion(stated: str, currency: str | None, minor: int | None) -> None:
    given = f"<AmtDtls>{stated}</AmtDtls>"
    for details in (transaction(given), given):
        booking = one(camt(ntry(details=details)))
        assert (booking["original_currency"], booking["original_amount_minor"]) == (currency, minor)
        assert (booking["currency"], booking["amount_minor"]) == ("EUR", 1234)
