"""The sandbox's checkout page, where a buyer plays at paying: `/sandbox/checkout/{session}`."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from luma.bridge import perform
from luma.errors import RuleBroken
from luma.pages.shop.render import leave_note, render
from luma.services.money import sandbox

router = APIRouter(prefix="/sandbox/checkout", include_in_schema=False)

DECLINED = "The card was declined. Try another one."

LEADS_BACK = {
    "pay": sandbox.pay,
    "settle": sandbox.settle,
    "bounce": sandbox.bounce,
    "expire": sandbox.expire,
}
"""What ends the visit. After these a buyer is back at LUMA, as after the real page."""


@router.get("/{session_id}")
async def checkout_page(request: Request, session_id: str) -> Response:
    found = await perform(sandbox.checkout, session_id)
    return render(request, "sandbox_checkout.html.j2", checkout=found, declined=None)


@router.post("/{session_id}/decline")
async def decline(request: Request, session_id: str) -> Response:
    """No money and no event that changes anything: the buyer may try again."""
    found = await perform(sandbox.checkout, session_id)
    return render(
        request, "sandbox_checkout.html.j2", status=402, checkout=found, declined=DECLINED
    )


@router.post("/{session_id}/later")
async def pay_later(session_id: str) -> Response:
    """The page stays, so that somebody can say what the bank decides."""
    try:
        await perform(sandbox.pay_later, session_id)
    except RuleBroken as refusal:
        return _here(session_id, str(refusal))
    return _here(session_id)


@router.post("/{session_id}/{what}")
async def leave(session_id: str, what: str) -> Response:
    if what not in LEADS_BACK:
        return Response(status_code=404)
    try:
        found = await perform(LEADS_BACK[what], session_id)
    except RuleBroken as refusal:
        return _here(session_id, str(refusal))
    return RedirectResponse(found.success_url, 303)


def _here(session_id: str, sentence: str | None = None) -> Response:
    response = RedirectResponse(f"/sandbox/checkout/{session_id}", 303)
    if sentence:
        leave_note(response, sentence, "warning")
    return response
