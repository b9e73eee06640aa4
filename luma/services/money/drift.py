"""Products and prices that somebody changed at the gateway: found, told, and put right.

What is archived or changed there is not sold until somebody presses the button; what is gone
altogether without a word, as after other keys, is made anew by itself. A name that was edited there
is written again as the studio has it. What was paid at the old price is honoured in any case.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import GatewayProduct
from luma.models.user import UserRole
from luma.services import accounts, clock, gateways, letters, queue, texts
from luma.services.gateways import INSIDE
from luma.services.gateways.product_events import ProductFact
from luma.services.gateways.protocol import GatewayMissing, Thing
from luma.services.money import catalogue_sync
from luma.services.money.reversals import NotOurs
from luma.services.policies import Actor
from luma.values import CourseStatus, Drift, OrderStatus, Role

log = logging.getLogger(__name__)

LOOK = "catalogue.look"

WORDS = {
    Drift.PRODUCT_ARCHIVED: "its product was archived",
    Drift.PRODUCT_DELETED: "its product was deleted",
    Drift.PRICE_ARCHIVED: "its price was archived",
    Drift.PRICE_CHANGED: "its price was changed",
}

PAUSED = exists().where(
    GatewayProduct.course_id == Course.id,
    GatewayProduct.gateway == bindparam("gateway"),
    GatewayProduct.drift.is_not(None),
)
"""Of a course in a statement, and of the `gateway` in use."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A course that nobody can buy until it is mended."""

    course: str
    title: str
    why: str
    since: datetime


def heard(session: Session, fact: ProductFact, gateway: str) -> None:
    """Look at what was changed, unless LUMA changed it. Raises NotOurs."""
    product = _named(session, fact, gateway)
    if product is None:
        raise NotOurs("It is no product or price of a course here.")
    if fact.is_echo:
        return
    if not (fact.is_gone and fact.price_id in (None, product.price_id)):
        _look_later(session, product.course_id)
        return
    _pause(session, product, Drift.PRICE_ARCHIVED if fact.price_id else Drift.PRODUCT_DELETED)


def look(course_id: int) -> None:
    """Hold what the gateway has of a course against what it was told. Waits for the network."""
    gateway = gateways.current()
    with db.unit_of_work() as session:
        product = _of(session, course_id, gateway.name)
        if product is None or product.price_id is None:
            return
        known = (product.product_id, product.price_id)
    try:
        there = gateway.found(Thing.PRODUCT, known[0]), gateway.found(Thing.PRICE, known[1])
    except GatewayMissing:
        catalogue_sync.forget(course_id)
        with db.unit_of_work() as session:
            queue.defer(session, "catalogue.sync", course_id=course_id)
        return
    with db.unit_of_work() as session:
        product = _of(session, course_id, gateway.name)
        if product is not None and (product.product_id, product.price_id) == known:
            _judge(session, product, *there)


def look_at_all(session: Session) -> None:
    """Every course on sale, each in a job of its own: what no event has told is found so."""
    asked = _on_sale(gateways.current().name).with_only_columns(GatewayProduct.course_id)
    for course_id in session.scalars(asked):
        _look_later(session, course_id)


def paused(session: Session, actor: Actor) -> tuple[Paused, ...]:
    """Courses that cannot be bought: all for an admin, else the actor's own. The newest first."""
    asked = _on_sale(gateways.current().name).where(GatewayProduct.drift.is_not(None))
    if not actor.is_admin:
        asked = asked.where(Course.instructor_id == actor.id)
    rows = session.execute(
        asked.add_columns(Course.public_id, Course.title).order_by(GatewayProduct.drift_at.desc())
    )
    return tuple(
        Paused(name, title, _reason(product.gateway, product.drift), product.drift_at)
        for product, name, title in rows
        if product.drift and product.drift_at
    )


def mend(key: str | None, course: str) -> str:
    """Make the gateway sell the course again, and say so. Waits for the network.

    It is the instructor's or an admin's to do. Raises NotFound, and ServiceDown when the gateway
    does not answer; then a job goes on trying.
    """
    with db.unit_of_work() as session:
        course_id, title = accounts.as_user(session, key, _spoil, course)
    catalogue_sync.sync(course_id)
    return f"“{title}” can be bought again."


def _reason(gateway: str, why: Drift) -> str:
    return f"At {INSIDE[gateway]} {WORDS[why]}."


