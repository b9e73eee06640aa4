"""One sale: `/studio/sales/{order}`. What was paid, what goes back, who has access."""

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter as PlainRouter
from fastapi import Request
from nicegui import APIRouter, ui
from starlette.responses import Response

from luma.bridge import offload
from luma.pages import assets, reconciling, section
from luma.pages.components.board import Wish
from luma.pages.feedback import page
from luma.pages.section import Done
from luma.pages.session import act, act_in
from luma.services.money import desk, evidence, evidence_file, refunds, timeline
from luma.services.money.refunds import Access

router = APIRouter()
downloads = PlainRouter(include_in_schema=False)


@page(router, "/studio/sales/{order}", "Sale · Studio")
async def sale(order: str) -> None:
    await show(order, "sale", of="studio", back="/studio/sales", back_words="Sales")


@downloads.get("/studio/sales/{order}/evidence.zip")
async def evidence_pack(request: Request, order: str) -> Response:
    found = await act_in(request, evidence.evidence, order)
    name = f'attachment; filename="evidence-{found.order}.zip"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    packed = await offload(evidence_file.packed, found)
    return Response(packed, media_type="application/zip", headers=headers)


async def show(order: str, name: str, *, of: str, back: str, back_words: str) -> None:
    """The same page for a seller and for an admin, each with a way back of their own."""

    async def read() -> Mapping[str, object]:
        return {
            "sale": await act(desk.sale, order),
            "timeline": await act(timeline.of, order),
            "evidence": f"/studio/sales/{quote(order)}/evidence.zip",
            "back": back,
            "back_words": back_words,
        }

    ui.add_head_html(assets.tag("sale.css"))
    ui.add_head_html(assets.tag("sale.js"))
    await section.show(name, read, ACTS, of=of, topic=order)


async def _refund(wish: Wish) -> str:
    amount, reason = (str(wish.fields.get(name, "")) for name in ("amount", "reason"))
    then = Access.read(wish.fields.get("then"))
    await act(refunds.ask, wish.thing, amount, reason, then)
    return "The refund is asked for. This page says when it is on its way."


async def _resend(wish: Wish) -> str:
    await act(desk.resend_access, wish.thing)
    return "The letter is on its way."


async def _give(wish: Wish) -> str:
    await act(desk.give_access, wish.thing, wish.fields.get("reason"))
    return "The course is open for the buyer, who gets a letter."


async def _take(wish: Wish) -> str:
    await act(desk.take_access, wish.thing, wish.fields.get("reason"))
    return "What was given by hand is taken back."


ACTS: Mapping[str, Done] = {
    "refund": _refund,
    "resend": _resend,
    "give": _give,
    "take": _take,
    "reconcile": reconciling.reconcile,
}
