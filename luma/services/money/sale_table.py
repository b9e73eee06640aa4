"""Orders as a table for spreadsheets."""

from collections.abc import Sequence

from luma.services import spreadsheets
from luma.services.money.sale_list import SaleRow

HEADINGS = (
    "Order",
    "Date (UTC)",
    "Student",
    "E-mail address",
    "Course",
    "Code",
    "Currency",
    "List price",
    "Discount",
    "Paid",
    "Of it tax",
    "Refunded",
    "Net",
    "State",
    "Access",
)


def head() -> str:
    return spreadsheets.sheet(HEADINGS, ())


def lines(rows: Sequence[SaleRow]) -> str:
    return spreadsheets.lines(_cells(row) for row in rows)


def _cells(row: SaleRow) -> tuple[str, ...]:
    amounts = (row.price, row.discount, row.paid, row.tax, row.refunded, row.net)
    return (
        row.order,
        f"{row.at:%Y-%m-%d %H:%M:%S}",
        row.buyer,
        row.email,
        row.course,
        row.code or "",
        row.price.currency.upper(),
        *(amount.decimal() for amount in amounts),
        row.status.replace("_", " "),
        "yes" if row.has_access else "no",
    )
