"""What a lesson says: read and written by its instructor, field by field, from several windows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.course import Course, Lesson
from luma.services import clock, markdown, texts, videos
from luma.services.assistant import transcripts
from luma.services.authors import own_course, placed_lesson
from luma.services.outline import LONGEST_TITLE, NEEDS_LIVE, live_lessons
from luma.services.policies import Actor
from luma.values import CourseStatus, LessonStatus

LONGEST_LESSON = 360_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A lesson as its form shows it."""

    id: str
    title: str
    text: str
    text_html: str
    transcript: str
    video: str
    """The address in its short form; empty without a video."""
    video_id: str | None
    video_start: int
    duration: int
    status: LessonStatus
    is_preview: bool
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """`refused` says for a field why it was left as it was; the others are saved."""

    sheet: Sheet
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody changed the lesson meanwhile: nothing was written, this is what is there."""

    theirs: Sheet


def sheet(session: Session, actor: Actor, course: str, lesson: str) -> Sheet:
    own = own_course(session, actor, course)
    return _sheet(placed_lesson(session, own, lesson))


def update(
    session: Session,
    actor: Actor,
    course: str,
    lesson: str,
    revision: int,
    changes: Mapping[str, object],
) -> Saved | Clash:
    """Write what can be written of `changes`: title, text, transcript, video,
    duration, status, is_preview.

    `revision` is the one the changes were made on. The same values twice do no harm.
    """
    own = own_course(session, actor, course, lock=True)
    changed = placed_lesson(session, own, lesson)
    if changed.revision != revision:
        return Clash(_sheet(changed))
    refused = _write(changed, changes)
    if own.status is CourseStatus.PUBLISHED and "status" in changes:
        _keep_one_live(session, own, changed, refused)
    if session.is_modified(changed):
        changed.revision += 1
        changed.updated_at = own.updated_at = clock.now()
        session.flush()
    return Saved(_sheet(changed), refused)


def _keep_one_live(
    session: Session, course: Course, lesson: Lesson, refused: dict[str, str]
) -> None:
    """What else was changed is kept."""
    session.flush()
    if not live_lessons(session, course):
        lesson.show(clock.now())
        refused["status"] = NEEDS_LIVE


def _write(lesson: Lesson, changes: Mapping[str, object]) -> dict[str, str]:
    """In the fields' own order: what a lesson teaches comes before whether it is live."""
    refused = {name: "There is no such field." for name in changes if name not in WRITERS}
    for name, write in WRITERS.items():
        if name in changes:
            try:
                write(lesson, changes[name])
            except RuleBroken as refusal:
                refused[name] = str(refusal)
    return refused


def _title(lesson: Lesson, said: object) -> None:
    lesson.title = texts.line(said, "Title", LONGEST_TITLE)


def _text(lesson: Lesson, said: object) -> None:
    lesson.text = texts.body(said, "Text")
    lesson.text_html = markdown.render(lesson.text)


def _transcript(lesson: Lesson, said: object) -> None:
    raw = texts.body(said, "Transcript", transcripts.LONGEST_PASTED)
    lesson.transcript = texts.body(transcripts.plain(raw), "Transcript")


def _video(lesson: Lesson, said: object) -> None:
    address = texts.body(said, "Video", videos.LONGEST_ADDRESS).strip()
    video = videos.read(address) if address else None
    if lesson.video_id and video and video.id != lesson.video_id:
        lesson.duration = 0
    lesson.video_id = video.id if video else None
    lesson.video_start = video.start if video else 0


def _duration(lesson: Lesson, said: object) -> None:
    lesson.duration = seconds_in(said)


def _status(lesson: Lesson, said: object) -> None:
    if said == LessonStatus.DRAFT:
        lesson.hide(clock.now())
    elif said != LessonStatus.LIVE:
        raise RuleBroken("A lesson is either a draft or live.")
    elif not lesson.video_id and not lesson.text:
        raise RuleBroken("Add a video or some text before students see this lesson.")
    else:
        lesson.show(clock.now())


def _is_preview(lesson: Lesson, said: object) -> None:
    lesson.is_preview = texts.flag(said, "Free preview")


WRITERS: dict[str, Callable[[Lesson, object], None]] = {
    "title": _title,
    "text": _text,
    "transcript": _transcript,
    "video": _video,
    "duration": _duration,
    "status": _status,
    "is_preview": _is_preview,
}


def seconds_in(said: object) -> int:
    """Seconds in "4:05" or "1:02:03"; digits alone are minutes, nothing is 0. Raises RuleBroken."""
    text = texts.line(said, "Length", 12, required=False)
    parts = text.split(":")
    if not text:
        return 0
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise RuleBroken("Write the length in minutes and seconds, such as 4:05.")
    numbers = [int(part) for part in parts]
    if any(number > 59 for number in numbers[1:]):
        raise RuleBroken("Minutes and seconds after the colon go up to 59.")
    hours, minutes, seconds = ([0, *numbers, 0] if len(parts) == 1 else [0, *numbers])[-3:]
    total = hours * 3600 + minutes * 60 + seconds
    if total > LONGEST_LESSON:
        raise RuleBroken("A lesson lasts at most 100 hours.")
    return total


def _sheet(lesson: Lesson) -> Sheet:
    video = videos.Video(lesson.video_id, lesson.video_start) if lesson.video_id else None
    return Sheet(
        id=lesson.public_id,
        title=lesson.title,
        text=lesson.text,
        text_html=lesson.text_html,
        transcript=lesson.transcript,
        video=video.address if video else "",
        video_id=lesson.video_id,
        video_start=lesson.video_start,
        duration=lesson.duration,
        status=lesson.status,
        is_preview=lesson.is_preview,
        revision=lesson.revision,
        updated_at=lesson.updated_at,
    )
