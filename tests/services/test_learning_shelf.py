"""Where a student's courses go on."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Course
from luma.models.user import User
from luma.services import clock, learning, learning_outline
from luma.services.learning_reports import Report
from tests.factories import actor, enrol, make_course, make_published, make_user
from tests.services.learners import lessons_of


def test_a_new_course_begins_at_its_first_lesson(session: Session) -> None:
    _, anna = _learning(session)

    (mine,) = learning_outline.my_courses(session, actor(anna))

    assert mine.has_started is False
    assert mine.goes_on is not None
    assert (mine.goes_on.title, mine.goes_on.position) == ("Flour", 0)
    assert (mine.instructor, mine.seconds_left) == ("Ines Weber", 1800)


def test_a_course_goes_on_at_the_lesson_and_the_second(session: Session) -> None:
    course, anna = _learning(session)
    _, water, _ = lessons_of(course)

    learning.note_position(
        session, actor(anna), water.public_id, Report.read(252, [[0, 252]], 0, 0)
    )

    (mine,) = learning_outline.my_courses(session, actor(anna))
    assert mine.has_started
    assert mine.goes_on is not None
    assert (mine.goes_on.title, mine.goes_on.position) == ("Water", 252)


def test_in_a_part_of_a_long_video_seconds_count_from_where_the_lesson_begins(
    session: Session,
) -> None:
    course, anna = _learning(session)
    _, water, _ = lessons_of(course)
    water.video_start, water.duration = 780, 300

    learning.note_position(
        session, actor(anna), water.public_id, Report.read(812, [[780, 812]], 0, 0)
    )

    (mine,) = learning_outline.my_courses(session, actor(anna))
    assert mine.goes_on is not None
    assert (mine.goes_on.title, mine.goes_on.position) == ("Water", 32)


def test_after_a_finished_lesson_comes_the_next_unfinished_one(session: Session) -> None:
    course, anna = _learning(session)
    flour, water, salt = lessons_of(course)
    for lesson in (water, salt):
        learning.open_lesson(session, actor(anna), lesson.public_id)
        learning.complete_lesson(session, actor(anna), lesson.public_id)

    (mine,) = learning_outline.my_courses(session, actor(anna))

    assert mine.goes_on is not None
    assert mine.goes_on.lesson_id == flour.public_id
    assert (mine.progress.done, mine.progress.percent) == (2, 66)


def test_a_finished_course_stays_at_its_last_lesson(session: Session) -> None:
    course, anna = _learning(session)
    for lesson in lessons_of(course):
        learning.open_lesson(session, actor(anna), lesson.public_id)
        learning.complete_lesson(session, actor(anna), lesson.public_id)
    learning.note_position(session, actor(anna), lesson.public_id, Report.read(300, [], 0, 0))

    (mine,) = learning_outline.my_courses(session, actor(anna))

    assert mine.goes_on is not None
    assert (mine.goes_on.title, mine.goes_on.position) == ("Salt", 0)
    assert (mine.progress.percent, mine.seconds_left) == (100, 0)


def test_a_lesson_that_was_hidden_is_not_where_it_goes_on(session: Session) -> None:
    course, anna = _learning(session)
    _, water, _ = lessons_of(course)
    learning.open_lesson(session, actor(anna), water.public_id)
    water.hide(clock.now())
    session.flush()

    (mine,) = learning_outline.my_courses(session, actor(anna))

    assert mine.goes_on is not None
    assert mine.goes_on.title == "Flour"
    assert mine.progress.total == 2


def test_the_course_visited_last_comes_first_and_others_stay_away(session: Session) -> None:
    bread, anna = _learning(session)
    butter = make_published(session, "Butter")
    make_published(session, "Not mine")
    left = make_published(session, "Refunded")
    enrol(session, anna, butter)
    enrol(session, anna, left).active = False
    session.flush()
    learning.open_lesson(session, actor(anna), lessons_of(bread)[0].public_id)

    mine = learning_outline.my_courses(session, actor(anna))

    assert [course.title for course in mine] == ["Bread for beginners", "Butter"]


def test_a_course_without_lessons_says_so(session: Session) -> None:
    course = make_course(session, lessons=(), published=True)
    anna = make_user(session)
    enrol(session, anna, course)

    (mine,) = learning_outline.my_courses(session, actor(anna))

    assert mine.goes_on is None
    assert (mine.progress.percent, mine.progress.share) == (0, 0.0)
    with pytest.raises(NotFound, match="no lessons yet"):
        learning.classroom(session, actor(anna), course.slug, None)


def test_a_draft_course_is_unknown_to_strangers(session: Session) -> None:
    course = make_course(session)

    with pytest.raises(NotFound):
        learning_outline.continuation(session, actor(make_user(session)), course.slug)

    assert learning_outline.continuation(session, actor(course.instructor), course.slug)


def _learning(session: Session) -> tuple[Course, User]:
    course = make_course(session, lessons=("Flour", "Water", "Salt"), published=True)
    anna = make_user(session)
    enrol(session, anna, course).created_at = clock.now() - timedelta(days=1)
    session.flush()
    return course, anna
