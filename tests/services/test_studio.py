from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.services import clock, course_list, studio
from luma.services.studio import Clash, Saved, Sheet
from luma.values import CourseStatus, Money, OrderStatus, Subject
from tests.factories import actor, enrol, make_course, make_instructor, make_user


def save(session: Session, course: Course, **changes: object) -> Saved:
    me = actor(course.instructor)
    revision = studio.sheet(session, me, course.public_id).revision
    saved = studio.update(session, me, course.public_id, revision, changes)
    assert isinstance(saved, Saved)
    return saved


def syncs(session: Session) -> list[int]:
    """Courses whose product and price are about to be brought in step at the gateway."""
    jobs = "SELECT args->>'course_id' FROM procrastinate_jobs WHERE task_name = 'catalogue.sync'"
    return [int(found) for found in session.scalars(text(jobs))]


def test_a_course_begins_as_a_free_draft_with_an_address_made_of_its_name(
    session: Session,
) -> None:
    me = actor(make_instructor(session))

    course = studio.create(session, me, "  Crème brûlée ")

    sheet = studio.sheet(session, me, course)
    assert sheet.title == "Crème brûlée"
    assert sheet.slug == "creme-brulee"
    assert sheet.status is CourseStatus.DRAFT
    assert sheet.price == Money(0, "usd")


def test_a_student_begins_no_course(session: Session) -> None:
    with pytest.raises(NotAllowed, match="Only instructors"):
        studio.create(session, actor(make_user(session)), "Mine")


def test_a_course_is_described_and_read_back(session: Session) -> None:
    course = make_course(session)

    saved = save(
        session,
        course,
        title="Bread",
        summary="From flour to loaf.",
        description="You will **bake**.",
        subject="business",
        price="49.50",
        currency="eur",
    )

    assert saved.refused == {}
    assert saved.sheet.description_html == "<p>You will <strong>bake</strong>.</p>\n"
    assert saved.sheet.subject is Subject.BUSINESS
    assert saved.sheet.price == Money(4950, "eur")
    assert studio.sheet(session, actor(course.instructor), course.public_id) == saved.sheet


def test_the_address_follows_the_title_until_the_first_publication(session: Session) -> None:
    course = make_course(session)

    before = save(session, course, title="Rye").sheet.slug
    studio.publish(session, actor(course.instructor), course.public_id)
    after = save(session, course, title="Wheat").sheet.slug

    assert (before, after) == ("rye", "rye")


def test_courses_of_one_name_at_the_same_moment_have_addresses_of_their_own(
    fresh_database: str,
) -> None:
    with db.unit_of_work() as session:
        me = actor(make_instructor(session))

    def begin(_turn: int) -> None:
        with db.unit_of_work() as session:
            studio.create(session, me, "Bread")

    with ThreadPoolExecutor(6) as tabs:
        list(tabs.map(begin, range(12)))

    with db.unit_of_work() as session:
        assert len(set(session.scalars(select(Course.slug)))) == 12


def test_two_courses_of_one_name_have_two_addresses(session: Session) -> None:
    first, second = make_course(session), make_course(session)

    slugs = {save(session, course, title="Same name").sheet.slug for course in (first, second)}

    assert len(slugs) == 2


def test_a_described_course_is_found_by_its_new_words(session: Session) -> None:
    course = make_course(session)

    save(session, course, title="Sauerteig")

    found = "SELECT search @@ 'sauerteig'::tsquery FROM courses WHERE id = :id"
    assert session.scalar(text(found), {"id": course.id})


def test_a_change_made_on_an_old_revision_writes_nothing_and_shows_theirs(
    session: Session,
) -> None:
    course = make_course(session)
    save(session, course, title="Theirs")

    clash = studio.update(
        session, actor(course.instructor), course.public_id, 1, {"title": "Mine, too late"}
    )

    assert isinstance(clash, Clash)
    assert clash.theirs.title == "Theirs"


