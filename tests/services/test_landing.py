import pytest
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Chapter, Course, Lesson
from luma.models.progress import LessonProgress
from luma.models.user import User
from luma.services import clock, landing
from luma.services.landing_doors import Buy, Continue, Door, Pending, Teach
from luma.values import LessonStatus, OrderStatus
from tests.factories import enrol, make_course, make_published, make_user
from tests.selling import make_order

GONE = "There is no such course"


def door(session: Session, course: Course, viewer: User | None) -> Door:
    return landing.course_page(session, course.slug, viewer.id if viewer else None)[1]


def test_the_outline_has_live_lessons_in_order(session: Session) -> None:
    course = make_published(session)
    now = clock.now()
    course.chapters.append(
        Chapter(
            title="Later",
            position=1,
            lessons=[
                Lesson(title="Crust", position=1, status=LessonStatus.LIVE, updated_at=now),
                Lesson(title="Crumb", position=0, status=LessonStatus.LIVE, updated_at=now),
                Lesson(title="Draft", position=2, updated_at=now),
            ],
        )
    )
    course.chapters.append(Chapter(title="Empty", position=2))
    session.flush()

    page, _ = landing.course_page(session, course.slug)

    assert [(c.title, [lesson.title for lesson in c.lessons]) for c in page.chapters] == [
        ("Start", ["Flour", "Water"]),
        ("Later", ["Crumb", "Crust"]),
    ]
    assert (page.lessons, page.seconds) == (4, 1200)


def test_only_free_previews_give_their_video_away(session: Session) -> None:
    course = make_published(session)
    flour, water = course.chapters[0].lessons
    flour.is_preview = True
    water.video_id = "aircAruvnKk"
    session.flush()

    page, _ = landing.course_page(session, course.slug)

    assert [lesson.video_id for lesson in page.all_lessons] == ["M7lc1UVf-VE", None]
    assert "aircAruvnKk" not in repr(page)


def test_a_draft_preview_is_not_shown(session: Session) -> None:
    course = make_published(session)
    flour = course.chapters[0].lessons[0]
    flour.is_preview = True
    flour.hide(clock.now())
    session.flush()

    page, _ = landing.course_page(session, course.slug)

    assert page.previews == []


def test_a_visitor_may_buy(session: Session) -> None:
    course = make_published(session)

    assert door(session, course, None) == Buy()
    assert door(session, course, make_user(session)) == Buy()


def test_the_instructor_may_edit(session: Session) -> None:
    course = make_published(session)

    assert door(session, course, course.instructor) == Teach()


def test_a_new_student_starts_at_the_first_lesson(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    enrol(session, student, course)
    first = course.chapters[0].lessons[0]

    assert door(session, course, student) == Continue(first.public_id, "Flour", 0, started=False)


@pytest.mark.parametrize(
    ("start", "lasts", "position"),
    [(0, 0, 760), (700, 300, 60), (0, 765, 0), (760, 300, 0)],
    ids=["whole", "part", "over", "not begun"],
)
def test_a_student_goes_on_where_they_left(
    session: Session, start: int, lasts: int, position: int
) -> None:
    course, student = make_published(session), make_user(session)
    water = course.chapters[0].lessons[1]
    water.video_start, water.duration = start, lasts
    enrol(session, student, course).last_lesson_id = water.id
    session.add(
        LessonProgress(
            student_id=student.id, lesson_id=water.id, position=760, updated_at=clock.now()
        )
    )
    session.flush()

    assert door(session, course, student) == Continue(
        water.public_id, "Water", position, started=True
    )


def test_a_lesson_that_was_taken_away_is_not_where_one_goes_on(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    flour, water = course.chapters[0].lessons
    enrol(session, student, course).last_lesson_id = water.id
    water.hide(clock.now())
    session.flush()

    assert door(session, course, student) == Continue(flour.public_id, "Flour", 0, started=False)


def test_a_payment_on_its_way_is_not_asked_for_again(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    pending = make_order(session, student, course, status=OrderStatus.PENDING)

    assert door(session, course, student) == Pending(pending.public_id)


def test_what_another_gateway_was_to_confirm_keeps_nobody_from_buying(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    make_order(session, student, course, status=OrderStatus.PENDING).gateway = "stripe"
    session.flush()

    assert door(session, course, student) == Buy()


def test_an_open_order_may_still_be_paid(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    make_order(session, student, course, status=OrderStatus.OPEN)

    assert door(session, course, student) == Buy()


def test_access_that_ended_may_be_bought_again(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    enrol(session, student, course).active = False
    session.flush()

    assert door(session, course, student) == Buy()


def test_a_draft_is_nobody_elses_business(session: Session) -> None:
    course = make_course(session)

    for viewer in (None, make_user(session)):
        with pytest.raises(NotFound, match=GONE):
            door(session, course, viewer)
    assert door(session, course, course.instructor) == Teach()


def test_who_bought_a_course_keeps_its_page(session: Session) -> None:
    course, student = make_published(session), make_user(session)
    enrol(session, student, course)
    course.unpublish(clock.now())
    session.flush()

    assert isinstance(door(session, course, student), Continue)


def test_a_deleted_course_is_gone_for_everybody(session: Session) -> None:
    course = make_course(session)
    course.delete(clock.now())
    session.flush()

    with pytest.raises(NotFound, match=GONE):
        door(session, course, course.instructor)


def test_the_promise_is_the_summary_or_the_first_words(session: Session) -> None:
    course = make_published(session)
    course.summary, course.description = "", "**Flour** and _water_ & time."
    session.flush()

    page, _ = landing.course_page(session, course.slug)

    assert page.promise == "Flour and water & time."
