"""Facts in every order: seven in memory, six on PostgreSQL, with doubles, end in one state."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment
from luma.models.reversal import Dispute, Refund
from luma.services.gateways import events
from luma.services.gateways.checkout_events import CheckoutFact, Outcome
from luma.services.gateways.events import Fact
from luma.services.gateways.reversal_events import DisputeFact, RefundFact
from luma.services.money import access, facts
from luma.services.money.reversals import UnknownPayment
from luma.services.money.standings import PaymentStanding
from luma.values import AttemptStatus, DisputeStatus, OrderStatus, RefundStatus
from tests.selling import (
    EXPIRED,
    SUCCEEDED_LATE,
    Sale,
    dispute_event,
    make_attempt,
    open_sale,
    received,
    refund_event,
)

State = tuple[object, ...]


def told(sale: Sale) -> list[Fact]:
    """What happens to a sale that is paid late, refunded in part, disputed and won."""
    return [
        _read(body)
        for body in (
            sale.event(status="unpaid"),
            sale.event(SUCCEEDED_LATE),
            refund_event(sale, 1000, "pending"),
            refund_event(sale, 1000, "succeeded"),
            dispute_event(sale),
            dispute_event(sale, "won"),
        )
    ]


def _read(body: str) -> Fact:
    event = received(body)
    return events.fact(event, events.thing_in(event.raw))


@dataclass
class InMemory:
    """Facts by their ids, judged by LUMA's own rules; only the tables are missing."""

    order: Order
    attempts: dict[str, CheckoutAttempt] = field(default_factory=dict)
    paid: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    refunds: dict[str, tuple[int, RefundStatus]] = field(default_factory=dict)
    disputes: dict[str, DisputeStatus] = field(default_factory=dict)

    def take(self, fact: Fact) -> None:
        match fact:
            case CheckoutFact(session_id=name, outcome=Outcome.PAID, total=total):
                minor = total.minor if total else 0
                self.paid.setdefault(name, (minor, facts._misfit(self.order, fact)))
            case CheckoutFact(session_id=name, outcome=outcome):
                attempt = self.attempts.setdefault(name, CheckoutAttempt(status=AttemptStatus.OPEN))
                attempt.note(facts._NOTED[outcome])
            case RefundFact(refund_id=name, amount=amount, status=status):
                known = self.refunds.get(name)
                if known is None or known[1].rank < status.rank:
                    self.refunds[name] = (amount.minor, status)
            case DisputeFact(dispute_id=name, status=status):
                if name not in self.disputes or self.disputes[name].rank < status.rank:
                    self.disputes[name] = status

    def state(self) -> State:
        back = sum(minor for minor, status in self.refunds.values() if status.counts)
        standings = [
            PaymentStanding(1, misfit, minor, back, frozenset(self.disputes.values()))
            for minor, misfit in self.paid.values()
        ]
        noted = {name: attempt.status for name, attempt in self.attempts.items()}
        return (access._paid_verdict(standings), noted, dict(self.refunds), dict(self.disputes))


def test_seven_facts_in_all_5040_orders_end_in_one_state(session: Session) -> None:
    sale = open_sale(session)
    second = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
    all_seven = [_read(second.event(EXPIRED)), *told(sale)]
    chance = random.Random(5)

    states = []
    for arriving in itertools.permutations(all_seven):
        memory = InMemory(sale.order)
        for fact in (*arriving, chance.choice(all_seven)):
            memory.take(fact)
        states.append(memory.state())

    assert len(states) == 5040
    assert all(state == states[0] for state in states)
    assert states[0][0] == (OrderStatus.PAID, None)
    assert states[0][2:] == (
        {f"refund_sbx_{sale.order.id}_1": (1000, RefundStatus.SUCCEEDED)},
        {f"dispute_sbx_{sale.order.id}_1": DisputeStatus.WON},
    )


def test_six_facts_in_all_720_orders_end_in_one_state_on_postgresql(session: Session) -> None:
    """Orders that begin alike share their beginning: each fact is taken back to try the next.

    At the end of each order one fact comes a second time, and what waited for another its turn.
    """
    sale = open_sale(session)
    six = told(sale)
    walk = _Walk(session, sale.order.id, six, random.Random(7))

    ended = 0
    for state in walk.orders_of(six, []):
        ended += 1
        assert state == (
            (OrderStatus.PAID, None),
            [(True,)],
            [(AttemptStatus.AWAITING,)],
            [(4900, None)],
            [(1000, RefundStatus.SUCCEEDED)],
            [(DisputeStatus.WON,)],
        )
    assert ended == 720


@dataclass
class _Walk:
    """Through the tree of all orders, one savepoint for each step."""

    session: Session
    order_id: int
    told: Sequence[Fact]
    chance: random.Random

    def orders_of(self, left: Sequence[Fact], parked: list[Fact]) -> Iterator[State]:
        if not left:
            yield self._end(parked)
            return
        for number, fact in enumerate(left):
            with self.session.begin_nested() as point:
                waits = [] if self._is_taken(fact) else [fact]
                rest = [*left[:number], *left[number + 1 :]]
                yield from self.orders_of(rest, [*parked, *waits])
                point.rollback()

    def _end(self, parked: list[Fact]) -> State:
        with self.session.begin_nested() as point:
            again = self.chance.choice(self.told)
            for fact in (*parked, again):
                assert self._is_taken(fact)
            state = self._state()
            point.rollback()
        return state

    def _is_taken(self, fact: Fact) -> bool:
        """As the inbox does it: what its payment has not come for is tried again later."""
        try:
            facts.record(self.session, fact, "sandbox")
        except UnknownPayment:
            return False
        return True

    def _state(self) -> State:
        order = select(Order.status, Order.review_reason).where(Order.id == self.order_id)
        return (
            tuple(self.session.execute(order).one()),
            *(
                [tuple(row) for row in self.session.execute(asked).all()]
                for asked in (
                    select(Enrolment.active),
                    select(CheckoutAttempt.status),
                    select(Payment.amount_minor, Payment.mismatch),
                    select(Refund.amount_minor, Refund.status),
                    select(Dispute.status),
                )
            ),
        )
