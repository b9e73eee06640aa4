"""What an instructor wants to change because students said so, and telling them when it is done."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Course, Lesson
from luma.models.insight import Analysis, Todo, TodoStatus
from luma.models.progress import Enrolment
from luma.services import clock, letters, texts
from luma.services.authors import lesson_of, own_course
from luma.services.feedback import results
from luma.services.policies import Actor

LONGEST_CHANGE = 600
GONE = "This to-do is not there any more."
NO_SUGGESTION = "This suggestion is not there any more. Load the page again."


@dataclass(frozen=True, slots=True)
class TodoLine:
    id: str
    text: str
    lesson: str | None
    lesson_title: str
    answers: int
    is_done: bool
    is_told: bool


def of_course(session: Session, course: Course) -> tuple[TodoLine, ...]:
    """Open ones first, then what was done last."""
    rows = session.execute(
        select(Todo, Lesson.public_id, Lesson.title)
        .outerjoin(Lesson, Lesson.id == Todo.lesson_id)
        .where(Todo.course_id == course.id)
        .order_by(Todo.done_at.desc().nulls_first(), Todo.id)
        .limit(200)
    )
    return tuple(
        TodoLine(
            id=todo.public_id,
            text=todo.text,
            lesson=lesson,
            lesson_title=title or "",
            answers=len(todo.answers),
            is_done=todo.status is TodoStatus.DONE,
            is_told=todo.told_at is not None,
        )
        for todo, lesson, title in rows
    )


def of_lesson(session: Session, lesson_id: int) -> tuple[str, ...]:
    """What is open, for whoever edits the lesson."""
    found = select(Todo.text).where(Todo.lesson_id == lesson_id, Todo.status == TodoStatus.OPEN)
    return tuple(session.scalars(found.order_by(Todo.id).limit(10)))


def make(session: Session, actor: Actor, course: str, analysis: str, number: int) -> None:
    """Out of a suggestion of an analysis of this very course. Twice makes one."""
    own = own_course(session, actor, course)
    found = session.scalar(
        select(Analysis).where(
            Analysis.course_id == own.id, Analysis.public_id == texts.key(analysis)
        )
    )
    if found is None or not 0 <= number < len(found.suggestions):
        raise NotFound(NO_SUGGESTION)
    suggestion = found.suggestions[number]
    lesson = lesson_of(session, own, suggestion["lesson"]) if suggestion["lesson"] else None
    session.execute(
        insert(Todo)
        .values(
            course_id=own.id,
            lesson_id=lesson.id if lesson else None,
            origin=f"{found.public_id}:{number}",
            text=suggestion["text"],
            answers=suggestion["answers"],
            status=TodoStatus.OPEN,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
    )


def finish(session: Session, actor: Actor, course: str, todo: str) -> None:
    _own(session, actor, course, todo)[1].finish(clock.now())


def reopen(session: Session, actor: Actor, course: str, todo: str) -> None:
    _own(session, actor, course, todo)[1].reopen()


def remove(session: Session, actor: Actor, course: str, todo: str) -> None:
    session.delete(_own(session, actor, course, todo)[1])


def tell(session: Session, actor: Actor, course: str, todo: str, said: object) -> int:
    """Write to those students who said so and still have the course, once. Returns how many.

    Their names are not the instructor's to know; the letters are LUMA's.
    """
    change = texts.line(said, "What you changed", LONGEST_CHANGE)
    own, done = _own(session, actor, course, todo)
    done.tell(clock.now())
    learn = f"/learn/{own.slug}"
    lesson = session.get(Lesson, done.lesson_id) if done.lesson_id else None
    told = _still_there(session, own, results.writers_of(session, own.id, done.answers))
    for student in told:
        letters.write(
            session,
            student,
            "you-said",
            subject=f"You said, we changed: “{own.title}”",
            text=(
                f"You said what you think of “{own.title}”. "
                f"Because of that, something has changed:\n\n> {change}\n\n"
                "Thank you. You get this letter once, because you answered."
            ),
            button=("Open the lesson", f"{learn}/{lesson.public_id}")
            if lesson and lesson.deleted_at is None
            else ("Open the course", learn),
            once=f"you-said-{done.id}-{student}",
        )
    return len(told)


def _own(session: Session, actor: Actor, course: str, todo: str) -> tuple[Course, Todo]:
    own = own_course(session, actor, course)
    found = session.scalar(
        select(Todo)
        .where(Todo.course_id == own.id, Todo.public_id == texts.key(todo))
        .with_for_update()
    )
    if found is None:
        raise NotFound(GONE)
    return own, found


def _still_there(session: Session, course: Course, students: list[int]) -> list[int]:
    enrolled = select(Enrolment.student_id).where(
        Enrolment.course_id == course.id,
        Enrolment.student_id.in_(students),
        Enrolment.active,
    )
    return sorted(session.scalars(enrolled))
