"""XML of any encoding is read, and unsafe XML refused."""

import pytest

from tests.unit.ingest.formats.messages import camt, error, ntry, one


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "iso-8859-2"])
def test_any_encoding_of_single_bytes_or_unicode(encoding: str) -> None:
    entry = ntry(details="<AddtlNtryInf>café <![CDATA[& ]]><!-- no -->Söhne</AddtlNtryInf>")
    text = f'<?xml version="1.0" encoding="{encoding}"?>{camt(entry).decode()}'
    assert one(text.encode(encoding))["description"] == "café & Söhne"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF8"),
        ("utf-8-sig", "utf_8"),
        ("utf-16", "UTF-8"),
        ("utf-16-le", "UTF-16"),
    ],
)
def test_unicode_by_other_names_and_re_encoded_on_its_way(encoding: str, declared: str) -> None:
    entry = ntry(details="<AddtlNtryInf>Söhne</AddtlNtryInf>")
    head = f"<?xml version='1.0' encoding='{declared}'?>"
    assert one(f"{head}{camt(entry).decode()}".encode(encoding))["description"] == "Söhne"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("letter", ["x", ">", "\u223c"])
def test_a_long_namespace_is_refused(encoding: str, quote: str, letter: str) -> None:
    names = "".join(f"<b{number}/>" for number in range(3_000))
    data = f"<a xmlns= {quote}{letter * 400_000}{quote}>{names}</a>"
    assert "an attribute of 600 bytes or more" in error(data.encode(encoding))


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Document>&b;</Document>',
        b"<Document/>",
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"<a>" * 100_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        camt("<Ntry>" + "<Bal>" * 100_000 + "</Bal>" * 100_000 + "</Ntry>"),
        b'<?xml version="1.0" encoding="Shift_JIS"?><a/>',
        b'<?xml version="1.0" encoding="none"?><a/>',
    ],
)
def test_unsafe_or_other_xml_is_refused(data: bytes) -> None:
    assert "root:" not in error(data)
