"""Two-step sign-in: set it up, keep the recovery codes, turn it off. Plain forms, no scripts."""

from urllib.parse import quote

import segno
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from luma.errors import NotAllowed, TooMany
from luma.pages import guard
from luma.pages.session import act_in
from luma.pages.shop.doors import to
from luma.pages.shop.fields import Field
from luma.pages.shop.render import leave_note, render
from luma.services import second_factor
from luma.services.second_factor import Draft

router = APIRouter(include_in_schema=False, prefix="/account/second-factor")


@router.get("")
async def overview(request: Request) -> Response:
    return await _overview(request)


@router.post("/set-up")
async def set_up(request: Request) -> Response:
    """Shows a secret that was drawn just now; it is not shown again once it counts."""
    return _set_up(request, await act_in(request, second_factor.begin))


@router.get("/set-up")
async def set_up_again() -> Response:
    """What a browser asks for that comes back here by its history."""
    return to("/account/second-factor")


@router.post("/confirm")
async def confirm(request: Request, code: Field = "") -> Response:
    try:
        await act_in(request, second_factor.count_try)
        codes, ended = await act_in(request, second_factor.confirm, code)
    except (NotAllowed, TooMany) as refusal:
        draft = await act_in(request, second_factor.begun)
        return _set_up(request, draft, str(refusal), refusal.status)
    for key in ended:
        guard.end_session(key)
    return _codes(request, codes, is_first=True)


@router.post("/codes")
async def new_codes(request: Request) -> Response:
    return _codes(request, await act_in(request, second_factor.renew_codes), is_first=False)


@router.post("/off")
async def turn_off(request: Request, code: Field = "") -> Response:
    try:
        await act_in(request, second_factor.count_try)
        await act_in(request, second_factor.turn_off, code)
    except (NotAllowed, TooMany) as refusal:
        return await _overview(request, str(refusal), refusal.status)
    response = to("/account")
    leave_note(response, "Two-step sign-in is off.")
    return response


async def _overview(request: Request, refusal: str = "", status: int = 200) -> Response:
    state = await act_in(request, second_factor.before_change)
    errors = {"code": refusal} if refusal else {}
    return render(request, "second_factor.html.j2", status=status, state=state, errors=errors)


def _set_up(request: Request, draft: Draft, refusal: str = "", status: int = 200) -> Response:
    picture = segno.make(draft.uri, micro=False).svg_inline(scale=5, border=3, light="#fff")
    return render(
        request,
        "second_factor_set_up.html.j2",
        status=status,
        picture=Markup(picture),  # noqa: S704  (drawn by us: squares and numbers)
        secret=" ".join(draft.secret[at : at + 4] for at in range(0, len(draft.secret), 4)),
        uri=draft.uri,
        errors={"code": refusal} if refusal else {},
    )


def _codes(request: Request, codes: list[str], *, is_first: bool) -> Response:
    text = "\n".join(("LUMA recovery codes. Each one works once.", "", *codes, ""))
    return render(
        request,
        "recovery_codes.html.j2",
        codes=codes,
        is_first=is_first,
        as_text=f"data:text/plain;charset=utf-8,{quote(text)}",
    )
