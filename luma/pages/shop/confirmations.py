"""Links that confirm an e-mail address, and the forms of the account that send them."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from luma.bridge import look, perform
from luma.errors import LumaError, NotFound, ProveAgain, RuleBroken, SignInNeeded, TooMany
from luma.pages.session import act_in
from luma.pages.shop.doors import to
from luma.pages.shop.fields import Field
from luma.pages.shop.render import leave_note, render
from luma.services import addresses
from luma.services.addresses import Change

router = APIRouter(include_in_schema=False)

ASK_AGAIN = ("Go to your account", "/account")


@dataclass(frozen=True, slots=True)
class Step:
    """A page with one thing to say and one thing to do: press `button`, or follow `way`."""

    title: str
    words: str
    button: str | None = None
    way: tuple[str, str] | None = None


VERIFY = Step(
    "Confirm your e-mail address",
    "One press, and it is known to be yours.",
    button="Confirm this address",
)
VERIFIED = Step(
    "Your e-mail address is confirmed",
    "You can sell courses with this account, and get it back if you forget your password.",
    way=("Go to your account", "/account"),
)
AGREE = Step(
    "Change of e-mail address",
    "The e-mail address of an account at LUMA is to be another one. Agree only if you asked for "
    "it.",
    button="Agree to the change",
)
AGREED = {
    Change.ONE_LEFT: Step(
        "One of two has agreed",
        "We have written to the other address as well. The change is made once the link there "
        "is used too.",
        way=("Go to your account", "/account"),
    ),
    Change.DONE: Step(
        "Your e-mail address is changed",
        "From now on you sign in with the new one, and mail about your account goes there.",
        way=("Go to your account", "/account"),
    ),
}
RUN_OUT = "A link works once and for 24 hours. Ask for a new one in your account."


@router.get("/verify/{token}")
async def verify_page(request: Request, token: str) -> Response:
    return await _page(request, token, VERIFY, is_change=False)


@router.post("/verify/{token}")
async def verify(request: Request, token: str) -> Response:
    try:
        await perform(addresses.confirm, token)
    except NotFound:
        return run_out(request, RUN_OUT, ASK_AGAIN)
    return _step(request, VERIFIED)


@router.get("/confirm-address/{token}")
async def agree_page(request: Request, token: str) -> Response:
    return await _page(request, token, AGREE, is_change=True)


@router.post("/confirm-address/{token}")
async def agree(request: Request, token: str) -> Response:
    try:
        change = await perform(addresses.confirm_change, token)
    except NotFound:
        return run_out(request, RUN_OUT, ASK_AGAIN)
    except RuleBroken as refusal:
        return run_out(request, str(refusal), ASK_AGAIN, 409)
    return _step(request, AGREED[change])


@router.post("/account/verify")
async def ask_to_verify(request: Request) -> Response:
    try:
        await act_in(request, addresses.ask_to_verify)
    except (RuleBroken, TooMany) as refusal:
        return _to_account(refusal)
    return _to_account("A link is on its way. It works for 24 hours.")


@router.post("/account/address")
async def ask_to_change(request: Request, email: Field = "") -> Response:
    try:
        await act_in(request, addresses.ask_to_change, email)
    except (SignInNeeded, ProveAgain):
        raise
    except LumaError as refusal:
        return _to_account(refusal)
    return _to_account("Look in your mail: the change is made once it is confirmed there.")


@router.post("/account/address/cancel")
async def forget_change(request: Request) -> Response:
    await act_in(request, addresses.forget_change)
    return _to_account("Your e-mail address stays as it is.")


def run_out(request: Request, words: str, way: tuple[str, str], status: int = 404) -> Response:
    """For a link that opens nothing any more."""
    return _step(request, Step("This link does not work any more", words, way=way), status)


def no_trace(response: Response) -> Response:
    """The address of this page is a secret: no other site hears it, no cache keeps it.

    With no referrer at all, browsers would not say where the form comes from either.
    """
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


async def _page(request: Request, token: str, step: Step, *, is_change: bool) -> Response:
    """Looking uses nothing up: mail scanners open links as well."""
    if not await look(addresses.opens, token, is_change=is_change):
        return run_out(request, RUN_OUT, ASK_AGAIN)
    return _step(request, step)


def _step(request: Request, step: Step, status: int = 200) -> Response:
    return no_trace(render(request, "mail_step.html.j2", status=status, step=step))


def _to_account(said: str | LumaError) -> Response:
    response = to("/account")
    leave_note(response, str(said), "warning" if isinstance(said, LumaError) else "positive")
    return response
