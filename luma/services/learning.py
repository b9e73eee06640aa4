"""The classroom: a course as one person sees it, one lesson open, and what they did in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.progress import Enrolment, LessonProgress
from luma.services import clock, learning_door, learning_outline, learning_reports, reviews
from luma.services.learning_door import Door, Standing
from luma.services.learning_outline import ChapterLines, Progress
from luma.services.learning_reports import Part, Report
from luma.services.policies import Actor
from luma.values import LessonStatus

SEEN_EVERY = timedelta(minutes=5)

_NOT_WAITED_FOR = func.set_config("synchronous_commit", "off", True)
"""A bookmark is no money: the next lesson is shown before the disk has written where it was."""


@dataclass(frozen=True, slots=True)
class OpenLesson:
    """`position` is the second of the video to resume at, 0 for the beginning.

    The lesson is what comes after `start` in its video; `seen` is in percent.
    """

    id: str
    title: str
    chapter: str
    text_html: str
    video_id: str | None
    start: int
    seconds: int
    position: int
    seen: int
    is_done: bool
    is_draft: bool


@dataclass(frozen=True, slots=True)
class LockedLesson:
    """Why it is locked, and the words of the one button that opens it."""

    id: str
    title: str
    chapter: str
    seconds: int
    reason: str
    way_in: str


@dataclass(frozen=True, slots=True)
class Classroom:
    slug: str
    title: str
    course_id: str
    standing: Standing
    chapters: list[ChapterLines]
    lesson: OpenLesson | LockedLesson
    progress: Progress
    review_from: int | None
    """Percent from which this person is asked for a review; None: they are not."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What a report changed. `just_done`: it completed the lesson. `seen` is in percent."""

    is_done: bool
    just_done: bool
    seen: int


def classroom(session: Session, actor: Actor, slug: object, lesson_id: object) -> Classroom:
    """The whole course as this person may see it, with one lesson, open or locked.

    Without a lesson it is the one where the course goes on. The outline is one statement of
    plain columns, however long it is. Raises NotFound.
    """
    if lesson_id is None:
        lesson_id = learning_outline.continuation(session, actor, slug).lesson_id
    door = learning_door.door(session, actor, lesson_id)
    if door.slug != slug:
        raise NotFound(learning_door.NO_LESSON)
    chapters = learning_outline.chapters(
        session,
        actor,
        door.course_id,
        sees_drafts=door.standing is Standing.TEACHES,
        sees_all=door.standing is not Standing.VISITOR,
    )
    return Classroom(
        slug=door.slug,
        title=door.course_title,
        course_id=door.course_public_id,
        standing=door.standing,
        chapters=chapters,
        lesson=_entered(session, actor, door),
        progress=learning_outline.counted(chapters),
        review_from=_review_from(door),
    )


def open_lesson(session: Session, actor: Actor, lesson_id: object) -> OpenLesson | LockedLesson:
    """One lesson, for a classroom that has its outline already. Raises NotFound."""
    return _entered(session, actor, learning_door.door(session, actor, lesson_id))


def complete_lesson(session: Session, actor: Actor, lesson_id: object) -> Progress:
    """Note that a lesson is finished. Saying it twice changes nothing.

    Raises NotAllowed unless the actor is enrolled in the lesson's course.
    """
    door = learning_door.enrolled(session, actor, lesson_id)
    session.execute(_COMPLETE, {"student": actor.id, "lesson": door.lesson_id, "now": clock.now()})
    return learning_outline.progress(session, actor, door.course_id)


def take_back(session: Session, actor: Actor, lesson_id: object) -> Progress:
    """The lesson is not finished after all. What was watched stays watched."""
    door = learning_door.enrolled(session, actor, lesson_id)
    session.execute(
        update(LessonProgress)
        .where(LessonProgress.student_id == actor.id, LessonProgress.lesson_id == door.lesson_id)
        .values(completed_at=None)
    )
    return learning_outline.progress(session, actor, door.course_id)


def note_position(session: Session, actor: Actor, lesson_id: object, report: Report) -> Noted:
    """Keep where the student is in a video and what they watched; complete it when it is enough.

    Reports may come late, twice or from two windows: what was watched only grows, an older
    report moves no position, and a lesson completes at the report that reaches ENOUGH and at no
    other, so that what was taken back stays taken back. Raises NotAllowed unless enrolled.
    """
    door = learning_door.enrolled(session, actor, lesson_id)
    now = clock.now()
    part = Part(door.lesson_id, door.start, door.seconds)
    completed_at, seen = learning_reports.note(session, actor.id, part, report, now)
    _visit(session, actor, door, now)
    return Noted(completed_at is not None, completed_at == now, seen)


_COMPLETE = (
    insert(LessonProgress)
    .values(
        student_id=bindparam("student"),
        lesson_id=bindparam("lesson"),
        completed_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
    .on_conflict_do_update(
        index_elements=["student_id", "lesson_id"],
        set_={"completed_at": func.coalesce(LessonProgress.completed_at, bindparam("now"))},
    )
)


def _entered(session: Session, actor: Actor, door: Door) -> OpenLesson | LockedLesson:
    if not door.is_open:
        return _locked(door)
    if door.standing is Standing.ENROLLED:
        _visit(session, actor, door, clock.now())
    return OpenLesson(
        id=door.id,
        title=door.title,
        chapter=door.chapter,
        text_html=door.summary_html + door.text_html,
        video_id=door.video_id,
        start=door.start,
        seconds=door.seconds,
        position=learning_outline.resumes_at(door.position or 0, door.start, door.seconds),
        seen=door.seen,
        is_done=door.completed_at is not None,
        is_draft=door.status is LessonStatus.DRAFT,
    )


def _review_from(door: Door) -> int | None:
    if door.standing is not Standing.ENROLLED:
        return None
    return reviews.asks_from(door.review_refused or 0, is_written=door.has_reviewed)


def _locked(door: Door) -> LockedLesson:
    reason, way_in = "This lesson is for students of the course.", "Enrol free"
    if door.is_paid_for:
        reason = "Your payment is on its way. The lesson opens as soon as it has arrived."
        way_in = "See the course"
    elif not door.price.is_zero:
        way_in = f"Buy for {door.price.words()}"
    return LockedLesson(door.id, door.title, door.chapter, door.seconds, reason, way_in)


def _visit(session: Session, actor: Actor, door: Door, now: datetime) -> None:
    """The course goes on here next time. Not written again while nothing changes."""
    is_here = door.last_lesson_id == door.lesson_id
    if is_here and door.last_seen_at and now - door.last_seen_at < SEEN_EVERY:
        return
    session.execute(
        update(Enrolment)
        .where(Enrolment.student_id == actor.id, Enrolment.course_id == door.course_id)
        .values(last_lesson_id=door.lesson_id, last_seen_at=now)
        .returning(_NOT_WAITED_FOR)
    )
