"""The courses of a school as an admin sees them: found, hidden with a reason, shown again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.orm import Session, defer

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.models.user import User, rehearsal_buyers
from luma.services import audit, clock, letters, policies, studio, texts
from luma.services.outline import live_lessons
from luma.services.policies import Actor
from luma.values import CourseStatus, Money

LONGEST_SEARCH = 100
LONGEST_REASON = 500
NOBODY_TEACHES = "The instructor's account is disabled."
GONE = "There is no such course any more."

Only = Literal["all", "published", "hidden"]


@dataclass(frozen=True, slots=True)
class CourseRow:
    id: str
    slug: str
    title: str
    instructor: str
    email: str
    status: CourseStatus
    price: Money
    students: int
    updated_at: datetime
    hidden_at: datetime | None
    hidden_reason: str | None


@dataclass(frozen=True, slots=True)
class Courses:
    found: tuple[CourseRow, ...]
    has_more: bool


def found(session: Session, actor: Actor, words: object, only: Only, most: int) -> Courses:
    """By title, or by the instructor's name or address. Last changed first."""
    policies.ensure_admin(actor)
    asked = texts.line(words, "Search", LONGEST_SEARCH, required=False)
    rows = session.execute(
        select(Course, User.name, User.email, _students())
        .join(User, User.id == Course.instructor_id)
        .where(Course.deleted_at.is_(None), *_matches(asked), *_kept(only))
        .order_by(Course.updated_at.desc(), Course.id.desc())
        .limit(most + 1)
        .options(defer(Course.description))
    ).all()
    return Courses(tuple(_row(*row) for row in rows[:most]), len(rows) > most)


def hide(session: Session, actor: Actor, course: object, reason: object) -> None:
    """Take it off sale until an admin shows it again. Who has it keeps it.

    The instructor sees the reason. Hidden again, it has the new reason.
    """
    policies.ensure_admin(actor)
    why = texts.line(reason, "Reason", LONGEST_REASON)
    hidden = _held(session, course)
    if hidden.hidden_reason == why:
        return
    before = _state(hidden)
    hidden.hide(clock.now(), why)
    audit.note(session, actor, "course.hide", _thing(hidden), before, _state(hidden))
    studio.tell_gateway(session, hidden)
    letters.write(
        session,
        hidden.instructor_id,
        "course-hidden",
        subject=f"{hidden.title} is hidden",
        text=f"An admin of the school has taken “{hidden.title}” off sale. The reason:\n\n"
        f"> {why}\n\n"
        "Nobody finds or buys it until an admin shows it again. Students who have it keep it.",
        button=("Open the course", f"/studio/{hidden.public_id}"),
    )


def unhide(session: Session, actor: Actor, course: object) -> bool:
    """Let it be seen again. Returns whether it is on sale, as it was, or left to its instructor."""
    policies.ensure_admin(actor)
    shown = _held(session, course)
    if shown.hidden_at is not None:
        before = _state(shown)
        shown.unhide(clock.now(), is_whole=live_lessons(session, shown) > 0)
        audit.note(session, actor, "course.unhide", _thing(shown), before, _state(shown))
        studio.tell_gateway(session, shown)
    return shown.status is CourseStatus.PUBLISHED


def hide_all_of(session: Session, actor: Actor, instructor_id: int) -> None:
    """Take whatever they sell off sale, for as long as their account is disabled."""
    selling = select(Course.public_id).where(
        Course.instructor_id == instructor_id,
        Course.status == CourseStatus.PUBLISHED,
        Course.deleted_at.is_(None),
    )
    for course in session.scalars(selling).all():
        hide(session, actor, course, NOBODY_TEACHES)


def show_all_of(session: Session, actor: Actor, instructor_id: int) -> None:
    """Put back on sale what `hide_all_of` took; what was hidden for a reason of its own stays."""
    taken = select(Course.public_id).where(
        Course.instructor_id == instructor_id,
        Course.hidden_reason == NOBODY_TEACHES,
        Course.deleted_at.is_(None),
    )
    for course in session.scalars(taken).all():
        unhide(session, actor, course)


def _held(session: Session, course: object) -> Course:
    wanted = select(Course).where(
        Course.public_id == texts.key(course), Course.deleted_at.is_(None)
    )
    held = session.scalar(wanted.with_for_update(key_share=True))
    if held is None:
        raise NotFound(GONE)
    return held


def _row(course: Course, instructor: str, email: str, students: int) -> CourseRow:
    return CourseRow(
        id=course.public_id,
        slug=course.slug,
        title=course.title,
        instructor=instructor,
        email=email,
        status=course.status,
        price=course.price,
        students=students,
        updated_at=course.updated_at,
        hidden_at=course.hidden_at,
        hidden_reason=course.hidden_reason,
    )


def _state(course: Course) -> dict[str, object]:
    return {"status": course.status, "hidden": course.hidden_reason}


def _thing(course: Course) -> str:
    return f"course {course.public_id}"


def _matches(words: str) -> list[ColumnElement[bool]]:
    if not words:
        return []
    asked = words.lower()
    columns = (func.lower(Course.title), func.lower(User.name), User.email)
    return [or_(*(column.contains(asked, autoescape=True) for column in columns))]


def _kept(only: Only) -> list[ColumnElement[bool]]:
    if only == "hidden":
        return [Course.hidden_at.is_not(None)]
    return [Course.status == CourseStatus.PUBLISHED] if only == "published" else []


def only(word: object) -> Only:
    """Which courses an address asks for. Raises RuleBroken."""
    if word not in ("all", "published", "hidden"):
        raise RuleBroken("Choose which courses to show from the list.")
    return word


def _students() -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(
            Enrolment.course_id == Course.id,
            Enrolment.active,
            Enrolment.student_id.not_in(rehearsal_buyers()),
        )
        .scalar_subquery()
    )
