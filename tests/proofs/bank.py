"""What happens at a gateway to one order, in the order in which it happens, told as events."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from luma.models.payment import SandboxReversal
from luma.services import clock
from luma.services.gateways import sandbox_events
from luma.values import DisputeStatus, RefundStatus
from tests.selling import (
    COMPLETED,
    EXPIRED,
    FAILED_LATE,
    SUCCEEDED_LATE,
    Sale,
    charge_event,
)

OPEN, PROMISED, PAID, OVER = "open", "promised", "paid", "over"

LATER: Mapping[DisputeStatus, tuple[DisputeStatus, ...]] = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: (
        DisputeStatus.WARNING_UNDER_REVIEW,
        DisputeStatus.NEEDS_RESPONSE,
        DisputeStatus.WARNING_CLOSED,
        DisputeStatus.PREVENTED,
    ),
    DisputeStatus.WARNING_UNDER_REVIEW: (
        DisputeStatus.NEEDS_RESPONSE,
        DisputeStatus.WARNING_CLOSED,
    ),
    DisputeStatus.NEEDS_RESPONSE: (
        DisputeStatus.UNDER_REVIEW,
        DisputeStatus.WON,
        DisputeStatus.LOST,
    ),
    DisputeStatus.UNDER_REVIEW: (DisputeStatus.WON, DisputeStatus.LOST),
}
"""How a dispute goes on, by Stripe's description."""

LATER_REFUND: Mapping[RefundStatus, tuple[RefundStatus, ...]] = {
    RefundStatus.PENDING: (RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.CANCELED),
    RefundStatus.SUCCEEDED: (RefundStatus.FAILED,),
}


@dataclass
class Reversal:
    """A refund or a dispute as the gateway has it now."""

    name: str
    visit: int
    minor: int
    status: RefundStatus | DisputeStatus


@dataclass
class Told:
    """One event: its body, and what it says in the test's own words."""

    body: str
    visit: int
    paid: bool = False
    refund: tuple[str, int, RefundStatus] | None = None
    dispute: tuple[str, DisputeStatus] | None = None
    attempt: str = ""


@dataclass
class Bank:
    """Visits are numbered; each has a `Sale` with its own attempt at the same order."""

    visits: list[Sale] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    refunds: list[Reversal] = field(default_factory=list)
    disputes: list[Reversal] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def open(self, sale: Sale) -> None:
        self.visits.append(sale)
        self.state.append(OPEN)

    def in_state(self, wanted: str) -> list[int]:
        return [number for number, state in enumerate(self.state) if state == wanted]

    def paid(self, visit: int) -> int:
        """What a payment brings: the price less the order's coupon."""
        order = self.visits[visit].order
        return order.price.minor - order.discount_minor

    def pay(self, visit: int) -> None:
        self._checkout(visit, PAID, COMPLETED, "paid")

    def promise(self, visit: int) -> None:
        self._checkout(visit, PROMISED, COMPLETED, "unpaid")

    def keep(self, visit: int) -> None:
        self._checkout(visit, PAID, SUCCEEDED_LATE, "paid")

    def bounce(self, visit: int) -> None:
        self._checkout(visit, OVER, FAILED_LATE, "unpaid")

    def expire(self, visit: int) -> None:
        self._checkout(visit, OVER, EXPIRED, "unpaid")

    def left(self, visit: int) -> int:
        """What can still be given back: refunds that count, and what a bank has taken, are gone."""
        back = sum(one.minor for one in self.refunds if self._counts(one, visit))
        return 0 if self._is_taken(visit) else self.paid(visit) - back

    def refund(self, visit: int, minor: int) -> None:
        name = f"re_sbx_{self.visits[visit].order.id}_{len(self.refunds)}"
        made = Reversal(name, visit, minor, RefundStatus.PENDING)
        self.refunds.append(made)
        self._tell_refund(made)

    def change_refund(self, refund: Reversal, status: RefundStatus) -> None:
        refund.status = status
        self._tell_refund(refund)

    def dispute(self, visit: int, status: DisputeStatus) -> None:
        name = f"du_sbx_{self.visits[visit].order.id}_{len(self.disputes)}"
        made = Reversal(name, visit, self.paid(visit), status)
        self.disputes.append(made)
        self._tell_dispute("charge.dispute.created", made)

    def change_dispute(self, dispute: Reversal, status: DisputeStatus) -> None:
        dispute.status = status
        is_open = status.is_open
        self._tell_dispute(f"charge.dispute.{'updated' if is_open else 'closed'}", dispute)

    def _counts(self, refund: Reversal, visit: int) -> bool:
        ended = (RefundStatus.FAILED, RefundStatus.CANCELED)
        return refund.visit == visit and refund.status not in ended

    def _is_taken(self, visit: int) -> bool:
        taken = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST)
        return any(one.visit == visit and one.status in taken for one in self.disputes)

    def _checkout(self, visit: int, state: str, kind: str, paid: str) -> None:
        self.state[visit] = state
        words = {COMPLETED: "awaiting", FAILED_LATE: "failed", EXPIRED: "expired"}
        is_paid = state == PAID
        body = self.visits[visit].event(kind, paid)
        attempt = "" if is_paid else words[kind]
        self.told.append(Told(body, visit, paid=is_paid, attempt=attempt))
        if is_paid:
            self.told.append(Told(charge_event(self.visits[visit]), visit))

    def _tell_refund(self, one: Reversal) -> None:
        assert isinstance(one.status, RefundStatus)
        body = sandbox_events.event(
            "refund.updated", sandbox_events.refund(self._row(one, "refund")), clock.now()
        )
        self.told.append(Told(body, one.visit, refund=(one.name, one.minor, one.status)))

    def _tell_dispute(self, kind: str, one: Reversal) -> None:
        assert isinstance(one.status, DisputeStatus)
        body = sandbox_events.event(
            kind, sandbox_events.dispute(self._row(one, "dispute")), clock.now()
        )
        self.told.append(Told(body, one.visit, dispute=(one.name, one.status)))

    def _row(self, one: Reversal, kind: str) -> SandboxReversal:
        sale = self.visits[one.visit]
        return SandboxReversal(
            object_id=one.name,
            kind=kind,
            session_id=sale.attempt.session_id or "",
            operation_key="",
            amount_minor=one.minor,
            amount_currency=sale.order.price.currency,
            status=str(one.status),
            created_at=clock.now(),
        )


def renamed(body: str, names: Mapping[str, str]) -> str:
    """The same event about another order: every id in it is another, its own too."""
    event = json.loads(body)
    event["id"] = f"evt_sbx_{hashlib.sha256(event['id'].encode()).hexdigest()[:24]}"
    text = json.dumps(event)
    for old, new in names.items():
        text = text.replace(old, new)
    return text
