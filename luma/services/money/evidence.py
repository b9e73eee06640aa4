"""What proves a sale to a bank: who bought, under which promise, and how the course was used.

Where the buyer was when they signed in is left out: the address of a household is not needed to
show that a course was opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.course import Chapter, Lesson
from luma.models.letter import Letter
from luma.models.order import CheckoutAttempt, Order
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import SignedIn, User
from luma.services import devices
from luma.services.money import desk, sale_view
from luma.services.money.sale_view import RefundLine, SaleView
from luma.services.my_data import MOST_ROWS, Cell, Table
from luma.services.policies import Actor


@dataclass(frozen=True, slots=True)
class Evidence:
    order: str
    course: str
    tables: tuple[Table, ...]


def evidence(session: Session, actor: Actor, order_id: str) -> Evidence:
    """For the seller of the course and admins. Raises NotFound for anybody else.

    Raises RuleBroken while nobody disputes the sale: how somebody learns is not the seller's to
    read.
    """
    order = desk.seen(session, actor, order_id)
    sale = sale_view.view(session, order, knows_gateway=False)
    if not sale.disputes:
        raise RuleBroken("Nobody disputes this sale, so there is nothing to prove to a bank.")
    tables = (
        _order(session, order, sale),
        _receipt(sale),
        _refunds(sale),
        _disputes(sale),
        _sign_ins(session, order),
        _lessons(session, order),
        _letters(session, order),
        _timeline(session, order, sale),
    )
    return Evidence(order.public_id, sale.course_title, tables)


def _order(session: Session, order: Order, sale: SaleView) -> Table:
    buyer = session.get_one(User, order.buyer_id)
    days = order.refund_days
    promise = f"Money back within {days} days, by the buyer's own press" if days else "No refunds"
    rows: list[tuple[str, object]] = [
        ("Order", order.public_id),
        ("Course", sale.course_title),
        ("Buyer", sale.buyer),
        ("E-mail address", sale.email),
        ("E-mail address confirmed", buyer.email_verified_at),
        ("Account since", buyer.created_at),
        ("Price of the day", sale.price.words()),
        ("Discount", sale.discount.words() if sale.discount.minor else None),
        ("Checkout opened", order.created_at),
        ("Paid", order.paid_at),
        ("Terms shown on the course page and agreed to by buying", promise),
        ("The promise ran until", sale.promised_until),
        ("Delivered", "Online, at once: the course opened with the payment"),
    ]
    return _table("order", "The purchase and its terms", ("What", "Value"), rows)


def _receipt(sale: SaleView) -> Table:
    rows = [
        (
            one.paid_at,
            one.amount.words(),
            one.discount.words(),
            one.tax.words(),
            one.reference,
            one.receipt_url,
        )
        for one in sale.payments
    ]
    headings = ("Paid", "Amount", "Discount", "Tax", "Reference", "Receipt")
    return _table("payments", "Payments", headings, rows)


def _refunds(sale: SaleView) -> Table:
    rows = [
        (one.when, one.amount.words(), _state(one), one.reason, one.asked_by, one.trouble)
        for one in sale.refunds
    ]
    headings = ("When", "Amount", "State", "Reason", "Asked by", "Trouble")
    return _table("refunds", "Refunds", headings, rows)


def _state(line: RefundLine) -> str:
    return line.status or ("asked for" if line.is_waiting else "refused")


def _disputes(sale: SaleView) -> Table:
    rows = [
        (one.opened_at, one.amount.words(), one.reason, one.status, one.due_by)
        for one in sale.disputes
    ]
    headings = ("Opened", "Amount", "Reason", "State", "Answer by")
    return _table("disputes", "Disputes", headings, rows)


def _sign_ins(session: Session, order: Order) -> Table:
    rows = session.execute(
        select(SignedIn.created_at, SignedIn.last_seen_at, SignedIn.user_agent)
        .where(SignedIn.user_id == order.buyer_id)
        .order_by(SignedIn.id)
        .limit(MOST_ROWS)
    )
    told = [(since, seen, devices.words(agent)) for since, seen, agent in rows]
    headings = ("Signed in", "Last seen", "Browser")
    return _table("sign-ins", "When the buyer was signed in", headings, told)


def _lessons(session: Session, order: Order) -> Table:
    rows = session.execute(
        select(Chapter.title, Lesson.title, LessonProgress.watched)
        .add_columns(LessonProgress.completed_at, LessonProgress.updated_at)
        .select_from(LessonProgress)
        .join(Lesson, Lesson.id == LessonProgress.lesson_id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(LessonProgress.student_id == order.buyer_id, Chapter.course_id == order.course_id)
        .order_by(Chapter.position, Lesson.position)
        .limit(MOST_ROWS)
    )
    told = [
        (chapter, lesson, sum((one.upper or 0) - (one.lower or 0) for one in watched), done, seen)
        for chapter, lesson, watched, done, seen in rows
    ]
    headings = ("Chapter", "Lesson", "Seconds watched", "Finished", "Last opened")
    return _table("lessons", "Lessons that the buyer opened", headings, told)


def _letters(session: Session, order: Order) -> Table:
    """Those that name the order, and the one that opened the course."""
    rows = session.execute(
        select(Letter.created_at, Letter.address, Letter.subject, Letter.status)
        .add_columns(Letter.settled_at, Letter.text)
        .where(
            Letter.user_id == order.buyer_id,
            or_(
                Letter.text.contains(order.public_id),
                Letter.key == f"course-open-{order.public_id}".replace("_", "-"),
            ),
        )
        .order_by(Letter.id)
        .limit(MOST_ROWS)
    )
    headings = ("Written", "To", "Subject", "State", "Sent", "Text")
    return _table("letters", "Letters to the buyer", headings, rows)


def _timeline(session: Session, order: Order, sale: SaleView) -> Table:
    rows = [("Checkout opened", order.created_at)]
    rows += [("Payment " + one.amount.words(), one.paid_at) for one in sale.payments]
    rows += [("Refund " + one.amount.words(), one.when) for one in sale.refunds]
    rows += [("Dispute " + one.amount.words(), one.opened_at) for one in sale.disputes]
    opened = select(Enrolment.created_at).where(
        Enrolment.student_id == order.buyer_id, Enrolment.course_id == order.course_id
    )
    rows += [("Course opened", moment) for moment in session.scalars(opened)]
    visits = select(CheckoutAttempt.created_at).where(CheckoutAttempt.order_id == order.id)
    rows += [("Sent to pay", moment) for moment in session.scalars(visits)]
    rows.sort(key=lambda row: row[1])
    return _table("timeline", "What happened when", ("What", "When"), rows)


def _table(
    name: str, title: str, headings: tuple[str, ...], rows: Iterable[Iterable[object]]
) -> Table:
    return Table(name, title, headings, tuple(tuple(map(_cell, row)) for row in rows))


def _cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if value is None or isinstance(value, int | bool):
        return value
    return str(value)
