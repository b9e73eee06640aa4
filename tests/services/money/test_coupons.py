"""Making coupons: sensible ones are made, everything else is refused in words."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.errors import LumaError, NotAllowed, NotFound, RuleBroken
from luma.models.audit import AuditEntry
from luma.models.coupon import Coupon
from luma.models.course import Course
from luma.services import clock
from luma.services.money import coupons
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import Money, Role
from tests.bad_values import BAD_JSON
from tests.coupons import make_coupon
from tests.factories import actor, make_course, make_instructor, make_published, make_user


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def teacher(course: Course) -> Actor:
    return actor(course.instructor)


@pytest.fixture
def admin(session: Session) -> Actor:
    return actor(make_user(session, roles=(Role.ADMIN,)))


def made(session: Session) -> Coupon:
    session.flush()
    session.expire_all()
    return session.scalars(select(Coupon).order_by(Coupon.id.desc()).limit(1)).one()


def after(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def test_a_coupon_says_what_where_how_often_and_how_long(
    session: Session, teacher: Actor, course: Course
) -> None:
    wish = {
        "code": "bread-20",
        "off": "20",
        "unit": "percent",
        "course": course.public_id,
        "limit": "50",
        "starts": after(0),
        "ends": after(10),
    }

    assert coupons.create(session, teacher, wish) == "BREAD-20"

    (row,) = coupons.mine(session, teacher).coupons
    assert (row.code, row.words, row.where) == ("BREAD-20", "20 % off", "Bread for beginners")
    assert (row.uses, row.most_uses, row.state) == (0, 50, "live")
    assert row.link == f"{settings().base_url}/courses/{course.slug}?code=BREAD-20"
    assert row.ends_at == datetime.fromisoformat(after(11)).replace(tzinfo=UTC)


def test_without_wishes_it_has_a_code_of_its_own_no_limit_and_no_end(
    session: Session, teacher: Actor
) -> None:
    code = coupons.create(session, teacher, {"off": "5.50", "unit": "usd"})

    coupon = made(session)
    assert (coupon.code, len(code)) == (code, 8)
    assert (coupon.amount, coupon.percent) == (Money(550, "usd"), None)
    assert (coupon.course_id, coupon.most_uses, coupon.ends_at) == (None, None, None)
    assert coupon.instructor_id == teacher.id


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"off": ""}, "whole number from 1 to 100"),
        ({"off": "0"}, "whole number from 1 to 100"),
        ({"off": "101"}, "whole number from 1 to 100"),
        ({"off": "12.5"}, "whole number from 1 to 100"),
        ({"off": "5", "unit": "xxx"}, "currency from the list"),
        ({"off": "0", "unit": "usd"}, "more than nothing"),
        ({"off": "-5", "unit": "usd"}, "in digits"),
        ({"off": "5,5", "unit": "usd"}, "in digits"),
        ({"off": "5.5", "unit": "jpy"}, "no decimals"),
        ({"off": "999999999999", "unit": "usd"}, "dearest price"),
        ({"off": "20", "code": "AB"}, "3 to 40"),
        ({"off": "20", "code": "A B C"}, "3 to 40"),
        ({"off": "20", "code": "Ä" * 5}, "3 to 40"),
        ({"off": "20", "code": "A" * 41}, "3 to 40"),
        ({"off": "20", "limit": "0"}, "from 1 to"),
        ({"off": "20", "limit": "many"}, "from 1 to"),
        ({"off": "20", "ends": "tomorrow"}, "like 2026-12-03"),
        ({"off": "20", "ends": "2001-01-01"}, "over already"),
        ({"off": "20", "ends": "9999-12-31"}, "ten years"),
        ({"off": "20", "starts": "9999-12-31"}, "ten years"),
        ({"off": "20", "starts": after(5), "ends": after(4)}, "before the first"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    session: Session, teacher: Actor, wish: dict[str, object], why: str
) -> None:
    with pytest.raises(RuleBroken, match=why):
        coupons.create(session, teacher, wish)


@pytest.mark.parametrize(
    ("price", "wish", "why"),
    [
        (Money(60, "usd"), {"off": "50"}, "smallest charge is \\$0.50"),
        (Money(4900, "usd"), {"off": "5", "unit": "eur"}, "prices in EUR"),
        (Money(0, "usd"), {"off": "50"}, "free already"),
        (Money(50, "jpy"), {"off": "1"}, "takes nothing off|smallest"),
    ],
)
def test_what_could_never_be_used_on_the_course_is_refused(
    session: Session,
    teacher: Actor,
    course: Course,
    price: Money,
    wish: dict[str, object],
    why: str,
) -> None:
    course.price = price
    session.flush()

    with pytest.raises(RuleBroken, match=why):
        coupons.create(session, teacher, {**wish, "course": course.public_id})


@pytest.mark.parametrize("field", ["code", "off", "unit", "course", "limit", "starts", "ends"])
@pytest.mark.parametrize("value", BAD_JSON, ids=range(len(BAD_JSON)))
def test_hostile_values_make_a_coupon_or_a_sentence(
    session: Session, teacher: Actor, field: str, value: object
) -> None:
    before = session.scalar(select(func.count(Coupon.id))) or 0

    try:
        coupons.create(session, teacher, {"off": "20", field: value})
    except LumaError:
        assert session.scalar(select(func.count(Coupon.id))) == before
    else:
        assert session.scalar(select(func.count(Coupon.id))) == before + 1


def test_a_code_is_there_once_in_the_school(session: Session, teacher: Actor) -> None:
    coupons.create(session, teacher, {"code": "Bread", "off": "20"})
    rival = actor(make_instructor(session))

    with pytest.raises(RuleBroken, match="BREAD is taken"):
        coupons.create(session, rival, {"code": "bREAD", "off": "30"})


def test_nobody_makes_or_ends_coupons_for_somebody_else(
    session: Session, teacher: Actor, course: Course, admin: Actor
) -> None:
    coupon = make_coupon(session, course)
    of_all = make_coupon(session, course, "ALL", instructor_id=None, course_id=None)
    rival, student = actor(make_instructor(session)), actor(make_user(session))

    with pytest.raises(NotFound):
        coupons.create(session, rival, {"off": "20", "course": course.public_id})
    for stranger in (rival, student):
        with pytest.raises(NotFound):
            coupons.end(session, stranger, coupon.public_id)
    with pytest.raises(NotFound):
        coupons.end(session, teacher, of_all.public_id)
    with pytest.raises(NotAllowed):
        coupons.mine(session, student)
    for outsider in (student, teacher):
        with pytest.raises(NotAllowed):
            coupons.create_for_school(session, outsider, {"off": "20"})
    assert [row.code for row in coupons.mine(session, rival).coupons] == []


def test_an_ended_coupon_stays_in_the_list_and_ends_once(
    session: Session, teacher: Actor, course: Course
) -> None:
    coupon = make_coupon(session, course)

    coupons.end(session, teacher, coupon.public_id)
    ended_at = made(session).ended_at
    coupons.end(session, teacher, coupon.public_id)

    assert made(session).ended_at == ended_at
    (row,) = coupons.mine(session, teacher).coupons
    assert row.state == "ended"


def test_what_admins_do_with_coupons_is_noted(
    session: Session, admin: Actor, course: Course
) -> None:
    coupons.create_for_school(session, admin, {"code": "SUMMER", "off": "10"})
    coupons.end(session, admin, made(session).public_id)
    coupons.end(session, admin, make_coupon(session, course).public_id)

    noted = session.execute(select(AuditEntry.act, AuditEntry.thing).order_by(AuditEntry.id))
    assert [tuple(row) for row in noted] == [
        ("coupon.create", "coupon SUMMER"),
        ("coupon.end", "coupon SUMMER"),
        ("coupon.end", "coupon BREAD20"),
    ]


def test_each_state_has_its_word(session: Session, teacher: Actor, course: Course) -> None:
    now, day = clock.now(), timedelta(days=1)
    make_coupon(session, course, "LIVE", starts_at=now - day, ends_at=now + day)
    make_coupon(session, course, "LATER", starts_at=now + day)
    make_coupon(session, course, "EXPIRED", ends_at=now - day)
    make_coupon(session, course, "USED", most_uses=1, uses=1)

    rows = coupons.mine(session, teacher).coupons

    assert {row.code: row.state for row in rows} == {
        "LIVE": "live",
        "LATER": "later",
        "EXPIRED": "expired",
        "USED": "used up",
    }


def test_a_draft_has_no_page_to_share_and_all_courses_share_the_instructors(
    session: Session, teacher: Actor, course: Course
) -> None:
    draft = make_course(session, "Draft", instructor=course.instructor)
    make_coupon(session, draft, "DRAFT")
    make_coupon(session, course, "ALL", course_id=None)

    links = {row.code: row.link for row in coupons.mine(session, teacher).coupons}

    assert links["DRAFT"] == ""
    assert links["ALL"].endswith("?code=ALL")
    assert "/instructors/" in links["ALL"]
