"""Stripe: products, prices and hosted checkout through its API, and proof that an event is its."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

os.environ.setdefault("STRIPE_SUPPRESS_NOTICES", "true")

import stripe

from luma.errors import NotFound
from luma.services.gateways import (
    history,
    signatures,
    stripe_connect,
    stripe_lists,
    stripe_reads,
    stripe_taxes,
)
from luma.services.gateways.coupon_requests import CouponRequest, PromotionRequest
from luma.services.gateways.protocol import (
    CheckoutRequest,
    CheckoutSession,
    Door,
    GatewayDown,
    GatewayEvent,
    GatewayMissing,
    GatewayRefused,
    PriceRequest,
    ProductRequest,
    Thing,
    TransferRequest,
    Unverified,
)
from luma.services.gateways.stripe_endpoints import StripeEndpoints
from luma.services.gateways.stripe_refusals import asking
from luma.settings import settings
from luma.values import Money

if TYPE_CHECKING:
    from stripe.params import (
        CouponCreateParams,
        EventListParams,
        PriceCreateParams,
        ProductCreateParams,
        ProductUpdateParams,
        PromotionCodeCreateParams,
    )
    from stripe.params.checkout import SessionCreateParamsDiscount


stripe.enable_telemetry = False

TIMEOUT = 10
RETRIES = 2

name = "stripe"


def is_set_up() -> bool:
    return bool(settings().webhook_secrets())


def create_product(request: ProductRequest, key: str) -> str:
    params: ProductCreateParams = {"name": request.name, "metadata": {"course": request.reference}}
    if request.tax_code:
        params["tax_code"] = request.tax_code
    if request.description:
        params["description"] = request.description
    with asking("create a product"):
        return _client().v1.products.create(params, {"idempotency_key": key}).id


def update_product(product_id: str, request: ProductRequest, key: str) -> None:
    """An empty description takes away the one that Stripe has."""
    params: ProductUpdateParams = {
        "active": True,
        "name": request.name,
        "description": request.description,
    }
    if request.tax_code:
        params["tax_code"] = request.tax_code
    with asking("update a product"):
        _client().v1.products.update(product_id, params, {"idempotency_key": key})


def create_price(request: PriceRequest, key: str) -> str:
    params: PriceCreateParams = {
        "product": request.product_id,
        "unit_amount": request.amount.minor,
        "currency": request.amount.currency,
        "lookup_key": request.reference,
        "transfer_lookup_key": True,
    }
    if behavior := stripe_taxes.behavior(request):
        params["tax_behavior"] = behavior
    with asking("create a price"):
        return _client().v1.prices.create(params, {"idempotency_key": key}).id


def replace_price(product_id: str, new_id: str, old_id: str, key: str) -> None:
    """The new price becomes the default first: Stripe keeps a default price from being archived."""
    with asking("replace a price"):
        _client().v1.products.update(
            product_id, {"default_price": new_id}, {"idempotency_key": f"{key}:default"}
        )
        _client().v1.prices.update(old_id, {"active": False}, {"idempotency_key": f"{key}:archive"})


def create_coupon(request: CouponRequest, key: str) -> str:
    params: CouponCreateParams = {
        "name": request.name,
        "duration": "once",
        "metadata": {"coupon": request.reference},
    }
    if request.amount:
        params["amount_off"] = request.amount.minor
        params["currency"] = request.amount.currency
    elif request.percent:
        params["percent_off"] = request.percent
    with asking("create a coupon"):
        return _client().v1.coupons.create(params, {"idempotency_key": key}).id


def create_promotion_code(request: PromotionRequest, key: str) -> str:
    params: PromotionCodeCreateParams = {
        "promotion": {"type": "coupon", "coupon": request.coupon_id},
        "code": request.code,
        "metadata": {"coupon": request.reference},
    }
    if request.expires_at:
        params["expires_at"] = request.expires_at
    with asking("create a promotion code"):
        return _client().v1.promotion_codes.create(params, {"idempotency_key": key}).id


def end_promotion_code(promotion_id: str, key: str) -> None:
    with asking("end a promotion code"):
        _client().v1.promotion_codes.update(
            promotion_id, {"active": False}, {"idempotency_key": key}
        )


def open_checkout(request: CheckoutRequest, key: str) -> CheckoutSession:
    """The order's id goes along twice, so that session and payment both lead back to it."""
    discounts: list[SessionCreateParamsDiscount] = (
        [{"coupon": request.coupon_id}] if request.coupon_id else []
    )
    with asking("open a checkout"):
        session = _client().v1.checkout.sessions.create(
            {
                **({"discounts": discounts} if discounts else {}),
                "mode": "payment",
                "line_items": [{"price": request.price_id, "quantity": 1}],
                "client_reference_id": request.order,
                "metadata": {"order_id": request.order},
                "payment_intent_data": {
                    "metadata": {"order_id": request.order},
                    "transfer_group": request.order,
                },
                "customer_email": request.email,
                "success_url": request.success_url,
                "cancel_url": request.cancel_url,
                "expires_at": request.expires_at,
                **stripe_taxes.of_checkout(request),
            },
            {"idempotency_key": key},
        )
    if not session.url:
        raise GatewayRefused
    expires_at = datetime.fromtimestamp(session.expires_at, UTC)
    return CheckoutSession(session.id, session.url, expires_at)


