"""Tables of text for people: what commands and the demo print."""

import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table

_ONE_LINE = 100_000
"""Columns of a file or pipe: no row is ever folded."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], file: TextIO | None = None) -> None:
    """Print rows below the names of their columns.

    On a terminal long cells are folded; elsewhere each row is one line, however long.

    Args:
        columns: The names; a column whose name begins with `>` is right-aligned.
        rows: The cells; None is an empty one.
        file: Where to print; by default standard output.
    """
    out = file or sys.stdout
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    width = None if out.isatty() else _ONE_LINE
    Console(file=out, width=width, markup=False, highlight=False, emoji=False).print(table)
