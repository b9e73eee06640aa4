"""What an admin sees of the mail: `/admin/mail`."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from luma.errors import RuleBroken
from luma.pages.session import act_in
from luma.pages.shop.render import leave_note, render
from luma.services.post import mailbox
from luma.values import LetterStatus

router = APIRouter(include_in_schema=False)

# The letter is shown in a frame of our own, in which nothing runs and from which nothing leads.
WITH_FRAME = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
IN_FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


@router.get("/admin/mail")
async def letters(request: Request) -> Response:
    only = _status(request.query_params.get("state", ""))
    before = _number(request.query_params.get("before", ""))
    found = await act_in(request, mailbox.letters, only, before)
    return render(request, "mail.html.j2", mailbox=found, only=only, states=STATES)


@router.get("/admin/mail/{key}")
async def letter(request: Request, key: str) -> Response:
    found = await act_in(request, mailbox.letter, key)
    response = render(request, "mail_letter.html.j2", reading=found, states=STATES)
    response.headers["Content-Security-Policy"] = WITH_FRAME
    return response


@router.get("/admin/mail/{key}/sheet")
async def sheet(request: Request, key: str) -> Response:
    """The letter's own HTML, as a mail program would show it."""
    found = await act_in(request, mailbox.letter, key)
    headers = {"Content-Security-Policy": IN_FRAME, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(found.html, headers=headers)


@router.post("/admin/mail/{key}/again")
async def again(request: Request, key: str) -> Response:
    response = RedirectResponse(f"/admin/mail/{mailbox.key_in(key)}", 303)
    try:
        await act_in(request, mailbox.send_again, key)
        leave_note(response, "The letter is on its way again.")
    except RuleBroken as refusal:
        leave_note(response, str(refusal), "warning")
    return response


STATES = {
    LetterStatus.WAITING: ("light", "Waiting"),
    LetterStatus.SENT: ("positive", "Sent"),
    LetterStatus.REFUSED: ("negative", "Refused"),
    LetterStatus.GIVEN_UP: ("negative", "Given up"),
    LetterStatus.EXPIRED: ("", "Out of date"),
}


def _status(asked: str) -> LetterStatus | None:
    return next((status for status in LetterStatus if status == asked), None)


def _number(asked: str) -> int | None:
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else None
