"""A section of a page that is drawn whole by the server, as one element: see board.js."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

from nicegui import ui
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken

LOAD_AGAIN = "This page is not up to date. Load the page again."


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody pressed or sent: the act, the thing it is done to, and what they typed.

    All of it comes from a browser: services look at it as at any text from outside.
    """

    act: str
    thing: str
    fields: Mapping[str, object]

    @property
    def name(self) -> str:
        """By which board.js knows that it is done."""
        return f"{self.act} {self.thing}"

    @classmethod
    def read(cls, said: object) -> Self:
        """Raises RuleBroken for what board.js never says."""
        wish = said if isinstance(said, Mapping) else {}
        act, thing, fields = wish.get("act"), wish.get("thing"), wish.get("fields")
        if isinstance(act, str) and isinstance(thing, str) and isinstance(fields, Mapping):
            return cls(act, thing, fields)
        raise RuleBroken(LOAD_AGAIN)


Act = Callable[[Wish], Awaitable[None]]


class Board(ui.element, component="board.js"):
    """`html` comes from a template, which escapes. `acts` are what may be asked for, by name."""

    def __init__(self, html: str, acts: Mapping[str, Act]) -> None:
        super().__init__()
        self._props["html"] = html
        self._acts = acts
        self.on("wish", self._hear)

    @property
    def shows(self) -> str:
        return str(self._props["html"])

    def show(self, html: str) -> None:
        self._props["html"] = html
        self.update()

    async def _hear(self, event: GenericEventArguments) -> None:
        done = ""
        try:
            wish = Wish.read(event.args)
            done = wish.name
            if wish.act not in self._acts:
                raise RuleBroken(LOAD_AGAIN)
            await self._acts[wish.act](wish)
        finally:
            if not self.is_deleted:
                self.run_method("settle", done)
