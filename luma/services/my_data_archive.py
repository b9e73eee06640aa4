"""One's own data as one file: a page to read, JSON for programs, a sheet for each table."""

import json
from collections.abc import Sequence
from html import escape
from tempfile import SpooledTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile

from luma.services import clock, spreadsheets
from luma.services.my_data import Cell, Table

IN_MEMORY = 4 * 2**20

STYLE = """
:root { color-scheme: light dark; }
body { max-width: 1100px; margin: 40px auto; padding: 0 20px; font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#faf9f6, #131316); color: light-dark(#1b1a18, #f2f0eb); }
h2 { margin: 40px 0 12px; }
.wrap { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 6px 12px; border: 1px solid light-dark(#e6e2da, #2e2d33); text-align: left;
  vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere; min-width: 60px; }
"""


def packed(name: str, tables: Sequence[Table]) -> "SpooledTemporaryFile[bytes]":
    """A zip, at its beginning; larger ones lie on the disk until closed. Call it off the loop."""
    file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (handed on)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("index.html", _page(name, tables))
        archive.writestr("data.json", as_json(tables))
        for table in tables:
            sheet = spreadsheets.sheet(table.headings, table.rows)
            archive.writestr(f"tables/{table.name}.csv", sheet)
    file.seek(0)
    return file


def _page(name: str, tables: Sequence[Table]) -> str:
    now = clock.now()
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Your data at LUMA</title>\n<style>{STYLE}</style>\n<h1>Your data at LUMA</h1>\n"
        f"<p>All that is kept about {escape(name)}, as of {now.day} {now:%B %Y, %H:%M} UTC. The "
        "same is in data.json for programs, and in the folder “tables” for spreadsheets.</p>\n"
        f"{''.join(map(section, tables))}</html>\n"
    )


def section(table: Table) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings)
    rows = "".join(f"<tr>{''.join(map(_td, row))}</tr>\n" for row in table.rows)
    body = f'<div class="wrap"><table><tr>{head}</tr>\n{rows}</table></div>' if rows else ""
    cut = "<p>There is more than fits into this file. Ask the school for the rest.</p>"
    return (
        f"<h2>{escape(table.title)}</h2>\n{body or '<p>Nothing.</p>'}\n"
        f"{cut if table.is_cut else ''}"
    )


def _td(cell: Cell) -> str:
    words = {True: "yes", False: "no", None: ""}
    said = words[cell] if cell is None or isinstance(cell, bool) else str(cell)
    return f"<td>{escape(said)}</td>"


def as_json(tables: Sequence[Table]) -> str:
    listed = {
        table.name: [dict(zip(table.headings, row, strict=True)) for row in table.rows]
        for table in tables
    }
    return json.dumps(listed, ensure_ascii=False, indent=1)
