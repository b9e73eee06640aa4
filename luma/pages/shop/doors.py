"""Through the door: what every way of signing in ends with, and where it leads."""

from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from luma.bridge import perform
from luma.pages import guard
from luma.pages.session import key_in, remember, remember_half
from luma.pages.shop.onward import safe
from luma.services import accounts
from luma.services.accounts import Admitted
from luma.services.policies import Actor


async def let_in(request: Request, admitted: Admitted, onward: str) -> Response:
    """Signed in and on to `onward` or to their first page; or first to where a code is asked."""
    if admitted.is_half:
        response = to(f"/sign-in/code?next={quote(safe(onward))}")
        remember_half(response, admitted.token)
        return response
    await end_session(request)
    viewer = await perform(accounts.viewer, accounts.key_of(admitted.token))
    return signed_in(safe(onward) or home(viewer), admitted.token)


async def end_session(request: Request) -> None:
    """Nobody stays signed in with the token that this browser had before."""
    if key := key_in(request.cookies):
        await perform(accounts.close_session, key)
        guard.end_session(key)


def signed_in(where: str, token: str) -> Response:
    response = to(where)
    remember(response, token)
    return response


def to(where: str) -> RedirectResponse:
    return RedirectResponse(where, 303)


def home(viewer: Actor | None) -> str:
    """Where somebody's work is; whoever runs the school begins with what waits for them."""
    if viewer and viewer.is_admin:
        return "/admin"
    return "/studio" if viewer and viewer.teaches else "/learn"