def _spoil(session: Session, actor: Actor, public_id: str) -> tuple[int, str]:
    asked = _on_sale(gateways.current().name).where(Course.public_id == texts.key(public_id))
    if not actor.is_admin:
        asked = asked.where(Course.instructor_id == actor.id)
    product = session.scalar(asked.with_for_update(of=GatewayProduct))
    if product is None:
        raise NotFound("There is no such course on sale.")
    product.spoil()
    course = session.get_one(Course, product.course_id)
    once = f"catalogue.sync:{course.id}"
    queue.defer(session, "catalogue.sync", lock=once, once=once, course_id=course.id)
    return course.id, course.title


def _judge(
    session: Session, product: GatewayProduct, thing: Mapping[str, Any], price: Mapping[str, Any]
) -> None:
    trouble = _trouble(product, thing, price)
    if trouble:
        _pause(session, product, trouble)
        return
    product.resume()
    if thing.get("name") != product.name or (thing.get("description") or "") != product.description:
        product.name = ""
        queue.defer(session, "catalogue.sync", course_id=product.course_id)


def _trouble(
    product: GatewayProduct, thing: Mapping[str, Any], price: Mapping[str, Any]
) -> Drift | None:
    if not thing.get("active"):
        return Drift.PRODUCT_ARCHIVED
    if not price.get("active"):
        return Drift.PRICE_ARCHIVED
    asked = (product.price_minor, product.price_currency)
    others = set(price.get("currency_options") or ()) - {product.price_currency}
    if (price.get("unit_amount"), price.get("currency")) != asked or others:
        return Drift.PRICE_CHANGED
    return None


def _pause(session: Session, product: GatewayProduct, why: Drift) -> None:
    """Nobody is led to pay, who is on the way is stopped, and those who can mend it are told."""
    course = session.get_one(Course, product.course_id)
    is_sold = course.status is CourseStatus.PUBLISHED and not course.price.is_zero
    if product.drift is not None or not is_sold:
        return
    now = clock.now()
    product.pause(why, now)
    log.error("a course is not for sale at the gateway", extra={"course": course.public_id})
    on_the_way = select(Order).where(
        Order.course_id == course.id,
        Order.status == OrderStatus.OPEN,
        Order.gateway == product.gateway,
    )
    for order in session.scalars(on_the_way):
        queue.defer(session, "checkout.close", once=order.public_id, order_id=order.id)
    _tell(session, product, course, _reason(product.gateway, why), now)


def _tell(
    session: Session, product: GatewayProduct, course: Course, why: str, now: datetime
) -> None:
    for user_id, where in _to_be_told(session, course):
        letters.write(
            session,
            user_id,
            "buying-paused",
            once=f"buying-paused-{product.id}-{now:%Y%m%d%H%M%S}-to-{user_id}",
            subject=f"Nobody can buy {course.title}",
            text=f"{why} So nobody can buy “{course.title}” now. Whoever has bought it "
            "keeps it.\n\nOne press puts it right: “Sell again”. To stop selling a course, "
            "unpublish it in the studio.",
            button=("Put it right", where),
        )


def _to_be_told(session: Session, course: Course) -> Iterator[tuple[int, str]]:
    yield course.instructor_id, "/studio"
    admins = select(UserRole.user_id).where(UserRole.role == Role.ADMIN).order_by(UserRole.user_id)
    for admin_id in session.scalars(admins):
        if admin_id != course.instructor_id:
            yield admin_id, "/admin/payments"


def _look_later(session: Session, course_id: int) -> None:
    queue.defer(session, LOOK, once=f"{LOOK}:{course_id}", course_id=course_id)


def _named(session: Session, fact: ProductFact, gateway: str) -> GatewayProduct | None:
    is_it = GatewayProduct.product_id == fact.product_id
    if fact.price_id:
        is_it |= GatewayProduct.price_id == fact.price_id
    return session.scalar(
        select(GatewayProduct).where(GatewayProduct.gateway == gateway, is_it).with_for_update()
    )


def _of(session: Session, course_id: int, gateway: str) -> GatewayProduct | None:
    mine = _on_sale(gateway).where(Course.id == course_id)
    return session.scalar(mine.with_for_update(of=GatewayProduct))


def _on_sale(gateway: str) -> Select[GatewayProduct]:
    return (
        select(GatewayProduct)
        .join(Course, Course.id == GatewayProduct.course_id)
        .where(
            GatewayProduct.gateway == gateway,
            Course.status == CourseStatus.PUBLISHED,
            Course.price_minor > 0,
        )
    )
