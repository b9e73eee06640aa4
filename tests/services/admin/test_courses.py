"""Courses as an admin sees them: hidden with a reason, shown again, kept by who bought them."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import LumaError, NotAllowed, NotFound, RuleBroken
from luma.models.audit import AuditEntry
from luma.models.course import Course
from luma.models.letter import Letter
from luma.services import (
    accounts,
    catalogue,
    course_list,
    landing,
    learning_outline,
    outline,
    policies,
    studio,
)
from luma.services.accounts import Visit
from luma.services.admin import courses
from luma.services.money import checkout
from luma.services.policies import Actor
from luma.services.wishes import Wish
from luma.values import CourseStatus, Money, Role
from tests.bad_values import BAD_JSON
from tests.factories import (
    actor,
    enrol,
    fresh,
    make_course,
    make_instructor,
    make_published,
    make_user,
)

WHY = "Lesson 2 is not yours to show."
Deed = Callable[[Session, Actor, object], object]
DEEDS: dict[str, Deed] = {
    "hide": lambda session, by, course: courses.hide(session, by, course, WHY),
    "unhide": courses.unhide,
}


def acts(session: Session) -> list[str]:
    session.flush()
    return list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_only_admins_do_it(session: Session, deed: Deed) -> None:
    course = make_published(session)

    for somebody in (make_user(session), course.instructor, make_instructor(session)):
        with pytest.raises(NotAllowed):
            deed(session, fresh(somebody), course.public_id)
    with pytest.raises(NotAllowed):
        courses.found(session, fresh(course.instructor), "", "all", 5)

    assert course.status is CourseStatus.PUBLISHED


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
@pytest.mark.parametrize("course", BAD_JSON)
def test_what_is_no_course_is_not_found(
    session: Session, admin: Actor, deed: Deed, course: object
) -> None:
    with pytest.raises(NotFound):
        deed(session, admin, course)


def test_a_hidden_course_is_nowhere_on_sale(session: Session, admin: Actor) -> None:
    course = make_published(session)
    student = make_user(session)
    token = accounts.open_session(session, student.id, Visit("192.0.2.1", "Firefox"))

    courses.hide(session, admin, course.public_id, WHY)
    session.flush()

    assert catalogue.shelf(session, Wish()).cards == ()
    with pytest.raises(NotFound):
        landing.course_page(session, course.slug, student.id)
    with pytest.raises(LumaError):
        checkout.start(accounts.key_of(token), course.slug)


def test_who_bought_a_hidden_course_keeps_it(session: Session, admin: Actor) -> None:
    course, student = make_published(session), make_user(session)
    enrol(session, student, course)

    courses.hide(session, admin, course.public_id, WHY)
    session.flush()

    (kept,) = learning_outline.my_courses(session, actor(student))
    assert kept.title == course.title
    assert policies.may_learn(session, actor(student), course)


def test_the_instructor_is_told_why(session: Session, admin: Actor) -> None:
    course = make_published(session)
    me = actor(course.instructor)

    courses.hide(session, admin, course.public_id, f"  {WHY} ")
    session.flush()

    assert course_list.mine(session, me)[0].hidden_reason == WHY
    assert studio.sheet(session, me, course.public_id).hidden_reason == WHY
    with pytest.raises(RuleBroken, match=WHY):
        studio.publish(session, me, course.public_id)
    letter = session.scalars(select(Letter).where(Letter.user_id == course.instructor_id)).one()
    assert WHY in letter.text
    assert letter.button_path == f"/studio/{course.public_id}"


def test_what_was_on_sale_is_on_sale_again(session: Session, admin: Actor) -> None:
    course = make_published(session)
    courses.hide(session, admin, course.public_id, WHY)

    on_sale = courses.unhide(session, admin, course.public_id)
    session.flush()

    assert on_sale
    assert course.status is CourseStatus.PUBLISHED
    assert course.hidden_reason is None
    assert acts(session) == ["course.hide", "course.unhide"]


def test_a_draft_is_hidden_too_and_stays_a_draft(session: Session, admin: Actor) -> None:
    course = make_course(session)
    courses.hide(session, admin, course.public_id, WHY)
    session.flush()

    assert not courses.unhide(session, admin, course.public_id)
    assert course.status is CourseStatus.DRAFT
    studio.publish(session, actor(course.instructor), course.public_id)


def test_an_emptied_course_is_left_to_its_instructor(session: Session, admin: Actor) -> None:
    course = make_course(session, lessons=("Flour",), published=True)
    courses.hide(session, admin, course.public_id, WHY)
    session.flush()
    lesson = course.chapters[0].lessons[0]
    outline.remove_lesson(session, actor(course.instructor), course.public_id, lesson.public_id)

    assert not courses.unhide(session, admin, course.public_id)
    assert course.status is CourseStatus.DRAFT


def test_a_better_reason_replaces_the_first(session: Session, admin: Actor) -> None:
    course = make_published(session)

    for reason in (WHY, WHY, "Lesson 3, to be exact."):
        courses.hide(session, admin, course.public_id, reason)
    courses.unhide(session, admin, course.public_id)

    assert course.status is CourseStatus.PUBLISHED
    assert acts(session) == ["course.hide", "course.hide", "course.unhide"]


def test_showing_what_is_not_hidden_changes_nothing(session: Session, admin: Actor) -> None:
    course = make_course(session)

    courses.unhide(session, admin, course.public_id)

    assert acts(session) == []


def test_the_gateway_hears_of_it(session: Session, admin: Actor) -> None:
    course = make_published(session)

    courses.hide(session, admin, course.public_id, WHY)
    session.flush()

    jobs = "SELECT args->>'course_id' FROM procrastinate_jobs WHERE task_name = 'catalogue.sync'"
    assert session.scalars(text(jobs)).all() == [str(course.id)]


@pytest.mark.parametrize("reason", BAD_JSON)
def test_a_reason_is_one_line_or_refused(session: Session, admin: Actor, reason: object) -> None:
    course = make_published(session)

    with suppress(LumaError):
        courses.hide(session, admin, course.public_id, reason)
    session.flush()

    assert bool(course.hidden_reason) is (course.hidden_at is not None)


def test_courses_are_found_by_title_and_instructor(session: Session, admin: Actor) -> None:
    olga = make_user(session, "Olga Petrov", email="olga@example.org", roles=(Role.INSTRUCTOR,))
    bread = make_course(session, "Bread", instructor=olga, price=Money(500, "eur"))
    rolls = make_course(session, "Rolls", published=True)

    def ids(words: object, only: courses.Only = "all") -> list[str]:
        return [row.id for row in courses.found(session, admin, words, only, 9).found]

    assert ids("REA") == ids("olga") == ids("olga@") == [bread.public_id]
    assert ids("", "published") == [rolls.public_id]
    assert ids("", "hidden") == []
    courses.hide(session, admin, bread.public_id, WHY)
    session.flush()
    assert ids("", "hidden") == [bread.public_id]


@pytest.mark.parametrize("words", BAD_JSON)
def test_a_search_is_answered_or_refused(session: Session, admin: Actor, words: object) -> None:
    with suppress(LumaError):
        courses.found(session, admin, words, "all", 5)


def test_the_database_knows_that_hidden_is_not_on_sale(session: Session, admin: Actor) -> None:
    course = make_published(session)
    courses.hide(session, admin, course.public_id, WHY)
    session.flush()

    assert session.scalar(select(Course.hidden_on_sale)) is True
    with pytest.raises(Exception, match="hidden_not_on_sale"):
        session.execute(text("UPDATE courses SET status = 'published'"))
