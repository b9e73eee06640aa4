"""Open an order at today's price, lead the buyer to pay, and say how it stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound, RuleBroken, ServiceDown
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.user import User
from luma.services import accounts, clock, gateways, policies
from luma.services.gateways.protocol import CheckoutRequest, GatewayArchived, GatewayMissing
from luma.services.money import (
    access,
    catalogue_sync,
    coupon_sync,
    drift,
    facts,
    orders,
    promotions,
    taxes,
    visits,
)
from luma.services.money.coupon_sync import NotThere
from luma.services.money.promotions import Offer
from luma.services.money.visits import Visit
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import AttemptStatus, CourseStatus, OrderStatus

OPEN_FOR = timedelta(hours=2)
"""How long a visit to the gateway's page may take. It allows 30 minutes to a day."""

TURNS = 8
SLUG = re.compile(r"[a-z0-9-]{1,80}")


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """The gateway does not have today's price yet."""

    course_id: int


@dataclass(frozen=True, slots=True)
class Stale:
    """An order is open at a price or with a discount that is not asked for now, or where nobody
    pays any more."""

    order_id: int


Step = Visit | OutOfStep | NotThere | Stale | str


def start(key: str | None, slug: str, code: str = "") -> str:
    """Return the address where whoever is signed in with this session key goes on.

    That is the gateway's page, or our own while a late payment is still being confirmed. Call
    it through `offload`: it waits for the network, between transactions of its own. Order and
    visit are committed before the gateway is asked, and a second tab gets the same page. A code
    that takes off all of the price leads straight to the course. Raises CodeRefused.
    """
    return _led(lambda session: accounts.as_user(session, key, _next_step, slug, code))


def start_for(buyer: Actor, slug: str) -> str:
    """The same for a buyer who rehearses, and whom no browser stands for."""
    return _led(lambda session: _next_step(session, buyer, slug, ""))


def _led(decide: Callable[[Session], Step]) -> str:
    for _ in range(TURNS):
        with db.unit_of_work() as session:
            step = decide(session)
        match step:
            case Visit():
                if address := _begun(step):
                    return address
            case OutOfStep(course_id):
                catalogue_sync.sync(course_id)
            case NotThere():
                coupon_sync.make(step)
            case Stale(order_id):
                close(order_id)
            case str():
                return step
    raise ServiceDown("The price is changing right now. Try again in a minute.")


def _begun(visit: Visit) -> str | None:
    """The page's address; None where what is sold is not there, which is looked after here."""
    try:
        return visits.begin(visit)
    except GatewayArchived:
        drift.look(visit.course_id)
    except GatewayMissing:
        catalogue_sync.forget(visit.course_id)
        coupon_sync.forget(visit.request.coupon_id)
    return None


def enrol_free(session: Session, actor: Actor, slug: str) -> str:
    """Enrol in a course that costs nothing and return where learning begins. Twice is harmless."""
    course = _on_sale(session, slug)
    if not course.price.is_zero:
        raise RuleBroken(f"This course costs {course.price.words()}.")
    if course.instructor_id == actor.id:
        raise RuleBroken("You teach this course.")
    access.grant_free(session, actor.id, course.id)
    return orders.start_address(session, course)


def close(order_id: int) -> None:
    """See to it that nobody pays for this order any more, unless somebody just has."""
    with db.unit_of_work() as session:
        order = session.get_one(Order, order_id)
        visits = _unfinished(session, order_id)
        is_elsewhere = _is_elsewhere(order, visits)
        asked = [visit.session_id for visit in visits if visit.session_id and visit.is_open]
    gateway = gateways.current()
    paid = set[str]()
    if not is_elsewhere:
        paid = {session_id for session_id in asked if not gateway.expire_checkout(session_id)}
    with db.unit_of_work() as session:
        order = access.locked(session, order_id)
        for visit in _unfinished(session, order_id):
            if visit.is_open or is_elsewhere:
                over = visit.session_id not in paid
                visit.note(AttemptStatus.EXPIRED if over else AttemptStatus.AWAITING)
        access.derive(session, order)


def _next_step(session: Session, actor: Actor, slug: str, code: str) -> Step:
    """One buyer's purchases follow one another: the row of the buyer is locked."""
    session.execute(select(User.id).where(User.id == actor.id).with_for_update(key_share=True))
    course = _on_sale(session, slug)
    _ensure_may_buy(session, actor, course)
    order = _open_order(session, actor, course)
    earlier = _unfinished(session, order.id) if order else []
    is_elsewhere = order is not None and _is_elsewhere(order, earlier)
    if order and order.status is OrderStatus.PENDING and not is_elsewhere:
        return orders.address(order.public_id)
    given = promotions.wanted(session, order, actor.id, course, code)
    is_off = order and not (taxes.fits(order, course) and promotions.fits(order, given))
    if order and (is_elsewhere or is_off):
        return Stale(order.id)
    if given and given.is_free:
        facts.record_free(session, _new_order(session, actor, course, given))
        return orders.start_address(session, course)
    if not gateways.current().is_set_up():
        raise ServiceDown("Buying is not set up here yet.")
    catalogue_sync.ensure_sold(session, course, gateways.current().name)
    if (known := visits.known(earlier, course)) is not None:
        return known
    return _new_visit(session, order, actor, course, given)


