"""The outline of a course as one browser element: see course_tree.js."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict

from lucide.jinja import lucide
from nicegui import ui
from nicegui.elements.sortable import sortable
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken

SORTABLE = sortable.Sortable.component
"""Imported for what it registers: the browser's module `nicegui-sortable`."""

ICONS = ("chevron-right", "grip-vertical", "pencil", "plus", "trash-2")
LONGEST_TITLE = 120

Kind = Literal["chapter", "lesson"]
KINDS: dict[str, Kind] = {"chapter": "chapter", "lesson": "lesson"}


class LessonNode(TypedDict):
    id: str
    title: str
    status: str
    duration: int
    preview: bool


class ChapterNode(TypedDict):
    id: int
    title: str
    lessons: list[LessonNode]


class Outline(Protocol):
    """What a page does when its outline is changed. An exception takes the change back."""

    async def nodes(self) -> Sequence[ChapterNode]: ...
    async def move_lesson(self, lesson: str, chapter: int, index: int) -> None: ...
    async def move_chapter(self, chapter: int, index: int) -> None: ...
    async def rename(self, kind: Kind, node: int | str, title: str) -> None: ...
    async def add_chapter(self, title: str, after: int | None) -> int: ...
    async def add_lesson(self, title: str, chapter: int, after: str | None) -> str: ...
    async def remove(self, kind: Kind, node: int | str) -> None: ...
    async def pick(self, lesson: str) -> None: ...


class CourseTree(ui.element, component="course_tree.js", esm={"luma-tree": "tree_parts"}):
    def __init__(
        self, nodes: Sequence[ChapterNode], outline: Outline, *, selected: str | None = None
    ) -> None:
        super().__init__()
        self._props |= {
            "nodes": nodes,
            "selected": selected,
            "icons": symbols(),
            "label": "Outline",
        }
        self._outline = outline
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._resets = 0
        self._is_stale = False
        self._hear("move-lesson", self._move_lesson)
        self._hear("move-chapter", self._move_chapter)
        self._hear("rename", self._rename)
        self._hear("add", self._add)
        self._hear("remove", self._remove)
        self._hear("pick", self._pick)

    def reset(self, nodes: Sequence[ChapterNode]) -> None:
        """Show these nodes instead. What is being typed stays."""
        self._resets += 1
        self.run_method("reset", nodes)

    def select(self, lesson: str | None) -> None:
        """Mark the lesson that is open beside the tree."""
        self.run_method("select", lesson)

    def patch(self, lesson: str, **fields: str | int | bool) -> None:
        """Show changed fields of one lesson."""
        self.run_method("patch", lesson, fields)

    def _hear(self, event: str, change: "Callable[[Change], Awaitable[None]]") -> None:
        async def heard(event: GenericEventArguments) -> None:
            await self._apply(change, Change(event.args))

        self.on(f"outline-{event}", heard)

    async def _apply(self, change: "Callable[[Change], Awaitable[None]]", wish: "Change") -> None:
        """Changes are applied in the order in which they were made.

        After a refusal, or when the browser had not seen the last reset, it is shown what is true.
        """
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                self._is_stale |= wish.seen != self._resets
                await change(wish)
        except Exception:
            self._is_stale = True
            raise
        finally:
            self._waiting -= 1
            if self._is_stale and not self._waiting:
                self._is_stale = False
                self.reset(await self._outline.nodes())

    async def _move_lesson(self, wish: "Change") -> None:
        await self._outline.move_lesson(
            wish.text("lesson"), wish.number("chapter"), wish.number("index")
        )

    async def _move_chapter(self, wish: "Change") -> None:
        await self._outline.move_chapter(wish.number("chapter"), wish.number("index"))

    async def _rename(self, wish: "Change") -> None:
        await self._outline.rename(wish.kind, wish.node("id"), wish.text("title"))

    async def _add(self, wish: "Change") -> None:
        title = wish.text("title")
        new: int | str
        if wish.kind == "chapter":
            new = await self._outline.add_chapter(title, wish.number_or_none("after"))
        else:
            after = None if wish["after"] is None else wish.text("after")
            new = await self._outline.add_lesson(title, wish.number("chapter"), after)
        self.run_method("named", wish.number("token"), new)

    async def _remove(self, wish: "Change") -> None:
        await self._outline.remove(wish.kind, wish.node("id"))

    async def _pick(self, wish: "Change") -> None:
        await self._outline.pick(wish.text("lesson"))


class Change:
    """What a browser says it changed: any JSON, until it is asked for a field."""

    def __init__(self, said: Any) -> None:
        self._said = said if isinstance(said, Mapping) else {}

    def __getitem__(self, field: str) -> object:
        return self._said.get(field)

    @property
    def seen(self) -> object:
        return self["seen"]

    @property
    def kind(self) -> Kind:
        kind = KINDS.get(self.text("kind"))
        if kind is None:
            raise self._not_understood()
        return kind

    def text(self, field: str) -> str:
        value = self[field]
        if not isinstance(value, str):
            raise self._not_understood()
        return value

    def number(self, field: str) -> int:
        value = self[field]
        if type(value) is not int or not 0 <= value < 2**53:
            raise self._not_understood()
        return value

    def number_or_none(self, field: str) -> int | None:
        return None if self[field] is None else self.number(field)

    def node(self, field: str) -> int | str:
        """Chapters have numbers, lessons have lasting ids."""
        return self.number(field) if self.kind == "chapter" else self.text(field)

    @staticmethod
    def _not_understood() -> RuleBroken:
        return RuleBroken("The outline could not read that change. Load the page again.")


def symbols() -> str:
    """The tree's icons, drawn once and used by every row."""
    return "".join(_symbol(name) for name in ICONS)


def _symbol(name: str) -> str:
    drawn = re.sub(r"^<svg[^>]*>|</svg>$", "", str(lucide(name)).strip())
    return f'<symbol id="tree-{name}" viewBox="0 0 24 24">{drawn}</symbol>'
