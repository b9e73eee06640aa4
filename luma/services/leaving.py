"""Deleting one's own account: what goes, and what others and the law still need."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, selectinload

from luma.errors import RuleBroken
from luma.models.account_token import AccountToken
from luma.models.course import Course, Image
from luma.models.letter import Letter
from luma.models.order import CheckoutAttempt, Order
from luma.models.profile import Profile
from luma.models.progress import Enrolment, LessonProgress
from luma.models.second_factor import HalfSignIn
from luma.models.user import SignedIn, User
from luma.services import audit, clock, letters, policies, profiles, queue, reviews, second_factor
from luma.services import studio as courses
from luma.services.admin import people
from luma.services.course_list import has_students
from luma.services.feedback import sheets
from luma.services.money import access
from luma.services.policies import Actor
from luma.values import CourseStatus, OrderStatus, Role

UNSURE = "Tick the box first: an account that is deleted does not come back."
STILL_PAYING = (
    "A payment of yours is not settled yet. Wait until it is, then delete your account; "
    "you find it under Orders."
)
GOODBYE_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What leaving means for this person; zero is not mentioned."""

    learns: int
    orders: int
    on_sale: int
    taught: int
    """Courses that students have and keep."""


def consequences(session: Session, actor: Actor) -> Consequences:
    """Asked at the door: raises ProveAgain, and RuleBroken for whoever cannot leave now."""
    policies.ensure_fresh(actor)
    _ensure_not_last(session, actor)
    _ensure_settled(session, actor)
    own = select(func.count(Course.id)).where(
        Course.instructor_id == actor.id, Course.deleted_at.is_(None)
    )
    learnt = select(func.count(Enrolment.id)).where(Enrolment.active)
    bought = select(func.count(Order.id)).where(Order.status == OrderStatus.PAID)
    students = select(Enrolment.id).where(Enrolment.course_id == Course.id, Enrolment.active)
    return Consequences(
        learns=session.scalar(learnt.where(Enrolment.student_id == actor.id)) or 0,
        orders=session.scalar(bought.where(Order.buyer_id == actor.id)) or 0,
        on_sale=session.scalar(own.where(Course.status == CourseStatus.PUBLISHED)) or 0,
        taught=session.scalar(own.where(students.exists())) or 0,
    )


def leave(session: Session, actor: Actor, *, is_sure: bool) -> list[str]:
    """Delete the actor's account. Returns the keys of the sessions that ended.

    Orders and payments stay, with nobody's name on them; so do courses that students have.
    """
    policies.ensure_fresh(actor)
    if not is_sure:
        raise RuleBroken(UNSURE)
    _ensure_not_last(session, actor)
    user = session.scalars(
        select(User)
        .where(User.id == actor.id)
        .options(selectinload(User.roles))
        .with_for_update(of=User)
    ).one()
    _ensure_settled(session, actor)
    ended = [key.hex() for key in _living(session, actor.id)]
    _close_orders(session, actor.id)
    _close_courses(session, actor)
    _forget(session, actor.id)
    _say_goodbye(session, actor)
    user.leave(clock.now())
    session.flush()
    profiles.refresh_courses(session, actor.id)
    audit.note(session, actor, "user.delete_own", f"user {actor.id}")
    return ended


def forget_letters(session: Session) -> None:
    """Housekeeping: the letter that said goodbye has arrived by then, or never will."""
    gone = select(User.id).where(User.deleted_at < clock.now() - GOODBYE_KEPT)
    session.execute(delete(Letter).where(Letter.user_id.in_(gone)))


def _ensure_not_last(session: Session, actor: Actor) -> None:
    """Before the actor's own row is held: all admins are, in one order, as everywhere."""
    if actor.is_admin:
        people.ensure_not_last(session, actor)


def _ensure_settled(session: Session, actor: Actor) -> None:
    unsettled = select(Order.id).where(
        Order.buyer_id == actor.id,
        Order.status.in_((OrderStatus.PENDING, OrderStatus.NEEDS_REVIEW)),
    )
    if session.scalar(unsettled.limit(1)) is not None:
        raise RuleBroken(STILL_PAYING)


def _living(session: Session, user_id: int) -> list[bytes]:
    living = select(SignedIn.token_hash).where(
        SignedIn.user_id == user_id, SignedIn.revoked_at.is_(None)
    )
    return list(session.scalars(living))


def _close_orders(session: Session, user_id: int) -> None:
    """Nobody pays for them any more, and what was asked of the gateway names nobody."""
    mine = select(Order.id).where(Order.buyer_id == user_id)
    for order_id in session.scalars(mine.where(Order.status == OrderStatus.OPEN)):
        queue.defer(session, "checkout.close", order_id=order_id)
    nobody = CheckoutAttempt.request.concat({"email": ""})
    session.execute(
        update(CheckoutAttempt).where(CheckoutAttempt.order_id.in_(mine)).values(request=nobody)
    )


def _close_courses(session: Session, actor: Actor) -> None:
    """Off the shelf; those that nobody has are deleted, the others stay with their students.

    Also of somebody who may not teach any more.
    """
    author = replace(actor, roles=actor.roles | {Role.INSTRUCTOR})
    own = select(Course).where(Course.instructor_id == actor.id, Course.deleted_at.is_(None))
    for course in session.scalars(own.order_by(Course.id).with_for_update(key_share=True)):
        if course.status is CourseStatus.PUBLISHED:
            courses.unpublish(session, author, course.public_id)
        if not has_students(session, course):
            courses.delete(session, author, course.public_id)


def _forget(session: Session, user_id: int) -> None:
    """What was kept for this person alone. Their reviews and answers stay, without a name."""
    reviews.forget_writer(session, user_id)
    sheets.forget_writer(session, user_id)
    access.forget_student(session, user_id)
    second_factor.remove(session, user_id)
    picture = select(Profile.picture_id).where(Profile.user_id == user_id)
    picture_id = session.scalar(picture)
    session.execute(delete(Profile).where(Profile.user_id == user_id))
    session.execute(delete(Image).where(Image.id == picture_id))
    for kind, whose in (
        (LessonProgress, LessonProgress.student_id),
        (SignedIn, SignedIn.user_id),
        (HalfSignIn, HalfSignIn.user_id),
        (AccountToken, AccountToken.user_id),
        (Letter, Letter.user_id),
    ):
        session.execute(delete(kind).where(whose == user_id))


def _say_goodbye(session: Session, actor: Actor) -> None:
    letters.write(
        session,
        actor.id,
        "account-deleted",
        subject="Your account is deleted",
        text="Your account at LUMA is deleted, as you asked. What tax law asks us to keep of your "
        "orders stays without your name.\n\nIf it was not you, write to the school at once.",
    )