def _ensure_may_buy(session: Session, actor: Actor, course: Course) -> None:
    if course.instructor_id == actor.id:
        raise RuleBroken("You teach this course.")
    if policies.is_enrolled(session, actor.id, course.id):
        raise RuleBroken("This course is yours already.")
    if course.price.is_zero:
        raise RuleBroken("This course is free. Enrol instead.")
    course.price.ensure_chargeable()


def _on_sale(session: Session, slug: str) -> Course:
    course = None
    if SLUG.fullmatch(slug):
        course = session.scalar(select(Course).where(Course.slug == slug))
    if course is None or course.status is not CourseStatus.PUBLISHED:
        raise NotFound("There is no such course on sale.")
    return course


def _open_order(session: Session, actor: Actor, course: Course) -> Order | None:
    """The one that is not over: a unique index allows no second."""
    return session.scalar(
        select(Order).where(
            Order.buyer_id == actor.id,
            Order.course_id == course.id,
            Order.status.in_([OrderStatus.OPEN, OrderStatus.PENDING]),
        )
    )


def _unfinished(session: Session, order_id: int) -> list[CheckoutAttempt]:
    found = session.scalars(
        select(CheckoutAttempt)
        .where(
            CheckoutAttempt.order_id == order_id,
            CheckoutAttempt.status.in_([AttemptStatus.OPEN, AttemptStatus.AWAITING]),
        )
        .order_by(CheckoutAttempt.id)
    )
    return list(found)


def _is_elsewhere(order: Order, visits: list[CheckoutAttempt]) -> bool:
    """Opened at another gateway or in its other mode: what happens there is not heard here.

    A late payment of real money is waited for all the same while test keys are tried.
    """
    gateway = gateways.current()
    other = order.gateway != gateway.name or any(
        visit.session_id and not gateway.is_ours(visit.session_id) for visit in visits
    )
    return other and (order.status is OrderStatus.OPEN or settings().livemode)


def _new_visit(
    session: Session, order: Order | None, actor: Actor, course: Course, given: Offer | None
) -> Visit | OutOfStep | NotThere:
    """Once the gateway knows the price and the discount. Raises TooMany."""
    visits.ensure_few(session, actor.id)
    gateway = gateways.current().name
    price_id = catalogue_sync.price_id(session, course, gateway)
    if price_id is None:
        return OutOfStep(course.id)
    coupon_id = coupon_sync.discount(session, given, gateway) if given else None
    if isinstance(coupon_id, NotThere):
        return coupon_id
    order = order or _new_order(session, actor, course, given)
    request = _request(order, course, actor, price_id, coupon_id)
    return _note_visit(session, order, request)


def _new_order(session: Session, actor: Actor, course: Course, given: Offer | None) -> Order:
    now = clock.now()
    order = Order(
        buyer_id=actor.id,
        course_id=course.id,
        price=course.price,
        discount_minor=given.discount.minor if given else 0,
        tax_behavior=taxes.behavior(course) or None,
        fee_bps=settings().platform_fee_bps,
        refund_days=settings().refund_days,
        gateway=gateways.current().name,
        created_at=now,
        updated_at=now,
    )
    session.add(order)
    session.flush()
    if given:
        promotions.claim(session, order, given)
    return order


def _note_visit(session: Session, order: Order, request: CheckoutRequest) -> Visit:
    earlier = select(func.count()).where(CheckoutAttempt.order_id == order.id)
    number = (session.scalar(earlier) or 0) + 1
    attempt = CheckoutAttempt(
        order_id=order.id,
        operation_key=f"luma:checkout:{order.public_id}:{number}",
        request=request.frozen(),
        created_at=clock.now(),
    )
    session.add(attempt)
    session.flush()
    return Visit(attempt.id, order.course_id, attempt.operation_key, request)


def _request(
    order: Order, course: Course, actor: Actor, price_id: str, coupon_id: str | None
) -> CheckoutRequest:
    back = f"{settings().base_url}{orders.address(order.public_id)}"
    return CheckoutRequest(
        order=order.public_id,
        title=course.title,
        price_id=price_id,
        amount=order.price,
        email=actor.email,
        success_url=back,
        cancel_url=f"{back}/cancelled",
        expires_at=int((clock.now() + OPEN_FOR).timestamp()),
        coupon_id=coupon_id or "",
        discount=order.discount_minor,
        counts_tax=order.tax_behavior is not None,
    )
