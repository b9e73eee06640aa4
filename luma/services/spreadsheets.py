"""Tables for spreadsheets, in which nothing that anybody typed can be a formula."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

FORMULAS = ("=", "+", "-", "@")


def sheet(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """As CSV. It begins with the mark by which Excel knows UTF-8."""
    return "\ufeff" + lines([headings]) + lines(rows)


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Some more rows of a table that is sent piece by piece."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([cell(value) if isinstance(value, str) else value for value in row])
    return out.getvalue()


def cell(text: str) -> str:
    """Spreadsheets take what begins like this for a formula, some also after blanks."""
    is_formula = text.startswith("\t") or text.lstrip().startswith(FORMULAS)
    return f"'{text}" if is_formula else text
