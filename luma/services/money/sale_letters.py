"""Whom a letter about a sale goes to: its buyer, its seller, everybody who runs the school."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.user import User, UserRole
from luma.services import letters, policies
from luma.services.money import orders
from luma.values import Role


@dataclass(frozen=True, slots=True)
class Sale:
    """What letters about an order name."""

    order: Order
    title: str
    seller_id: int
    buyer: str
    is_rehearsal: bool


@dataclass(frozen=True, slots=True)
class Words:
    """`key` names the fact, so that it is told once to each."""

    key: str
    kind: str
    subject: str
    text: str


def sale_of(session: Session, order_id: int) -> Sale:
    order, title, seller_id, buyer, rehearses_for = session.execute(
        select(Order, Course.title, Course.instructor_id, User.name, User.rehearses_for_id)
        .join(Course, Course.id == Order.course_id)
        .join(User, User.id == Order.buyer_id)
        .where(Order.id == order_id)
    ).one()
    return Sale(order, title, seller_id, buyer, rehearses_for is not None)


def to_buyer(session: Session, sale: Sale, said: Words) -> None:
    address = orders.address(sale.order.public_id)
    _write(session, sale, said, sale.order.buyer_id, ("See your order", address))


def to_seller(session: Session, sale: Sale, said: Words) -> None:
    address = f"/studio/sales/{sale.order.public_id}"
    _write(session, sale, said, sale.seller_id, ("See the sale", address))


def to_admins(session: Session, sale: Sale, said: Words) -> None:
    """A seller who is an admin too was told as the seller already: the key is the same."""
    if sale.is_rehearsal:
        return
    address = f"/admin/orders/{sale.order.public_id}"
    admins = select(UserRole.user_id).where(UserRole.role == Role.ADMIN).order_by(UserRole.user_id)
    for admin_id in session.scalars(admins):
        _write(session, sale, said, admin_id, ("See the order", address))


def to_school(session: Session, sale: Sale, said: Words) -> None:
    """To the seller and to every admin."""
    to_seller(session, sale, said)
    to_admins(session, sale, said)


def access_now(session: Session, sale: Sale) -> str:
    """What became of the course, as it stands in this very transaction."""
    if policies.is_enrolled(session, sale.order.buyer_id, sale.order.course_id):
        return "The course is open for you."
    return "The course is closed for you; what you have finished stays noted."


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _write(
    session: Session, sale: Sale, said: Words, user_id: int, button: tuple[str, str]
) -> None:
    is_sellers = sale.is_rehearsal and user_id != sale.order.buyer_id
    letters.write(
        session,
        user_id,
        said.kind,
        once=f"{said.key}-to-{user_id}",
        subject=f"[Rehearsal] {said.subject}" if is_sellers else said.subject,
        text=f"{said.text}\n\nOrder: {sale.order.public_id}",
        button=button,
    )
