"""Deleting one's own account: what goes, what stays, and who may not leave yet."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, NotFound, ProveAgain, RuleBroken
from luma.models.base import Base
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment, LessonProgress
from luma.models.review import Review
from luma.models.user import SignedIn, User
from luma.services import (
    accounts,
    clock,
    housekeeping,
    instructors,
    leaving,
    my_data,
    profiles,
    reviews,
)
from luma.services.accounts import Visit
from luma.services.money import access
from luma.services.policies import Actor
from luma.values import AttemptStatus, CourseStatus, OrderStatus, Role
from tests.factories import actor, enrol, fresh, make_course, make_instructor, make_user
from tests.selling import make_order

HERE = Visit("203.0.113.7", "Firefox")


def ordered(session: Session, buyer: User, course: Course, *, paid: bool) -> Order:
    now = clock.now()
    order = make_order(session, buyer, course)
    attempt = CheckoutAttempt(
        order_id=order.id,
        operation_key=f"key-{order.id}",
        request={"email": buyer.email, "title": course.title},
        created_at=now,
    )
    session.add(attempt)
    if paid:
        session.add(
            Payment(order_id=order.id, session_id=f"cs_{order.id}", amount=order.price, paid_at=now)
        )
    access.derive(session, access.locked(session, order.id))
    return order


def signed_in(session: Session, user: User) -> Actor:
    viewer = accounts.viewer(
        session, accounts.key_of(accounts.open_session(session, user.id, HERE))
    )
    assert viewer is not None
    return viewer


def everything(session: Session) -> str:
    """All that is in the database, as one text."""
    return "\n".join(
        str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))
    )


def test_nothing_is_left_that_says_who_it_was(session: Session) -> None:
    anna = make_user(session, "Annabel Quist", email="annabel@example.org")
    course = make_course(session, published=True)
    ordered(session, anna, course, paid=True)
    me = signed_in(session, anna)
    profiles.save(session, me, "Annabel Quist", "I am Annabel Quist.")
    reviews.write(session, me, course.slug, 5, "Lovely.")
    assert "annabel" in everything(session).lower()

    ended = leaving.leave(session, me, is_sure=True)
    session.execute(delete(Letter))

    assert ended == [me.session_key]
    assert not accounts.is_alive(session, me.session_key)
    assert "annabel" not in everything(session).lower()
    assert session.scalars(select(Review.text)).all() == ["Lovely."]


def test_orders_and_payments_stay_as_they_were(session: Session) -> None:
    anna, course = make_user(session), make_course(session, published=True)
    order = ordered(session, anna, course, paid=True)

    leaving.leave(session, fresh(anna), is_sure=True)

    session.expire_all()
    kept = session.get_one(Order, order.id)
    assert (kept.status, kept.price, kept.buyer_id) == (OrderStatus.PAID, course.price, anna.id)
    assert session.scalar(select(func.count(Payment.id))) == 1
    assert session.scalar(select(func.count(Enrolment.id))) == 0


def test_the_address_is_free_again_and_the_old_password_opens_nothing(session: Session) -> None:
    anna = make_user(session, email="anna@example.org")
    leaving.leave(session, fresh(anna), is_sure=True)

    known = accounts.begin_sign_in(session, "anna@example.org", HERE.address)

    assert known == accounts.Known(None, None)
    make_user(session, email="anna@example.org")


def test_a_goodbye_goes_to_the_old_address_and_is_forgotten_later(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = make_user(session, email="anna@example.org")

    leaving.leave(session, fresh(anna), is_sure=True)

    letter = session.scalars(select(Letter)).one()
    assert (letter.address, letter.kind) == ("anna@example.org", "account-deleted")
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    housekeeping.forget_old(session)
    assert session.scalars(select(Letter)).all() == []


def test_what_students_have_of_an_instructor_stays(session: Session) -> None:
    ines = make_instructor(session, "Ines Weber")
    sold = make_course(session, "Sold", instructor=ines, published=True)
    unsold = make_course(session, "Unsold", instructor=ines, published=True)
    sam = make_user(session)
    enrol(session, sam, sold)
    slug = profiles.mine(session, actor(ines)).slug or ""

    means = leaving.consequences(session, fresh(ines))
    leaving.leave(session, fresh(ines), is_sure=True)

    assert (means.on_sale, means.taught) == (2, 1)
    session.expire_all()
    kept, gone = session.get_one(Course, sold.id), session.get_one(Course, unsold.id)
    assert (kept.status, kept.deleted_at) == (CourseStatus.DRAFT, None)
    assert gone.deleted_at is not None
    assert session.scalar(select(Enrolment.active).where(Enrolment.student_id == sam.id))
    with pytest.raises(NotFound):
        instructors.page(session, slug, ines.id)


def test_courses_of_somebody_who_may_not_teach_any_more_leave_the_shelf_too(
    session: Session,
) -> None:
    course = make_course(session, published=True)
    course.instructor.roles = [
        entry for entry in course.instructor.roles if entry.role is not Role.INSTRUCTOR
    ]
    session.flush()

    leaving.leave(session, fresh(course.instructor), is_sure=True)

    session.expire_all()
    assert session.get_one(Course, course.id).status is CourseStatus.DRAFT


def test_an_open_order_is_closed(session: Session) -> None:
    anna, course = make_user(session), make_course(session, published=True)
    order = ordered(session, anna, course, paid=False)

    leaving.leave(session, fresh(anna), is_sure=True)

    jobs = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'checkout.close'")
    )
    assert jobs.scalars().all() == [{"order_id": order.id}]


def test_a_payment_that_is_not_settled_holds_the_account(session: Session) -> None:
    anna, course = make_user(session), make_course(session, published=True)
    order = ordered(session, anna, course, paid=False)
    attempt = session.scalars(select(CheckoutAttempt)).one()
    attempt.note(AttemptStatus.AWAITING)
    access.derive(session, access.locked(session, order.id))

    for leave in (
        lambda: leaving.consequences(session, fresh(anna)),
        lambda: leaving.leave(session, fresh(anna), is_sure=True),
    ):
        with pytest.raises(RuleBroken, match="not settled"):
            leave()


def test_leaving_asks_who_one_is_and_whether_one_is_sure(session: Session) -> None:
    anna = make_user(session)

    with pytest.raises(ProveAgain):
        leaving.leave(session, actor(anna), is_sure=True)
    with pytest.raises(RuleBroken, match="Tick the box"):
        leaving.leave(session, fresh(anna), is_sure=False)

    assert session.get_one(User, anna.id).deleted_at is None


def test_the_last_admin_stays(session: Session) -> None:
    ada = make_user(session, roles=(Role.ADMIN,))
    with pytest.raises(RuleBroken, match="last admin"):
        leaving.leave(session, fresh(ada), is_sure=True)
    make_user(session, roles=(Role.ADMIN,))

    leaving.leave(session, fresh(ada), is_sure=True)


def test_whoever_has_left_is_not_let_in_again(session: Session) -> None:
    anna = make_user(session)
    leaving.leave(session, fresh(anna), is_sure=True)

    with pytest.raises(RuleBroken, match="deleted the account"):
        session.get_one(User, anna.id).enable()


@pytest.mark.usefixtures("fresh_database")
def test_of_two_admins_who_leave_at_once_one_stays() -> None:
    with db.unit_of_work() as session:
        admins = [fresh(make_user(session, roles=(Role.ADMIN,))) for _ in range(2)]

    def leave(admin: Actor) -> bool:
        try:
            with db.unit_of_work() as session:
                leaving.leave(session, admin, is_sure=True)
        except LumaError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        left = list(threads.map(leave, admins))

    assert sorted(left) == [False, True]


def test_pressed_twice_at_once_leaves_once(session: Session) -> None:
    anna = make_user(session)
    me = signed_in(session, anna)
    leaving.leave(session, me, is_sure=True)

    assert accounts.viewer(session, me.session_key) is None
    assert session.scalar(select(func.count(SignedIn.id))) == 0


def test_an_account_that_has_left_has_no_data_to_take_along(session: Session) -> None:
    anna, course = make_user(session), make_course(session, published=True)
    enrol(session, anna, course)
    session.add(
        LessonProgress(
            student_id=anna.id,
            lesson_id=course.chapters[0].lessons[0].id,
            updated_at=clock.now(),
        )
    )
    session.flush()

    leaving.leave(session, fresh(anna), is_sure=True)

    found = {table.name: table.rows for table in my_data.tables(session, fresh(anna))}
    assert found.pop("profile")[0] == ("Name", "Deleted account")
    found.pop("letters")
    assert set(found.values()) == {()}
