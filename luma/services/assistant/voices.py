"""What the students of a course say, in reviews and in feedback, side by side and without names."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import ratings, review_wall
from luma.services.feedback import results
from luma.services.feedback.results import AnswerWords
from luma.values import QuestionKind

REVIEW = "Review of the course"


@dataclass(frozen=True, slots=True)
class Voice:
    """One thing somebody wrote. `lesson` is None where it is about the whole course."""

    id: str
    lesson: str | None
    lesson_title: str
    question: str
    stars: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What one scale says of one lesson, or of the course."""

    lesson: str | None
    lesson_title: str
    question: str
    average: str
    answers: int


@dataclass(frozen=True, slots=True)
class Heard:
    voices: tuple[Voice, ...]
    figures: tuple[Figure, ...]
    """The lowest average first."""

    @property
    def lessons(self) -> dict[str, str]:
        """Titles by id, of the lessons of which anything is said."""
        said: list[Figure | Voice] = [*self.figures, *self.voices]
        return {one.lesson: one.lesson_title for one in said if one.lesson is not None}


def heard(session: Session, course: Course) -> Heard:
    answers = results.for_analysis(session, course.id)
    reviews = review_wall.for_analysis(session, course.id)
    written = [
        Voice(one.id, one.lesson_id, one.lesson or "", one.question, None, one.text)
        for one in answers
        if one.kind is QuestionKind.TEXT and one.text.strip()
    ]
    said = [
        Voice(one.id, None, "", REVIEW, one.stars, one.text) for one in reviews if one.text.strip()
    ]
    return Heard((*said, *written), _figures(answers))


def people_of(session: Session, course: Course) -> list[str]:
    """Names that may stand in what is said: of everybody who was ever enrolled, and who teaches."""
    students = select(Enrolment.student_id).where(Enrolment.course_id == course.id)
    named = select(User.name).where(User.id.in_(students) | (User.id == course.instructor_id))
    return list(session.scalars(named))


def _figures(answers: Sequence[AnswerWords]) -> tuple[Figure, ...]:
    scales: dict[tuple[str | None, str, str], list[int]] = {}
    for one in answers:
        if one.kind is QuestionKind.SCALE and one.number is not None:
            place = (one.lesson_id, one.lesson or "", one.question)
            scales.setdefault(place, []).append(one.number)
    worst_first = sorted(scales.items(), key=lambda item: 1000 * sum(item[1]) // len(item[1]))
    return tuple(
        Figure(*place, ratings.of(sum(numbers), len(numbers)).average, len(numbers))
        for place, numbers in worst_first
    )
