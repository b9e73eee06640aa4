"""What an event says about money: read once here, never trusted further than it proves."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import stripe

from luma.services.gateways import (
    account_events,
    charge_events,
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
from luma.services.gateways.fraud_events import FRAUD_WARNINGS, WarningFact
from luma.services.gateways.invoice_events import INVOICES, InvoiceFact
from luma.services.gateways.product_events import PRICES, PRODUCTS, ProductFact
from luma.services.gateways.protocol import Door, GatewayEvent, Thing
from luma.services.gateways.reversal_events import DISPUTES, REFUNDS, DisputeFact, RefundFact
from luma.services.gateways.transfer_events import TRANSFERS, TransferFact
from luma.values import Money

COMPLETED = "checkout.session.completed"
SUCCEEDED_LATE = "checkout.session.async_payment_succeeded"
FAILED_LATE = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
CHECKOUTS = frozenset({COMPLETED, SUCCEEDED_LATE, FAILED_LATE, EXPIRED})
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


class Outcome(StrEnum):
    PAID = "paid"
    AWAITING = "awaiting"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CheckoutFact:
    """One thing that is known to have happened at the gateway's checkout."""

    session_id: str
    order: str | None
    """The public id of ours that the session carries."""
    outcome: Outcome
    payment_intent_id: str | None
    subtotal: Money | None
    total: Money | None
    """Null when the amounts make no sense, which is never taken for a payment in full."""
    discount: int
    tax: int
    """In minor units; zero when the amounts make no sense."""
    happened_at: datetime
    invoice_id: str | None = None

    @property
    def tax_is_added(self) -> bool:
        """Whether the buyer paid it on top of the price; otherwise the price has it inside."""
        if self.subtotal is None or self.total is None:
            return False
        return self.tax > 0 and self.total.minor > self.subtotal.minor - self.discount


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
    return _checkout(event.type, thing, event.created_at)


def fact_now(kind: Thing, thing: Mapping[str, Any], now: datetime) -> Fact | None:
    """What a thing says by itself, asked for rather than told. None while nothing has happened.

    The gateway does not say when a checkout was paid: `now` is when it is known.
    """
    if read := _READ.get(kind):
        return read(thing)
    if kind is not Thing.CHECKOUT or thing.get("status") == "open":
        return None
    is_over = thing.get("status") == "expired"
    return _checkout(EXPIRED if is_over else COMPLETED, thing, now)


NAMING = ("id", "payment_intent", "charge", "product", "source_transaction", "transfer_group")


def subjects(raw: bytes) -> list[str]:
    """The ids that an event names: of its thing, payment, charge, product and order.

    LUMA sends a share along with its order as the group of transfers.
    """
    thing = (json.loads(raw).get("data") or {}).get("object") or {}
    named = [_id_in(thing.get(part)) for part in NAMING]
    return sorted({name for name in (*named, _id_in(things.order_of(thing))) if name})


def _id_in(part: object) -> str:
    """An id as it is, or of the whole thing; nothing that a table cannot hold."""
    found = part.get("id") if isinstance(part, Mapping) else part
    is_one = isinstance(found, str) and found.isascii() and found.isprintable()
    return str(found) if is_one and len(str(found)) <= 255 else ""


def _checkout(kind: str, session: Mapping[str, Any], happened_at: datetime) -> CheckoutFact:
    session_id = things.id_of(session, "a checkout session")
    subtotal, total = _amounts(session)
    details = session.get("total_details") or {}
    return CheckoutFact(
        session_id=session_id,
        order=things.order_of(session),
        outcome=_outcome(kind, session),
        payment_intent_id=things.payment_of(session),
        subtotal=subtotal,
        total=total,
        discount=_whole(details.get("amount_discount")) if total else 0,
        tax=_whole(details.get("amount_tax")) if total else 0,
        happened_at=happened_at,
        invoice_id=_id_in(session.get("invoice")) or None,
    )


def _release(version: str) -> str:
    """2026-10-28.endive is of the release endive, and so is every later date of that name."""
    return version.rpartition(".")[2]


def _outcome(event_type: str, session: Mapping[str, Any]) -> Outcome:
    if event_type == EXPIRED:
        return Outcome.EXPIRED
    if event_type == FAILED_LATE:
        return Outcome.FAILED
    if session.get("payment_status") in ("paid", "no_payment_required"):
        return Outcome.PAID
    return Outcome.AWAITING


def _amounts(session: Mapping[str, Any]) -> tuple[Money | None, Money | None]:
    """Subtotal and total, if the total is the subtotal less discounts, with the tax or inside it.

    Stripe's subtotal of a price that includes tax has that tax in it, and `amount_tax` tells how
    much: it is not added once more.
    """
    details = session.get("total_details") or {}
    try:
        subtotal = Money(session["amount_subtotal"], session["currency"])
        total = Money(session["amount_total"], session["currency"])
        change = sum(
            sign * _whole(details.get(part))
            for sign, part in ((-1, "amount_discount"), (1, "amount_shipping"))
        )
        tax = _whole(details.get("amount_tax"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    added = total.minor - subtotal.minor - change
    fits = total.minor >= 0 and tax >= 0 and added in (0, tax)
    return (subtotal, total) if fits else (None, None)


def _whole(value: object) -> int:
    if value is None:
        return 0
    if type(value) is not int:
        raise TypeError(value)
    return value
