"""What people see of a course in the classroom, on PostgreSQL."""

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound
from luma.models.course import Chapter, Course, Lesson
from luma.models.order import Order
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import User
from luma.services import clock, learning
from luma.services.learning import LockedLesson, OpenLesson
from luma.services.learning_door import Standing
from luma.services.learning_reports import Report
from luma.services.policies import Actor
from luma.values import LessonStatus, Money, OrderStatus
from tests.factories import actor, make_course, make_published, make_user
from tests.services.learners import learning_course, lessons_of


def test_a_student_sees_the_whole_course_with_the_lesson_open(session: Session) -> None:
    course, anna = learning_course(session)
    _, water = lessons_of(course)

    room = learning.classroom(session, actor(anna), course.slug, water.public_id)

    assert room.standing is Standing.ENROLLED
    assert [(c.title, [line.title for line in c.lessons]) for c in room.chapters] == [
        ("Start", ["Flour", "Water"])
    ]
    assert isinstance(room.lesson, OpenLesson)
    assert (room.lesson.title, room.lesson.video_id) == ("Water", "M7lc1UVf-VE")
    assert (room.progress.done, room.progress.total) == (0, 2)


def test_the_outline_is_one_statement_whatever_its_size(session: Session) -> None:
    course, anna = learning_course(session)
    lesson = lessons_of(course)[0]
    learning.open_lesson(session, actor(anna), lesson.public_id)
    few = _statements(session, actor(anna), course.slug, lesson.public_id)
    for number in range(1, 40):
        course.chapters.append(_chapter(f"Chapter {number}", number, lessons=10))
    session.flush()

    many = _statements(session, actor(anna), course.slug, lesson.public_id)

    assert few == many == 2


def test_draft_and_deleted_lessons_are_neither_shown_nor_counted(session: Session) -> None:
    course, anna = learning_course(session, "Flour", "Water", "Salt")
    flour, water, salt = lessons_of(course)
    learning.complete_lesson(session, actor(anna), water.public_id)
    water.hide(clock.now())
    salt.deleted_at, salt.position = clock.now(), None
    session.flush()

    room = learning.classroom(session, actor(anna), course.slug, flour.public_id)

    assert [line.title for chapter in room.chapters for line in chapter.lessons] == ["Flour"]
    assert (room.progress.done, room.progress.total) == (0, 1)
    for gone in (water, salt):
        with pytest.raises(NotFound, match="no such lesson"):
            learning.open_lesson(session, actor(anna), gone.public_id)


def test_a_locked_lesson_says_why_and_keeps_its_video_to_itself(session: Session) -> None:
    course = make_published(session)
    lesson = lessons_of(course)[0]

    room = learning.classroom(session, actor(make_user(session)), course.slug, lesson.public_id)

    assert room.standing is Standing.VISITOR
    assert isinstance(room.lesson, LockedLesson)
    assert room.lesson.way_in == "Buy for $49"
    assert "M7lc1UVf-VE" not in repr(room)


def test_a_free_course_offers_to_enrol(session: Session) -> None:
    course = make_course(session, price=Money(0, "usd"), published=True)

    lesson = learning.open_lesson(
        session, actor(make_user(session)), lessons_of(course)[0].public_id
    )

    assert isinstance(lesson, LockedLesson)
    assert lesson.way_in == "Enrol free"


def test_who_has_paid_is_told_that_the_money_is_on_its_way(session: Session) -> None:
    course, ben = make_published(session), make_user(session)
    _order(session, ben, course, OrderStatus.PENDING)

    lesson = learning.open_lesson(session, actor(ben), lessons_of(course)[0].public_id)

    assert isinstance(lesson, LockedLesson)
    assert "on its way" in lesson.reason


def test_anyone_signed_in_watches_a_free_preview(session: Session) -> None:
    course = make_published(session)
    flour, _ = lessons_of(course)
    flour.is_preview = True
    session.flush()

    room = learning.classroom(session, actor(make_user(session)), course.slug, flour.public_id)

    assert isinstance(room.lesson, OpenLesson)
    assert [line.is_open for line in room.chapters[0].lessons] == [True, False]


