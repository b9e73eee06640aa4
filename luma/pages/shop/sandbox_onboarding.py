"""Where an instructor plays that they set up an account: `/sandbox/onboarding/{account_id}`."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from luma.bridge import perform
from luma.errors import RuleBroken
from luma.pages.shop.render import leave_note, render
from luma.services.money import payees

router = APIRouter(prefix="/sandbox/onboarding", include_in_schema=False)

BACK = "/studio/payouts?back=1"


@router.get("/{account_id}")
async def onboarding(request: Request, account_id: str) -> Response:
    is_complete = await perform(payees.ensure_in_sandbox, account_id)
    return render(
        request, "sandbox_onboarding.html.j2", account_id=account_id, is_complete=is_complete
    )


@router.post("/{account_id}/finish")
async def finish(account_id: str) -> Response:
    response = RedirectResponse(BACK, 303)
    try:
        await perform(payees.finish_in_sandbox, account_id)
    except RuleBroken as refusal:
        leave_note(response, str(refusal), "warning")
    return response
