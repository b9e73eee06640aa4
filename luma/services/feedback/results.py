"""What students answered, for whoever teaches the course. Who wants to be anonymous is.

A time is never told closer than its week, and answers of a week come in an order that says
nothing: neither leads to the one who wrote.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, cast, func, select, true, union
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Lesson
from luma.models.feedback import FeedbackAnswer, FeedbackQuestion, FeedbackSheet
from luma.models.review import Review
from luma.models.user import User
from luma.services import ratings, texts
from luma.services.authors import own_course
from luma.services.policies import Actor
from luma.services.review_wall import FORMER
from luma.values import QuestionKind

PAGE = 30
MOST_PAGES = 100
ANONYMOUS = "Anonymous"
WHOLE = "course"
"""Stands in an address for the sheets about the whole course."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see. Empty: everything."""

    lesson: str = ""
    question: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a filter."""

    id: str
    words: str
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    words: str
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class Chart:
    """How often each answer to a question was given. `average` is empty unless it is a scale."""

    id: str
    prompt: str
    is_retired: bool
    average: str
    bars: tuple[Bar, ...]

    @property
    def total(self) -> int:
        return sum(bar.count for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody wrote."""

    id: str
    question: str
    lesson: str
    """Empty for the whole course."""
    writer: str
    week: date
    """Its Monday."""
    text: str


