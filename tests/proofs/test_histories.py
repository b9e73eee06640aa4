"""After any history of orders, coupons, refunds, disputes and grants, delivered in any order and
more than once, access and money are what the gateway's own books say."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.coupon import Coupon, CouponUse
from luma.models.ledger import LedgerEntry, LedgerTransaction
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.models.reversal import Dispute, Refund
from luma.services import policies
from luma.services.gateways.sandbox_events import intent_id
from luma.services.money import access, facts, grants, promotions
from luma.services.money.promotions import CodeRefused, Offer
from luma.values import (
    DisputeStatus,
    EnrolmentSource,
    EventStatus,
    Money,
    OrderStatus,
    RefundStatus,
)
from tests.coupons import make_coupon, uses
from tests.factories import make_user
from tests.proofs import bank as books
from tests.proofs.bank import Bank, Told
from tests.selling import Sale, deliver, make_attempt, make_order, open_sale

T = TypeVar("T")

PICK = st.integers(0, 1000)
PRICE = 4900
MOST_VISITS = 3
WHY = "A friend of the house."
FREE, BY_HAND = EnrolmentSource.FREE, EnrolmentSource.MANUAL


def chosen(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


class Histories(RuleBasedStateMachine):
    """A gateway at which things happen, and its events on their way to LUMA."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self.bank = Bank()
        self.arrived: list[Told] = []
        self.given: list[EnrolmentSource] = []

    @initialize(discount=st.sampled_from([0, 980]))
    def somebody_wants_a_course(self, discount: int) -> None:
        """With a code of which there is one use, or without."""
        self.point = self.session.begin_nested()
        self.sale = open_sale(self.session, discount=discount)
        course = self.sale.course
        self.coupon = make_coupon(self.session, course, f"LAST{course.id}", most_uses=1)
        self.full = make_coupon(self.session, course, f"ALL{course.id}", percent=100, most_uses=2)
        self.rival: Order | None = None
        if discount:
            promotions.claim(self.session, self.sale.order, self._offer(self.coupon, discount))
        self.bank.open(self.sale)

    def _offer(self, coupon: Coupon, minor: int) -> Offer:
        price = self.sale.order.price
        off = Money(minor, price.currency)
        return Offer(coupon.id, coupon.code, price, off, coupon.words, None)

    # What happens at the gateway.

    @precondition(lambda self: len(self.bank.visits) < MOST_VISITS and self._is_open())
    @rule()
    def they_open_another_checkout(self) -> None:
        """As a buyer does whose page has run out; an order that is over is not opened again."""
        attempt = make_attempt(self.session, self.sale.order)
        self.bank.open(Sale(self.sale.buyer, self.sale.course, self.sale.order, attempt))

    @precondition(lambda self: self.bank.in_state(books.OPEN))
    @rule(number=PICK, how=st.sampled_from([Bank.pay, Bank.pay, Bank.promise, Bank.expire]))
    def a_checkout_ends(self, number: int, how: Callable[[Bank, int], None]) -> None:
        how(self.bank, chosen(self.bank.in_state(books.OPEN), number))

    @precondition(lambda self: self.bank.in_state(books.PROMISED))
    @rule(number=PICK, how=st.sampled_from([Bank.keep, Bank.bounce]))
    def promised_money_comes_or_not(self, number: int, how: Callable[[Bank, int], None]) -> None:
        how(self.bank, chosen(self.bank.in_state(books.PROMISED), number))

    @precondition(lambda self: self._refundable())
    @rule(number=PICK, part=st.sampled_from([1, 1000, 2450, PRICE]))
    def money_is_given_back(self, number: int, part: int) -> None:
        visit = chosen(self._refundable(), number)
        self.bank.refund(visit, min(part, self.bank.left(visit)))

    @precondition(lambda self: self._moving(self.bank.refunds))
    @rule(number=PICK, which=PICK)
    def a_refund_goes_on(self, number: int, which: int) -> None:
        one = chosen(self._moving(self.bank.refunds), number)
        assert isinstance(one.status, RefundStatus)
        self.bank.change_refund(one, chosen(list(books.LATER_REFUND[one.status]), which))

    @precondition(lambda self: self._refundable())
    @rule(number=PICK, is_inquiry=st.booleans())
    def a_bank_asks(self, number: int, is_inquiry: bool) -> None:
        begins = (
            DisputeStatus.WARNING_NEEDS_RESPONSE if is_inquiry else DisputeStatus.NEEDS_RESPONSE
        )
        self.bank.dispute(chosen(self._refundable(), number), begins)

    @precondition(lambda self: self._moving(self.bank.disputes))
    @rule(number=PICK, which=PICK)
    def a_dispute_goes_on(self, number: int, which: int) -> None:
        one = chosen(self._moving(self.bank.disputes), number)
        assert isinstance(one.status, DisputeStatus)
        self.bank.change_dispute(one, chosen(list(books.LATER[one.status]), which))

    # What happens at LUMA.

    @precondition(lambda self: self.bank.told)
    @rule(number=PICK)
    def an_event_arrives(self, number: int) -> None:
        """Any of them, also one that came before."""
        self._arrive(chosen(self.bank.told, number))

    @precondition(lambda self: self._on_their_way())
    @rule(newest_first=st.booleans())
    def all_that_are_on_their_way_arrive(self, newest_first: bool) -> None:
        waiting = self._on_their_way()
        self._arrive(*(waiting[::-1] if newest_first else waiting))

    @precondition(lambda self: len(self.given) < 2)
    @rule(source=st.sampled_from([FREE, BY_HAND]))
    def access_is_given(self, source: EnrolmentSource) -> None:
        buyer, course = self.sale.buyer.id, self.sale.course.id
        grants.give(self.session, buyer, course, source, reason=WHY)
        access.derive_enrolment(self.session, buyer, course)
        self.given += [source] if source not in self.given else []

    @precondition(lambda self: self.given)
    @rule()
    def access_that_was_given_ends(self) -> None:
        buyer, course, source = self.sale.buyer.id, self.sale.course.id, self.given[0]
        grants.end(self.session, buyer, course, source)
        access.derive_enrolment(self.session, buyer, course)
        self.given.remove(source)

    @precondition(lambda self: self.rival is None)
    @rule()
    def somebody_else_wants_the_last_use(self) -> None:
        """They get it exactly if nobody has it."""
        free = uses(self.session, self.coupon) == (0, 0)
        buyer = make_user(self.session)
        rival = make_order(self.session, buyer, self.sale.course, discount_minor=980)
        try:
            promotions.claim(self.session, rival, self._offer(self.coupon, 980))
        except CodeRefused:
            assert not free
        else:
            assert free
            self.rival = rival

    @rule()
    def somebody_has_a_code_for_all_of_it(self) -> None:
        """Paid without a gateway, twice; then it is used up."""
        before, _ = uses(self.session, self.full)
        buyer, course = make_user(self.session), self.sale.course
        order = make_order(self.session, buyer, course, discount_minor=PRICE)
        try:
            promotions.claim(self.session, order, self._offer(self.full, PRICE))
        except CodeRefused:
            assert before == 2
            return
        facts.record_free(self.session, order)
        assert before < 2
        assert order.status is OrderStatus.PAID
        assert policies.is_enrolled(self.session, buyer.id, course.id)

    # What is true at any moment.

    @invariant()
    def a_coupon_counts_who_holds_it_and_never_more_than_there_are(self) -> None:
        for coupon in (self.coupon, self.full):
            counted, held = uses(self.session, coupon)
            assert counted == held <= (coupon.most_uses or 0)

    @invariant()
    def a_use_is_held_until_its_order_ends_without_money(self) -> None:
        """Money that comes after the end takes it again, unless somebody else has it by then."""
        held = select(CouponUse.id).where(
            CouponUse.order_id == self.sale.order.id, CouponUse.released_at.is_(None)
        )
        is_over = self._expected()[0] in (OrderStatus.EXPIRED, OrderStatus.FAILED)
        wanted = bool(self.sale.order.discount_minor) and not is_over and self.rival is None
        assert (self.session.scalar(held) is not None) is wanted

    @invariant()
    def the_ledger_comes_to_nothing(self) -> None:
        sums = (
            select(func.sum(LedgerEntry.minor))
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
            .join(Payment, Payment.id == LedgerTransaction.payment_id)
            .where(Payment.order_id == self.sale.order.id)
            .group_by(LedgerTransaction.id, LedgerEntry.currency)
        )
        assert set(self.session.scalars(sums)) <= {0}

    @invariant()
    def a_payment_is_what_was_left_to_pay_in_the_orders_currency(self) -> None:
        order = self.sale.order
        found = select(Payment.amount_minor, Payment.amount_currency, Payment.mismatch).where(
            Payment.order_id == order.id
        )
        due = (PRICE - order.discount_minor, order.price.currency, None)
        assert all(tuple(one) == due for one in self.session.execute(found))

    @invariant()
    def access_is_open_exactly_if_something_good_gives_it(self) -> None:
        status = self._expected()[0]
        assert self._has_access() is (status is OrderStatus.PAID or bool(self.given))

    @invariant()
    def the_order_says_what_its_facts_say(self) -> None:
        found = select(Order.status, Order.review_reason).where(Order.id == self.sale.order.id)
        assert tuple(self.session.execute(found).one()) == self._expected()

    @invariant()
    def never_more_is_given_back_than_was_paid(self) -> None:
        """Once all is heard: before, a refund may be known to be asked and not that it failed."""
        if self._on_their_way():
            return
        counted = Refund.status.not_in([RefundStatus.FAILED, RefundStatus.CANCELED])
        back = (
            select(Refund.payment_id, func.sum(Refund.amount_minor).label("minor"))
            .where(counted)
            .group_by(Refund.payment_id)
            .subquery()
        )
        over = (
            select(func.count())
            .select_from(Payment)
            .join(back, back.c.payment_id == Payment.id)
            .where(back.c.minor > Payment.amount_minor, Payment.order_id == self.sale.order.id)
        )
        assert self.session.scalar(over) == 0

    @invariant()
    def each_payment_is_written_once_and_nobody_is_enrolled_twice(self) -> None:
        own = Payment.order_id == self.sale.order.id
        payments = self.session.scalar(select(func.count()).select_from(Payment).where(own))
        assert payments == len(self._paid())
        mine = Enrolment.student_id == self.sale.buyer.id
        assert self.session.scalar(select(func.count()).select_from(Enrolment).where(mine)) in (
            0,
            1,
        )

    def teardown(self) -> None:
        if not hasattr(self, "point"):
            return
        try:
            self._end_well()
        finally:
            self.point.rollback()
            self.session.expire_all()

    def _end_well(self) -> None:
        """All arrives at last, and the end is that of a world where all came in its order."""
        self._arrive(*self._on_their_way())
        self.access_is_open_exactly_if_something_good_gives_it()
        self.the_order_says_what_its_facts_say()
        assert self._left_behind() == 0
        assert _state(self.session, self.sale) == _state(self.session, self._in_order())

    def _arrive(self, *events: Told) -> None:
        """Each by a delivery of its own, those that came before included."""
        deliver(self.session, *(one.body for one in events))
        self.arrived += events

    def _on_their_way(self) -> list[Told]:
        return [one for one in self.bank.told if one not in self.arrived]

    def _refundable(self) -> list[int]:
        return [visit for visit in self.bank.in_state(books.PAID) if self.bank.left(visit) > 0]

    def _moving(self, reversals: list[books.Reversal]) -> list[books.Reversal]:
        onward: set[object] = {*books.LATER, *books.LATER_REFUND}
        return [one for one in reversals if one.status in onward]

    def _paid(self) -> set[int]:
        return {one.visit for one in self.arrived if one.paid}

    def _expected(self) -> tuple[OrderStatus, str | None]:
        """The plan's words, in the shortest form that a reader can check: payments.md 1.5."""
        standings = [self._standing(visit) for visit in self._paid()]
        if standings.count("good") > 1:
            return OrderStatus.PAID, access.PAID_TWICE
        best = [word for word in ("good", "disputed", "lost", "refunded") if word in standings]
        if best:
            words = {
                "good": OrderStatus.PAID,
                "disputed": OrderStatus.DISPUTED,
                "lost": OrderStatus.CHARGED_BACK,
                "refunded": OrderStatus.REFUNDED,
            }
            return words[best[0]], None
        return self._unpaid(), None

    def _unpaid(self) -> OrderStatus:
        heard: dict[int, set[str]] = {number: set() for number in range(len(self.bank.visits))}
        for one in self.arrived:
            heard[one.visit].add(one.attempt)
        ended = ["failed" in words or "expired" in words for words in heard.values()]
        if any("awaiting" in w and not e for w, e in zip(heard.values(), ended, strict=True)):
            return OrderStatus.PENDING
        if not all(ended):
            return OrderStatus.OPEN
        is_failed = any("failed" in words for words in heard.values())
        return OrderStatus.FAILED if is_failed else OrderStatus.EXPIRED

    def _standing(self, visit: int) -> str:
        """Of one payment, after everything about it that has arrived: the newest word counts."""
        disputes = {
            one.dispute[0]: self._newest_dispute(one.dispute[0])
            for one in self.arrived
            if one.dispute and one.visit == visit
        }
        if DisputeStatus.LOST in disputes.values():
            return "lost"
        refunds = {
            one.refund[0]: one.refund[1]
            for one in self.arrived
            if one.refund and one.visit == visit
        }
        ended = (RefundStatus.FAILED, RefundStatus.CANCELED)
        back = sum(minor for name, minor in refunds.items() if self._newest(name) not in ended)
        if back >= self.bank.paid(visit):
            return "refunded"
        suspends = {DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW}
        return "disputed" if suspends & set(disputes.values()) else "good"

    def _newest(self, name: str) -> RefundStatus:
        """By the order in which the gateway said it, not in which it came."""
        return [
            one.refund[2]
            for one in self.bank.told
            if one.refund and one.refund[0] == name and one in self.arrived
        ][-1]

    def _newest_dispute(self, name: str) -> DisputeStatus:
        return [
            one.dispute[1]
            for one in self.bank.told
            if one.dispute and one.dispute[0] == name and one in self.arrived
        ][-1]

    def _is_open(self) -> bool:
        asked = select(Order.status).where(Order.id == self.sale.order.id)
        return self.session.scalar(asked) is OrderStatus.OPEN

    def _has_access(self) -> bool:
        asked = select(Enrolment.active).where(Enrolment.student_id == self.sale.buyer.id)
        return bool(self.session.scalar(asked))

    def _left_behind(self) -> int:
        waiting = StripeEvent.status != EventStatus.DONE
        return (
            self.session.scalar(select(func.count()).select_from(StripeEvent).where(waiting)) or 0
        )

    def _in_order(self) -> Sale:
        """The same history of another buyer, told once and as it happened."""
        twin = open_sale(self.session, discount=self.sale.order.discount_minor)
        names = {self.sale.order.public_id: twin.order.public_id}
        for number, old in enumerate(self.bank.visits):
            attempt = twin.attempt if number == 0 else make_attempt(self.session, twin.order)
            names |= _ids(old.attempt, attempt)
        names |= {f"_sbx_{self.sale.order.id}_": f"_sbx_{twin.order.id}_"}
        for source in self.given:
            grants.give(self.session, twin.buyer.id, twin.course.id, source, reason=WHY)
        deliver(self.session, *(books.renamed(one.body, names) for one in self.bank.told))
        access.derive_enrolment(self.session, twin.buyer.id, twin.course.id)
        return twin


