"""All that LUMA knows about a person, in tables they can read."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import BigInteger, Row, ScalarSelect, cast, func, select
from sqlalchemy.orm import Session

from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Chapter, Course, Lesson
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.profile import Profile
from luma.models.progress import Enrolment, LessonProgress
from luma.models.reversal import Refund
from luma.models.user import AttemptKind, SignedIn, User, UserRole
from luma.services import attempts, policies, reviews
from luma.services.feedback import sheets
from luma.services.money import standings
from luma.services.policies import Actor
from luma.values import Money

MOST_ROWS = 20_000
MOST_SIGNS = 20_000_000
"""Of one table. What would make the file larger than anybody can open is left out, and said so."""

Cell = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_cut: bool = False
    """There is more than fits."""


def begin(session: Session, actor: Actor) -> None:
    """Count a download, to be committed before it is made. Raises ProveAgain, TooMany."""
    policies.ensure_fresh(actor)
    attempts.count(session, AttemptKind.DOWNLOAD, str(actor.id))


def tables(session: Session, actor: Actor) -> list[Table]:
    """Profile, orders, courses and how far one got, sign-ins, reviews, answers, letters, teaching.

    Passwords, codes and keys are not among them: they are kept as hashes, or sealed.
    """
    policies.ensure_fresh(actor)
    return [read(session, actor.id) for read in READERS]


def _profile(session: Session, user_id: int) -> Table:
    roles = select(UserRole.role).where(UserRole.user_id == user_id).order_by(UserRole.role)
    found = session.execute(
        select(User.name, User.email, User.external_id, User.created_at, Profile.about)
        .outerjoin(Profile, Profile.user_id == User.id)
        .where(User.id == user_id)
    ).one()
    rows = [
        ("Name", found.name),
        ("E-mail address", found.email),
        ("Roles", ", ".join(session.scalars(roles))),
        ("Here since", found.created_at),
        ("Linked identity", found.external_id),
        ("About me", found.about),
    ]
    return _table("profile", "Profile", ("What", "Value"), rows)


def _orders(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Order.public_id, Course.title, Order.status, Order.price_minor, Order.price_currency)
        .add_columns(Order.created_at, Payment.paid_at, Payment.amount_minor, Payment.session_id)
        .add_columns(Coupon.code, Order.discount_minor, Payment.tax_minor, _refunded())
        .join(Course, Course.id == Order.course_id)
        .outerjoin(CouponUse, CouponUse.order_id == Order.id)
        .outerjoin(Coupon, Coupon.id == CouponUse.coupon_id)
        .outerjoin(Payment, Payment.order_id == Order.id)
        .where(Order.buyer_id == user_id)
        .order_by(Order.id, Payment.id)
    )
    headings = ("Order", "Course", "State", "Price", "Ordered", "Paid", "Amount", "Payment")
    parts = ("Code", "Discount", "Of it tax", "Refunded")
    return _table("orders", "Orders and payments", (*headings, *parts), map(_order, rows))


def _refunded() -> ScalarSelect[int]:
    back = cast(func.sum(Refund.amount_minor), BigInteger)
    counts = Refund.status.in_(standings.COUNTED)
    return select(back).where(Refund.payment_id == Payment.id, counts).scalar_subquery()


def _order(row: Row[*tuple[Any, ...]]) -> tuple[object, ...]:
    number, title, status, minor, currency, ordered, paid_at, amount, payment, code, *parts = row

    def words(part: int | None) -> str | None:
        return None if part is None else Money(part, currency).words()

    price, paid = words(minor), words(amount)
    return number, title, status, price, ordered, paid_at, paid, payment, code, *map(words, parts)


def _enrolments(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Course.title, Enrolment.source, Enrolment.active, Enrolment.created_at)
        .add_columns(Enrolment.last_seen_at)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Enrolment.student_id == user_id)
        .order_by(Enrolment.id)
    )
    headings = ("Course", "How", "Open to you", "Since", "Last seen")
    return _table("courses", "Courses you learn", headings, rows)


def _progress(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Course.title, Lesson.title, LessonProgress.position, LessonProgress.completed_at)
        .add_columns(LessonProgress.updated_at)
        .select_from(LessonProgress)
        .join(Lesson, Lesson.id == LessonProgress.lesson_id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .join(Course, Course.id == Chapter.course_id)
        .where(LessonProgress.student_id == user_id)
        .order_by(LessonProgress.id)
    )
    headings = ("Course", "Lesson", "Second you left at", "Finished", "Last seen")
    return _table("progress", "How far you are", headings, rows)


def _sessions(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(SignedIn.created_at, SignedIn.last_seen_at, SignedIn.revoked_at)
        .add_columns(SignedIn.address, SignedIn.user_agent)
        .where(SignedIn.user_id == user_id)
        .order_by(SignedIn.id)
    )
    headings = ("Signed in", "Last seen", "Signed out", "Address", "Browser")
    return _table("sign-ins", "Where you signed in", headings, rows)


def _reviews(session: Session, user_id: int) -> Table:
    written = reviews.written_by(session, user_id)
    return _records("reviews", "Reviews you wrote", reviews.Written, written)


def _answers(session: Session, user_id: int) -> Table:
    written = sheets.written_by(session, user_id)
    return _records("feedback", "Feedback you gave", sheets.WrittenAnswer, written)


def _letters(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Letter.created_at, Letter.address, Letter.subject, Letter.status)
        .where(Letter.user_id == user_id)
        .order_by(Letter.id)
    )
    headings = ("Written", "To", "Subject", "State")
    return _table("letters", "Letters we wrote to you", headings, rows)


def _taught(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Course.title, Course.status, Course.price_minor, Course.price_currency)
        .add_columns(Course.summary, Course.description, Course.created_at, Course.deleted_at)
        .where(Course.instructor_id == user_id)
        .order_by(Course.id)
    )
    priced = (
        (title, status, Money(minor, currency).words(), *rest)
        for title, status, minor, currency, *rest in rows
    )
    headings = ("Course", "State", "Price", "Summary", "Description", "Begun", "Deleted")
    return _table("teaching", "Courses you teach", headings, priced)


def _lessons(session: Session, user_id: int) -> Table:
    rows = session.execute(
        select(Course.title, Chapter.title, Lesson.title, Lesson.video_id, Lesson.text)
        .select_from(Lesson)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .join(Course, Course.id == Chapter.course_id)
        .where(Course.instructor_id == user_id)
        .order_by(Course.id, Chapter.position, Lesson.position)
        .execution_options(yield_per=100)
    )
    headings = ("Course", "Chapter", "Lesson", "Video", "Text")
    with closing(rows):
        return _table("lessons", "Lessons you wrote", headings, rows)


READERS: tuple[Callable[[Session, int], Table], ...] = (
    _profile,
    _orders,
    _enrolments,
    _progress,
    _sessions,
    _reviews,
    _answers,
    _letters,
    _taught,
    _lessons,
)


def _records(name: str, title: str, kind: type[Any], records: Iterable[object]) -> Table:
    """What another module has made ready to be taken along."""
    names = [field.name for field in fields(kind)]
    headings = tuple(name.replace("_", " ").capitalize() for name in names)
    rows = ([getattr(one, name) for name in names] for one in records)
    return _table(name, title, headings, rows)


def _table(
    name: str, title: str, headings: tuple[str, ...], rows: Iterable[Iterable[object]]
) -> Table:
    kept: list[tuple[Cell, ...]] = []
    signs = 0
    for row in islice(rows, MOST_ROWS + 1):
        cells = tuple(map(_cell, row))
        signs += sum(len(cell) for cell in cells if isinstance(cell, str))
        if len(kept) == MOST_ROWS or signs > MOST_SIGNS:
            return Table(name, title, headings, tuple(kept), is_cut=True)
        kept.append(cells)
    return Table(name, title, headings, tuple(kept))


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    return str(value)
