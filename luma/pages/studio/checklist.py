"""What a course still needs before it goes on sale; each thing leads to where it is mended."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import html, ui

from luma.pages import theme
from luma.pages.components.press import press
from luma.services.studio import Check


def show_checklist(checks: Sequence[Check], on_mend: Callable[[str], Awaitable[None]]) -> None:
    with ui.dialog() as dialog, html.div().classes("card padded stack ask"):
        html.h3("Before you publish")
        with html.ul().classes("checklist"):
            for check in checks:
                _item(check, dialog, on_mend)

        async def close() -> None:
            dialog.close()

        press("Close", close, look="quiet")
    dialog.on("hide", dialog.delete)
    dialog.open()


def _item(check: Check, dialog: ui.dialog, on_mend: Callable[[str], Awaitable[None]]) -> None:
    async def mend() -> None:
        dialog.close()
        await on_mend(check.field)

    with html.li().classes("is-done" if check.is_done else ""):
        if check.is_done:
            ui.html(theme.icon("circle-check", label="Done"), sanitize=False)
            html.span(check.words)
        else:
            ui.html(theme.icon("circle"), sanitize=False)
            press(check.words, mend, look="quiet")
