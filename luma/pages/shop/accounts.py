"""Sign up, sign in, sign out, change a password: plain forms, so that cookies can be set."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.bridge import hash_off_loop, perform
from luma.errors import LumaError, RuleBroken, SignInNeeded
from luma.pages import guard
from luma.pages.session import act_in, forget, sign_in, viewer_of, visit
from luma.pages.shop.doors import end_session, let_in, signed_in, to
from luma.pages.shop.fields import Field, Onward, OnwardField
from luma.pages.shop.onward import buying, safe
from luma.pages.shop.render import leave_note, render
from luma.services import accounts, passwords
from luma.services.policies import Actor
from luma.values import Role

router = APIRouter(include_in_schema=False)

WRONG_NOW = "That is not your current password."


@router.get("/sign-up")
async def sign_up_page(request: Request, onward: Onward = "", role: str = "student") -> Response:
    if viewer_of(request):
        return to(safe(onward) or "/")
    return await _sign_up_form(request, {"role": role}, {}, onward)


@router.post("/sign-up")
async def sign_up(
    request: Request,
    name: Field = "",
    email: Field = "",
    password: Field = "",
    role: Field = "student",
    onward: OnwardField = "",
) -> Response:
    values = {"name": name, "email": email, "role": role}
    if errors := _sign_up_errors(name, email, password, role):
        return await _sign_up_form(request, values, errors, onward, 422)
    where = visit(request)
    try:
        await perform(accounts.begin_sign_up, where.address)
        known_hash = await hash_off_loop(passwords.hashed, password)
        token = await perform(accounts.sign_up, name, email, known_hash, Role(role), where)
    except LumaError as refusal:
        return await _sign_up_form(request, values, {"": str(refusal)}, onward, refusal.status)
    return signed_in(safe(onward) or _first_page(Role(role)), token)


@router.get("/sign-in")
async def sign_in_page(request: Request, onward: Onward = "") -> Response:
    if viewer_of(request):
        return to(safe(onward) or "/")
    return await sign_in_form(request, "", "", onward, 200)


@router.post("/sign-in")
async def sign_in_here(
    request: Request, email: Field = "", password: Field = "", onward: OnwardField = ""
) -> Response:
    try:
        admitted = await sign_in(accounts.email_address(email), password, visit(request))
    except LumaError as refusal:
        return await sign_in_form(request, email, str(refusal), onward, refusal.status)
    if admitted is None:
        return await sign_in_form(request, email, accounts.WRONG, onward, 422)
    return await let_in(request, admitted, onward)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    await end_session(request)
    response = to("/")
    forget(response)
    leave_note(response, "You are signed out.")
    return response


@router.get("/account/password")
async def password_page(request: Request) -> Response:
    if viewer_of(request) is None:
        raise SignInNeeded
    return render(request, "password.html.j2", errors={})


@router.post("/account/password")
async def change_password(request: Request, current: Field = "", password: Field = "") -> Response:
    """The old password is asked for again; every other browser is signed out."""
    viewer = viewer_of(request)
    if viewer is None:
        raise SignInNeeded
    try:
        token, ended = await _with_new_password(request, viewer, current, password)
    except LumaError as refusal:
        field = "password" if isinstance(refusal, RuleBroken) else "current"
        return render(
            request, "password.html.j2", status=refusal.status, errors={field: str(refusal)}
        )
    for key in ended:
        guard.end_session(key)
    response = signed_in("/account", token)
    leave_note(response, "Your password is changed. Other browsers are signed out.")
    return response


@router.post("/account/teach")
async def teach(request: Request) -> Response:
    """One person may learn and teach."""
    await act_in(request, accounts.begin_teaching)
    return to("/studio")


async def _with_new_password(
    request: Request, viewer: Actor, current: str, password: str
) -> tuple[str, list[str]]:
    where = visit(request)
    known = await perform(accounts.begin_sign_in, viewer.email, where.address)
    right, _ = await hash_off_loop(passwords.verified, current, known.password_hash)
    if not right:
        raise LumaError(WRONG_NOW)
    passwords.check(password, viewer.name, viewer.email)
    new_hash = await hash_off_loop(passwords.hashed, password)
    return await act_in(request, accounts.change_password, new_hash, where)


def _sign_up_errors(name: str, email: str, password: str, role: str) -> dict[str, str]:
    """Field -> sentence, for every field that is wrong, so that people mend them in one go."""
    errors: dict[str, str] = {}
    checks: dict[str, Callable[[], object]] = {
        "name": lambda: accounts.person_name(name),
        "email": lambda: accounts.email_address(email),
        "password": lambda: passwords.check(password, name, email),
    }
    for field, check in checks.items():
        try:
            check()
        except LumaError as refusal:
            errors[field] = str(refusal)
    if role not in (Role.STUDENT, Role.INSTRUCTOR):
        errors["role"] = "Choose whether you want to learn or to teach."
    return errors


async def _sign_up_form(
    request: Request,
    values: dict[str, str],
    errors: dict[str, str],
    onward: str,
    status: int = 200,
) -> Response:
    return render(
        request,
        "sign_up.html.j2",
        status=status,
        values=values,
        errors=errors,
        next=safe(onward),
        buying=await buying(onward),
    )


async def sign_in_form(
    request: Request, email: str, sentence: str, onward: str, status: int
) -> Response:
    return render(
        request,
        "sign_in.html.j2",
        status=status,
        values={"email": email},
        errors={"": sentence},
        next=safe(onward),
        buying=await buying(onward),
    )


def _first_page(role: Role) -> str:
    return "/studio" if role is Role.INSTRUCTOR else "/?welcome=1"
