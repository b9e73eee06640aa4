"""A sale is one line of proof, and what is stuck says so and is mended by asking the gateway."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken, SignInNeeded
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxSession, StripeEvent
from luma.models.reversal import Refund
from luma.services import accounts, clock
from luma.services.gateways import events, sandbox, sandbox_reversals
from luma.services.money import reconciliation, timeline, tracks
from luma.services.money.timeline import Timeline
from luma.values import EventStatus, Money, OrderStatus, Role
from tests.bad_values import BAD_JSON
from tests.factories import make_instructor, make_user, signed_in
from tests.selling import (
    Sale,
    deliver,
    dispute_event,
    is_learning,
    open_sale,
    received,
    refund_event,
)


def line(session: Session, sale: Sale, who: int | None = None) -> Timeline:
    session.expire_all()
    key = signed_in(session, who or sale.course.instructor_id)
    return accounts.as_user(session, key, timeline.of, sale.order.public_id)


def steps(found: Timeline) -> list[tuple[str, str]]:
    return [(step.what, step.state) for step in found.steps]


def at_sandbox(session: Session, sale: Sale, status: str, payment: str) -> SandboxSession:
    """The checkout as the sandbox has it, whatever was told of it."""
    row = SandboxSession(
        session_id=sale.attempt.session_id,
        operation_key=sale.attempt.operation_key,
        request=sale.attempt.request,
        status=status,
        payment_status=payment,
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=1),
    )
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


def came_back(session: Session, sale: Sale, ago: timedelta) -> None:
    key = signed_in(session, sale.order.buyer_id)
    accounts.as_user(session, key, timeline.came_back, sale.order.public_id)
    session.execute(update(CheckoutAttempt).values(returned_at=clock.now() - ago))


def test_a_sale_that_went_well_is_proved_step_by_step(session: Session, sale: Sale) -> None:
    deliver(session, sale.event())

    found = line(session, sale)

    assert steps(found)[:5] == [
        ("Checkout opened", "done"),
        ("Paid", "done"),
        ("Event received", "done"),
        ("Signature good", "done"),
        ("Access granted", "done"),
    ]
    assert [step.what for step in found.steps if step.what.startswith("Mail")]
    assert all(step.when for step in found.steps[:5])
    assert found.trouble is None


def test_what_went_back_stands_at_the_end(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), refund_event(sale, 1000), dispute_event(sale))
    deliver(session, dispute_event(sale, "lost"))

    ends = steps(line(session, sale))[-3:]

    assert set(ends) == {
        ("Refunded", "done"),
        ("Disputed", "done"),
        ("Dispute lost", "failed"),
    }


def test_a_buyer_who_is_back_without_news_is_stuck_after_two_minutes(
    session: Session, sale: Sale
) -> None:
    came_back(session, sale, timedelta(minutes=1))
    early = line(session, sale).trouble
    came_back(session, sale, timedelta(minutes=3))

    assert early is None
    assert line(session, sale).is_stuck


def test_an_event_that_cannot_be_applied_makes_its_sale_stuck(session: Session, sale: Sale) -> None:
    refund = refund_event(sale)
    deliver(session, refund)
    row = session.scalars(select(StripeEvent)).one()
    assert row.status is EventStatus.PARKED
    row.received_at = clock.now() - timedelta(minutes=5)
    row.subjects = [*row.subjects, sale.order.public_id]
    session.flush()

    assert line(session, sale).is_stuck


def test_a_lost_event_is_healed_by_asking(session: Session, sale: Sale) -> None:
    at_sandbox(session, sale, "complete", "paid")
    came_back(session, sale, timedelta(minutes=3))
    key = signed_in(session, sale.course.instructor_id)

    said = reconciliation.reconcile(key, sale.order.public_id)

    assert said.startswith("The sandbox says that it is paid, and the course is open.")
    assert is_learning(session, sale)
    found = line(session, sale)
    assert not found.is_stuck
    assert ("Event received", "done") in steps(found)
    assert "Signature good" not in dict(steps(found))


def test_asking_twice_and_the_late_event_change_nothing(session: Session, sale: Sale) -> None:
    row = at_sandbox(session, sale, "complete", "paid")
    sandbox_reversals.refund(session, row, Money(1000, "usd"), "key")
    key = signed_in(session, sale.course.instructor_id)

    first = reconciliation.reconcile(key, sale.order.public_id)
    second = reconciliation.reconcile(key, sale.order.public_id)
    deliver(session, sale.event())

    assert "LUMA had not heard of it" in first
    assert "LUMA knew that already" in second
    assert session.query(Refund).count() == 1
    assert session.get_one(Order, sale.order.id).status is OrderStatus.PAID


def test_who_has_not_paid_is_not_let_in_by_asking(session: Session, sale: Sale) -> None:
    at_sandbox(session, sale, "open", "unpaid")
    came_back(session, sale, timedelta(minutes=3))

    said = reconciliation.reconcile(
        signed_in(session, sale.course.instructor_id), sale.order.public_id
    )

    assert "nobody has paid yet" in said
    assert not is_learning(session, sale)
    assert not line(session, sale).is_stuck


def test_what_was_given_up_is_tried_again(session: Session, sale: Sale) -> None:
    at_sandbox(session, sale, "complete", "paid")
    deliver(session, refund_event(sale, 500))
    row = session.scalars(select(StripeEvent)).one()
    row.give_up("no payment")
    row.subjects = [*row.subjects, sale.order.public_id]
    session.flush()

    said = reconciliation.reconcile(
        signed_in(session, sale.course.instructor_id), sale.order.public_id
    )
    session.expire_all()

    assert "tried again" in said
    assert row.status is EventStatus.NEW


def test_only_buyer_seller_and_admins_see_it(session: Session, sale: Sale) -> None:
    admin = make_user(session, roles=(Role.ADMIN,))
    strangers = (make_user(session).id, make_instructor(session).id)

    assert line(session, sale, sale.order.buyer_id).may_reconcile is False
    assert line(session, sale, admin.id).may_reconcile is True
    for stranger in strangers:
        with pytest.raises(NotFound):
            line(session, sale, stranger)


def test_the_buyer_and_strangers_cannot_reconcile(session: Session, sale: Sale) -> None:
    at_sandbox(session, sale, "complete", "paid")
    for nobody in (sale.buyer, make_user(session), make_instructor(session)):
        with pytest.raises(NotFound):
            reconciliation.reconcile(signed_in(session, nobody.id), sale.order.public_id)
    with pytest.raises(SignInNeeded):
        reconciliation.reconcile(None, sale.order.public_id)

    assert not is_learning(session, sale)


def test_an_order_of_another_gateway_is_not_asked_about(session: Session, sale: Sale) -> None:
    sale.order.gateway = "stripe"
    session.flush()

    with pytest.raises(RuleBroken, match="Stripe took this order"):
        reconciliation.reconcile(
            signed_in(session, sale.course.instructor_id), sale.order.public_id
        )


@pytest.mark.parametrize("spelled", ["{code}", " {lower} ", "{plain}", "{id}", "{id}\n"])
def test_a_support_code_is_read_however_it_is_typed(
    session: Session, sale: Sale, spelled: str
) -> None:
    code = tracks.support_code(sale.order.public_id)
    typed = spelled.format(
        code=code, lower=code.lower(), plain=code.replace("-", ""), id=sale.order.public_id
    )

    assert tracks.order(session, typed).id == sale.order.id


@pytest.mark.parametrize("bad", [*BAD_JSON, "ord_"])
def test_what_is_no_code_is_refused_in_words(session: Session, bad: object) -> None:
    with pytest.raises(NotFound):
        tracks.order(session, bad)


def test_an_event_is_found_by_every_id_it_names(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), refund_event(sale))

    first, second = session.scalars(select(StripeEvent).order_by(StripeEvent.id))

    assert sale.order.public_id in first.subjects
    assert sale.attempt.session_id in first.subjects
    assert second.subjects
    named = tracks.names(session, sale.order)
    assert len(list(session.scalars(tracks.events_of(named)))) == 2


def test_what_a_table_cannot_hold_is_not_noted_as_a_name(session: Session, sale: Sale) -> None:
    body = sale.event(payment_intent="pi_\x00", metadata={"order_id": "\ud800"}, charge=["x"])
    event = received(body)

    assert events.subjects(event.raw) == [sale.attempt.session_id]


def test_returning_again_keeps_the_first_time_and_a_paid_order_none(
    session: Session, sale: Sale
) -> None:
    came_back(session, sale, timedelta(minutes=3))
    before = session.scalar(select(CheckoutAttempt.returned_at))

    key = signed_in(session, sale.order.buyer_id)
    accounts.as_user(session, key, timeline.came_back, sale.order.public_id)

    assert session.scalar(select(CheckoutAttempt.returned_at)) == before


def test_the_sandbox_is_not_asked_in_vain(session: Session, sale: Sale) -> None:
    assert sandbox.is_ours(sale.attempt.session_id or "")
    sale.attempt.session_id = None
    session.flush()

    said = reconciliation.reconcile(
        signed_in(session, sale.course.instructor_id), sale.order.public_id
    )

    assert "knows no checkout" in said
