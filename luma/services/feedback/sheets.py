"""What students say about a lesson or a course: one sheet each, which they may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course, Lesson
from luma.models.feedback import FeedbackAnswer, FeedbackQuestion, FeedbackSheet
from luma.services import clock, learning_door, policies, texts
from luma.services.feedback import form
from luma.services.feedback.form import Question
from luma.services.learning_door import Standing
from luma.services.policies import Actor
from luma.values import QuestionKind

LONGEST = 2_000
NO_PLACE = "There is no such course or lesson."
ONLY_STUDENTS = "Only students of this course can answer."
CHANGED = "The questions have changed meanwhile. Look through your answers and send them again."


@dataclass(frozen=True, slots=True)
class Place:
    """What is asked about. `id` is its part of the address; without a lesson it is the course."""

    id: str
    course_id: int
    slug: str
    course: str
    lesson_id: int | None = None
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """`answers` holds for a question's id what was said, as a form field shows it."""

    place: Place
    questions: tuple[Question, ...]
    answers: Mapping[str, str]
    is_anonymous: bool
    is_answered: bool


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer as its writer takes it along."""

    course: str
    lesson: str
    question: str
    answer: str
    is_anonymous: bool
    updated_at: datetime


def sheet(session: Session, actor: Actor, place: object) -> OpenSheet:
    """For the form. Raises NotAllowed unless enrolled."""
    here = _place(session, actor, place)
    asked = tuple(form.question(one) for one in form.rows(session, here.course_id))
    mine = _mine(session, actor, here)
    return OpenSheet(
        place=here,
        questions=asked,
        answers=_answers(session, mine.id) if mine else {},
        is_anonymous=mine.is_anonymous if mine else False,
        is_answered=mine is not None,
    )


def answer(
    session: Session, actor: Actor, place: object, said: Mapping[str, object], *, anonymous: bool
) -> None:
    """Hand in a sheet, or another in place of the last. `said` is by question id.

    Raises NotAllowed unless enrolled, RuleBroken for what does not answer the questions.
    """
    here = _place(session, actor, place)
    asked = form.rows(session, here.course_id, share=True)
    if said.keys() - {one.public_id for one in asked}:
        raise RuleBroken(CHANGED)
    read = [(one, _read(form.question(one), said.get(one.public_id, ""))) for one in asked]
    given = [(one, value) for one, value in read if value != ""]
    if not given:
        raise RuleBroken("Answer at least one question.")
    number = _handed_in(session, actor, here, anonymous=anonymous)
    session.execute(delete(FeedbackAnswer).where(FeedbackAnswer.sheet_id == number))
    session.add_all(_answer(number, one, value) for one, value in given)


def forget_writer(session: Session, user_id: int) -> None:
    """For an account that is being deleted: the words stay, nobody's name is on them."""
    session.execute(
        update(FeedbackSheet).where(FeedbackSheet.student_id == user_id).values(student_id=None)
    )


def written_by(session: Session, user_id: int) -> list[WrittenAnswer]:
    """For the download of one's own data."""
    rows = session.execute(
        select(FeedbackSheet, Course.title, Lesson.title, FeedbackQuestion.prompt, FeedbackAnswer)
        .join(FeedbackAnswer, FeedbackAnswer.sheet_id == FeedbackSheet.id)
        .join(FeedbackQuestion, FeedbackQuestion.id == FeedbackAnswer.question_id)
        .join(Course, Course.id == FeedbackSheet.course_id)
        .outerjoin(Lesson, Lesson.id == FeedbackSheet.lesson_id)
        .where(FeedbackSheet.student_id == user_id)
        .order_by(FeedbackSheet.id, FeedbackAnswer.id)
    )
    return [
        WrittenAnswer(
            course=course,
            lesson=lesson or "",
            question=prompt,
            answer=said.text or str(said.number),
            is_anonymous=one.is_anonymous,
            updated_at=one.updated_at,
        )
        for one, course, lesson, prompt, said in rows
    ]


def _place(session: Session, actor: Actor, place: object) -> Place:
    """A lesson's id or a course's slug. No slug has an underscore, every id has one."""
    if "_" in texts.key(place):
        return _lesson(session, actor, place)
    course = session.scalar(
        select(Course).where(Course.slug == texts.key(place), Course.deleted_at.is_(None))
    )
    if course is None:
        raise NotFound(NO_PLACE)
    if not policies.is_enrolled(session, actor.id, course.id):
        raise NotAllowed(ONLY_STUDENTS)
    return Place(course.slug, course.id, course.slug, course.title)


def _lesson(session: Session, actor: Actor, lesson: object) -> Place:
    door = learning_door.door(session, actor, lesson)
    if door.standing is not Standing.ENROLLED:
        raise NotAllowed(ONLY_STUDENTS)
    return Place(door.id, door.course_id, door.slug, door.course_title, door.lesson_id, door.title)


def _mine(session: Session, actor: Actor, place: Place) -> FeedbackSheet | None:
    return session.scalar(
        select(FeedbackSheet).where(
            FeedbackSheet.student_id == actor.id,
            FeedbackSheet.course_id == place.course_id,
            FeedbackSheet.lesson_id.is_not_distinct_from(place.lesson_id),
        )
    )


def _answers(session: Session, sheet_id: int) -> dict[str, str]:
    rows = session.execute(
        select(FeedbackQuestion.public_id, FeedbackAnswer.number, FeedbackAnswer.text)
        .join(FeedbackQuestion, FeedbackQuestion.id == FeedbackAnswer.question_id)
        .where(FeedbackAnswer.sheet_id == sheet_id)
    )
    return {question: text or str(number) for question, number, text in rows}


def _read(question: Question, said: object) -> str | int:
    """ "" for what was left open."""
    if said in ("", None):
        if question.is_required:
            raise RuleBroken(f"One answer is missing: “{question.prompt}”")
        return ""
    if question.kind is QuestionKind.SCALE:
        return texts.whole_number(said, f"“{question.prompt}”", 1, 5)
    if question.kind is QuestionKind.CHOICE:
        return _chosen(question, said)
    words = texts.body(said, f"“{question.prompt}”", LONGEST).strip()
    return words or _read(question, "")


def _chosen(question: Question, said: object) -> str:
    if said not in question.options:
        raise RuleBroken(f"Choose one of the answers: “{question.prompt}”")
    return str(said)


def _handed_in(session: Session, actor: Actor, place: Place, *, anonymous: bool) -> int:
    """The sheet's number, new or not. Of two tabs one waits here for the other."""
    now = clock.now()
    of_lesson = place.lesson_id is not None
    statement = insert(FeedbackSheet).values(
        course_id=place.course_id,
        lesson_id=place.lesson_id,
        student_id=actor.id,
        is_anonymous=anonymous,
        created_at=now,
        updated_at=now,
    )
    written = statement.on_conflict_do_update(
        index_elements=["student_id", "lesson_id" if of_lesson else "course_id"],
        index_where=FeedbackSheet.lesson_id.is_not(None)
        if of_lesson
        else FeedbackSheet.lesson_id.is_(None),
        set_={"is_anonymous": anonymous, "updated_at": now},
    ).returning(FeedbackSheet.id)
    return session.execute(written).scalar_one()


def _answer(sheet_id: int, question: FeedbackQuestion, value: str | int) -> FeedbackAnswer:
    is_number = isinstance(value, int)
    return FeedbackAnswer(
        sheet_id=sheet_id,
        question_id=question.id,
        number=value if is_number else None,
        text="" if is_number else value,
    )
