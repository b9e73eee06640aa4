"""What went back of a sale, as steps of its timeline: refunds, disputes, warnings of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.models.reversal import Dispute, FraudWarning, Refund, RefundRequest
from luma.values import DisputeStatus, RefundStatus

REFUND = {
    RefundStatus.PENDING: "Refund on its way",
    RefundStatus.REQUIRES_ACTION: "Refund needs the buyer",
    RefundStatus.SUCCEEDED: "Refunded",
    RefundStatus.FAILED: "Refund failed",
    RefundStatus.CANCELED: "Refund called off",
}
DECIDED = {
    DisputeStatus.WON: "Dispute won",
    DisputeStatus.LOST: "Dispute lost",
    DisputeStatus.WARNING_CLOSED: "Bank’s question closed",
    DisputeStatus.PREVENTED: "Dispute prevented",
}


@dataclass(frozen=True, slots=True)
class Back:
    what: str
    when: datetime | None
    words: str
    is_done: bool = True
    has_failed: bool = False


def of(session: Session, payments: Sequence[int], events: Sequence[StripeEvent]) -> Iterator[Back]:
    """`events` tell when a dispute was decided, which no fact keeps."""
    asked = select(RefundRequest).where(RefundRequest.payment_id.in_(payments))
    for request in session.scalars(asked):
        yield from _asked(request)
    refunds = select(Refund).where(Refund.payment_id.in_(payments))
    for refund in session.scalars(refunds):
        yield _refund(refund, events)
    warnings = select(FraudWarning).where(FraudWarning.payment_id.in_(payments))
    for warning in session.scalars(warnings):
        words = warning.reason.replace("_", " ").capitalize()
        yield Back("Card issuer warns of fraud", warning.warned_at, words, has_failed=True)
    disputes = select(Dispute).where(Dispute.payment_id.in_(payments))
    for dispute in session.scalars(disputes):
        yield from _dispute(dispute, events)


def _asked(request: RefundRequest) -> Iterator[Back]:
    words = request.amount.words()
    yield Back("Refund asked for", request.created_at, words)
    if request.refusal:
        yield Back("Refund refused", None, words, has_failed=True)


def _refund(refund: Refund, events: Sequence[StripeEvent]) -> Back:
    changed = _last(refund.refund_id, events) if refund.rank > 1 else None
    return Back(
        REFUND[refund.status],
        changed or refund.refunded_at,
        refund.amount.words(),
        is_done=refund.status is RefundStatus.SUCCEEDED,
        has_failed=not refund.status.counts,
    )


def _dispute(dispute: Dispute, events: Sequence[StripeEvent]) -> Iterator[Back]:
    is_question = dispute.status.value.startswith("warning")
    opened = "Bank asked about it" if is_question else "Disputed"
    yield Back(opened, dispute.opened_at, dispute.amount.words())
    if dispute.status in DECIDED:
        lost = dispute.status is DisputeStatus.LOST
        when = _last(dispute.dispute_id, events)
        yield Back(DECIDED[dispute.status], when, dispute.amount.words(), has_failed=lost)
    else:
        yield Back("Bank decides", None, "", is_done=False)


def _last(name: str, events: Sequence[StripeEvent]) -> datetime | None:
    return max((one.created_at for one in events if name in one.subjects), default=None)
