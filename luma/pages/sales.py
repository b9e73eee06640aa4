"""Sales, mine and the school's: `/studio/sales`, `/admin/sales`, and both as CSV."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter as PlainRouter
from fastapi import Request
from nicegui import APIRouter, ui
from starlette.responses import Response, StreamingResponse

from luma.pages import assets, chart, section
from luma.pages.feedback import page
from luma.pages.session import act, act_in
from luma.services.money import sale_table, sales
from luma.services.money.sale_list import STATES, Page, Place
from luma.services.money.sales import Asked, Sales

router = APIRouter()
downloads = PlainRouter(include_in_schema=False)

Where = Literal["studio", "admin"]
Rows = Callable[[Asked, Place | None], Awaitable[Page]]
Read = Callable[[Asked, int], Awaitable[Sales]]

RANGES = {"7": "7 days", "30": "30 days", "90": "90 days", "year": "Year"}
STATE_WORDS = {
    "all": "All states",
    "paid": "Paid",
    "pending": "Payment pending",
    "refunded": "Refunded",
    "disputed": "Disputed",
    "review": "To be looked at",
    "unpaid": "Not paid",
}
MARKS = {
    "paid": ("positive", "Paid"),
    "open": ("", "Not paid"),
    "pending": ("light", "Payment pending"),
    "failed": ("negative", "Failed"),
    "expired": ("", "Expired"),
    "needs_review": ("warning", "To be looked at"),
    "refunded": ("", "Refunded"),
    "disputed": ("warning", "Disputed"),
    "charged_back": ("negative", "Charged back"),
}
assert STATE_WORDS.keys() == STATES.keys()  # noqa: S101  (a state without words is seen at start)


@page(router, "/studio/sales", "Sales · Studio")
async def my_sales() -> None:
    async def seen(asked: Asked, most: int) -> Sales:
        return await act(sales.mine, asked, most)

    await _show("studio", seen)


@page(router, "/admin/sales", "Sales · Admin")
async def all_sales() -> None:
    async def seen(asked: Asked, most: int) -> Sales:
        return await act(sales.school, asked, most)

    await _show("admin", seen)


@downloads.get("/studio/sales.csv")
async def my_table(request: Request) -> Response:
    async def rows(asked: Asked, after: Place | None) -> Page:
        return await act_in(request, sales.my_rows, asked, after)

    return await _table(_asked(request), rows)


@downloads.get("/admin/sales.csv")
async def every_table(request: Request) -> Response:
    async def rows(asked: Asked, after: Place | None) -> Page:
        return await act_in(request, sales.school_rows, asked, after)

    return await _table(_asked(request), rows)


async def _show(where: Where, read: Read) -> None:
    growing, asked = section.Growing(), _asked(ui.context.client.request)
    place = f"/{where}/sales"

    async def found() -> Mapping[str, object]:
        seen = await read(asked, growing.most)

        def link(path: str = place, **changes: str) -> str:
            return _address(path, {**_kept(seen, asked), **changes})

        return {
            "sales": seen,
            "charts": [chart.drawn(block, seen.span) for block in seen.blocks],
            "chart": chart,
            "link": link,
            "place": place,
            "kept": _kept(seen, asked),
            "ranges": RANGES,
            "states": STATE_WORDS,
            "marks": MARKS,
            "sale": "/admin/orders/" if where == "admin" else "/studio/sales/",
            "is_school": where == "admin",
        }

    ui.add_head_html(assets.tag("sales.css"))
    await section.show("sales", found, {"more": growing.grow}, of=where)


def _asked(request: Request) -> Asked:
    said = request.query_params
    usual = Asked()
    return Asked(
        range=said.get("range", usual.range),
        first=said.get("from", ""),
        last=said.get("to", ""),
        course=said.get("course", ""),
        words=said.get("q", ""),
        state=said.get("state", usual.state),
        mode=said.get("mode", ""),
    )


def _kept(seen: Sales, asked: Asked) -> dict[str, str]:
    """What the address of another look keeps of this one; what goes without saying is left out."""
    own = seen.span.choice == "own"
    said = {
        "range": "" if seen.span.choice == Asked().range else seen.span.choice,
        "from": seen.span.first.isoformat() if own else "",
        "to": seen.span.last.isoformat() if own else "",
        "course": seen.course,
        "q": seen.words,
        "state": "" if seen.state == Asked().state else seen.state,
        "mode": seen.mode.value if asked.mode == seen.mode else "",
    }
    return {name: word for name, word in said.items() if word}


def _address(path: str, said: Mapping[str, str]) -> str:
    """Days of one's own belong to that range alone."""
    own = said.get("range") == "own"
    words = {
        name: word for name, word in said.items() if word and (own or name not in ("from", "to"))
    }
    return f"{path}?{urlencode(words)}" if words else path


async def _table(asked: Asked, read: Rows) -> Response:
    """The first rows are read before anything is sent, so that a refusal is one."""
    first = await read(asked, None)

    async def lines() -> AsyncIterator[str]:
        yield sale_table.head()
        found = first
        while True:
            yield sale_table.lines(found.rows)
            if found.onward is None:
                return
            found = await read(asked, found.onward)

    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="sales.csv"',
            "Cache-Control": "no-store",
        },
    )
