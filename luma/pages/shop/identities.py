"""Signing in through an identity provider: away, and back again."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from luma.bridge import inquire, perform
from luma.errors import LumaError, ProveAgain, RuleBroken, SignInNeeded
from luma.pages.session import act_in, key_in, visit
from luma.pages.shop.accounts import sign_in_form
from luma.pages.shop.arrivals import arrived, browser_of, remember_browser
from luma.pages.shop.doors import to
from luma.pages.shop.onward import safe
from luma.pages.shop.render import leave_note, render
from luma.services import identities, identity_visits
from luma.services.gateways import oidc
from luma.services.gateways.oidc import Answer, Secrets
from luma.settings import Provider, settings

router = APIRouter(include_in_schema=False)

OnwardField = Annotated[str, Form(alias="next")]

LONGEST_CODE = 4096


@router.get("/sign-in/with/{name}")
async def not_by_a_link(name: str) -> Response:
    """Only a press on one of our own buttons leads away."""
    return to("/sign-in")


@router.post("/sign-in/with/{name}")
async def leave(request: Request, name: str, onward: OnwardField = "") -> Response:
    provider, browser, where = identities.provider_named(name), browser_of(request), visit(request)
    try:
        made = await perform(identity_visits.begin, name, browser, safe(onward), where.address)
        return await _lead_away(request, provider, made, browser)
    except LumaError as refusal:
        return await sign_in_form(request, "", str(refusal), onward, refusal.status)


@router.post("/account/identities/{name}/link")
async def link(request: Request, name: str) -> Response:
    provider, browser, where = identities.provider_named(name), browser_of(request), visit(request)
    try:
        made = await act_in(request, identity_visits.begin_linking, name, browser, where.address)
        return await _lead_away(request, provider, made, browser)
    except (SignInNeeded, ProveAgain):
        raise
    except LumaError as refusal:
        return _to_account(str(refusal), is_good=False)


@router.post("/sign-in/again/linked")
async def prove_again(request: Request, onward: OnwardField = "") -> Response:
    """Before what matters: the provider says once more who is there."""
    browser, where = browser_of(request), visit(request)
    try:
        name, made = await act_in(
            request, identity_visits.begin_again, browser, safe(onward) or "/account", where.address
        )
        provider = identities.provider_named(name)
        return await _lead_away(request, provider, made, browser, again=True)
    except SignInNeeded:
        raise
    except LumaError as refusal:
        return _to_account(str(refusal), is_good=False)


@router.post("/account/identities/unlink")
async def unlink(request: Request) -> Response:
    try:
        await act_in(request, identities.unlink)
    except RuleBroken as refusal:
        return _to_account(str(refusal), is_good=False)
    return _to_account("It is unlinked. From now on you sign in with your password.")


@router.get("/sign-in/with/{name}/back")
async def come_back(
    request: Request,
    name: str,
    state: str = "",
    code: str = "",
    issuer: Annotated[str | None, Query(alias="iss")] = None,
    error: str = "",
) -> Response:
    """Nothing here is believed but what the provider answers when we ask it ourselves."""
    provider, browser, links = identities.provider_named(name), browser_of(request), False
    try:
        found = await perform(identity_visits.take_back, name, state, browser)
        links = found.links
        _check(provider, code, error)
        answer = Answer(code, issuer)
        claims = await inquire(oidc.claims, provider, answer, found.secrets, _back(provider))
        identity = identities.identity(provider, claims)
        arrival = await perform(
            identity_visits.arrive, key_in(request.cookies), found.visit, identity, visit(request)
        )
    except LumaError as refusal:
        if links:
            return _to_account(str(refusal), is_good=False)
        return await sign_in_form(request, "", str(refusal), "", refusal.status)
    if arrival.is_linked:
        return _to_account(f"{provider.shown_as} is linked. You can sign in with it from now on.")
    if links:
        return to(arrival.onward)
    return await arrived(request, arrival)


def _check(provider: Provider, code: str, error: str) -> None:
    """What a provider says about its refusals is not shown: anybody could write it there."""
    if error == "access_denied":
        raise RuleBroken(f"You did not go on at {provider.shown_as}. Nothing has changed.")
    if error or not code or len(code) > LONGEST_CODE:
        raise oidc.NotProven(provider.shown_as)


async def _lead_away(
    request: Request, provider: Provider, made: Secrets, browser: str, *, again: bool = False
) -> Response:
    """A page that goes on by itself: a form of ours may only lead to ourselves (CSP)."""
    address = await inquire(oidc.address, provider, made, _back(provider), again=again)
    response = render(request, "identity_leave.html.j2", label=provider.shown_as, address=address)
    response.headers["Cache-Control"] = "no-store"
    remember_browser(response, browser)
    return response


def _back(provider: Provider) -> str:
    """The address that the provider knows as ours, one for each provider."""
    return f"{settings().base_url}/sign-in/with/{provider.name}/back"


def _to_account(sentence: str, *, is_good: bool = True) -> Response:
    response = to("/account")
    leave_note(response, sentence, "positive" if is_good else "warning")
    return response
