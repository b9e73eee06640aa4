"""Students who say something about a course."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.feedback import FeedbackAnswer, FeedbackQuestion, FeedbackSheet
from luma.models.review import Review
from luma.models.user import User
from luma.services import clock, ratings, reviews
from luma.services.feedback import form
from luma.values import QuestionKind
from tests.factories import actor, enrol, make_user


def make_student(session: Session, course: Course, name: str = "Bea Maria Lund") -> User:
    student = make_user(session, name)
    enrol(session, student, course)
    return student


def review(session: Session, course: Course, student: User, stars: int, text: str) -> str:
    """Its public id."""
    reviews.write(session, actor(student), course.slug, stars, text)
    session.flush()
    ratings.recount(session, course.id)
    found = select(Review.public_id).where(
        Review.course_id == course.id, Review.student_id == student.id
    )
    return session.scalars(found).one()


def answer(
    session: Session, course: Course, student: User, lesson_id: int | None, *said: int | str
) -> list[str]:
    """Numbers to the course's scales and words to its text questions, in their order."""
    form.rows(session, course.id)
    sheet = FeedbackSheet(
        course_id=course.id,
        lesson_id=lesson_id,
        student_id=student.id,
        is_anonymous=True,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    session.add(sheet)
    session.flush()
    made = [_answer(session, course, sheet, index, one) for index, one in enumerate(said)]
    session.add_all(made)
    session.flush()
    return [one.public_id for one in made]


def _answer(
    session: Session, course: Course, sheet: FeedbackSheet, index: int, said: int | str
) -> FeedbackAnswer:
    kind = QuestionKind.SCALE if isinstance(said, int) else QuestionKind.TEXT
    questions = session.scalars(
        select(FeedbackQuestion.id)
        .where(FeedbackQuestion.course_id == course.id, FeedbackQuestion.kind == kind)
        .order_by(FeedbackQuestion.position)
    ).all()
    question = questions[index % len(questions)]
    if isinstance(said, int):
        return FeedbackAnswer(sheet_id=sheet.id, question_id=question, number=said)
    return FeedbackAnswer(sheet_id=sheet.id, question_id=question, text=said)
