"""The only place where an exception becomes a toast or an error page."""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import quote

from nicegui import APIRouter, ui
from starlette.responses import RedirectResponse, Response

from luma.errors import LumaError, NotAllowed, ProveAgain, ServiceDown, SignInNeeded
from luma.pages.shop.render import part, taken_note

P = ParamSpec("P")
Page = Callable[P, Awaitable[Response | None]]

APOLOGY = "Something went wrong on our side. Try again; if it stays, tell whoever runs this school."
TITLES = {
    403: "This is not for you",
    404: "Nothing here",
    409: "That does not work",
    503: "Back in a moment",
}


def page(router: APIRouter, path: str, title: str) -> Callable[[Page[P]], Page[P]]:
    """Register a page behind sign-in. Its refusals are shown in words, with their HTTP status."""

    def register(build: Page[P]) -> Page[P]:
        @router.page(path, title=f"{title} · LUMA", response_timeout=10)
        @wraps(build)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> Response | None:
            client = ui.context.client
            ui.on_exception(toast)
            try:
                return await build(*args, **kwargs)
            except SignInNeeded:
                return RedirectResponse(f"/sign-in?next={quote(here())}", 303)
            except ProveAgain:
                return RedirectResponse(f"/sign-in/again?next={quote(here())}", 303)
            except LumaError as refusal:
                client.content.clear()
                ui.status_code(refusal.status)
                with client.content:
                    apologise(refusal.status, str(refusal))
            return None

        return build

    return register


def here() -> str:
    """The address being looked at, path and query."""
    url = ui.context.client.request.url
    return url.path + (f"?{url.query}" if url.query else "")


def apologise(status: int, sentence: str) -> None:
    """An error page's contents, inside a NiceGUI page."""
    head = part(ui.context.client.request, "head.html.j2")
    ui.html(head, sanitize=False).classes("head-frame")
    with ui.element("main").classes("page empty error-page"):
        ui.element("div").classes("sun").props["aria-hidden"] = "true"
        with ui.element("h1"):
            ui.label(TITLES.get(status, TITLES[404]))
        with ui.element("p"):
            ui.label(sentence)
        ui.link("Go to the catalogue", "/").classes("button")


def toast(error: Exception) -> None:
    """Answer an action that failed. NiceGUI has logged what was not a refusal."""
    if isinstance(error, SignInNeeded):
        ui.navigate.to(f"/sign-in?next={quote(here())}")
        return
    if isinstance(error, ProveAgain):
        ui.navigate.to(f"/sign-in/again?next={quote(here())}")
        return
    mild = isinstance(error, LumaError) and not isinstance(error, NotAllowed | ServiceDown)
    sentence = str(error) if isinstance(error, LumaError) else APOLOGY
    _notify(sentence, "warning" if mild else "negative", stays=True)


def said(sentence: str) -> None:
    """Answer an action that worked."""
    _notify(sentence, "positive", stays=False)


def say_note() -> None:
    """What the page before left to be said, such as a form that has changed something."""
    if note := taken_note(ui.context.client.request):
        kind, sentence = note
        _notify(sentence, kind, stays=kind != "positive")


def _notify(sentence: str, kind: str, *, stays: bool) -> None:
    ui.notification(
        sentence,
        type=kind,  # type: ignore[arg-type]  # one of Quasar's words, chosen above
        position="bottom-right",
        timeout=None if stays else 4,
        close_button="Close" if stays else False,
        multi_line=len(sentence) > 70,
    )


class QuietRefusals(logging.Filter):
    """A refusal is an answer, not a fault: it does not belong in the error log."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, LumaError)
