"""Refunds and disputes, in any order, end with the access that the money says."""

import itertools
import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.letter import Letter
from luma.models.payment import StripeEvent
from luma.models.progress import Enrolment
from luma.models.reversal import Refund
from luma.services.money import access, grants
from luma.values import EnrolmentSource, EventStatus, OrderStatus
from tests.selling import (
    Sale,
    deliver,
    dispute_event,
    is_learning,
    make_attempt,
    make_order,
    open_sale,
    refund_event,
)


@pytest.fixture
def sale(session: Session) -> Sale:
    """Sold and paid."""
    sale = open_sale(session)
    deliver(session, sale.event())
    return sale


def test_a_full_refund_ends_access(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale))

    assert sale.order.status is OrderStatus.REFUNDED
    assert not is_learning(session, sale)


def test_a_partial_refund_keeps_access(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale, 1200))

    assert sale.order.status is OrderStatus.PAID
    assert is_learning(session, sale)


def test_several_partial_refunds_that_make_up_the_whole_end_access(
    session: Session, sale: Sale
) -> None:
    parts = [refund_event(sale, minor, name=str(minor)) for minor in (1200, 1700, 2000)]

    deliver(session, *parts[:2])
    before = is_learning(session, sale)
    deliver(session, parts[2])

    assert before
    assert not is_learning(session, sale)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_fails_in_the_end_restores_access(
    session: Session, sale: Sale, status: str
) -> None:
    deliver(session, refund_event(sale), refund_event(sale, status=status))

    assert sale.order.status is OrderStatus.PAID
    assert is_learning(session, sale)


def test_an_older_word_about_a_refund_changes_nothing(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale, status="failed"), refund_event(sale, status="pending"))

    assert is_learning(session, sale)
    assert session.scalar(select(Refund.status)) == "failed"


def test_a_refund_that_is_on_its_way_counts(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale, status="pending"))

    assert not is_learning(session, sale)


def test_a_dispute_suspends_access_and_a_win_restores_it(session: Session, sale: Sale) -> None:
    deliver(session, dispute_event(sale))
    suspended = (sale.order.status, is_learning(session, sale))
    deliver(session, dispute_event(sale, "won"))

    assert suspended == (OrderStatus.DISPUTED, False)
    assert sale.order.status is OrderStatus.PAID
    assert is_learning(session, sale)


def test_a_lost_dispute_ends_access(session: Session, sale: Sale) -> None:
    deliver(session, dispute_event(sale), dispute_event(sale, "lost"))

    assert sale.order.status is OrderStatus.CHARGED_BACK
    assert not is_learning(session, sale)


def test_a_dispute_that_is_heard_of_closed_before_opened_stays_closed(
    session: Session, sale: Sale
) -> None:
    deliver(session, dispute_event(sale, "won"), dispute_event(sale))

    assert is_learning(session, sale)


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
def test_an_inquiry_moves_no_money_and_keeps_access(
    session: Session, sale: Sale, status: str
) -> None:
    deliver(session, dispute_event(sale, status))

    assert is_learning(session, sale)


@pytest.mark.parametrize("step", [1, -1])
def test_an_inquiry_that_became_a_dispute_suspends_whichever_is_heard_first(
    session: Session, sale: Sale, step: int
) -> None:
    words = [dispute_event(sale, "warning_needs_response"), dispute_event(sale)]

    deliver(session, *words[::step])

    assert (sale.order.status, is_learning(session, sale)) == (OrderStatus.DISPUTED, False)


HISTORIES = {
    "won, then another": (
        [("1", "needs_response"), ("1", "won"), ("2", "needs_response")],
        OrderStatus.DISPUTED,
    ),
    "won, then another that is lost": (
        [("1", "won"), ("2", "needs_response"), ("2", "lost")],
        OrderStatus.CHARGED_BACK,
    ),
    "a part refunded, then lost": (
        [("1", "needs_response"), ("1", "lost"), ("part", "succeeded")],
        OrderStatus.CHARGED_BACK,
    ),
    "a part refunded, then won": (
        [("1", "needs_response"), ("1", "won"), ("part", "succeeded")],
        OrderStatus.PAID,
    ),
}


@pytest.mark.parametrize(("history", "ends"), HISTORIES.values(), ids=HISTORIES)
def test_what_banks_say_ends_the_same_in_every_order(
    session: Session, sale: Sale, history: list[tuple[str, str]], ends: OrderStatus
) -> None:
    bodies = [
        refund_event(sale, 1000, status)
        if name == "part"
        else dispute_event(sale, status, name=name)
        for name, status in history
    ]
    for arriving in itertools.permutations(bodies):
        with session.begin_nested() as point:
            deliver(session, *arriving)
            ended = (sale.order.status, is_learning(session, sale))
            point.rollback()
        assert ended == (ends, ends is OrderStatus.PAID)


