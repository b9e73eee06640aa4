"""What an event says about money: read once here, never trusted further than it proves."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import stripe

from luma.services.gateways import (
    account_events,
    charge_events,
    checkout_events,
    fraud_events,
    invoice_events,
    product_events,
    reversal_events,
    things,
    transfer_events,
)
from luma.services.gateways.account_events import (
    ACCOUNTS,
    DEAUTHORIZED,
    PAYOUTS,
    THIN,
    AccountFact,
    PayoutFact,
)
from luma.services.gateways.charge_events import CHARGES, ChargeFact
from luma.services.gateways.checkout_events import CHECKOUTS, COMPLETED, EXPIRED, CheckoutFact
from luma.services.gateways.fraud_events import FRAUD_WARNINGS, WarningFact
from luma.services.gateways.invoice_events import INVOICES, InvoiceFact
from luma.services.gateways.product_events import PRICES, PRODUCTS, ProductFact
from luma.services.gateways.protocol import Door, GatewayEvent, Thing
from luma.services.gateways.reversal_events import DISPUTES, REFUNDS, DisputeFact, RefundFact
from luma.services.gateways.transfer_events import TRANSFERS, TransferFact

ACTED_ON = (
    CHECKOUTS
    | REFUNDS
    | DISPUTES
    | CHARGES
    | INVOICES
    | TRANSFERS
    | FRAUD_WARNINGS
    | PRODUCTS
    | PRICES
)
"""Of our own account; those of accounts that are paid are not in its list."""

WANTED_AT: Mapping[Door, frozenset[str]] = {
    Door.PLATFORM: ACTED_ON,
    Door.CONNECT: (ACCOUNTS - THIN) | PAYOUTS,
    Door.THIN: THIN,
}
"""What an address is no use without."""


Fact = (
    CheckoutFact
    | ChargeFact
    | InvoiceFact
    | RefundFact
    | DisputeFact
    | TransferFact
    | WarningFact
    | AccountFact
    | PayoutFact
    | ProductFact
)


def is_foreign(event: GatewayEvent) -> bool:
    """Whether it speaks another release than the library: then its object must be fetched."""
    return speaks_another_release(event.api_version or "")


def speaks_another_release(version: str) -> bool:
    return _release(version) != _release(stripe.api_version)


def is_acted_on(event: GatewayEvent) -> bool:
    """Whether anything follows.

    What happens inside the account of somebody who is paid is theirs: only how the account stands
    and what goes to its bank is ours to know, and whose money it would be nobody has proved.
    """
    if event.account is not None:
        return event.type in PAYOUTS | ACCOUNTS
    return event.type in ACTED_ON | ACCOUNTS


def must_be_fetched(event: GatewayEvent) -> bool:
    """Whether it does not say all there is to know in words that are ours to read.

    Of a product nothing is read but its id.
    """
    if event.type in PRODUCTS | PRICES:
        return False
    if event.type in ACCOUNTS:
        return event.type != DEAUTHORIZED
    if is_foreign(event):
        return True
    if is_half_told := _HALF_TOLD.get(kind_of(event.type)):
        return is_half_told(thing_in(event.raw))
    return False


def thing_in(raw: bytes) -> dict[str, Any]:
    """The checkout session, charge, refund or dispute that an event carries, or only names."""
    event = json.loads(raw)
    thing: dict[str, Any] = event.get("related_object") or event["data"]["object"]
    return thing


def id_of(event: GatewayEvent) -> str:
    """By which the gateway finds what an event is about; a payout lies in somebody's account."""
    name = str(thing_in(event.raw)["id"])
    if event.type in ACCOUNTS:
        return event.account or name
    return f"{event.account}/{name}" if event.type in PAYOUTS else name


_KINDS: Mapping[Thing, frozenset[str]] = {
    Thing.CHECKOUT: CHECKOUTS,
    Thing.CHARGE: CHARGES,
    Thing.REFUND: REFUNDS,
    Thing.DISPUTE: DISPUTES,
    Thing.INVOICE: INVOICES,
    Thing.TRANSFER: TRANSFERS,
    Thing.FRAUD_WARNING: FRAUD_WARNINGS,
    Thing.PRODUCT: PRODUCTS,
    Thing.PRICE: PRICES,
    Thing.ACCOUNT: ACCOUNTS,
    Thing.PAYOUT: PAYOUTS,
}


def kind_of(event_type: str) -> Thing:
    """What an event of this type is about."""
    return next((kind for kind, types in _KINDS.items() if event_type in types), Thing.CHECKOUT)


_READ: Mapping[Thing, Callable[[Mapping[str, Any]], Fact]] = {
    Thing.REFUND: reversal_events.refund,
    Thing.DISPUTE: reversal_events.dispute,
    Thing.CHARGE: charge_events.charge,
    Thing.INVOICE: invoice_events.invoice,
    Thing.TRANSFER: transfer_events.transfer,
    Thing.FRAUD_WARNING: fraud_events.warning,
}
"""What says the same whoever tells it, and when."""

_HALF_TOLD: Mapping[Thing, Callable[[Mapping[str, Any]], bool]] = {
    Thing.CHARGE: charge_events.is_half_told,
    Thing.REFUND: reversal_events.is_half_told,
    Thing.TRANSFER: transfer_events.is_half_told,
}
"""What may only name what must be known of it."""


def fact(event: GatewayEvent, thing: Mapping[str, Any]) -> Fact:
    """Read what an event is about, as of the event. Raises ValueError for what makes no sense."""
    kind = kind_of(event.type)
    if read := _READ.get(kind):
        return read(thing)
    if kind is Thing.ACCOUNT:
        gone = event.type == DEAUTHORIZED and account_events.deauthorized(event.account or "")
        return gone or account_events.account(thing)
    if kind in (Thing.PRODUCT, Thing.PRICE):
        return product_events.product(event.type, thing, json.loads(event.raw))
    if kind is Thing.PAYOUT:
        return account_events.payout(thing, event.account or "")
    return checkout_events.checkout(event.type, thing, event.created_at)


def fact_now(kind: Thing, thing: Mapping[str, Any], now: datetime) -> Fact | None:
    """What a thing says by itself, asked for rather than told. None while nothing has happened.

    The gateway does not say when a checkout was paid: `now` is when it is known.
    """
    if read := _READ.get(kind):
        return read(thing)
    if kind is not Thing.CHECKOUT or thing.get("status") == "open":
        return None
    is_over = thing.get("status") == "expired"
    return checkout_events.checkout(EXPIRED if is_over else COMPLETED, thing, now)


NAMING = ("id", "payment_intent", "charge", "product", "source_transaction", "transfer_group")


def subjects(raw: bytes) -> list[str]:
    """The ids that an event names: of its thing, payment, charge, product and order.

    LUMA sends a share along with its order as the group of transfers.
    """
    thing = (json.loads(raw).get("data") or {}).get("object") or {}
    named = [things.id_in(thing.get(part)) for part in NAMING]
    return sorted({name for name in (*named, things.id_in(things.order_of(thing))) if name})


def _release(version: str) -> str:
    """2026-10-28.endive is of the release endive, and so is every later date of that name."""
    return version.rpartition(".")[2]
