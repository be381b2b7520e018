"""Tables for people."""

import io

import pytest

from operations.tables import print_table


def test_a_table_is_aligned_and_keeps_long_cells_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", ">COUNT"), [("a [bold]", 7), ("x" * 300, None)])
    head, short, long = capsys.readouterr().out.splitlines()
    assert short.rstrip() == "a [bold]" + " " * (len(head.rstrip()) - len("a [bold]") - 1) + "7"
    assert head.split() == ["NAME", "COUNT"]
    assert long.strip() == "x" * 300


def test_a_table_goes_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    print_table(("A",), [(1,)], out)
    assert out.getvalue().split() == ["A", "1"]
    assert capsys.readouterr().out == ""
