"""Say what was done, and offer for ten seconds to undo it."""

from collections.abc import Awaitable, Callable

from nicegui import html, ui

from luma.pages import theme
from luma.pages.components.press import press

SECONDS = 10


class UndoToasts:
    """The corner of a page where such offers appear, the newest below."""

    def __init__(self) -> None:
        self._corner = html.div(role="status").classes("toasts undo-toasts")

    def offer(self, sentence: str, undo: Callable[[], Awaitable[None]]) -> None:
        with self._corner:
            toast = html.div().classes("toast")

        async def undone() -> None:
            toast.delete()
            await undo()

        with toast:
            ui.html(theme.icon("trash-2"), sanitize=False)
            html.span(sentence)
            press("Undo", undone, look="outline")
            ui.timer(SECONDS, toast.delete, once=True, immediate=False)
