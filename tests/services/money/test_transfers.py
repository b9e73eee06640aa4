"""What is due is sent once, what was sent too much comes back, and what cannot is kept back."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.payee import Payee, PayeeStatus, Transfer, TransferStatus
from luma.models.payment import Payment
from luma.services import clock
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayDown, GatewayRefused, TransferRequest
from luma.services.money import owed, transfers
from tests.factories import make_published
from tests.selling import Sale, deliver, dispute_event, refund_event, settled_sale
from tests.shares import balance, own, payee_of, run


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def payee(session: Session, course: Course) -> Payee:
    return payee_of(session, course)


def test_what_is_due_is_sent_once(session: Session, course: Course, payee: Payee) -> None:
    settled_sale(session, course=course)

    run(session, payee)
    run(session, payee)

    assert own(session) == [4410]
    assert balance(session, course) == 0


@pytest.mark.parametrize(("seconds", "is_due"), [(-1, False), (1, True)])
def test_the_promise_of_a_refund_is_waited_for_to_the_second(
    session: Session, course: Course, payee: Payee, seconds: int, is_due: bool
) -> None:
    sale = settled_sale(session, course=course)
    sale.order.paid_at = clock.now() - timedelta(days=14, seconds=seconds)
    session.flush()

    transfers.plan_for(session, payee.id)

    assert bool(session.scalars(select(Transfer)).all()) is is_due


@pytest.mark.parametrize("status", [one for one in PayeeStatus if one is not PayeeStatus.ACTIVE])
def test_nothing_is_sent_to_who_may_not_receive(
    session: Session, course: Course, status: PayeeStatus
) -> None:
    payee = payee_of(session, course, status)
    settled_sale(session, course=course)

    run(session, payee)
    waited = own(session)
    payee.hear(PayeeStatus.ACTIVE, clock.now())
    session.flush()
    run(session, payee)

    assert waited == []
    assert own(session) == [4410]


def test_a_dispute_holds_the_share_and_a_win_frees_it(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    deliver(session, dispute_event(sale))
    run(session, payee)
    held = own(session)

    deliver(session, dispute_event(sale, "won"))
    run(session, payee)

    assert held == []
    assert own(session) == [4410]


def test_a_lost_dispute_takes_the_share_back(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)

    deliver(session, dispute_event(sale), dispute_event(sale, "lost"))
    run(session, payee)
    run(session, payee)

    assert own(session) == [4410, -4410]
    assert balance(session, course) == 0


def test_partial_refunds_after_the_transfer_never_drift(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)

    for name, minor in enumerate((333, 1234, 3333)):
        deliver(session, refund_event(sale, minor, name=str(name)))
        run(session, payee)

    assert own(session) == [
        4410,
        -(4410 * 333 // 4900),
        -(4410 * 1567 // 4900 - 4410 * 333 // 4900),
        -(4410 - 4410 * 1567 // 4900),
    ]
    assert sum(own(session)) == 0


def test_a_refund_that_fails_after_the_reversal_is_sent_again_with_a_new_key(
    session: Session, course: Course, payee: Payee
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    deliver(session, refund_event(sale))
    run(session, payee)

    deliver(session, refund_event(sale, status="failed"))
    run(session, payee)

    keys = session.scalars(select(Transfer.operation_key)).all()
    assert own(session) == [4410, -4410, 4410]
    assert len(set(keys)) == 3


def test_what_cannot_be_taken_back_is_kept_back_from_the_next_sale(
    session: Session, course: Course, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    deliver(session, refund_event(sale, 2450))
    with monkeypatch.context() as empty:
        empty.setattr(sandbox, "transfer", refuse)
        run(session, payee)
    run(session, payee)
    owes = balance(session, course)

    settled_sale(session, course=course)
    run(session, payee)

    assert owes == -2205
    assert own(session) == [4410, 2205]
    assert balance(session, course) == 0
    assert LedgerKind.CARRY in set(session.scalars(select(LedgerTransaction.kind)))


def refuse(request: TransferRequest, key: str) -> str:
    raise GatewayRefused


def test_no_answer_is_asked_again_with_the_same_key(
    session: Session, course: Course, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled_sale(session, course=course)
    keys: list[str] = []

    def lost(request: TransferRequest, key: str) -> str:
        keys.append(key)
        raise GatewayDown

    with monkeypatch.context() as away:
        away.setattr(sandbox, "transfer", lost)
        with pytest.raises(GatewayDown):
            run(session, payee)
    run(session, payee)

    payment = session.scalars(select(Payment)).one()
    assert keys == [f"luma:transfer:{payment.id}:{course.instructor_id}"]
    assert [one.operation_key for one in session.scalars(select(Transfer))] == keys
    assert own(session) == [4410]


def test_after_a_day_without_an_answer_it_is_looked_for(
    session: Session, course: Course, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled_sale(session, course=course)
    transfers.plan_for(session, payee.id)
    transfer = session.scalars(select(Transfer)).one()
    transfer.created_at = clock.now() - timedelta(days=2)
    session.flush()
    monkeypatch.setattr(sandbox, "transfer_made", lambda request: "tr_found")
    monkeypatch.setattr(sandbox, "transfer", refuse)

    transfers.send(transfer.id)

    session.expire_all()
    assert transfer.gateway_id == "tr_found"


def test_a_refusal_is_not_asked_again_the_same_day(
    session: Session, course: Course, payee: Payee, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled_sale(session, course=course)
    with monkeypatch.context() as unwilling:
        unwilling.setattr(sandbox, "transfer", refuse)
        run(session, payee)
    run(session, payee)
    refused = session.scalars(select(Transfer)).one()
    refused.done_at = clock.now() - timedelta(days=2)
    session.flush()

    run(session, payee)

    assert own(session) == [4410]


def test_what_is_on_its_way_is_not_planned_twice(
    session: Session, course: Course, payee: Payee
) -> None:
    settled_sale(session, course=course)

    for _ in range(3):
        transfers.plan_for(session, payee.id)

    assert len(session.scalars(select(Transfer)).all()) == 1


def test_another_instructors_sale_is_not_sent(session: Session, payee: Payee) -> None:
    settled_sale(session)

    run(session, payee)

    assert own(session) == []


DEEDS = st.lists(
    st.sampled_from(("sell", "refund", "fail", "run", "run", "lose", "refuse")), max_size=14
)


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=DEEDS)
def test_whatever_happens_what_was_sent_and_what_is_owed_is_the_share(
    session: Session, deeds: list[str]
) -> None:
    course = make_published(session)
    payee = payee_of(session, course, account=f"acct_{course.id}")
    sales: list[Sale] = []
    for number, deed in enumerate(deeds):
        _do(session, payee, course, sales, deed, number)
    before = net_of_transfers(session, course)
    for _ in range(2):
        run(session, payee)

    left = owed.open_sales(session, course.instructor_id, "sandbox")
    share = earned(session, course)
    assert net_of_transfers(session, course) + balance(session, course) == share
    assert all(sale.left <= 0 for sale in left if sale.is_due) or any(
        one.status is TransferStatus.REFUSED for one in session.scalars(select(Transfer))
    )
    assert before <= max(share, before)


def _do(
    session: Session, payee: Payee, course: Course, sales: list[Sale], deed: str, number: int
) -> None:
    if deed == "sell":
        sales.append(settled_sale(session, course=course))
    elif deed == "run":
        run(session, payee)
    elif deed == "refuse":
        with pytest.MonkeyPatch.context() as unwilling:
            unwilling.setattr(sandbox, "transfer", refuse)
            run(session, payee)
    elif sales:
        sale = sales[number % len(sales)]
        if deed == "lose":
            deliver(session, dispute_event(sale, "lost"))
        else:
            status = "succeeded" if deed == "refund" else "failed"
            deliver(session, refund_event(sale, 700, status, name=str(number % 3)))


def net_of_transfers(session: Session, course: Course) -> int:
    found = session.scalars(
        select(Transfer).where(
            Transfer.status == TransferStatus.SENT,
            Transfer.instructor_id == course.instructor_id,
        )
    )
    return sum(-one.amount_minor if one.of_id else one.amount_minor for one in found)


def earned(session: Session, course: Course) -> int:
    """By the ledger without what was paid out."""
    paying = [kind for kind in LedgerKind if kind.pays_out]
    total = session.scalar(
        select(func.sum(LedgerEntry.minor))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerEntry.instructor_id == course.instructor_id,
            LedgerTransaction.kind.not_in(paying),
        )
    )
    return -int(total or 0)
