"""A course with somebody in it, for the tests of the classroom."""

from sqlalchemy.orm import Session

from luma.models.course import Course, Lesson
from luma.models.user import User
from tests.factories import enrol, make_course, make_user


def learning_course(session: Session, *titles: str) -> tuple[Course, User]:
    """A published course and Anna, who is enrolled in it."""
    course = make_course(session, lessons=titles or ("Flour", "Water"), published=True)
    anna = make_user(session)
    enrol(session, anna, course)
    return course, anna


def lessons_of(course: Course) -> list[Lesson]:
    return [lesson for chapter in course.chapters for lesson in chapter.lessons]
