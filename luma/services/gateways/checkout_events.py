"""What a checkout session says: paid, promised, failed or expired, and what it came to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from luma.services.gateways import things
from luma.values import Money

COMPLETED = "checkout.session.completed"
SUCCEEDED_LATE = "checkout.session.async_payment_succeeded"
FAILED_LATE = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"
CHECKOUTS = frozenset({COMPLETED, SUCCEEDED_LATE, FAILED_LATE, EXPIRED})


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


def checkout(kind: str, session: Mapping[str, Any], happened_at: datetime) -> CheckoutFact:
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
        invoice_id=things.id_in(session.get("invoice")) or None,
    )


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
