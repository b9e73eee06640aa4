"""Buying: off to the gateway, back from it, and what was bought."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Header, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from luma.bridge import offload, perform
from luma.errors import LumaError, RuleBroken, ServiceDown, TooMany
from luma.pages.guard import limits
from luma.pages.session import act_in, key_in, viewer_of
from luma.pages.shop.fields import coded
from luma.pages.shop.render import leave_note, render
from luma.services import signals
from luma.services.money import checkout, guesses, orders, receipts, refunds, timeline
from luma.services.money.promotions import CodeRefused
from luma.values import OrderStatus

router = APIRouter(include_in_schema=False)

LISTENS_FOR = 300.0
"""Seconds until an open page asks for a new stream, so that none stays for ever."""

BREATH = 15.0
Reason = Annotated[str, Form()]
Code = Annotated[str, Form()]


@router.post("/courses/{slug}/buy")
async def buy(request: Request, slug: str, code: Code = "") -> Response:
    if viewer_of(request) is None:
        return _to(f"/sign-up?next={quote(f'/courses/{slug}/buy{coded(code)}', safe='')}")
    address = limits.address(request.scope)
    try:
        if code.strip():
            await perform(guesses.ensure_few, address)
        return _to(await offload(checkout.start, key_in(request.cookies), slug, code))
    except CodeRefused as refusal:
        await perform(guesses.note, str(refusal), address)
        return _to(f"/courses/{quote(slug)}{coded(code)}#code")
    except (RuleBroken, ServiceDown, TooMany) as refusal:
        return _back_to_course(slug, str(refusal), code)


@router.get("/courses/{slug}/buy")
async def go_on_buying(
    request: Request, slug: str, code: str = "", sec_fetch_site: Annotated[str, Header()] = ""
) -> Response:
    """Where signing up leads a buyer. A link on another site opens nothing, only the course."""
    if sec_fetch_site != "same-origin" or viewer_of(request) is None:
        return _to(f"/courses/{quote(slug)}{coded(code)}")
    return await buy(request, slug, code)


@router.post("/courses/{slug}/enrol")
async def enrol(request: Request, slug: str) -> Response:
    if viewer_of(request) is None:
        return _to(f"/sign-up?next={quote(f'/courses/{slug}/enrol')}")
    try:
        return _to(await act_in(request, checkout.enrol_free, slug))
    except RuleBroken as refusal:
        return _back_to_course(slug, str(refusal))


@router.get("/courses/{slug}/enrol")
async def go_on_enrolling(
    request: Request, slug: str, sec_fetch_site: Annotated[str, Header()] = ""
) -> Response:
    """The same for a course that costs nothing."""
    if sec_fetch_site != "same-origin" or viewer_of(request) is None:
        return _to(f"/courses/{quote(slug)}")
    return await enrol(request, slug)


@router.get("/orders")
async def my_orders(request: Request) -> Response:
    return render(request, "orders.html.j2", orders=await act_in(request, orders.mine))


@router.get("/checkout/{order}")
async def return_page(request: Request, order: str) -> Response:
    """Arriving here proves nothing and grants nothing: it shows how the order stands."""
    found = await act_in(request, orders.order, order)
    promise = None
    if found.status is OrderStatus.OPEN:
        await act_in(request, timeline.came_back, order)
    if found.status is OrderStatus.PAID:
        promise = await act_in(request, refunds.promise, order)
        found = await act_in(request, orders.order, order)  # the refund may have come in between
    return render(request, "checkout_return.html.j2", order=found, promise=promise)


@router.get("/orders/{order}/receipt")
async def receipt(request: Request, order: str) -> Response:
    """To be printed or kept; with a way to the gateway's own document."""
    found = await act_in(request, receipts.receipt, order)
    return render(request, "receipt.html.j2", receipt=found)


@router.post("/orders/{order}/refund")
async def ask_for_refund(request: Request, order: str, reason: Reason = "") -> Response:
    """Inside the promise it runs by itself; the page says so when the money is on its way."""
    response = _to(f"/checkout/{quote(order)}")
    try:
        await act_in(request, refunds.claim, order, reason)
    except RuleBroken as refusal:
        leave_note(response, str(refusal), "warning")
    return response


@router.get("/checkout/{order}/cancelled")
async def cancelled(request: Request, order: str) -> Response:
    found = await act_in(request, orders.order, order)
    return _back_to_course(found.course_slug, "No charge was made.", found.code or "")


@router.get("/checkout/{order}/state")
async def state(request: Request, order: str) -> Response:
    return JSONResponse({"status": await _state(request, order)})


@router.get("/checkout/{order}/events")
async def events(request: Request, order: str) -> Response:
    """A message whenever the order changes; the page then asks for itself again."""
    await act_in(request, orders.status, order)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _changes(request, order), media_type="text/event-stream", headers=headers
    )


async def _changes(request: Request, order: str) -> AsyncIterator[str]:
    """The bell is there before the first look, so that nothing happens unseen in between."""
    loop, seen = asyncio.get_running_loop(), None
    end = loop.time() + LISTENS_FOR
    async with signals.bell(order) as bell:
        while loop.time() < end:
            try:
                status = await _state(request, order)
            except LumaError:
                return
            yield f"data: {status}\n\n" if status != seen else ": still here\n\n"
            seen = status
            await bell.rings(BREATH)


async def _state(request: Request, order: str) -> str:
    """The order's status; of a paid one also what has gone back of it."""
    status = await act_in(request, orders.status, order)
    if status is OrderStatus.PAID:
        return (await act_in(request, refunds.promise, order)).mark
    return status


def _back_to_course(slug: str, sentence: str, code: str = "") -> Response:
    response = _to(f"/courses/{quote(slug)}{coded(code)}")
    leave_note(response, sentence, "warning")
    return response


def _to(where: str) -> RedirectResponse:
    return RedirectResponse(where, 303)
