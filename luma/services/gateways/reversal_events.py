"""What an event says about a refund or a dispute, read once here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luma.services.gateways import things
from luma.values import DisputeStatus, Money, RefundStatus

REFUND_CREATED = "refund.created"
REFUND_FAILED = "refund.failed"
DISPUTED = "charge.dispute.created"
DECIDED = "charge.dispute.closed"
REFUNDS = frozenset({REFUND_CREATED, "refund.updated", REFUND_FAILED})
DISPUTES = frozenset(
    {
        DISPUTED,
        "charge.dispute.updated",
        DECIDED,
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
BALANCE = ("balance_transaction", "failure_balance_transaction")
ENDED_BY_REFUND = "charge_refunded"
"""An older word for a dispute that a refund has ended."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One balance transaction: `minor` before the fee, and below zero for what went away."""

    move_id: str
    minor: int
    fee_minor: int
    currency: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class RefundFact:
    refund_id: str
    payment_intent_id: str | None
    amount: Money
    status: RefundStatus
    failure: str | None
    happened_at: datetime
    moves: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True)
class DisputeFact:
    dispute_id: str
    payment_intent_id: str | None
    amount: Money
    status: DisputeStatus
    reason: str
    due_by: datetime | None
    happened_at: datetime
    moves: tuple[Moved, ...] = ()


def refund(thing: Mapping[str, Any]) -> RefundFact:
    """Raises ValueError, TypeError or KeyError for what is no refund."""
    failure = things.text(thing, "failure_reason")
    return RefundFact(
        refund_id=things.id_of(thing, "a refund"),
        payment_intent_id=things.payment_of(thing),
        amount=Money(thing["amount"], thing["currency"]),
        status=RefundStatus(thing["status"]),
        failure=failure[:80] if failure is not None else None,
        happened_at=_moment(thing["created"]),
        moves=_moves([thing.get(one) for one in BALANCE]),
    )


def is_half_told(thing: Mapping[str, Any]) -> bool:
    """Whether a refund names what it moved without saying it: then it must be fetched whole."""
    return any(isinstance(thing.get(one), str) for one in BALANCE)


def dispute(thing: Mapping[str, Any]) -> DisputeFact:
    """Raises ValueError, TypeError or KeyError for what is no dispute."""
    status = thing["status"]
    due_by = (thing.get("evidence_details") or {}).get("due_by")
    return DisputeFact(
        dispute_id=things.id_of(thing, "a dispute"),
        payment_intent_id=things.payment_of(thing),
        amount=Money(thing["amount"], thing["currency"]),
        status=DisputeStatus("prevented" if status == ENDED_BY_REFUND else status),
        reason=str(thing.get("reason") or "general")[:80],
        due_by=_moment(due_by) if due_by else None,
        happened_at=_moment(thing["created"]),
        moves=_moves(thing.get("balance_transactions") or []),
    )


def _moves(told: Sequence[object]) -> tuple[Moved, ...]:
    """An id alone says nothing."""
    return tuple(_moved(one) for one in told if isinstance(one, Mapping))


def _moved(thing: Mapping[str, Any]) -> Moved:
    amount, fee = Money(thing["amount"], thing["currency"]), Money(thing["fee"], thing["currency"])
    return Moved(
        move_id=things.id_of(thing, "a balance transaction"),
        minor=amount.minor,
        fee_minor=fee.minor,
        currency=amount.currency,
        happened_at=_moment(thing["created"]),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
