"""A button that is pressed once: it shows that it works, and takes no second press meanwhile."""

from collections.abc import Awaitable, Callable

from nicegui import html, ui

from luma.pages import theme


def press(
    words: str, on_press: Callable[[], Awaitable[None]], *, look: str = "", icon: str = ""
) -> html.button:
    """`look` are luma.css's words for buttons, such as "outline"."""
    button = html.button(**{"type": "button"}).classes(f"button {look}".strip())

    async def pressed() -> None:
        if "aria-busy" in button.props:
            return
        button.props["aria-busy"] = "true"
        try:
            await on_press()
        finally:
            if not button.is_deleted:
                button.props.pop("aria-busy", None)

    with button:
        if icon:
            ui.html(theme.icon(icon), sanitize=False).classes("press-icon")
        html.span(words)
    button.on("click", pressed, args=[])
    return button