def is_ours(session_id: str) -> bool:
    return not session_id.startswith("cs_test_" if settings().livemode else "cs_live_")


def expire_checkout(session_id: str) -> bool:
    """Asked of a session that is not open any more, Stripe refuses; then its state tells."""
    try:
        with asking("expire a checkout"):
            _client().v1.checkout.sessions.expire(session_id)
    except GatewayMissing:
        return True
    except GatewayRefused:
        return found(Thing.CHECKOUT, session_id).get("status") == "expired"
    return True


def found(kind: Thing, thing_id: str) -> dict[str, object]:
    if not thing_id:
        raise ValueError("an empty id would ask for the list")
    with asking(f"read a {kind}"):
        return stripe_reads.READS[kind](_client(), thing_id)


def listed(
    kind: Thing, *, since: datetime | None = None, of: str | None = None
) -> Iterator[dict[str, object]]:
    with asking(f"list {kind}s"):
        yield from stripe_lists.listed(_client(), kind, since, of)


def refund(payment_intent_id: str, amount: Money, key: str) -> dict[str, object]:
    with asking("refund a payment"):
        made = _client().v1.refunds.create(
            {
                "payment_intent": payment_intent_id,
                "amount": amount.minor,
                "metadata": {"reference": key},
            },
            {"idempotency_key": key},
        )
    return made.to_dict()


def create_payee(email: str, name: str, key: str) -> str:
    with asking("create an account"):
        return stripe_connect.create_payee(_client(), email, name, key)


def onboarding_address(account_id: str, here: str) -> str:
    with asking("open an onboarding"):
        return stripe_connect.onboarding_address(_client(), account_id, here)


def transfer(request: TransferRequest, key: str) -> str:
    with asking("transfer a share"):
        return stripe_connect.transfer(_client(), request, key)


def transfer_made(request: TransferRequest) -> str | None:
    with asking("look for a transfer"):
        return stripe_connect.transfer_made(_client(), request)


def endpoints() -> StripeEndpoints:
    return StripeEndpoints(_client())


def verified(payload: bytes, signature: str, door: Door = Door.PLATFORM) -> GatewayEvent:
    """Raises NotFound while no secret is set, because then there is no webhook here."""
    if not (secrets := settings().webhook_secrets(door.value)):
        raise NotFound("Payments are not set up here.")
    signatures.ensure_signed(payload, signature, secrets)
    event = signatures.read_at(door, payload, "push")
    _ensure_ours(event, door)
    return event


def events_since(since: datetime, types: Sequence[str]) -> Iterator[GatewayEvent]:
    return history.oldest_first(_page_of_events, _ensure_ours, since, types)


def _page_of_events(wanted: "EventListParams") -> str:
    with asking("list events"):
        page = _client().v1.events.list(wanted)
    if page.last_response is None:
        raise GatewayDown
    return str(page.last_response.body)


def _ensure_ours(event: GatewayEvent, door: Door = Door.PLATFORM) -> None:
    if event.event_id.startswith("evt_sbx_"):
        raise Unverified("The sandbox is off.")
    if event.livemode is not settings().livemode:
        raise Unverified("This event is of the other mode, live or test.")
    if (event.account is not None) is not (door is Door.CONNECT):
        raise Unverified("This event is of another account.")


def _client() -> stripe.StripeClient:
    key = settings().stripe_secret_key
    if key is None:
        raise GatewayRefused
    return _client_for(key.get_secret_value(), settings().stripe_api_base)


@lru_cache(maxsize=2)
def _client_for(key: str, base: str | None) -> stripe.StripeClient:
    """One per process. Its own defaults are no retries and 80 seconds, both wrong for a page."""
    return stripe.StripeClient(
        key,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
        base_addresses={"api": base} if base else {},
    )
