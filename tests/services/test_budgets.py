"""What a page may ask of the database, however much there is in it. docs/performance.md."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.services import catalogue, landing, learning, learning_outline, outline
from luma.services.wishes import Wish
from tests.factories import actor, enrol, make_course, make_published, make_user


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """What is sent to the database inside of the block."""
    sent: list[str] = []
    connection: Connection = session.connection()

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    event.listen(connection, "before_cursor_execute", note)
    yield sent
    event.remove(connection, "before_cursor_execute", note)


def of_length(session: Session, lessons: int) -> Course:
    titles = tuple(f"Lesson {number}" for number in range(lessons))
    return make_course(session, lessons=titles, published=True)


@pytest.mark.parametrize("lessons", [6, 600])
def test_a_classroom_takes_three_statements_whatever_the_length_of_the_course(
    session: Session, lessons: int
) -> None:
    course, anna = of_length(session, lessons), make_user(session)
    enrol(session, anna, course)
    lesson = course.chapters[0].lessons[0].public_id

    with statements(session) as sent:
        learning.classroom(session, actor(anna), course.slug, lesson)

    assert len(sent) <= 3


@pytest.mark.parametrize("lessons", [6, 600])
def test_an_outline_in_the_studio_takes_two_statements_whatever_its_length(
    session: Session, lessons: int
) -> None:
    course = of_length(session, lessons)

    with statements(session) as sent:
        outline.tree(session, actor(course.instructor), course.public_id)

    assert len(sent) <= 2


@pytest.mark.parametrize("courses", [2, 40])
def test_the_catalogue_takes_two_statements_however_many_courses_there_are(
    session: Session, courses: int
) -> None:
    for number in range(courses):
        make_published(session, f"Course {number}")

    with statements(session) as sent:
        catalogue.shelf(session, Wish())

    assert len(sent) <= 2


@pytest.mark.parametrize("lessons", [6, 600])
def test_a_course_page_takes_two_statements_whatever_its_length(
    session: Session, lessons: int
) -> None:
    course = of_length(session, lessons)

    with statements(session) as sent:
        landing.course_page(session, course.slug)

    assert len(sent) <= 2


@pytest.mark.parametrize("courses", [1, 12])
def test_my_courses_take_two_statements_however_many_they_are(
    session: Session, courses: int
) -> None:
    anna = make_user(session)
    for _ in range(courses):
        enrol(session, anna, of_length(session, 3))

    with statements(session) as sent:
        learning_outline.my_courses(session, actor(anna))

    assert len(sent) <= 2
