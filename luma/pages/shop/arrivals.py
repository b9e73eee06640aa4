"""Somebody came back from an identity provider: in, or first one question."""

import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from luma.bridge import hash_off_loop, perform
from luma.errors import LumaError
from luma.pages.session import visit
from luma.pages.shop.accounts import sign_in_form
from luma.pages.shop.doors import let_in, to
from luma.pages.shop.render import render
from luma.services import accounts, identity_visits, passwords
from luma.services.identity_visits import Arrival, FirstTime
from luma.settings import settings
from luma.values import Role

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]

WRONG = "That is not the password of this account."
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_of(request: Request) -> str:
    """What this browser is known by on its way, new if it has none."""
    kept = request.cookies.get(_cookie_name(), "")
    return kept if _BROWSER.fullmatch(kept) else secrets.token_urlsafe(32)


def remember_browser(response: Response, browser: str) -> None:
    """Lax: the way back begins on another site."""
    lasts = int(identity_visits.THINKS.total_seconds())
    response.set_cookie(
        _cookie_name(),
        browser,
        max_age=lasts,
        httponly=True,
        secure=settings().is_secure,
        samesite="lax",
    )


async def arrived(request: Request, arrival: Arrival) -> Response:
    if arrival.first is not None:
        return to(f"/sign-in/first/{arrival.first}")
    return await _in(request, arrival)


@router.get("/sign-in/first/{visit_id}")
@router.get("/sign-in/join/{visit_id}")
async def first_time(request: Request, visit_id: str) -> Response:
    try:
        person = await perform(identity_visits.first_time, visit_id, browser_of(request))
    except LumaError as refusal:
        return await sign_in_form(request, "", str(refusal), "", refusal.status)
    return _page(request, visit_id, person, {"name": person.name}, {})


@router.post("/sign-in/first/{visit_id}")
async def sign_up(
    request: Request, visit_id: str, name: Text = "", role: Text = "student"
) -> Response:
    browser, values = browser_of(request), {"name": name, "role": role}
    try:
        person = await perform(identity_visits.first_time, visit_id, browser)
    except LumaError as refusal:
        return await sign_in_form(request, "", str(refusal), "", refusal.status)
    if errors := _errors(name, role):
        return _page(request, visit_id, person, values, errors, 422)
    try:
        arrival = await perform(
            identity_visits.sign_up, visit_id, browser, name, Role(role), visit(request)
        )
    except LumaError as refusal:
        return _page(request, visit_id, person, values, {"": str(refusal)}, refusal.status)
    start = "/studio" if role == Role.INSTRUCTOR else "/?welcome=1"
    return await _in(request, arrival, start)


@router.post("/sign-in/join/{visit_id}")
async def join(request: Request, visit_id: str, password: Text = "") -> Response:
    """The password of the account is given once, and the identity opens it from then on."""
    browser, where = browser_of(request), visit(request)
    try:
        person = await perform(identity_visits.first_time, visit_id, browser)
        known = await perform(identity_visits.begin_join, visit_id, browser, where.address)
    except LumaError as refusal:
        return await sign_in_form(request, "", str(refusal), "", refusal.status)
    try:
        right, new_hash = await hash_off_loop(passwords.verified, password, known.password_hash)
        if not right or known.user_id is None:
            return _page(request, visit_id, person, {}, {"password": WRONG}, 422)
        arrival = await perform(
            identity_visits.join, visit_id, browser, known.user_id, where, new_hash
        )
    except LumaError as refusal:
        return _page(request, visit_id, person, {}, {"": str(refusal)}, refusal.status)
    return await _in(request, arrival)


def _page(
    request: Request,
    visit_id: str,
    person: FirstTime,
    values: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    """The one question, or the password of the account that has this address already."""
    name = "identity_join.html.j2" if person.has_account else "identity_first.html.j2"
    response = render(
        request, name, status=status, person=person, visit=visit_id, values=values, errors=errors
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _errors(name: str, role: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    try:
        accounts.person_name(name)
    except LumaError as refusal:
        errors["name"] = str(refusal)
    if role not in (Role.STUDENT, Role.INSTRUCTOR):
        errors["role"] = "Choose whether you want to learn or to teach."
    return errors


async def _in(request: Request, arrival: Arrival, start: str = "") -> Response:
    """By the one door. An account that asks for a code asks for it here too."""
    assert arrival.admitted is not None  # noqa: S101  (who is not new is admitted)
    return await let_in(request, arrival.admitted, arrival.onward or start)


def _cookie_name() -> str:
    return "__Host-luma-way" if settings().is_secure else "luma-way"
