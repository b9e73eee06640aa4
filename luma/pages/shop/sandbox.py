"""The sandbox's checkout page: a buyer plays at paying, a tester at everything that may follow."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from luma.bridge import perform
from luma.errors import LumaError, NotFound, RuleBroken
from luma.pages.session import act_in
from luma.pages.shop.render import leave_note, render
from luma.services import texts
from luma.services.money import sandbox, sandbox_desk, sandbox_record
from luma.services.money.sandbox_record import Faults

router = APIRouter(prefix="/sandbox", include_in_schema=False)

DECLINES = {
    "card": "The card was declined. Try another one.",
    "funds": "There is not enough money on this card. Try another one.",
    "expired": "This card has expired. Try another one.",
    "code": "The security code is wrong. Look on the back of the card.",
    "bank": "Your bank wants you to confirm this payment, and nobody did. Try again.",
}

LEADS_BACK = {
    "pay": sandbox.pay,
    "settle": sandbox.settle,
    "bounce": sandbox.bounce,
    "expire": sandbox.expire,
}
"""What ends the visit. After these a buyer is back at LUMA, as after the real page."""

Thing = Annotated[str, Form()]
Act = Callable[..., None]

STAYS: dict[str, tuple[Act, str]] = {
    "refund": (sandbox_desk.refund, "The refund is on its way to LUMA."),
    "fail": (sandbox_desk.fail_refund, "The bank could not pay it out."),
    "dispute": (lambda session, key, _: sandbox_desk.dispute(session, key), "Disputed."),
    "inquire": (lambda session, key, _: sandbox_desk.inquire(session, key), "The bank has asked."),
    "win": (sandbox_desk.win, "The dispute is won."),
    "lose": (sandbox_desk.lose, "The dispute is lost."),
    "close": (sandbox_desk.drop_inquiry, "The inquiry is closed."),
    "escalate": (sandbox_desk.escalate, "The inquiry is a dispute now."),
    "send": (sandbox_desk.send, "The event is sent."),
}
"""For testers: what is done, to the thing that the form names, and the sentence that says so."""


@router.get("")
async def recent(request: Request) -> Response:
    found = await act_in(request, sandbox_record.recent)
    return render(request, "sandbox_recent.html.j2", checkouts=found)


@router.post("/archive")
async def archive(request: Request, thing: Thing = "") -> Response:
    response = RedirectResponse("/sandbox", 303)
    try:
        await act_in(request, sandbox_desk.archive, thing)
    except RuleBroken as refusal:
        leave_note(response, str(refusal), "warning")
    else:
        leave_note(response, "The price is archived. LUMA hears of it in a moment.", "positive")
    return response


@router.get("/checkout/{session_id}")
async def checkout_page(request: Request, session_id: str) -> Response:
    return await _page(request, session_id)


@router.post("/checkout/{session_id}/decline")
async def decline(request: Request, session_id: str, reason: Thing = "card") -> Response:
    """No money and no event that changes anything: the buyer may try again."""
    sentence = DECLINES.get(reason, DECLINES["card"])
    return await _page(request, session_id, status=402, declined=sentence)


@router.post("/checkout/{session_id}/later")
async def pay_later(session_id: str) -> Response:
    """The page stays, so that somebody can say what the bank decides."""
    try:
        await perform(sandbox.pay_later, session_id)
    except RuleBroken as refusal:
        return _here(session_id, str(refusal))
    return _here(session_id)


@router.post("/checkout/{session_id}/faults")
async def set_faults(
    session_id: str,
    twice: Thing = "",
    swap: Thing = "",
    drop: Thing = "",
    delay: Thing = "0",
) -> Response:
    try:
        seconds = texts.whole_number(delay or "0", "Delay", 0, sandbox_desk.LONGEST_DELAY)
        faults = Faults(bool(twice), bool(swap), bool(drop), seconds)
        await perform(sandbox_desk.set_faults, session_id, faults)
    except RuleBroken as refusal:
        return _here(session_id, str(refusal))
    return _here(session_id, "Kept for the events that follow.", is_good=True)


@router.post("/checkout/{session_id}/{what}")
async def act(session_id: str, what: str, thing: Thing = "") -> Response:
    try:
        if what in STAYS:
            deed, sentence = STAYS[what]
            await perform(deed, session_id, thing)
            return _here(session_id, sentence, is_good=True)
        if what not in LEADS_BACK:
            return Response(status_code=404)
        found = await perform(LEADS_BACK[what], session_id)
    except NotFound:
        raise
    except LumaError as refusal:
        return _here(session_id, str(refusal))
    return RedirectResponse(found.success_url, 303)


async def _page(
    request: Request, session_id: str, *, status: int = 200, declined: str | None = None
) -> Response:
    desk = await perform(sandbox_record.desk, session_id)
    return render(
        request,
        "sandbox_checkout.html.j2",
        status=status,
        checkout=desk.checkout,
        desk=desk,
        declined=declined,
        declines=DECLINES,
    )


def _here(session_id: str, sentence: str | None = None, *, is_good: bool = False) -> Response:
    response = RedirectResponse(f"/sandbox/checkout/{session_id}", 303)
    if sentence:
        leave_note(response, sentence, "positive" if is_good else "warning")
    return response
