"""Keep coupons and promotion codes at the gateway in step with ours."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.models.coupon import Coupon, GatewayCoupon
from luma.services import clock, gateways, operations
from luma.services.gateways.coupon_requests import CouponRequest, PromotionRequest
from luma.services.gateways.protocol import Gateway, GatewayRefused
from luma.services.money.promotions import Offer
from luma.values import Money

R = TypeVar("R")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotThere:
    """The gateway does not have this discount yet."""

    coupon_id: int
    exact: Money | None
    """The amount itself, where a share had to be rounded."""


def sync(coupon_id: int) -> None:
    """Make the coupon and its promotion code there, or end the code. Twice is harmless.

    Checkout is given the coupon and never the promotion code: a code that ends while somebody
    is paying must not take away the price that they were shown.
    """
    gateway = gateways.current()
    with db.unit_of_work() as session:
        is_over = _is_over(session.get_one(Coupon, coupon_id))
    if is_over:
        _end_promotion(gateway, coupon_id)
    else:
        make(NotThere(coupon_id, None))
        _make_promotion(gateway, coupon_id)


def make(missing: NotThere) -> None:
    """Make the coupon there unless it is there. Waits for the network."""
    gateway = gateways.current()
    with db.unit_of_work() as session:
        coupon = _locked(session, missing.coupon_id)
        terms = _terms(coupon, missing.exact)
        if _kept(session, coupon.id, gateway.name, terms):
            return
        asked = _described(coupon, missing.exact)
        key = operations.key(session, _prefix(gateway, "coupon", coupon.id), asked.frozen())
    made = _asked(key, lambda: gateway.create_coupon(asked, key))
    with db.unit_of_work() as session:
        new = insert(GatewayCoupon).values(
            coupon_id=missing.coupon_id,
            gateway=gateway.name,
            terms=terms,
            gateway_id=made,
            synced_at=clock.now(),
        )
        session.execute(new.on_conflict_do_nothing())
        operations.finish(session, key, made)


def discount(session: Session, given: Offer, gateway: str) -> str | NotThere:
    """The gateway's id of the coupon that takes off just this much, or what it lacks.

    A share that comes out even goes as a share. Where ours had to be rounded the gateway gets the
    amount: how it rounds is not written down anywhere.
    """
    coupon = session.get_one(Coupon, given.coupon_id)
    exact = None if coupon.is_exactly(given.discount, given.price) else given.discount
    kept = _kept(session, coupon.id, gateway, _terms(coupon, exact))
    return kept.gateway_id if kept else NotThere(coupon.id, exact)


def forget(gateway_id: str) -> None:
    """The gateway in use has lost this coupon: the next buyer has it made anew."""
    with db.unit_of_work() as session:
        session.execute(delete(GatewayCoupon).where(GatewayCoupon.gateway_id == gateway_id))


def _make_promotion(gateway: Gateway, coupon_id: int) -> None:
    """Another shop on the account may have this code already: then the coupon does without."""
    with db.unit_of_work() as session:
        coupon = _locked(session, coupon_id)
        kept = _kept(session, coupon_id, gateway.name, _terms(coupon, None))
        if kept is None or kept.promotion_id:
            return
        ends = int(coupon.ends_at.timestamp()) if coupon.ends_at else None
        asked = PromotionRequest(kept.gateway_id, coupon.code, coupon.public_id, ends)
        key = operations.key(session, _prefix(gateway, "code", coupon_id), asked.frozen())
        row_id = kept.id
    try:
        made = _asked(key, lambda: gateway.create_promotion_code(asked, key))
    except GatewayRefused:
        log.warning("no promotion code there", extra={"coupon": coupon_id})
        return
    with db.unit_of_work() as session:
        session.get_one(GatewayCoupon, row_id, with_for_update=True).promotion_id = made
        operations.finish(session, key, made)


def _end_promotion(gateway: Gateway, coupon_id: int) -> None:
    with db.unit_of_work() as session:
        coupon = _locked(session, coupon_id)
        kept = _kept(session, coupon_id, gateway.name, _terms(coupon, None))
        if kept is None or kept.promotion_id is None or kept.promotion_ended_at:
            return
        row_id, promotion_id = kept.id, kept.promotion_id
        request: operations.Request = {"promotion": promotion_id}
        key = operations.key(session, _prefix(gateway, "end", coupon_id), request)
    try:
        _asked(key, lambda: gateway.end_promotion_code(promotion_id, key))
    except GatewayRefused:
        log.warning("the promotion code is gone there", extra={"coupon": coupon_id})
    with db.unit_of_work() as session:
        found = session.get(GatewayCoupon, row_id, with_for_update=True)
        if found is not None:
            found.promotion_ended_at = clock.now()
        operations.finish(session, key, promotion_id)


def _asked(key: str, call: Callable[[], R]) -> R:
    """A refusal closes the operation, so that the next try has a key of its own."""
    try:
        return call()
    except GatewayRefused:
        with db.unit_of_work() as session:
            operations.finish(session, key, None)
        raise


def _described(coupon: Coupon, exact: Money | None) -> CouponRequest:
    if amount := exact or coupon.amount:
        return CouponRequest(coupon.public_id, coupon.code, amount=amount)
    return CouponRequest(coupon.public_id, coupon.code, percent=coupon.percent)


def _terms(coupon: Coupon, exact: Money | None) -> str:
    if amount := exact or coupon.amount:
        return f"{amount.minor} {amount.currency}"
    return f"{coupon.percent}%"


def _is_over(coupon: Coupon) -> bool:
    return coupon.ended_at is not None or bool(coupon.ends_at and coupon.ends_at <= clock.now())


def _kept(session: Session, coupon_id: int, gateway: str, terms: str) -> GatewayCoupon | None:
    return session.scalar(
        select(GatewayCoupon).where(
            GatewayCoupon.coupon_id == coupon_id,
            GatewayCoupon.gateway == gateway,
            GatewayCoupon.terms == terms,
        )
    )


def _locked(session: Session, coupon_id: int) -> Coupon:
    """Of two that find it missing at once the second finds what the first began."""
    held = {"key_share": True}
    return session.get_one(Coupon, coupon_id, with_for_update=held)


def _prefix(gateway: Gateway, kind: str, coupon_id: int) -> str:
    return f"luma:{gateway.name}:{kind}:{coupon_id}:"
