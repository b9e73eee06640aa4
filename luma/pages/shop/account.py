"""A person's own account: `/account`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.errors import SignInNeeded
from luma.pages.session import act_in, viewer_of
from luma.pages.shop.render import render
from luma.services import identities

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def account(request: Request) -> Response:
    viewer = viewer_of(request)
    if viewer is None:
        raise SignInNeeded
    return render(request, "account.html.j2", identities=await act_in(request, identities.of))