@pytest.mark.parametrize(
    ("price", "currency", "expected"),
    [
        ("0", "usd", Money(0, "usd")),
        ("19", "usd", Money(1900, "usd")),
        ("4900", "jpy", Money(4900, "jpy")),
        ("5.120", "kwd", Money(5120, "kwd")),
    ],
)
def test_prices_of_every_class_of_currency(
    session: Session, price: str, currency: str, expected: Money
) -> None:
    course = make_course(session)

    assert save(session, course, price=price, currency=currency).sheet.price == expected


def test_a_price_and_its_currency_are_taken_or_refused_together(session: Session) -> None:
    course = make_course(session, price=Money(4950, "usd"))

    alone = save(session, course, currency="jpy")
    bad = save(session, course, price="49.50", currency="jpy")
    good = save(session, course, price="4900", currency="jpy")

    assert alone.refused == {"currency": "JPY amounts have no decimals."}
    assert set(bad.refused) == {"price", "currency"}
    assert bad.sheet.price == Money(4950, "usd")
    assert good.sheet.price == Money(4900, "jpy")


BAD: tuple[Mapping[str, object], ...] = (
    {"title": ""},
    {"title": "a\0b"},
    {"title": "\ud800"},
    {"title": "\u202eabc"},
    {"title": "x" * 1_000_000},
    {"title": 7},
    {"summary": "x" * 201},
    {"description": "x" * 1_000_000},
    {"description": None},
    {"subject": "alchemy"},
    {"subject": ["craft"]},
    {"price": "0.10"},
    {"price": "-1"},
    {"price": "1,50"},
    {"price": "9" * 19},
    {"price": 2**63},
    {"price": "NaN"},
    {"currency": "xxx"},
    {"currency": 1},
    {"status": "published"},
    {"instructor_id": 1},
)


@pytest.mark.parametrize("changes", BAD)
def test_what_cannot_be_stored_is_refused_at_its_field(
    session: Session, changes: Mapping[str, object]
) -> None:
    course = make_course(session)
    me = actor(course.instructor)
    before = studio.sheet(session, me, course.public_id)

    saved = save(session, course, **changes)

    assert set(saved.refused) == set(changes)
    assert studio.sheet(session, me, course.public_id) == before


def test_publishing_opens_the_course_for_sale_and_tells_the_gateway(session: Session) -> None:
    course = make_course(session)

    studio.publish(session, actor(course.instructor), course.public_id)

    sheet = studio.sheet(session, actor(course.instructor), course.public_id)
    assert sheet.status is CourseStatus.PUBLISHED
    assert syncs(session) == [course.id]


def test_a_draft_tells_the_gateway_nothing(session: Session) -> None:
    course = make_course(session)

    save(session, course, price="12")

    assert syncs(session) == []


def test_several_changes_of_a_published_course_tell_the_gateway_once(session: Session) -> None:
    course = make_course(session, published=True)

    save(session, course, price="12")
    save(session, course, price="13")
    studio.unpublish(session, actor(course.instructor), course.public_id)

    assert syncs(session) == [course.id]


def test_the_checklist_names_what_is_missing_first(session: Session) -> None:
    me = actor(make_instructor(session))
    course = studio.create(session, me, "Bare")

    checks = studio.checklist(session, me, course)

    missing = [check.field for check in checks if not check.is_done]
    assert missing == ["summary", "description", "lesson"]
    assert [check.is_done for check in checks] == [False, False, False, True, True]


def test_a_course_with_something_missing_is_not_published(session: Session) -> None:
    course = make_course(session, lessons=())

    with pytest.raises(RuleBroken, match="Before you publish: make one lesson live"):
        studio.publish(session, actor(course.instructor), course.public_id)

    assert course.status is CourseStatus.DRAFT


def test_publishing_twice_is_refused(session: Session) -> None:
    course = make_course(session, published=True)

    with pytest.raises(RuleBroken, match="already published"):
        studio.publish(session, actor(course.instructor), course.public_id)


def test_students_keep_what_they_have_when_a_course_is_unpublished(session: Session) -> None:
    course = make_course(session, published=True)
    enrolment = enrol(session, make_user(session), course)

    studio.unpublish(session, actor(course.instructor), course.public_id)

    session.refresh(enrolment)
    assert enrolment.active


