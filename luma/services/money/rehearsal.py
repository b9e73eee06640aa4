"""Rehearse a sale at the sandbox: checkout, signed event, access, letters, refund, and away again.

The buyer is a system user of the instructor's, who can never sign in, is counted nowhere, and
whose letters go to the instructor, marked. A job plays on whether or not anybody looks.
"""

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import LumaError, RuleBroken
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.rehearsal import Rehearsal
from luma.models.user import User
from luma.services import authors, clock, gateways, queue
from luma.services.money import access, checkout, refunds, sandbox
from luma.services.policies import Actor, is_enrolled
from luma.values import CourseStatus, LetterStatus, OrderStatus, Role

TASK = "rehearsals.play"
PATIENCE = timedelta(seconds=90)
OVER = "The rehearsal is over."
ENDED = (OrderStatus.REFUNDED, OrderStatus.EXPIRED, OrderStatus.FAILED)
SLOW = "It took longer than 90 seconds and was ended. The step without a tick is the one to mend."


def begin(session: Session, actor: Actor, public_id: str) -> None:
    """Start one, unless one is running: pressing twice plays it once."""
    course = authors.own_course(session, actor, public_id, lock=True)
    if why := why_not(course):
        raise RuleBroken(why)
    running = exists().where(Rehearsal.course_id == course.id, Rehearsal.ended_at.is_(None))
    if session.scalar(select(running)):
        return
    row = Rehearsal(course_id=course.id, buyer_id=_buyer(session, actor), started_at=clock.now())
    session.add(row)
    session.flush()
    queue.defer(session, TASK, rehearsal_id=row.id)


def why_not(course: Course) -> str | None:
    """What must be done before this course can be rehearsed, or None."""
    if gateways.current().name != "sandbox":
        return "A Stripe key is set here, so rehearse with one of Stripe's test cards."
    if course.status is not CourseStatus.PUBLISHED:
        return "Publish the course first: a draft cannot be bought."
    return "The course is free: there is no sale to rehearse." if course.price.is_zero else None


def play(rehearsal_id: int) -> None:
    """Do what is to be done next, and come back in a moment until it is over. Twice is harmless."""
    with db.unit_of_work() as session:
        row = session.get_one(Rehearsal, rehearsal_id)
        if row.ended_at is not None:
            return
        is_unpaid = row.order_id is None
    if is_unpaid:
        _buy(rehearsal_id)
    with db.unit_of_work() as session:
        if not go_on(session, rehearsal_id):
            queue.defer(session, TASK, in_seconds=1, rehearsal_id=rehearsal_id)


def go_on(session: Session, rehearsal_id: int) -> bool:
    """Whether it is over. The row is held: the job and an open page may come at once."""
    row = session.scalars(
        select(Rehearsal).where(Rehearsal.id == rehearsal_id).with_for_update()
    ).one()
    if row.ended_at is not None:
        return True
    status = _status(session, row)
    if status is OrderStatus.PAID and row.opened_at is None:
        _ask_for_refund(session, row)
    if status in ENDED and (status is not OrderStatus.REFUNDED or _letters_are_out(session, row)):
        _end(session, row, None if status is OrderStatus.REFUNDED else SLOW)
    elif row.started_at < clock.now() - PATIENCE:
        _end(session, row, SLOW)
    return row.ended_at is not None


def _buyer(session: Session, actor: Actor) -> int:
    """Without a password, and with an identity that no provider vouches for."""
    new = insert(User).values(
        email=f"rehearsal-{actor.id}@rehearsal.invalid",
        name="Rehearsal buyer",
        external_id=f"rehearsal {actor.id}",
        rehearses_for_id=actor.id,
        created_at=clock.now(),
    )
    session.execute(new.on_conflict_do_nothing())
    return session.scalars(select(User.id).where(User.rehearses_for_id == actor.id)).one()


def _buy(rehearsal_id: int) -> None:
    """Through the door that every buyer takes. What an earlier one left behind goes first."""
    with db.unit_of_work() as session:
        row = session.get_one(Rehearsal, rehearsal_id)
        _clear(session, row)
        course = session.get_one(Course, row.course_id)
        buyer = session.get_one(User, row.buyer_id)
        slug, roles = course.slug, frozenset({Role.STUDENT})
        actor = Actor(buyer.id, buyer.name, buyer.email, roles)
    try:
        session_id = checkout.start_for(actor, slug).rpartition("/")[2]
    except LumaError as refusal:
        with db.unit_of_work() as session:
            _end(session, session.get_one(Rehearsal, rehearsal_id), str(refusal))
        return
    with db.unit_of_work() as session:
        row = session.get_one(Rehearsal, rehearsal_id, with_for_update=True)
        if row.order_id is None:
            row.order_id = _newest_order(session, row)
            sandbox.pay(session, session_id)


def _newest_order(session: Session, row: Rehearsal) -> int | None:
    asked = select(Order.id).where(Order.buyer_id == row.buyer_id, Order.course_id == row.course_id)
    return session.scalar(asked.order_by(Order.id.desc()).limit(1))


def _status(session: Session, row: Rehearsal) -> OrderStatus | None:
    return session.scalar(select(Order.status).where(Order.id == row.order_id))


def _ask_for_refund(session: Session, row: Rehearsal) -> None:
    """As the instructor would, once the course is seen to be open."""
    if not is_enrolled(session, row.buyer_id, row.course_id):
        return
    row.see_open(clock.now())
    order = session.get_one(Order, row.order_id)
    refunds.give_back(session, order, "Rehearsal.", session.get_one(User, row.buyer_id).id)


def _letters_are_out(session: Session, row: Rehearsal) -> bool:
    waiting = exists().where(
        Letter.user_id == row.buyer_id,
        Letter.created_at >= row.started_at,
        Letter.status == LetterStatus.WAITING,
    )
    return not session.scalar(select(waiting))


def _end(session: Session, row: Rehearsal, trouble: str | None) -> None:
    row.end(clock.now(), trouble)
    _clear(session, row)


def _clear(session: Session, row: Rehearsal) -> None:
    """Nothing of it gives access any more, whatever became of the refund."""
    asked = select(Order.id).where(
        Order.buyer_id == row.buyer_id,
        Order.course_id == row.course_id,
        Order.access_ended_reason.is_(None),
    )
    for order_id in session.scalars(asked).all():
        order = access.locked(session, order_id)
        if order.status not in (OrderStatus.OPEN, OrderStatus.PENDING):
            if refunds.refundable(session, order).left.minor > 0:
                refunds.give_back(session, order, OVER, row.buyer_id)
            order.access_ended_reason = OVER
            access.derive(session, order)
        elif row.ended_at is not None:
            queue.defer(session, "checkout.close", order_id=order_id)
