"""The gateway without an account anywhere: the same protocol and signed events, and no money."""

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound
from luma.models.payment import SandboxReversal, SandboxSession
from luma.services import clock
from luma.services.gateways import (
    checkout_events,
    sandbox_charges,
    sandbox_connect,
    sandbox_events,
    sandbox_lists,
    sandbox_prices,
    sandbox_reversals,
    signatures,
)
from luma.services.gateways.coupon_requests import CouponRequest, PromotionRequest
from luma.services.gateways.protocol import (
    CheckoutRequest,
    CheckoutSession,
    Door,
    GatewayArchived,
    GatewayEvent,
    PriceRequest,
    ProductRequest,
    Thing,
    Unverified,
)
from luma.services.gateways.reversal_events import REFUND_CREATED
from luma.services.gateways.sandbox_connect import (
    create_payee,
    onboarding_address,
    transfer,
    transfer_made,
)
from luma.services.gateways.sandbox_endpoints import SandboxEndpoints
from luma.services.gateways.sandbox_post import (
    deliver,
    emit,
    ensure_on,
    events_since,
    secret,
    short,
)
from luma.settings import settings
from luma.values import Money

__all__ = [
    "create_payee",
    "deliver",
    "emit",
    "ensure_on",
    "events_since",
    "onboarding_address",
    "secret",
    "transfer",
    "transfer_made",
]

name = "sandbox"

PREFIX = "evt_sbx_"
_SESSION_ID = re.compile(r"cs_sbx_[0-9a-f]{32}")


def is_set_up() -> bool:
    return True


def create_product(request: ProductRequest, key: str) -> str:
    return f"prod_sbx_{short(key)}"


def update_product(product_id: str, request: ProductRequest, key: str) -> None:
    """Nothing is kept of a product, so there is nothing to change."""


def create_price(request: PriceRequest, key: str) -> str:
    return f"price_sbx_{short(key)}"


def replace_price(product_id: str, new_id: str, old_id: str, key: str) -> None:
    """Nothing is kept of a price either."""


def create_coupon(request: CouponRequest, key: str) -> str:
    return f"cpn_sbx_{short(key)}"


def create_promotion_code(request: PromotionRequest, key: str) -> str:
    return f"promo_sbx_{short(key)}"


def end_promotion_code(promotion_id: str, key: str) -> None:
    """Nothing is kept of a promotion code."""


def open_checkout(request: CheckoutRequest, key: str) -> CheckoutSession:
    ensure_on()
    with db.unit_of_work() as session:
        if sandbox_prices.is_archived(session, request.price_id):
            raise GatewayArchived
        session.execute(
            insert(SandboxSession)
            .values(
                session_id=f"cs_sbx_{secrets.token_hex(16)}",
                operation_key=key,
                request=request.frozen(),
                created_at=clock.now(),
                expires_at=datetime.fromtimestamp(request.expires_at, UTC),
            )
            .on_conflict_do_nothing(index_elements=[SandboxSession.operation_key])
        )
        asked_before = select(SandboxSession).where(SandboxSession.operation_key == key)
        row = session.scalars(asked_before).one()
        return CheckoutSession(row.session_id, address(row.session_id), row.expires_at)


def is_ours(session_id: str) -> bool:
    return session_id.startswith("cs_sbx_")


def expire_checkout(session_id: str) -> bool:
    with db.unit_of_work() as session:
        row = locked(session, session_id)
        if row.status == "open":
            row.expire()
            emit(session, checkout_events.EXPIRED, sandbox_events.session(row))
        return row.status == "expired"


def found(kind: Thing, thing_id: str) -> dict[str, object]:
    with db.unit_of_work() as session:
        if kind is Thing.CHECKOUT:
            return sandbox_events.session(locked(session, thing_id))
        if kind is Thing.ACCOUNT:
            return sandbox_connect.account(sandbox_connect.locked(session, thing_id))
        if kind is Thing.PRODUCT:
            return sandbox_prices.product(session, thing_id)
        if kind is Thing.PRICE:
            return sandbox_prices.price(session, thing_id)
        if kind is Thing.CHARGE:
            return sandbox_charges.found(session, thing_id)
        asked = select(SandboxReversal).where(SandboxReversal.object_id == thing_id)
        return sandbox_reversals.shown(session.scalars(asked).one())


def listed(
    kind: Thing, *, since: datetime | None = None, of: str | None = None
) -> Iterator[dict[str, object]]:
    with db.unit_of_work() as session:
        found_there = sandbox_lists.listed(session, kind, since, of)
    yield from found_there


def refund(payment_intent_id: str, amount: Money, key: str) -> dict[str, object]:
    with db.unit_of_work() as session:
        row = sandbox_reversals.paid_by(session, payment_intent_id)
        made = sandbox_reversals.refund(session, row, amount, key)
        emit(session, REFUND_CREATED, shown := sandbox_reversals.shown(made))
        return shown


def endpoints() -> SandboxEndpoints:
    return SandboxEndpoints()


def verified(payload: bytes, signature: str, door: Door = Door.PLATFORM) -> GatewayEvent:
    """Only its own events pass here, so that no secret of one gateway opens the other."""
    ensure_on()
    signatures.ensure_signed(payload, signature, [secret()])
    event = signatures.read_at(door, payload, "sandbox")
    if not event.event_id.startswith(PREFIX) or event.livemode or _is_strange(event, door):
        raise Unverified("This event is not of the sandbox.")
    return event


def _is_strange(event: GatewayEvent, door: Door) -> bool:
    return (event.account is not None) is not (door is Door.CONNECT)


def address(session_id: str) -> str:
    return f"{settings().base_url}/sandbox/checkout/{session_id}"


def locked(session: Session, session_id: str) -> SandboxSession:
    """Raises NotFound. Two presses of two buttons wait for each other here."""
    found = None
    if _SESSION_ID.fullmatch(session_id):
        asked = select(SandboxSession).where(SandboxSession.session_id == session_id)
        found = session.scalar(asked.with_for_update())
    if found is None:
        raise NotFound("There is no such checkout.")
    return found
