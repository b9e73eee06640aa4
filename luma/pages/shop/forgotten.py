"""A forgotten password: `/forgot`, and the link that sets a new one."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.bridge import hash_off_loop, look, perform
from luma.errors import LumaError, NotFound, RuleBroken
from luma.pages import guard
from luma.pages.session import viewer_of, visit
from luma.pages.shop.confirmations import no_trace, run_out
from luma.pages.shop.doors import to
from luma.pages.shop.fields import Field
from luma.pages.shop.render import leave_note, render
from luma.services import passwords, resets
from luma.services.resets import Owner

router = APIRouter(include_in_schema=False)

RUN_OUT = (
    "A link for a new password works once and for one hour. Ask for a new one.",
    ("Ask for a new link", "/forgot"),
)


@router.get("/forgot")
async def forgot_page(request: Request) -> Response:
    viewer = viewer_of(request)
    return _forgot_form(request, viewer.email if viewer else "", {}, 200)


@router.post("/forgot")
async def forgot(request: Request, email: Field = "") -> Response:
    """One answer, whether or not there is such an account."""
    try:
        await perform(resets.ask, email, visit(request).address)
    except LumaError as refusal:
        field = "email" if isinstance(refusal, RuleBroken) else ""
        return _forgot_form(request, email, {field: str(refusal)}, refusal.status)
    return to("/forgot/sent")


@router.get("/forgot/sent")
async def sent(request: Request) -> Response:
    return render(request, "forgot_sent.html.j2")


@router.get("/reset/{token}")
async def reset_page(request: Request, token: str) -> Response:
    """Shows the form and uses nothing up: mail scanners open links as well."""
    owner = await look(resets.owner, token)
    if owner is None:
        return run_out(request, *RUN_OUT)
    return _reset_form(request, owner, {}, 200)


@router.post("/reset/{token}")
async def reset(request: Request, token: str, password: Field = "") -> Response:
    """No way in by itself: they sign in with it, and show their second factor if they have one."""
    owner = await look(resets.owner, token)
    if owner is None:
        return run_out(request, *RUN_OUT)
    try:
        passwords.check(password, owner.name, owner.email)
        new_hash = await hash_off_loop(passwords.hashed, password)
        ended = await perform(resets.finish, token, new_hash)
    except NotFound:
        return run_out(request, *RUN_OUT)
    except LumaError as refusal:
        field = "password" if isinstance(refusal, RuleBroken) else ""
        return _reset_form(request, owner, {field: str(refusal)}, refusal.status)
    for key in ended:
        guard.end_session(key)
    response = to("/sign-in")
    leave_note(response, "Your password is changed. Sign in with it.")
    return no_trace(response)


def _forgot_form(request: Request, email: str, errors: dict[str, str], status: int) -> Response:
    values = {"email": email}
    return render(request, "forgot.html.j2", status=status, values=values, errors=errors)


def _reset_form(request: Request, owner: Owner, errors: dict[str, str], status: int) -> Response:
    page = render(request, "reset.html.j2", status=status, email=owner.email, errors=errors)
    return no_trace(page)