def test_a_second_dispute_after_a_win_suspends_again(session: Session, sale: Sale) -> None:
    deliver(session, dispute_event(sale), dispute_event(sale, "won"))
    deliver(session, dispute_event(sale, name="2"))

    assert sale.order.status is OrderStatus.DISPUTED


def test_a_lost_dispute_stays_lost_when_a_part_was_refunded(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale, 1000), dispute_event(sale, "lost"))

    assert sale.order.status is OrderStatus.CHARGED_BACK


def test_refunding_one_of_two_payments_leaves_the_other(session: Session, sale: Sale) -> None:
    second = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
    deliver(session, second.event())

    deliver(session, refund_event(second, name="second"))

    assert sale.order.status is OrderStatus.PAID
    assert sale.order.review_reason is None
    assert is_learning(session, sale)


def test_an_order_ends_only_its_own_access(session: Session, sale: Sale) -> None:
    again = make_order(session, sale.buyer, sale.course)
    bought_twice = Sale(sale.buyer, sale.course, again, make_attempt(session, again))
    deliver(session, bought_twice.event(), refund_event(sale))
    by_the_other_order = is_learning(session, sale)

    grants.give(
        session, sale.buyer.id, sale.course.id, EnrolmentSource.MANUAL, reason="A second chance."
    )
    deliver(session, refund_event(bought_twice))

    assert by_the_other_order
    assert is_learning(session, sale)
    assert session.scalar(select(Enrolment.source)) is EnrolmentSource.MANUAL


def test_what_was_free_stays_after_a_refund(session: Session) -> None:
    sale = open_sale(session)
    access.grant_free(session, sale.buyer.id, sale.course.id)

    deliver(session, sale.event(), refund_event(sale))

    assert is_learning(session, sale)
    assert session.scalar(select(Enrolment.source)) is EnrolmentSource.FREE


def test_a_refund_before_its_payment_waits_for_it(session: Session) -> None:
    sale = open_sale(session)
    deliver(session, refund_event(sale))
    waiting = session.scalars(select(StripeEvent.status)).all()

    deliver(session, sale.event())

    assert waiting == [EventStatus.PARKED]
    assert sale.order.status is OrderStatus.REFUNDED
    assert not is_learning(session, sale)


def test_funds_that_come_and_go_in_any_order_leave_what_the_bank_decided(
    session: Session, sale: Sale
) -> None:
    """A dispute's word about money carries its status: the older one changes nothing."""
    moved = [_about_funds(sale, "withdrawn", "needs_response")]
    moved += [_about_funds(sale, "reinstated", "won")]
    for arriving in itertools.permutations(moved):
        with session.begin_nested() as point:
            deliver(session, *arriving)
            ended = (sale.order.status, is_learning(session, sale))
            point.rollback()
        assert ended == (OrderStatus.PAID, True)


def _about_funds(sale: Sale, word: str, status: str) -> str:
    event = json.loads(dispute_event(sale, status))
    return json.dumps(event | {"type": f"charge.dispute.funds_{word}"})


def test_a_refund_during_a_dispute_is_kept_and_access_waits_for_the_bank(
    session: Session, sale: Sale
) -> None:
    deliver(session, dispute_event(sale), refund_event(sale, 1000))
    during = (sale.order.status, is_learning(session, sale))
    deliver(session, dispute_event(sale, "won"))

    assert during == (OrderStatus.DISPUTED, False)
    assert session.scalars(select(Refund.amount_minor)).all() == [1000]
    assert is_learning(session, sale)


def test_a_dispute_closed_before_its_payment_is_known_waits_for_it(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, dispute_event(sale, "lost"), sale.event(), dispute_event(sale))

    assert sale.order.status is OrderStatus.CHARGED_BACK
    assert not is_learning(session, sale)


def test_a_pending_refund_that_fails_restores_access_and_is_told(
    session: Session, sale: Sale
) -> None:
    deliver(session, refund_event(sale, status="pending"), refund_event(sale))
    gone = is_learning(session, sale)
    deliver(session, refund_event(sale, status="failed"))

    told = session.scalars(select(Letter.kind).where(Letter.kind == "refund-failed")).all()
    assert not gone
    assert is_learning(session, sale)
    assert len(told) == 2
