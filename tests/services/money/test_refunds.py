"""Refunds that LUMA asks for: by the seller, by the buyer inside the promise, and of doubles."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import stripe
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session, selectinload

from luma import db
from luma.errors import NotFound, RuleBroken
from luma.models.letter import Letter
from luma.models.payment import Payment, SandboxSession
from luma.models.reversal import Refund, RefundRequest
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox, sandbox_events, stripe_refusals
from luma.services.money import inbox, refunds
from luma.services.money.refunds import Access
from luma.services.policies import Actor
from luma.values import Money, OrderStatus
from tests.factories import actor, make_instructor, make_user
from tests.selling import (
    Sale,
    deliver,
    dispute_event,
    is_learning,
    make_attempt,
    open_sale,
    received,
    refund_event,
    rows_waiting,
)


@pytest.fixture
def sale(session: Session) -> Sale:
    """Sold and paid at the sandbox, which knows the payment."""
    sale = open_sale(session)
    deliver(session, sale.event())
    pay_at_sandbox(session, sale)
    return sale


def pay_at_sandbox(session: Session, sale: Sale) -> None:
    session.add(
        SandboxSession(
            session_id=sale.attempt.session_id,
            operation_key=sale.attempt.operation_key,
            request=sale.attempt.request,
            status="complete",
            payment_status="paid",
            created_at=clock.now(),
            expires_at=clock.now() + timedelta(hours=2),
        )
    )
    session.flush()


def seller(session: Session, sale: Sale) -> Actor:
    return known(session, sale.course.instructor_id)


def buyer(session: Session, sale: Sale) -> Actor:
    return known(session, sale.buyer.id)


def known(session: Session, user_id: int) -> Actor:
    asked = select(User).where(User.id == user_id).options(selectinload(User.roles))
    return actor(session.scalars(asked.execution_options(populate_existing=True)).one())


def send_all(session: Session) -> None:
    for number in session.scalars(select(RefundRequest.id)).all():
        refunds.send(number)
    session.expire_all()


def test_the_seller_refunds_everything_and_access_ends(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "Asked for by mail.")
    before = is_learning(session, sale)
    send_all(session)

    assert before
    assert sale.order.status is OrderStatus.REFUNDED
    assert not is_learning(session, sale)


def test_a_part_is_refunded_and_access_stays(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "12.50", "Half of it.")
    send_all(session)

    assert refunds.refundable(session, sale.order).left == Money(3650, "usd")
    assert is_learning(session, sale)


def test_what_is_asked_twice_before_the_answer_is_not_given_twice(
    session: Session, sale: Sale
) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "30", "First press.")

    with pytest.raises(RuleBroken, match="between 0 and \\$19"):
        refunds.ask(session, seller(session, sale), sale.order.public_id, "30", "Second press.")


def test_of_two_payments_neither_is_asked_for_more_than_it_brought(
    session: Session, sale: Sale
) -> None:
    second = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
    deliver(session, second.event())

    for amount in ("30", "60"):
        refunds.ask(session, seller(session, sale), sale.order.public_id, amount, "A part.")

    asked = select(RefundRequest.amount_minor).order_by(RefundRequest.id)
    assert session.scalars(asked).all() == [3000, 1900, 4100]


def test_the_gateway_is_asked_once_for_each_request(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "10", "A part.")
    send_all(session)
    send_all(session)

    assert session.scalars(select(Refund.amount_minor)).all() == [1000]


def test_the_event_about_our_own_refund_changes_nothing(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "10", "A part.")
    send_all(session)
    payload = session.scalar(
        text("SELECT args->>'payload' FROM procrastinate_jobs WHERE task_name = 'sandbox.deliver'")
    )

    deliver(session, payload)

    assert session.scalars(select(Refund.amount_minor)).all() == [1000]


def test_a_refund_in_the_dashboard_meanwhile_is_a_refusal_and_no_loop(
    session: Session, sale: Sale
) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "Too late.")
    intent = sandbox_events.intent_id(sale.attempt.session_id or "")
    sandbox.refund(intent, Money(4900, "usd"), "elsewhere")

    send_all(session)

    assert session.scalar(select(RefundRequest.refusal)) == refunds.ALREADY_BACK


@pytest.mark.parametrize("code", ["charge_already_refunded", "charge_disputed"])
def test_stripes_word_that_it_is_back_already_is_asked_for_once(
    session: Session, sale: Sale, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    asked: list[str] = []

    def refuse(_intent: str, _amount: Money, key: str) -> None:
        asked.append(key)
        with stripe_refusals.asking("refund a payment"):
            raise stripe.InvalidRequestError(  # type: ignore[no-untyped-call]  # Stripe's has none
                "No.", None, code=code, http_status=400, json_body={"error": {"code": code}}
            )

    monkeypatch.setattr(sandbox, "refund", refuse)
    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "Too late.")

    for _ in range(3):
        send_all(session)

    assert len(asked) == 1
    assert session.scalar(select(RefundRequest.refusal)) == refunds.ALREADY_BACK
    assert is_learning(session, sale)


def test_a_full_refund_may_keep_access_with_a_reason(session: Session, sale: Sale) -> None:
    order = sale.order.public_id
    refunds.ask(session, seller(session, sale), order, "", "Our mistake.", Access.KEEP)
    send_all(session)

    assert sale.order.status is OrderStatus.REFUNDED
    assert is_learning(session, sale)


def test_a_part_refunded_may_end_access_with_a_reason(session: Session, sale: Sale) -> None:
    order = sale.order.public_id
    refunds.ask(session, seller(session, sale), order, "10", "Left the class.", Access.END)
    send_all(session)

    assert sale.order.status is OrderStatus.PAID
    assert not is_learning(session, sale)


@pytest.mark.parametrize("amount", ["0", "-1", "49.01", "1e3", "12,50", "12.505", "NaN", "9" * 40])
def test_an_amount_that_is_not_there_is_refused_in_words(
    session: Session, sale: Sale, amount: str
) -> None:
    with pytest.raises(RuleBroken):
        refunds.ask(session, seller(session, sale), sale.order.public_id, amount, "Odd.")

    assert session.scalars(select(RefundRequest)).all() == []


def test_another_instructors_sale_is_not_found(session: Session, sale: Sale) -> None:
    other = make_instructor(session)

    with pytest.raises(NotFound):
        refunds.ask(session, actor(other), sale.order.public_id, "", "Mine now.")


def test_the_buyer_cannot_refund_as_a_seller(session: Session, sale: Sale) -> None:
    with pytest.raises(NotFound):
        refunds.ask(session, buyer(session, sale), sale.order.public_id, "", "For me.")


def test_inside_the_promise_a_buyer_gets_everything_back_by_itself(
    session: Session, sale: Sale
) -> None:
    refunds.claim(session, buyer(session, sale), sale.order.public_id, "Not for me.")
    send_all(session)

    assert sale.order.status is OrderStatus.REFUNDED
    assert not is_learning(session, sale)


def test_after_the_promise_a_buyer_is_sent_to_the_instructor(session: Session, sale: Sale) -> None:
    sale.order.paid_at = clock.now() - timedelta(days=14, seconds=1)

    with pytest.raises(RuleBroken, match="time for a refund is over"):
        refunds.claim(session, buyer(session, sale), sale.order.public_id, "Late.")


def test_after_the_promise_the_seller_may_refund_all_the_same(session: Session, sale: Sale) -> None:
    sale.order.paid_at = clock.now() - timedelta(days=400)

    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "To be kind.")
    send_all(session)

    assert sale.order.status is OrderStatus.REFUNDED


@pytest.mark.usefixtures("fresh_database")
def test_two_presses_at_the_same_moment_give_it_back_once() -> None:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        by, order = seller(session, sale), sale.order.public_id
    with db.unit_of_work() as session:
        inbox.receive(session, [received(sale.event())])
        arrived = rows_waiting(session)
    inbox.apply(arrived)

    def press(_time: int) -> bool:
        try:
            with db.unit_of_work() as own:
                refunds.ask(own, by, order, "", "Once is enough.")
        except RuleBroken:
            return False
        return True

    with ThreadPoolExecutor(6) as presses:
        given = list(presses.map(press, range(12)))

    with db.unit_of_work() as session:
        assert session.scalars(select(RefundRequest.amount_minor)).all() == [4900]
    assert given.count(True) == 1


def test_somebody_elses_order_is_not_found(session: Session, sale: Sale) -> None:
    with pytest.raises(NotFound):
        refunds.claim(session, actor(make_user(session)), sale.order.public_id, "Hm.")


def test_what_was_paid_twice_goes_back_once_by_itself(session: Session, sale: Sale) -> None:
    second = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
    pay_at_sandbox(session, second)
    deliver(session, second.event())
    jobs = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'refunds.return_double'")
    asked = session.scalars(jobs).all()
    for _ in range(2):
        refunds.return_double(session, sale.order.id)
    send_all(session)

    assert asked == [{"order_id": sale.order.id}]
    assert session.scalars(select(Refund.amount_minor)).all() == [4900]
    assert sale.order.review_reason is None
    assert is_learning(session, sale)


def test_what_does_not_fit_is_not_the_payment_that_is_kept(session: Session, sale: Sale) -> None:
    """The first to arrive was short: of the two good ones one goes back, and the course stays."""
    short, good, double = (_another_visit(session, sale) for _ in range(3))
    session.execute(delete(Payment))
    deliver(session, short.event(amount_subtotal=100, amount_total=100), good.event())
    deliver(session, double.event())

    refunds.return_double(session, sale.order.id)
    send_all(session)

    back = select(Payment.session_id).join(Refund, Refund.payment_id == Payment.id)
    assert session.scalars(back).all() == [double.attempt.session_id]
    assert is_learning(session, sale)


def _another_visit(session: Session, sale: Sale) -> Sale:
    visit = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
    pay_at_sandbox(session, visit)
    return visit


def test_a_failed_refund_may_be_asked_again(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "First try.")
    send_all(session)
    made = session.scalars(select(Refund)).one()
    deliver(session, refund_event(sale, status="failed", refund_id=made.refund_id))

    assert refunds.refundable(session, sale.order).left == Money(4900, "usd")


def test_three_parts_and_then_the_rest(session: Session, sale: Sale) -> None:
    by, order = seller(session, sale), sale.order.public_id
    for amount in ("10", "12.50", "0.01"):
        refunds.ask(session, by, order, amount, "A part.")
    send_all(session)
    between = is_learning(session, sale)
    refunds.ask(session, by, order, "", "The rest.")
    send_all(session)

    assert between
    assert sorted(session.scalars(select(Refund.amount_minor))) == [1, 1000, 1250, 2649]
    assert sale.order.status is OrderStatus.REFUNDED
    assert not is_learning(session, sale)
    with pytest.raises(RuleBroken, match="nothing left"):
        refunds.ask(session, by, order, "0.01", "More.")


def test_while_a_bank_only_asks_a_refund_may_still_be_made(session: Session, sale: Sale) -> None:
    deliver(session, dispute_event(sale, "warning_needs_response"))

    refunds.ask(session, seller(session, sale), sale.order.public_id, "", "Before it is worse.")
    send_all(session)

    assert sale.order.status is OrderStatus.REFUNDED


def test_while_a_bank_decides_nothing_can_be_refunded(session: Session, sale: Sale) -> None:
    deliver(session, dispute_event(sale))

    with pytest.raises(RuleBroken, match="nothing left"):
        refunds.ask(session, seller(session, sale), sale.order.public_id, "", "Give up.")


def test_a_refusal_restores_the_access_that_was_ended_with_it_and_is_told(
    session: Session, sale: Sale
) -> None:
    order = sale.order.public_id
    refunds.ask(session, seller(session, sale), order, "10", "Left the class.", Access.END)
    asked = is_learning(session, sale)
    session.execute(delete(SandboxSession))

    send_all(session)

    assert not asked
    assert is_learning(session, sale)
    assert session.scalars(select(Letter.kind).where(Letter.kind == "refund-refused")).all()


def test_a_buyer_reads_that_the_refund_was_refused(session: Session, sale: Sale) -> None:
    refunds.claim(session, buyer(session, sale), sale.order.public_id, "Not for me.")
    session.execute(delete(SandboxSession))
    send_all(session)

    assert refunds.promise(session, buyer(session, sale), sale.order.public_id).refusal
