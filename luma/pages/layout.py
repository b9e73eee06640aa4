"""The frame around a NiceGUI page: the same head as the shop's, in few elements."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from luma.pages import theme
from luma.pages.shop.render import part


@contextmanager
def frame(title: str, *, wide: bool = False) -> Iterator[None]:
    """Head and main of a page behind sign-in. `title` is the browser's; the page sets its h1."""
    request = ui.context.client.request
    ui.page_title(f"{title} · LUMA")
    theme.follow(request)
    ui.html(part(request, "head.html.j2"), sanitize=False).classes("head-frame")
    main = ui.element("main").props('id="main" tabindex="-1"')
    with main.classes("page wide" if wide else "page"):
        yield
    ui.skip_link("Skip to content", target=main)
