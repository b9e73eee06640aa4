"""Keep products and prices at the gateway in step with the courses on sale."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import GatewayProduct
from luma.services import clock, gateways, operations, queue
from luma.services.gateways.protocol import (
    Gateway,
    GatewayMissing,
    GatewayRefused,
    PriceRequest,
    ProductRequest,
)
from luma.services.money import taxes
from luma.values import CourseStatus, Money, OrderStatus

log = logging.getLogger(__name__)

MOST_STEPS = 20
"""A course needs three; after many edits in a row some prices more are archived."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call to make: what is asked, whom to ask it, and where the answer goes."""

    kind: str
    request: dict[str, object]
    call: Callable[[str], str | None]
    keep: Callable[[Session, str | None], None]


def sync(course_id: int) -> None:
    """Make the gateway sell the course as it is now. Waits for the network; twice is harmless.

    A price there is never changed: an edit makes a new one and archives the old. Orders still
    open at another price are closed, so that nobody pays what is not asked any more. What somebody
    changed there waits for money/drift.py.
    """
    gateway = gateways.current()
    for _ in range(MOST_STEPS):
        step = _next_step(gateway, course_id)
        if step is None:
            break
        _take(gateway, course_id, step)
    with db.unit_of_work() as session:
        _close_stale_orders(session, course_id)


def price_id(session: Session, course: Course, gateway: str) -> str | None:
    """The gateway's id for today's price, or None while it does not have that."""
    product = _product(session, course.id, gateway)
    return product.price_id if product and _sells_today(product, course) else None


def ensure_sold(session: Session, course: Course, gateway: str) -> None:
    """Raises RuleBroken while what is at the gateway is not what was put there."""
    product = _product(session, course.id, gateway)
    if product and product.drift:
        raise RuleBroken(
            "Buying this course is paused: its price has to be put right first. Come back later."
        )


def forget(course_id: int) -> None:
    """The gateway in use has lost the course's product or price: the next sync makes both anew."""
    with db.unit_of_work() as session:
        session.execute(
            delete(GatewayProduct).where(
                GatewayProduct.course_id == course_id,
                GatewayProduct.gateway == gateways.current().name,
            )
        )


def _next_step(gateway: Gateway, course_id: int) -> Step | None:
    with db.unit_of_work() as session:
        course = session.get_one(Course, course_id)
        product = _product(session, course_id, gateway.name)
        if course.status is not CourseStatus.PUBLISHED or course.price.is_zero:
            return None
        if product is None:
            return _create_product(gateway, course)
        if product.drift:
            return None
        if _known(product, course) != _described(course):
            return _update_product(gateway, course, product)
        if not _sells_today(product, course):
            return _create_price(gateway, course, product)
        return _archive_price(session, gateway, course_id)


def _create_product(gateway: Gateway, course: Course) -> Step:
    asked = _described(course)

    def keep(session: Session, product_id: str | None) -> None:
        new = insert(GatewayProduct).values(
            course_id=course.id,
            gateway=gateway.name,
            product_id=product_id,
            name=asked.name,
            description=asked.description,
            tax_code=asked.tax_code,
            tax_behavior="",
            synced_at=clock.now(),
        )
        session.execute(new.on_conflict_do_nothing())

    return Step("product", _plain(asked), lambda key: gateway.create_product(asked, key), keep)


def _update_product(gateway: Gateway, course: Course, product: GatewayProduct) -> Step:
    asked, product_id = _described(course), product.product_id

    def call(key: str) -> None:
        gateway.update_product(product_id, asked, key)

    def keep(session: Session, _: str | None) -> None:
        told = {"name": asked.name, "description": asked.description, "tax_code": asked.tax_code}
        _write(session, product.id, **told)

    return Step("rename", _plain(asked), call, keep)


