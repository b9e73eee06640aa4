"""A section of the admin pages or of the studio's business: a board, drawn again after each act."""

import asyncio
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
            await drawing.again()
            if sentence:
                said(sentence)

        return done

    first = await drawn()
    ui.add_head_html(assets.tag("admin.css"))
    with frame(f"{name.capitalize()} · {of.capitalize()}"):
        board = Board(first, {word: then_again(deed) for word, deed in (acts or {}).items()})
        drawing = Drawing(board, drawn)
        if topic is not None:
            ui.timer(0, partial(_follow, board, topic, drawing), once=True)


class Drawing:
    """Brings a board up to date after acts and after news, which may come at the same moment."""

    def __init__(self, board: Board, drawn: Callable[[], Awaitable[str]]) -> None:
        self._board = board
        self._drawn = drawn
        self._turn = asyncio.Lock()

    async def again(self) -> None:
        """One look after the other: what was read earlier never covers what was read later."""
        async with self._turn:
            found = await self._drawn()
            if found != self._board.shows:
                self._board.show(found)


async def _follow(board: Board, topic: str, drawing: Drawing) -> None:
    """For as long as the page is open; the timer that it runs in ends with it."""
    async with signals.bell(topic) as bell:
        while not board.is_deleted:
            try:
                await drawing.again()
            except LumaError:
                return
            await bell.rings(BREATH)


class Growing:
    """How much of a long list is shown: a page, and one more with each press of “Show more”."""

    def __init__(self) -> None:
        self.most = PAGE

    async def grow(self, _wish: Wish) -> str:
        self.most = min(self.most + PAGE, MOST)
        return ""
