"""A code after the password, `/sign-in/code`, and showing again who one is, `/sign-in/again`."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.bridge import hash_off_loop, perform
from luma.errors import LumaError, NotAllowed, SignInNeeded
from luma.pages.session import act_in, forget_half, half_token_in, viewer_of, visit
from luma.pages.shop.doors import let_in, to
from luma.pages.shop.fields import Field, Onward, OnwardField
from luma.pages.shop.onward import safe
from luma.pages.shop.render import leave_note, render
from luma.services import accounts, half_way, passwords, proofs, second_factor
from luma.services.accounts import Admitted

router = APIRouter(include_in_schema=False)

WRONG_PASSWORD = "That is not your password."  # noqa: S105  (a sentence)


@router.get("/sign-in/code")
async def code_page(request: Request, onward: Onward = "") -> Response:
    if not await perform(half_way.is_waiting, half_token_in(request.cookies)):
        return to("/sign-in")
    return _code_form(request, onward)


@router.post("/sign-in/code")
async def give_code(request: Request, code: Field = "", onward: OnwardField = "") -> Response:
    """The second half. The try is committed before the code is looked at."""
    half = half_token_in(request.cookies)
    try:
        await perform(half_way.count_try, half)
        token = await perform(proofs.admit_with_code, half, code, visit(request))
    except SignInNeeded as refusal:
        response: Response = to("/sign-in")
        leave_note(response, str(refusal), "warning")
        return response
    except LumaError as refusal:
        return _code_form(request, onward, str(refusal), refusal.status)
    response = await let_in(request, Admitted(token, is_half=False), onward)
    forget_half(response)
    return response


@router.get("/sign-in/again")
async def again_page(request: Request, onward: Onward = "") -> Response:
    return await _again_form(request, onward)


@router.post("/sign-in/again")
async def prove_again(
    request: Request, password: Field = "", code: Field = "", onward: OnwardField = ""
) -> Response:
    """By the password or, where it is set up, by a code. Either opens what matters for a while."""
    try:
        await (_prove_by_code(request, code) if code else _prove_by_password(request, password))
    except SignInNeeded:
        raise
    except LumaError as refusal:
        errors = {"code" if code else "password": str(refusal)}
        return await _again_form(request, onward, errors, refusal.status)
    return to(safe(onward) or "/account")


async def _prove_by_password(request: Request, password: str) -> None:
    viewer = viewer_of(request)
    if viewer is None:
        raise SignInNeeded
    known = await perform(accounts.begin_sign_in, viewer.email, visit(request).address)
    right, _ = await hash_off_loop(passwords.verified, password, known.password_hash)
    if not right or known.user_id != viewer.id:
        raise NotAllowed(WRONG_PASSWORD)
    await act_in(request, proofs.prove)


async def _prove_by_code(request: Request, code: str) -> None:
    await act_in(request, second_factor.count_try)
    await act_in(request, proofs.prove_by_code, code)


def _code_form(request: Request, onward: str, sentence: str = "", status: int = 200) -> Response:
    errors = {"code": sentence} if sentence else {}
    return render(request, "code.html.j2", status=status, errors=errors, next=safe(onward))


async def _again_form(
    request: Request, onward: str, errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    ways = await act_in(request, proofs.ways)
    return render(
        request,
        "again.html.j2",
        status=status,
        errors=errors or {},
        ways=ways,
        next=safe(onward),
    )
