"""Who is looking, and acting in their name."""

from collections.abc import Mapping
from typing import ParamSpec, TypeVar

from nicegui import ui
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from luma.bridge import hash_off_loop, look, perform
from luma.errors import LumaError
from luma.services import accounts, half_way, passwords
from luma.services.accounts import Action, Admitted, Visit
from luma.services.policies import Actor
from luma.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

UNSEEN = ("/_nicegui", "/static", "/webhooks", "/healthz", "/readyz", "/images")
"""Where nobody's name is needed, so that nobody is looked up."""


def cookie_name() -> str:
    """With TLS the prefix makes browsers refuse the cookie from anywhere but this very host."""
    return "__Host-luma" if settings().is_secure else "luma"


def key_in(cookies: Mapping[str, str]) -> str | None:
    """What stands for the session in these cookies; it may have ended."""
    token = cookies.get(cookie_name())
    return accounts.key_of(token) if token else None


async def is_alive(key: str) -> bool:
    return await look(accounts.is_alive, key)


async def act(action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a service in the name of whoever looks at this NiceGUI page, as one transaction."""
    key = key_in(ui.context.client.request.cookies)
    return await perform(accounts.as_user, key, action, *args, **kwargs)


async def act_in(request: Request, action: Action[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for a plain HTTP request."""
    return await perform(accounts.as_user, key_in(request.cookies), action, *args, **kwargs)


def viewer_of(request: Request) -> Actor | None:
    """Who is looking, for pages that only show; services read rights again."""
    viewer: Actor | None = getattr(request.state, "viewer", None)
    return viewer


class WhoIsLooking:
    """Put the viewer into `request.state.viewer`, or None. Plain ASGI, one query with a cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(UNSEEN):
            state = scope.setdefault("state", {})
            state["viewer"] = await self._viewer(Request(scope))
        await self.app(scope, receive, send)

    async def _viewer(self, request: Request) -> Actor | None:
        key = key_in(request.cookies)
        if key is None:
            return None
        try:
            return await look(accounts.viewer, key)
        except LumaError:
            return None


def visit(request: Request) -> Visit:
    address = request.client.host if request.client else ""
    return Visit(address, request.headers.get("user-agent", ""))


def remember(response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(),
        token,
        max_age=int(accounts.ABSOLUTE.total_seconds()),
        httponly=True,
        secure=settings().is_secure,
        samesite="lax",
    )


def half_token_in(cookies: Mapping[str, str]) -> str:
    """Of a browser that has given the password and not yet the code; "" without one."""
    return cookies.get(f"{cookie_name()}-half", "")


def remember_half(response: Response, token: str) -> None:
    response.set_cookie(
        f"{cookie_name()}-half",
        token,
        max_age=int(half_way.LASTS.total_seconds()),
        httponly=True,
        secure=settings().is_secure,
        samesite="lax",
    )


def forget_half(response: Response) -> None:
    response.delete_cookie(
        f"{cookie_name()}-half", httponly=True, secure=settings().is_secure, samesite="lax"
    )


def forget(response: Response) -> None:
    response.delete_cookie(
        cookie_name(), httponly=True, secure=settings().is_secure, samesite="lax"
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


async def sign_in(email: str, password: str, visit: Visit) -> Admitted | None:
    """How far they got in, or None when the two do not go together. Raises TooMany."""
    known = await perform(accounts.begin_sign_in, email, visit.address)
    right, new_hash = await hash_off_loop(passwords.verified, password, known.password_hash)
    if not right or known.user_id is None:
        return None
    return await perform(accounts.finish_sign_in, known.user_id, email, visit, new_hash)
