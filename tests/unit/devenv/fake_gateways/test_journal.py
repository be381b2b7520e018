"""The journal of what fake gateways took."""

from pathlib import Path

from devenv.fake_gateways.journal import Journal, read


def test_a_journal_survives_a_crash_in_the_middle_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    journal = Journal(file)
    assert journal.add("k1", "i1", {"text": "ž"}) == "i1"
    assert journal.add("k1", "i2", {}) == "i1"
    journal.close()
    with file.open("ab") as end:
        end.write(b'{"key": "k2", "id": "half')
    again = Journal(file)
    assert (again.find("k1"), again.find("k2")) == ("i1", None)
    again.add("k2", "i3", {})
    again.close()
    assert [(line["key"], line["id"]) for line in read(file)] == [("k1", "i1"), ("k2", "i3")]
