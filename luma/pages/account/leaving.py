"""Deleting one's account: `/account/delete`. What goes and what stays is said first."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.errors import RuleBroken
from luma.pages import guard
from luma.pages.session import act_in, forget
from luma.pages.shop.doors import to
from luma.pages.shop.fields import Field
from luma.pages.shop.render import leave_note, render
from luma.services import leaving

router = APIRouter(include_in_schema=False)


@router.get("/account/delete")
async def delete_page(request: Request) -> Response:
    return await _page(request)


@router.post("/account/delete")
async def delete(request: Request, sure: Field = "") -> Response:
    try:
        ended = await act_in(request, leaving.leave, is_sure=sure == "yes")
    except RuleBroken as refusal:
        return await _page(request, str(refusal), refusal.status)
    for key in ended:
        guard.end_session(key)
    response = to("/")
    forget(response)
    leave_note(response, "Your account is deleted.")
    return response


async def _page(request: Request, refusal: str = "", status: int = 200) -> Response:
    means = await act_in(request, leaving.consequences)
    return render(request, "leaving.html.j2", status=status, means=means, refusal=refusal)
