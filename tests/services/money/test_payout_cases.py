"""Payouts, case by case: who is not connected yet, what is lost on the way, other currencies."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.payee import Payee, PayeeStatus, PayoutStatus, Transfer, TransferStatus
from luma.models.payment import Payment
from luma.services import clock
from luma.services.gateways import sandbox, stripe
from luma.services.gateways.account_events import PAYOUTS
from luma.services.gateways.protocol import GatewayRefused, TransferRequest
from luma.services.money import payouts, transfers
from luma.services.policies import Actor
from luma.values import Money, Role
from tests.factories import make_published
from tests.selling import (
    Sale,
    charge_event,
    deliver,
    open_sale,
    refund_event,
    settled_as,
    settled_sale,
)
from tests.services.money.test_payouts import snapshot
from tests.shares import own, payee_of, run
from tests.standins import contract
from tests.standins.running import StripeStandIn


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


def waiting(session: Session) -> list[int]:
    asked = select(Transfer.id).where(Transfer.status == TransferStatus.WAITING)
    return list(session.scalars(asked))


def test_who_was_not_connected_at_the_sale_is_paid_once_they_are(
    session: Session, course: Course
) -> None:
    settled_sale(session, course=course)
    settled_sale(session, course=course, days=1)
    transfers.plan(session)
    before = waiting(session)

    payee = payee_of(session, course)
    run(session, payee)
    run(session, payee)

    assert before == []
    assert own(session) == [4410]


def test_what_is_planned_when_the_account_is_lost_is_refused_and_sent_once_when_it_is_back(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled_sale(session, course=course)
    payee = payee_of(session, course)
    transfers.plan_for(session, payee.id)
    (planned,) = waiting(session)
    payee.hear(PayeeStatus.RESTRICTED, clock.now())

    def refuse(request: TransferRequest, key: str) -> str:
        raise GatewayRefused("insufficient_capabilities_for_transfer")

    with monkeypatch.context() as lost:
        lost.setattr(sandbox, "transfer", refuse)
        transfers.send(planned)
    run(session, payee)
    meanwhile = own(session)
    payee.hear(PayeeStatus.ACTIVE, clock.now())
    refused = session.get_one(Transfer, planned)
    refused.done_at = clock.now() - transfers.RESTS - timedelta(seconds=1)
    session.flush()
    run(session, payee)
    run(session, payee)

    assert meanwhile == []
    assert own(session) == [4410]


@pytest.mark.parametrize(("seconds", "is_sent"), [(-1, False), (1, True)])
def test_a_refused_share_rests_for_a_day_to_the_second(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch, seconds: int, is_sent: bool
) -> None:
    settled_sale(session, course=course)
    payee = payee_of(session, course)

    def refuse(request: TransferRequest, key: str) -> str:
        raise GatewayRefused

    with monkeypatch.context() as unwilling:
        unwilling.setattr(sandbox, "transfer", refuse)
        run(session, payee)
    refused = session.scalars(select(Transfer)).one()
    refused.done_at = clock.now() - transfers.RESTS - timedelta(seconds=seconds)
    session.flush()

    run(session, payee)

    assert bool(own(session)) is is_sent


def sold_in_yen(session: Session, course: Course, cents: int) -> Sale:
    """Paid in yen, settled in euros, and out of the promise of a refund."""
    sale = open_sale(session, price=Money(4900, "jpy"), course=course)
    settled = charge_event(sale, balance_transaction=settled_as(cents, "eur", 114))
    deliver(session, sale.event(), settled)
    sale.order.paid_at = clock.now() - timedelta(days=20)
    session.flush()
    return sale


def test_a_share_is_sent_and_taken_back_in_the_currency_it_settled_in(
    session: Session, course: Course
) -> None:
    payee = payee_of(session, course)
    sale = sold_in_yen(session, course, 2890)
    run(session, payee)

    deliver(session, refund_event(sale, 1000))
    run(session, payee)

    made = session.scalars(select(Transfer).order_by(Transfer.id)).all()
    assert [one.amount for one in made] == [Money(2601, "eur"), Money(2601 * 1000 // 4900, "eur")]


def test_a_debt_in_one_currency_is_never_kept_back_from_another(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    payee = payee_of(session, course)
    sale = sold_in_yen(session, course, 2890)
    run(session, payee)
    deliver(session, refund_event(sale))

    def refuse(request: TransferRequest, key: str) -> str:
        if request.of:
            raise GatewayRefused("balance_insufficient")
        return f"tr_{key}"

    monkeypatch.setattr(sandbox, "transfer", refuse)
    run(session, payee)
    course.price = Money(4900, "usd")
    settled_sale(session, course=course)
    run(session, payee)
    sold_in_yen(session, course, 3000)
    run(session, payee)

    made = session.scalars(select(Transfer).where(Transfer.status == TransferStatus.SENT))
    amounts = {(one.amount_minor, one.amount_currency) for one in made}
    assert amounts == {(2601, "eur"), (4410, "usd"), (99, "eur")}


@pytest.mark.parametrize("kind", sorted(PAYOUTS))
def test_each_payout_of_an_instructor_is_shown_to_them(
    session: Session, course: Course, kind: str
) -> None:
    payee = payee_of(session, course)
    status = {"payout.paid": "paid", "payout.failed": "failed", "payout.canceled": "canceled"}
    thing = contract.example("payout") | {"status": status.get(kind, "in_transit")}

    deliver(session, snapshot(kind, payee.account_id, thing))

    (shown,) = payouts.mine(session, teacher(course), 25).bank
    assert (shown.amount, shown.status) == (Money(1100, "usd"), thing["status"])


def test_a_payout_that_was_paid_and_fails_is_shown_as_failed_with_the_banks_words(
    session: Session, course: Course
) -> None:
    payee = payee_of(session, course)
    paid = contract.example("payout") | {"status": "paid"}
    failed = paid | {"status": "failed", "failure_message": "The bank account has been closed."}

    deliver(session, snapshot("payout.paid", payee.account_id, paid))
    body = json.loads(snapshot("payout.failed", payee.account_id, failed))
    deliver(session, json.dumps(body | {"id": "evt_sbx_2"}))

    (shown,) = payouts.mine(session, teacher(course), 25).bank
    assert (shown.status, shown.failure) == (
        PayoutStatus.FAILED,
        "The bank account has been closed.",
    )


def teacher(course: Course) -> Actor:
    return Actor(course.instructor_id, "Maria", "m@example.org", frozenset({Role.INSTRUCTOR}))


def test_a_job_that_runs_twice_at_once_asks_with_one_key_and_sends_once(
    session: Session, course: Course, account: StripeStandIn
) -> None:
    account.changes("acct_1Ines", id="acct_1Ines", object="account", livemode=False)
    sale = settled_sale(session, course=course)
    sale.order.gateway = "stripe"
    payee: Payee = payee_of(session, course)
    payee.gateway = "stripe"
    session.flush()
    transfers.plan_for(session, payee.id)
    (planned,) = waiting(session)
    transfer = session.get_one(Transfer, planned)
    charge = session.scalars(select(Payment.charge_id)).one() or ""
    key, order = transfer.operation_key, sale.order.public_id
    request = TransferRequest(key, order, "acct_1Ines", charge, transfer.amount)

    by_the_other_worker = stripe.transfer(request, key)
    transfers.send(planned)

    (made,) = account.all("tr")
    session.expire_all()
    assert made["id"] == by_the_other_worker == transfer.gateway_id
    assert (made["amount"], made["destination"]) == (4410, "acct_1Ines")
