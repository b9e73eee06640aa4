"""The student's player: one page per course, in which lessons are swapped."""

from hashlib import sha256

from markupsafe import Markup
from nicegui import APIRouter, ui
from starlette.requests import Request

from luma.pages import shell, theme
from luma.pages.components.classroom import ClassroomView, Surroundings, drawn, symbols
from luma.pages.feedback import page
from luma.pages.session import act, viewer_of
from luma.pages.shop.render import part
from luma.services import learning
from luma.services.learning import Classroom, LockedLesson, OpenLesson
from luma.settings import settings

router = APIRouter()

MODULES = ("classroom_lessons", "classroom_markup", "classroom_player")
"""What classroom.js imports, fetched with it and not after it."""

SHOWN_AT_ONCE = 100
"""In a longer outline only the chapter of the lesson is open at first."""


class Desk:
    """What a browser may ask for, in the name of whoever looks."""

    async def open(self, lesson: object) -> OpenLesson | LockedLesson:
        return await act(learning.open_lesson, lesson)

    async def mark(self, lesson: object, *, is_done: bool) -> None:
        await act(learning.complete_lesson if is_done else learning.take_back, lesson)


@page(router, "/learn/{course}/{lesson}", "Classroom")
async def classroom(course: str, lesson: str) -> None:
    request = ui.context.client.request
    room = await act(learning.classroom, course, lesson)
    if isinstance(room.lesson, LockedLesson):
        ui.status_code(403)
    ui.page_title(f"{room.lesson.title} · {room.title} · LUMA")
    theme.follow(request)
    shell.without_quasar(request, "classroom.css", MODULES)
    ui.add_body_html(_paper(request, room))
    ClassroomView(room, Desk(), Surroundings(settings().youtube_frame, _reader(request)))


def _paper(request: Request, room: Classroom) -> str:
    """The page as it looks at once, before any script. Its text was sanitised when written."""
    text = room.lesson.text_html if isinstance(room.lesson, OpenLesson) else ""
    return part(
        request,
        "classroom.html.j2",
        room=room,
        lesson=room.lesson,
        text=Markup(text),  # noqa: S704
        unfolded=_unfolded(room),
        sprite=symbols(),
        check=drawn("circle-check"),
        circle=drawn("circle"),
        lock=drawn("lock", "icon-s"),
    )


def _unfolded(room: Classroom) -> set[int]:
    """The chapters that are open at first, by the rule of classroom.js."""
    if sum(len(chapter.lessons) for chapter in room.chapters) <= SHOWN_AT_ONCE:
        return {chapter.id for chapter in room.chapters}
    return {
        chapter.id
        for chapter in room.chapters
        if any(line.id == room.lesson.id for line in chapter.lessons)
    }


def _reader(request: Request) -> str:
    """Under which name this person's unsent progress waits in the browser."""
    viewer = viewer_of(request)
    return sha256(viewer.email.encode()).hexdigest()[:12] if viewer else "nobody"