def test_an_ended_enrolment_locks_the_course_again(session: Session) -> None:
    course, anna = learning_course(session)
    _enrolment(session, anna, course).active = False
    session.flush()

    lesson = learning.open_lesson(session, actor(anna), lessons_of(course)[0].public_id)

    assert isinstance(lesson, LockedLesson)


def test_an_unpublished_course_stays_open_to_its_students_only(session: Session) -> None:
    course, anna = learning_course(session)
    course.unpublish(clock.now())
    session.flush()
    lesson = lessons_of(course)[0]

    seen = learning.open_lesson(session, actor(anna), lesson.public_id)

    assert isinstance(seen, OpenLesson)
    with pytest.raises(NotFound):
        learning.open_lesson(session, actor(make_user(session)), lesson.public_id)
    with pytest.raises(NotFound):
        learning.classroom(session, actor(make_user(session)), course.slug, None)


def test_a_deleted_course_is_gone_for_everyone(session: Session) -> None:
    course, anna = learning_course(session)
    course.unpublish(clock.now())
    course.delete(clock.now())
    session.flush()

    for who in (anna, course.instructor):
        with pytest.raises(NotFound):
            learning.classroom(session, actor(who), course.slug, None)
        with pytest.raises(NotFound):
            learning.open_lesson(session, actor(who), lessons_of(course)[0].public_id)


def test_the_instructor_sees_drafts_and_leaves_no_trace(session: Session) -> None:
    course = make_published(session)
    flour, _ = lessons_of(course)
    flour.hide(clock.now())
    session.flush()
    ines = actor(course.instructor)

    room = learning.classroom(session, ines, course.slug, flour.public_id)

    assert room.standing is Standing.TEACHES
    assert [line.is_draft for line in room.chapters[0].lessons] == [True, False]
    for act in (learning.complete_lesson, learning.take_back):
        with pytest.raises(NotAllowed, match="preview"):
            act(session, ines, flour.public_id)
    with pytest.raises(NotAllowed, match="preview"):
        learning.note_position(session, ines, flour.public_id, Report.read(5, [], 0, 0))
    assert session.scalars(select(LessonProgress)).all() == []


def test_only_the_course_of_the_address_opens(session: Session) -> None:
    course, anna = learning_course(session)
    other = make_published(session, "Butter")

    with pytest.raises(NotFound):
        learning.classroom(session, actor(anna), other.slug, lessons_of(course)[0].public_id)


@pytest.mark.parametrize(
    "bad",
    ["", "les_", "les_\0", "\0", "../x", "les_" + "a" * 99, 7, 2**63, None, ["les_a"], "\ud800"],
)
def test_a_lesson_id_of_any_kind_gets_a_sentence(session: Session, bad: object) -> None:
    anna = actor(make_user(session))

    for act in (learning.open_lesson, learning.complete_lesson, learning.take_back):
        with pytest.raises(NotFound):
            act(session, anna, bad)
    with pytest.raises(NotFound):
        learning.classroom(session, anna, bad, None)


def _chapter(title: str, position: int, lessons: int) -> Chapter:
    return Chapter(
        title=title,
        position=position,
        lessons=[
            Lesson(
                title=f"Lesson {number}",
                position=number,
                status=LessonStatus.LIVE,
                updated_at=clock.now(),
            )
            for number in range(lessons)
        ],
    )


def _enrolment(session: Session, student: User, course: Course) -> Enrolment:
    return session.scalars(
        select(Enrolment).where(
            Enrolment.student_id == student.id, Enrolment.course_id == course.id
        )
    ).one()


def _order(session: Session, buyer: User, course: Course, status: OrderStatus) -> None:
    session.add(
        Order(
            buyer_id=buyer.id,
            course_id=course.id,
            price=course.price,
            fee_bps=1000,
            refund_days=14,
            gateway="sandbox",
            status=status,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
    )
    session.flush()


def _statements(session: Session, who: Actor, slug: str, lesson: str) -> int:
    seen: list[str] = []
    connection = session.connection()
    count = lambda *said: seen.append(said[2])  # noqa: E731
    event.listen(connection, "before_cursor_execute", count)
    learning.classroom(session, who, slug, lesson)
    event.remove(connection, "before_cursor_execute", count)
    return len(seen)