@dataclass(frozen=True, slots=True)
class Results:
    course: str
    title: str
    sheets: int
    """Handed in, as filtered by lesson."""
    lessons: tuple[Choice, ...]
    questions: tuple[Choice, ...]
    charts: tuple[Chart, ...]
    words: tuple[Words, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """An answer without anything about who gave it."""

    id: str
    lesson_id: str | None
    lesson: str | None
    question: str
    kind: QuestionKind
    number: int | None
    text: str


WEEK = cast(func.date_trunc("week", FeedbackSheet.updated_at), Date)


def results(session: Session, actor: Actor, course: str, wish: Wish) -> Results:
    own = own_course(session, actor, course)
    size = PAGE * min(max(1, wish.page), MOST_PAGES)
    found = written(session, own.id, wish, limit=size + 1, kinds=(QuestionKind.TEXT,))
    sheets = select(func.count()).select_from(FeedbackSheet).outerjoin(Lesson, OF_LESSON)
    return Results(
        course=own.public_id,
        title=own.title,
        sheets=session.scalar(sheets.where(*_of_lesson(own.id, wish))) or 0,
        lessons=_lessons(session, own.id),
        questions=_questions(session, own.id),
        charts=_charts(session, own.id, wish),
        words=found[:size],
        has_more=len(found) > size,
    )


def written(
    session: Session,
    course_id: int,
    wish: Wish,
    *,
    limit: int,
    kinds: Sequence[QuestionKind] = tuple(QuestionKind),
) -> tuple[Words, ...]:
    """Answers one by one, the newest week first."""
    rows = session.execute(
        select(FeedbackAnswer.public_id, FeedbackQuestion.prompt, Lesson.title, User.name)
        .add_columns(FeedbackSheet.is_anonymous, WEEK)
        .add_columns(FeedbackAnswer.number, FeedbackAnswer.text)
        .select_from(FeedbackAnswer)
        .join(FeedbackSheet, FeedbackSheet.id == FeedbackAnswer.sheet_id)
        .join(FeedbackQuestion, FeedbackQuestion.id == FeedbackAnswer.question_id)
        .outerjoin(Lesson, OF_LESSON)
        .outerjoin(User, User.id == FeedbackSheet.student_id)
        .where(*_of_lesson(course_id, wish), _of_question(wish), FeedbackQuestion.kind.in_(kinds))
        .order_by(WEEK.desc(), FeedbackAnswer.public_id)
        .limit(limit)
    )
    return tuple(_words(row) for row in rows)


def for_analysis(session: Session, course_id: int) -> list[AnswerWords]:
    """Every answer of a course; rights are the caller's to read."""
    rows = session.execute(
        select(FeedbackAnswer.public_id, Lesson.public_id, Lesson.title, FeedbackQuestion.prompt)
        .add_columns(FeedbackQuestion.kind, FeedbackAnswer.number, FeedbackAnswer.text)
        .select_from(FeedbackAnswer)
        .join(FeedbackSheet, FeedbackSheet.id == FeedbackAnswer.sheet_id)
        .join(FeedbackQuestion, FeedbackQuestion.id == FeedbackAnswer.question_id)
        .outerjoin(Lesson, OF_LESSON)
        .where(FeedbackSheet.course_id == course_id)
        .order_by(FeedbackAnswer.public_id)
    )
    return [AnswerWords(*row) for row in rows]


def writers_of(session: Session, course_id: int, ids: Sequence[str]) -> list[int]:
    """Who wrote these reviews and answers, also those who are anonymous to the instructor.

    For letters alone: nobody but LUMA may learn it.
    """
    answers = (
        select(FeedbackSheet.student_id)
        .join(FeedbackAnswer, FeedbackAnswer.sheet_id == FeedbackSheet.id)
        .where(FeedbackSheet.course_id == course_id, FeedbackAnswer.public_id.in_(ids))
        .where(FeedbackSheet.student_id.is_not(None))
    )
    reviews = select(Review.student_id).where(
        Review.course_id == course_id, Review.public_id.in_(ids), Review.student_id.is_not(None)
    )
    writers = session.scalars(union(answers, reviews))
    return sorted(writer for writer in writers if writer is not None)


OF_LESSON = Lesson.id == FeedbackSheet.lesson_id


def _of_lesson(course_id: int, wish: Wish) -> list[ColumnElement[bool]]:
    here = [FeedbackSheet.course_id == course_id]
    if wish.lesson == WHOLE:
        return [*here, FeedbackSheet.lesson_id.is_(None)]
    return [*here, Lesson.public_id == texts.key(wish.lesson)] if wish.lesson else here


def _of_question(wish: Wish) -> ColumnElement[bool]:
    return FeedbackQuestion.public_id == texts.key(wish.question) if wish.question else true()


def _lessons(session: Session, course_id: int) -> tuple[Choice, ...]:
    """Those of which somebody has said something, in the order of the course."""
    rows = session.execute(
        select(Lesson.public_id, Lesson.title)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(
            Chapter.course_id == course_id,
            Lesson.id.in_(select(FeedbackSheet.lesson_id)),
        )
        .order_by(Chapter.position, Lesson.position, Lesson.id)
    )
    return tuple(Choice(*row) for row in rows)


def _questions(session: Session, course_id: int) -> tuple[Choice, ...]:
    """Those that are asked, and of the others those that were answered."""
    answered = select(FeedbackAnswer.question_id)
    rows = session.execute(
        select(FeedbackQuestion.public_id, FeedbackQuestion.prompt, _RETIRED)
        .where(
            FeedbackQuestion.course_id == course_id,
            FeedbackQuestion.position.is_not(None) | FeedbackQuestion.id.in_(answered),
        )
        .order_by(*_IN_ORDER)
    )
    return tuple(Choice(*row) for row in rows)


_RETIRED = FeedbackQuestion.position.is_(None)
_IN_ORDER = (FeedbackQuestion.position.asc().nulls_last(), FeedbackQuestion.id)


def _charts(session: Session, course_id: int, wish: Wish) -> tuple[Chart, ...]:
    """Scales and choices. A question that nobody has answered here has no chart."""
    rows = session.execute(_counts(course_id, wish)).all()
    counted: dict[int, list[Any]] = {}
    for row in rows:
        counted.setdefault(row.id, []).append(row)
    return tuple(_chart(answers) for answers in counted.values())


def _counts(course_id: int, wish: Wish) -> Select[*tuple[Any, ...]]:
    return (
        select(FeedbackQuestion.id, FeedbackQuestion.public_id, FeedbackQuestion.prompt)
        .add_columns(FeedbackQuestion.kind, FeedbackQuestion.options, _RETIRED.label("retired"))
        .add_columns(FeedbackAnswer.number, FeedbackAnswer.text, func.count().label("times"))
        .select_from(FeedbackAnswer)
        .join(FeedbackSheet, FeedbackSheet.id == FeedbackAnswer.sheet_id)
        .join(FeedbackQuestion, FeedbackQuestion.id == FeedbackAnswer.question_id)
        .outerjoin(Lesson, OF_LESSON)
        .where(*_of_lesson(course_id, wish), _of_question(wish))
        .where(FeedbackQuestion.kind != QuestionKind.TEXT)
        .group_by(FeedbackQuestion.id, FeedbackAnswer.number, FeedbackAnswer.text)
        .order_by(*_IN_ORDER)
    )


def _chart(answers: Sequence[Any]) -> Chart:
    first = answers[0]
    times = {row.text or str(row.number): row.times for row in answers}
    labels = first.options or [str(number) for number in range(1, 6)]
    total = sum(times.values())
    return Chart(
        id=first.public_id,
        prompt=first.prompt,
        is_retired=first.retired,
        average=_average(answers) if first.kind is QuestionKind.SCALE else "",
        bars=tuple(_bar(one, times.get(one, 0), total) for one in labels),
    )


def _bar(words: str, count: int, total: int) -> Bar:
    return Bar(words, count, 100 * count // (total or 1))


def _average(answers: Iterable[Any]) -> str:
    given = [(row.number, row.times) for row in answers]
    return ratings.of(
        sum(number * times for number, times in given), sum(times for _, times in given)
    ).average


def _words(row: Any) -> Words:
    answer, question, lesson, name, is_anonymous, week, number, text = row
    return Words(
        id=answer,
        question=question,
        lesson=lesson or "",
        writer=ANONYMOUS if is_anonymous else name or FORMER,
        week=week,
        text=text or str(number),
    )
