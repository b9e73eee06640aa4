"""The classroom as one browser element: see classroom.js."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Protocol

from lucide.jinja import lucide
from markupsafe import Markup
from nicegui import ui
from nicegui.events import GenericEventArguments

from luma.errors import RuleBroken
from luma.services.learning import Classroom, LockedLesson, OpenLesson

ICONS = (
    "arrow-left",
    "arrow-right",
    "chevron-down",
    "circle",
    "circle-check",
    "keyboard",
    "list",
    "lock",
    "party-popper",
    "play",
    "rotate-ccw",
    "sun-moon",
    "video-off",
    "x",
)


class Desk(Protocol):
    """What a page does for the one who learns. A refusal takes the wish back in the browser."""

    async def open(self, lesson: object) -> OpenLesson | LockedLesson: ...
    async def mark(self, lesson: object, *, is_done: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`frame_origin` is where videos come from; `reader` tells people in one browser apart."""

    frame_origin: str
    reader: str


class ClassroomView(
    ui.element,
    component="classroom.js",
    dependencies=["classroom_*.js", "lesson_video.js", "progress_queue.js"],
):
    """Takes over the text that the page has shown already, so it is not sent twice."""

    def __init__(self, room: Classroom, desk: Desk, around: Surroundings) -> None:
        super().__init__()
        lesson = room.lesson
        self._props["room"] = {
            "slug": room.slug,
            "title": room.title,
            "course_id": room.course_id,
            "standing": room.standing,
            "chapters": room.chapters,
            "review_from": room.review_from,
            "lesson": replace(lesson, text_html="") if isinstance(lesson, OpenLesson) else lesson,
            **asdict(around),
        }
        self._desk = desk
        self.on("open-lesson", self._open)
        self.on("mark-lesson", self._mark)

    async def _open(self, event: GenericEventArguments) -> None:
        wish = _said(event)
        turn = wish.get("turn")
        try:
            lesson = await self._desk.open(wish.get("lesson"))
        except Exception:
            self.run_method("refuse", turn)
            raise
        self.run_method("show", turn, lesson)

    async def _mark(self, event: GenericEventArguments) -> None:
        wish = _said(event)
        lesson, is_done = wish.get("lesson"), wish.get("done")
        if not isinstance(is_done, bool):
            raise RuleBroken("A lesson is either complete or not.")
        try:
            await self._desk.mark(lesson, is_done=is_done)
        except Exception:
            self.run_method("marked", lesson, not is_done, False)
            raise
        self.run_method("marked", lesson, is_done, True)


def _said(event: GenericEventArguments) -> Mapping[str, object]:
    """What a browser says: any JSON, until it is asked for a field."""
    return event.args if isinstance(event.args, Mapping) else {}


@lru_cache
def symbols() -> Markup:
    """The classroom's icons, drawn once per page and used by every row."""
    return Markup("").join(_symbol(name) for name in ICONS)


@lru_cache
def drawn(name: str, extra: str = "") -> Markup:
    """One of the icons where it is used, as classroom.js writes it."""
    use = '<svg class="icon {}" aria-hidden="true"><use href="#room-{}"/></svg>'
    return Markup(use).format(extra, name)  # noqa: S704  (format escapes)


def _symbol(name: str) -> Markup:
    inside = re.sub(r"^<svg[^>]*>|</svg>$", "", str(lucide(name)).strip())
    symbol = '<symbol id="room-{}" viewBox="0 0 24 24">{}</symbol>'
    return Markup(symbol).format(name, Markup(inside))  # noqa: S704  (the package's own files)