def test_a_deleted_course_is_gone_and_comes_back(session: Session) -> None:
    course = make_course(session)
    me = actor(course.instructor)

    studio.delete(session, me, course.public_id)
    with pytest.raises(NotFound):
        studio.sheet(session, me, course.public_id)
    assert course_list.mine(session, me) == ()
    assert studio.deleted_title(session, me, course.public_id) == course.title
    studio.restore(session, me, course.public_id)

    assert [line.id for line in course_list.mine(session, me)] == [course.public_id]


@pytest.mark.parametrize("wrong", ["", "crs_\0", "crs_nothere", "x" * 10_000])
def test_what_was_never_deleted_does_not_come_back(session: Session, wrong: str) -> None:
    me = actor(make_instructor(session))

    with pytest.raises(NotFound):
        studio.restore(session, me, wrong)


def test_a_course_with_students_is_not_deleted(session: Session) -> None:
    course = make_course(session)
    enrol(session, make_user(session), course)

    with pytest.raises(RuleBroken, match="has students"):
        studio.delete(session, actor(course.instructor), course.public_id)


def test_a_course_on_sale_is_not_deleted(session: Session) -> None:
    course = make_course(session, published=True)

    with pytest.raises(RuleBroken, match="Unpublish this course"):
        studio.delete(session, actor(course.instructor), course.public_id)


def test_another_instructors_course_is_neither_seen_nor_changed(session: Session) -> None:
    theirs = make_course(session).public_id
    stranger = actor(make_instructor(session, "Mallory"))

    for attempt in (
        lambda: studio.sheet(session, stranger, theirs),
        lambda: studio.update(session, stranger, theirs, 1, {"title": "Mine"}),
        lambda: studio.checklist(session, stranger, theirs),
        lambda: studio.publish(session, stranger, theirs),
        lambda: studio.unpublish(session, stranger, theirs),
        lambda: studio.delete(session, stranger, theirs),
        lambda: studio.restore(session, stranger, theirs),
        lambda: studio.deleted_title(session, stranger, theirs),
    ):
        with pytest.raises(NotFound):
            attempt()

    assert course_list.mine(session, stranger) == ()


def test_my_courses_show_students_revenue_and_lessons_last_edited_first(session: Session) -> None:
    older = make_course(session, "Older", lessons=("One", "Two"), price=Money(4900, "usd"))
    newer = make_course(session, "Newer", instructor=older.instructor, lessons=())
    for _ in range(2):
        student = make_user(session)
        enrol(session, student, older)
        pay(session, student.id, older, Money(4900, "usd"))
    pay(session, student.id, newer, Money(1000, "eur"), mismatch="amount")
    save(session, newer, title="Newest")

    lines = course_list.mine(session, actor(older.instructor))

    assert [line.title for line in lines] == ["Newest", "Older"]
    assert (lines[1].students, lines[1].lessons) == (2, 2)
    assert lines[1].revenue == (Money(9800, "usd"),)
    assert (lines[0].students, lines[0].lessons, lines[0].revenue) == (0, 0, ())


def pay(
    session: Session, buyer: int, course: Course, amount: Money, mismatch: str | None = None
) -> None:
    now = clock.now()
    order = Order(
        buyer_id=buyer,
        course_id=course.id,
        price=amount,
        fee_bps=1000,
        refund_days=14,
        gateway="sandbox",
        status=OrderStatus.PAID,
        created_at=now,
        updated_at=now,
        paid_at=now,
    )
    session.add(order)
    session.flush()
    session.add(
        Payment(
            order_id=order.id,
            session_id=f"cs_{order.id}",
            amount=amount,
            mismatch=mismatch,
            paid_at=now,
        )
    )
    session.flush()


def test_the_sheet_of_a_course_tells_whether_it_has_students(session: Session) -> None:
    course = make_course(session)

    def has_students() -> bool:
        sheet: Sheet = studio.sheet(session, actor(course.instructor), course.public_id)
        return sheet.has_students

    assert not has_students()
    enrol(session, make_user(session), course)
    assert has_students()
    assert session.scalars(select(Course.title).where(Course.id == course.id)).one()
