"""Plain HTML pages: their templates, what each of them knows, notes that outlive a redirect."""

import hmac
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luma.pages import assets, theme, words
from luma.settings import settings
from luma.values import Role, Subject

NOTE = "note"
Kind = Literal["positive", "warning"]

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.globals.update(
    asset=assets.address,
    icon=theme.icon,
    cover=theme.cover,
    words=words,
    Subject=Subject,
    Role=Role,
    providers=lambda: settings().providers(),
)
# What is said many times on a page is a filter: calling one costs a tenth of calling a function.
_templates.filters.update(
    clock=words.clock,
    counted=words.counted,
    cover=theme.cover,
    extent=words.extent,
    price=lambda money: "Free" if money.is_zero else money.words(),
)


def render(request: Request, name: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A page out of `templates/`. A note left by the page before is shown once."""
    note = _note(request)
    response = HTMLResponse(part(request, name, note=note, **context), status)
    response.headers["Vary"] = "Cookie, X-Part"
    if note:
        response.delete_cookie(NOTE)
    return response


def part(request: Request, name: str, **context: object) -> str:
    """The HTML of a template alone, such as the head that NiceGUI pages share with plain ones."""
    return _templates.get_template(name).render(
        request=request,
        viewer=getattr(request.state, "viewer", None),
        nonce=getattr(request.state, "csp_nonce", ""),
        theme=theme.choice(request),
        is_sandbox=settings().uses_sandbox,
        base_url=settings().base_url,
        **context,
    )


def leave_note(response: Response, sentence: str, kind: Kind = "positive") -> None:
    """Say this as a toast on the next plain page. Signed, so that nobody else puts words there."""
    text = quote(sentence)
    value = f"{kind}.{_signature(kind, text)}.{text}"
    response.set_cookie(
        NOTE, value, max_age=60, httponly=True, samesite="lax", secure=settings().is_secure
    )


def taken_note(request: Request) -> tuple[str, str] | None:
    """For a page whose response is not at hand: `NotesShownOnce` sees to it that it goes."""
    if note := _note(request):
        request.state.note_is_taken = True
    return note


class NotesShownOnce:
    """Plain ASGI around NiceGUI, whose pages set no cookies: drops the note that was taken."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without_note(message: Message) -> None:
            taken = scope.get("state", {}).get("note_is_taken")
            if taken and message["type"] == "http.response.start":
                gone = Response()
                gone.delete_cookie(NOTE)
                headers = [pair for pair in gone.raw_headers if pair[0] == b"set-cookie"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self.app(scope, receive, without_note)


def _note(request: Request) -> tuple[str, str] | None:
    kind, _, rest = request.cookies.get(NOTE, "").partition(".")
    signature, _, text = rest.partition(".")
    if not text or not hmac.compare_digest(signature.encode(), _signature(kind, text).encode()):
        return None
    return kind, unquote(text)


def _signature(kind: str, text: str) -> str:
    key = settings().signing_secret().encode()
    return hmac.new(key, f"note:{kind}:{text}".encode(), sha256).hexdigest()[:32]