def _create_price(gateway: Gateway, course: Course, product: GatewayProduct) -> Step:
    behavior = taxes.behavior(course)
    asked = PriceRequest(product.product_id, course.public_id, course.price, behavior)

    def keep(session: Session, new_id: str | None) -> None:
        """Note in the same breath which price is to be archived, or a crash would leave it."""
        if product.price_id:
            change: operations.Request = {
                "product": asked.product_id,
                "new": new_id,
                "old": product.price_id,
            }
            archive = _prefix(gateway, course.id, "archive")
            operations.note(session, f"{archive}{product.price_id}", change)
        _write(
            session,
            product.id,
            price_id=new_id,
            price_minor=asked.amount.minor,
            price_currency=asked.amount.currency,
            tax_behavior=asked.tax_behavior,
        )

    request: dict[str, object] = {
        "product": asked.product_id,
        "amount": asked.amount.decimal(),
        "currency": asked.amount.currency,
        "after": product.price_id,
    }
    if behavior:
        request["tax_behavior"] = behavior
    return Step("price", request, lambda key: gateway.create_price(asked, key), keep)


def _archive_price(session: Session, gateway: Gateway, course_id: int) -> Step | None:
    noted = operations.undone(session, _prefix(gateway, course_id, "archive"))
    if noted is None:
        return None
    asked = {name: str(value) for name, value in noted.request.items()}

    def call(key: str) -> None:
        gateway.replace_price(asked["product"], asked["new"], asked["old"], key)

    return Step("archive", noted.request, call, lambda _session, _result: None)


def _take(gateway: Gateway, course_id: int, step: Step) -> None:
    """Write the operation down, ask, write the answer down.

    After a crash in between the same key is asked again and answered the same. A refusal closes
    the operation, so that the next try has a key of its own. What is lost there is made anew.
    """
    with db.unit_of_work() as session:
        _lock(session, course_id)
        key = operations.key(session, _prefix(gateway, course_id, step.kind), step.request)
    try:
        result = step.call(key)
    except GatewayRefused as refusal:
        log.exception("the gateway refused", extra={"step": step.kind, "course": course_id})
        with db.unit_of_work() as session:
            operations.finish(session, key, None)
        if step.kind == "archive":
            return
        if not isinstance(refusal, GatewayMissing) or step.kind == "product":
            raise
        forget(course_id)
        return
    with db.unit_of_work() as session:
        step.keep(session, result)
        operations.finish(session, key, result)


def _lock(session: Session, course_id: int) -> None:
    session.execute(select(Course.id).where(Course.id == course_id).with_for_update(key_share=True))


def _write(session: Session, row_id: int, **values: object) -> None:
    session.execute(
        update(GatewayProduct)
        .where(GatewayProduct.id == row_id)
        .values(synced_at=clock.now(), **values)
    )


def _close_stale_orders(session: Session, course_id: int) -> None:
    """An order of another day's price, or for a course off the shelf, is not to be paid."""
    course = session.get_one(Course, course_id)
    is_on_sale = course.status is CourseStatus.PUBLISHED
    open_orders = select(Order).where(
        Order.course_id == course_id, Order.status == OrderStatus.OPEN
    )
    for order in session.scalars(open_orders):
        if not is_on_sale or not taxes.fits(order, course):
            queue.defer(session, "checkout.close", once=order.public_id, order_id=order.id)


def _product(session: Session, course_id: int, gateway: str) -> GatewayProduct | None:
    return session.scalar(
        select(GatewayProduct).where(
            GatewayProduct.course_id == course_id, GatewayProduct.gateway == gateway
        )
    )


def _sells_at(product: GatewayProduct) -> Money | None:
    if product.price_minor is None or product.price_currency is None:
        return None
    return Money(product.price_minor, product.price_currency)


def _sells_today(product: GatewayProduct, course: Course) -> bool:
    """At today's price, and with its tax as it is today; where none is counted, however it is."""
    wanted = taxes.behavior(course)
    return _sells_at(product) == course.price and wanted in ("", product.tax_behavior)


def _described(course: Course) -> ProductRequest:
    return ProductRequest(course.public_id, course.title, course.summary, taxes.code(course))


def _known(product: GatewayProduct, course: Course) -> ProductRequest:
    """What the gateway was told. A tax code told once may stay when no tax is counted any more."""
    kept = product.tax_code if taxes.code(course) else ""
    return ProductRequest(course.public_id, product.name, product.description, kept)


def _plain(request: ProductRequest) -> dict[str, object]:
    return {
        "reference": request.reference,
        "name": request.name,
        "description": request.description,
        **({"tax_code": request.tax_code} if request.tax_code else {}),
    }


def _prefix(gateway: Gateway, course_id: int, kind: str) -> str:
    return f"luma:{gateway.name}:{kind}:{course_id}:"
