"""Evidence of a sale as one file: a page to print and send to the bank, and JSON for programs."""

from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from luma.services import clock, my_data_archive
from luma.services.money.evidence import Evidence

PRINTED = "@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }"


def packed(found: Evidence) -> bytes:
    """A zip. Call it off the loop."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("evidence.html", page(found))
        archive.writestr("evidence.json", my_data_archive.as_json(found.tables))
    return file.getvalue()


def page(found: Evidence) -> str:
    now, title = clock.now(), f"Evidence for order {found.order}"
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{my_data_archive.STYLE}{PRINTED}</style>\n"
        f"<h1>{escape(title)}</h1>\n<p>“{escape(found.course)}”, as recorded on {now.day} "
        f"{now:%B %Y, %H:%M} UTC. All times are UTC. Print this page for the bank; the same is in "
        f"evidence.json.</p>\n{''.join(map(my_data_archive.section, found.tables))}</html>\n"
    )
