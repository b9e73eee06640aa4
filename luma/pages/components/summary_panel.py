"""The summary beside a lesson in the studio, as one browser element: see summary_panel.js."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Self, TypedDict

from nicegui import ui
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken

Act = Literal["write", "stop", "extract", "edit", "approve", "discard", "withdraw"]
ACTS: tuple[Act, ...] = ("write", "stop", "extract", "edit", "approve", "discard", "withdraw")


class PanelSheet(TypedDict):
    """What is shown. `writing` is what the AI has said so far, None while it is silent."""

    lesson: str
    text: str
    is_draft: bool
    is_approved: bool
    is_stale: bool
    source: str
    revision: int
    ai: bool
    price: str
    cost: str
    writing: str | None
    todos: list[str]
    insights: str
    """Where the to-dos are."""


@dataclass(frozen=True, slots=True)
class SummaryWish:
    """What somebody pressed, with the text as it stood there; it may still be anything."""

    act: Act
    lesson: str
    revision: int
    text: str

    @classmethod
    def read(cls, said: object) -> Self:
        match said:
            case {
                "act": str(act),
                "lesson": str(lesson),
                "revision": int(revision),
                "text": str(text),
            } if not isinstance(revision, bool):
                for known in ACTS:
                    if act == known:
                        return cls(known, lesson, revision, text)
        raise RuleBroken("The summary could not be read. Load the page again.")


class SummaryPanel(ui.element, component="summary_panel.js"):
    def __init__(
        self, sheet: PanelSheet | None, *, on_wish: Callable[[SummaryWish], Awaitable[None]]
    ) -> None:
        super().__init__()
        self._props["panel"] = sheet
        self._on_wish = on_wish
        self.on("summary", self._wish)

    def show(self, sheet: PanelSheet | None) -> None:
        """Of another lesson, or of the same as it is now. None hides it."""
        self.run_method("show", sheet)

    def write(self, lesson: str, piece: str) -> None:
        """More of what the AI says."""
        self.run_method("write", lesson, piece)

    def clash(self, sheet: PanelSheet) -> None:
        self.run_method("clash", sheet)

    def fail(self, lesson: str, sentence: str) -> None:
        self.run_method("fail", lesson, sentence)

    async def _wish(self, event: GenericEventArguments) -> None:
        await self._on_wish(SummaryWish.read(event.args))
