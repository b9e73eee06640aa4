"""The demo school is whole, and loaded once."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course, Lesson
from luma.models.progress import Enrolment, LessonProgress
from luma.models.review import Review
from luma.models.user import User, UserRole
from luma.services import demo, passwords
from luma.values import CourseStatus, Role
from tests.factories import make_user

PUBLIC = frozenset(
    [
        "aircAruvnKk",
        "IHZwWFHWa-w",
        "Ilg3gGewQ5U",
        "tIeHLnjs5U8",
        "fNk_zzaMoSs",
        "k7RM-ot2NWY",
        "kYB8IZa5AuE",
        "WUvTyaaNkzM",
        "spUNpyF58BY",
        "zjkBMFhNj_g",
        "VMj-3S1tku0",
        "kCc8FmEb1nY",
        "rfscVS0vtbw",
        "HXV3zeQKqGY",
        "_uQrJ0TkZlc",
        "8JJ101D3knE",
        "pTFZFxd4hOI",
        "W6NZfCO5SIk",
        "qz0aGYrrlhU",
        "iG9CE55wbtY",
        "arj7oStGLkU",
        "Ks-_Mh1QhMc",
        "M7lc1UVf-VE",
    ]
)
"""Videos that their channels have published; an invented id would be a dead lesson."""


@pytest.fixture(autouse=True)
def _quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hashed", lambda _password: "argon2-of-the-demo-password")


def test_the_demo_school_has_what_a_visitor_should_see(session: Session) -> None:
    assert demo.load(session)

    courses = session.scalars(select(Course)).all()
    teachers = session.scalars(select(UserRole).where(UserRole.role == Role.INSTRUCTOR)).all()
    counted = select(Course.slug, func.count(Lesson.id)).join(Course.chapters).join(Lesson)
    lessons = {row[0]: row[1] for row in session.execute(counted.group_by(Course.slug))}
    assert len(courses) == 6
    assert len({course.subject for course in courses}) == 3
    assert {course.price.currency for course in courses} == {"usd", "eur"}
    assert {course.price.minor == 0 for course in courses} == {True, False}
    assert [c.title for c in courses if c.status is CourseStatus.DRAFT] == ["Calculus without fear"]
    assert len(teachers) == 3
    assert lessons["the-web-developers-toolbox"] == 60
    assert session.scalar(select(func.count()).select_from(Enrolment)) == len(demo.LEARNING)
    assert len(session.scalars(select(LessonProgress.id)).all()) > 20


def test_a_school_that_is_not_empty_is_left_alone(session: Session) -> None:
    make_user(session)

    assert not demo.load(session)

    assert session.scalar(select(func.count()).select_from(User)) == 1


def test_everyone_who_bought_something_has_a_paid_order(session: Session) -> None:
    demo.load(session)

    active = session.scalars(select(Enrolment.active)).all()

    assert active
    assert all(active)


def test_only_videos_that_exist_are_used(session: Session) -> None:
    demo.load(session)

    used = set(session.scalars(select(Lesson.video_id).where(Lesson.video_id.is_not(None))))

    assert used
    assert used <= PUBLIC


def test_no_two_lessons_of_the_long_course_show_the_same_minute(session: Session) -> None:
    demo.load(session)

    starts = session.execute(
        select(Lesson.video_id, Lesson.video_start)
        .join(Lesson.chapter)
        .join(Course, Course.slug == "the-web-developers-toolbox")
        .where(Lesson.chapter.has(course_id=Course.id))
    ).all()

    assert len(starts) == len(set(starts)) == 60


def test_what_students_say_in_the_demo_is_what_the_services_would_allow(session: Session) -> None:
    demo.load(session)

    learn = {
        (student_id, course_id)
        for student_id, course_id in session.execute(
            select(Enrolment.student_id, Enrolment.course_id)
        )
    }
    said = session.scalars(select(Review)).all()
    assert said
    assert all((review.student_id, review.course_id) in learn for review in said)
    for course in session.scalars(select(Course)):
        stars = [review.stars for review in said if review.course_id == course.id]
        assert (course.rating_sum, course.rating_count) == (sum(stars), len(stars))