def _ids(old: CheckoutAttempt, new: CheckoutAttempt) -> dict[str, str]:
    before, after = old.session_id or "", new.session_id or ""
    return {before: after, intent_id(before)[3:]: intent_id(after)[3:]}


def _state(session: Session, sale: Sale) -> tuple[object, ...]:
    """All that is known of a sale, without its ids."""
    session.expire_all()
    payments = select(Payment.id).where(Payment.order_id == sale.order.id)
    asked = (
        select(Order.status, Order.review_reason).where(Order.id == sale.order.id),
        select(Enrolment.active, Enrolment.source).where(
            Enrolment.student_id == sale.buyer.id, Enrolment.active
        ),
        select(CheckoutAttempt.status).where(CheckoutAttempt.order_id == sale.order.id),
        select(Payment.amount_minor, Payment.amount_currency, Payment.mismatch).where(
            Payment.order_id == sale.order.id
        ),
        select(Refund.amount_minor, Refund.status).where(Refund.payment_id.in_(payments)),
        select(Dispute.amount_minor, Dispute.status).where(Dispute.payment_id.in_(payments)),
        select(LedgerEntry.account, LedgerEntry.currency, func.sum(LedgerEntry.minor))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerTransaction.payment_id.in_(payments))
        .group_by(LedgerEntry.account, LedgerEntry.currency),
    )
    return tuple(sorted(map(str, session.execute(one).all())) for one in asked)


def test_after_any_history_access_and_money_are_right(session: Session) -> None:
    class OfThisTest(Histories):
        pass

    OfThisTest.session = session
    run_state_machine_as_test(
        OfThisTest,
        settings=hypothesis_settings(
            max_examples=30,
            stateful_step_count=25,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
