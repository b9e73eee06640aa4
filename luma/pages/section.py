"""A section of the admin pages or of the studio's business: a board, drawn again after each act."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from nicegui import ui

from luma.errors import LumaError
from luma.pages import assets
from luma.pages.components.board import Act, Board, Wish
from luma.pages.feedback import said
from luma.pages.layout import frame
from luma.pages.shop.render import part
from luma.services import clock, signals

PAGE = 25
MOST = 500
"""Further than this nobody scrolls: a search finds it sooner."""

BREATH = 30.0
"""Seconds after which a page that follows something looks again without being told."""

Read = Callable[[], Awaitable[Mapping[str, object]]]
Done = Callable[[Wish], Awaitable[str]]
"""Does what was wished and returns the sentence that says so."""


async def show(
    name: str,
    read: Read,
    acts: Mapping[str, Done] | None = None,
    *,
    of: str = "admin",
    topic: str | None = None,
) -> None:
    """Draw `<of>_<name>.html.j2` with what `read` finds, now and after each of `acts`.

    With a `topic` it is drawn again whenever services/signals.py rings for it, too.
    """

    async def drawn() -> str:
        found = await read()
        request = ui.context.client.request
        return part(request, f"{of}_{name}.html.j2", section=name, now=clock.now(), **found)

    def then_again(deed: Done) -> Act:
        async def done(wish: Wish) -> None:
            sentence = await deed(wish)
            board.show(await drawn())
            if sentence:
                said(sentence)

        return done

    first = await drawn()
    ui.add_head_html(assets.tag("admin.css"))
    with frame(f"{name.capitalize()} · {of.capitalize()}"):
        board = Board(first, {word: then_again(deed) for word, deed in (acts or {}).items()})
        if topic is not None:
            ui.timer(0, partial(_follow, board, topic, drawn), once=True)


async def _follow(board: Board, topic: str, drawn: Callable[[], Awaitable[str]]) -> None:
    """For as long as the page is open; the timer that it runs in ends with it."""
    shown = ""
    async with signals.bell(topic) as bell:
        while not board.is_deleted:
            try:
                found = await drawn()
            except LumaError:
                return
            if found != shown:
                board.show(shown := found)
            await bell.rings(BREATH)


class Growing:
    """How much of a long list is shown: a page, and one more with each press of “Show more”."""

    def __init__(self) -> None:
        self.most = PAGE

    async def grow(self, _wish: Wish) -> str:
        self.most = min(self.most + PAGE, MOST)
        return ""
