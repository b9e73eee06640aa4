"""Events are received once and applied in any order; the webhook alone enrols."""

import itertools
import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from luma.errors import RuleBroken
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.services import clock, studio
from luma.services.gateways.protocol import Thing
from luma.services.money import inbox
from luma.services.policies import Actor
from luma.values import EventStatus, Money, OrderStatus, Role
from tests.selling import (
    EXPIRED,
    FAILED_LATE,
    SUCCEEDED_LATE,
    Sale,
    from_stripe,
    is_learning,
    make_attempt,
    make_order,
    open_sale,
    received,
    refund_event,
    rows_waiting,
)


def deliver(session: Session, *bodies: str) -> None:
    """Receive and apply, one after the other."""
    for body in bodies:
        known = set(rows_waiting(session))
        inbox.receive(session, [received(body)])
        for row_id in set(rows_waiting(session)) - known:
            inbox.apply([row_id])
    session.expire_all()


def event_row(session: Session) -> StripeEvent:
    session.expire_all()
    return session.scalars(select(StripeEvent).order_by(StripeEvent.id.desc())).first()  # type: ignore[return-value]  # there is one


def count(session: Session, table: type[Payment] | type[Enrolment] | type[StripeEvent]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_paid_checkout_enrols(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event())

    assert is_learning(session, sale)
    assert sale.order.status is OrderStatus.PAID
    assert sale.order.paid_at is not None
    assert event_row(session).status is EventStatus.DONE


def test_a_late_payment_waits_and_then_enrols(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(status="unpaid"))
    waits = sale.order.status
    was_learning = is_learning(session, sale)
    deliver(session, sale.event(SUCCEEDED_LATE))

    assert (waits, was_learning) == (OrderStatus.PENDING, False)
    assert sale.order.status is OrderStatus.PAID
    assert is_learning(session, sale)


def test_a_late_payment_that_fails_enrols_nobody(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(status="unpaid"), sale.event(FAILED_LATE))

    assert sale.order.status is OrderStatus.FAILED
    assert not is_learning(session, sale)


def test_the_promise_that_comes_after_its_failure_is_not_believed(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(FAILED_LATE), sale.event(status="unpaid"))

    assert sale.order.status is OrderStatus.FAILED


def test_an_expired_checkout_closes_the_order(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(EXPIRED))

    assert sale.order.status is OrderStatus.EXPIRED


FOR_NOTHING: dict[str, Any] = {
    "status": "no_payment_required",
    "payment_intent": None,
    "amount_total": 0,
    "total_details": {"amount_discount": 4900, "amount_tax": 0, "amount_shipping": 0},
}


def test_a_course_for_nothing_after_a_full_discount_enrols(session: Session) -> None:
    sale = open_sale(session)
    sale.order.discount_minor = 4900

    deliver(session, sale.event(**FOR_NOTHING))

    assert is_learning(session, sale)


def test_a_discount_that_the_order_does_not_know_needs_a_look(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(**FOR_NOTHING))

    assert sale.order.status is OrderStatus.NEEDS_REVIEW
    assert not is_learning(session, sale)


def test_the_same_event_again_changes_nothing(session: Session) -> None:
    sale = open_sale(session)
    body = sale.event()

    deliver(session, body, body, body)

    assert (count(session, StripeEvent), count(session, Payment)) == (1, 1)


def test_of_events_that_arrive_together_each_is_kept_once(session: Session) -> None:
    sale, other = open_sale(session), open_sale(session)
    first, second = received(sale.event()), received(other.event())

    inbox.receive(session, [first, second, first])
    inbox.receive(session, [second, first])
    inbox.apply(rows_waiting(session))

    assert count(session, StripeEvent) == 2
    assert is_learning(session, sale)
    assert is_learning(session, other)


def test_one_that_cannot_be_applied_does_not_stop_the_others(session: Session) -> None:
    sale = open_sale(session)
    lost = sale.event(id="cs_sbx_x", metadata={"order_id": "ord_never"})
    inbox.receive(session, [received(lost), received(sale.event())])

    inbox.apply(rows_waiting(session))

    assert is_learning(session, sale)


def test_a_second_job_for_an_applied_event_finds_nothing_to_do(session: Session) -> None:
    deliver(session, open_sale(session).event())
    done_at = event_row(session).done_at

    inbox.apply(rows_waiting(session))

    assert event_row(session).done_at == done_at


def test_an_event_that_is_received_queues_one_job(session: Session) -> None:
    body = open_sale(session).event()

    inbox.receive(session, [received(body)])
    inbox.receive(session, [received(body)])

    jobs = session.execute(text("SELECT task_name, args FROM procrastinate_jobs")).all()
    assert jobs == [("inbox.apply", {"row_ids": rows_waiting(session)})]


def test_any_order_of_arrival_ends_the_same(session: Session) -> None:
    """Every order of four facts about two visits of one order, with doubles at random."""
    chance = random.Random(7)
    for order_of in itertools.permutations(range(4)):
        sale = open_sale(session)
        second = make_attempt(session, sale.order)
        other = Sale(sale.buyer, sale.course, sale.order, second)
        bodies = [
            sale.event(EXPIRED),
            other.event(status="unpaid"),
            other.event(SUCCEEDED_LATE),
            sale.event("payment_intent.payment_failed"),
        ]
        arriving = [bodies[number] for number in order_of]
        doubled = [*arriving, *chance.choices(bodies, k=2)]

        deliver(session, *doubled)

        assert sale.order.status is OrderStatus.PAID, order_of
        assert is_learning(session, sale), order_of
    assert count(session, Payment) == 24


@given(
    history=st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["paid", "unpaid", "short", SUCCEEDED_LATE, FAILED_LATE, EXPIRED]),
        ),
        max_size=6,
    )
)
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_after_any_history_access_is_there_exactly_if_it_was_paid_for(
    session: Session, history: list[tuple[bool, str]]
) -> None:
    """Backwards too: what is true in the end does not depend on what came first."""
    ends = []
    for told in (history, history[::-1]):
        sale = open_sale(session)
        other = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))
        deliver(session, *(body_of(other if second else sale, what) for second, what in told))
        ends.append((sale.order.status, sale.order.review_reason, is_learning(session, sale)))

    assert ends[0] == ends[1] or has_doubt(history)
    assert ends[0][2] is is_paid(history) or has_doubt(history)
    assert all(end[2] is (end[0] is OrderStatus.PAID) for end in ends)


def body_of(sale: Sale, what: str) -> str:
    if what == "short":
        return sale.event(amount_subtotal=1, amount_total=1)
    return sale.event(status=what) if what in ("paid", "unpaid") else sale.event(what)


def is_paid(history: list[tuple[bool, str]]) -> bool:
    return any(what in ("paid", SUCCEEDED_LATE) for _, what in history)


def has_doubt(history: list[tuple[bool, str]]) -> bool:
    """One checkout paid both in full and short: the gateway never says that, the first counts."""
    return any(
        {(which, "short"), (which, sure)} <= set(history)
        for which in (True, False)
        for sure in ("paid", SUCCEEDED_LATE)
    )


def test_a_failure_that_comes_late_takes_nothing_away(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(), sale.event(FAILED_LATE), sale.event(EXPIRED))

    assert is_learning(session, sale)
    assert sale.order.status is OrderStatus.PAID


def test_paying_twice_keeps_the_course_and_asks_for_a_look(session: Session) -> None:
    sale = open_sale(session)
    second = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))

    deliver(session, sale.event(), second.event())

    assert is_learning(session, sale)
    assert (sale.order.status, sale.order.review_reason) == (
        OrderStatus.PAID,
        "Paid more than once.",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"currency": "eur"}, "Paid in eur, asked in usd."),
        ({"amount_subtotal": 100, "amount_total": 100}, "Paid $1, asked $49."),
        ({"amount_total": 100}, "The amounts do not add up."),
        ({"amount_total": -4900}, "The amounts do not add up."),
        ({"amount_subtotal": 4900.0}, "The amounts do not add up."),
        ({"amount_subtotal": "4900"}, "The amounts do not add up."),
        ({"amount_subtotal": None}, "The amounts do not add up."),
        ({"currency": "xxx"}, "The amounts do not add up."),
        ({"total_details": {"amount_tax": 1.5}}, "The amounts do not add up."),
        ({"total_details": {"amount_tax": 0.0}}, "The amounts do not add up."),
        ({"total_details": {"amount_tax": False}}, "The amounts do not add up."),
        ({"metadata": {"order_id": "ord_another"}}, "The checkout names another order."),
    ],
)
def test_money_that_does_not_fit_grants_nothing(
    session: Session, changes: dict[str, Any], reason: str
) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(**changes))

    assert (sale.order.status, sale.order.review_reason) == (OrderStatus.NEEDS_REVIEW, reason)
    assert not is_learning(session, sale)


def test_a_checkout_we_never_opened_grants_nothing(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(id="cs_sbx_of_somebody_else"))

    assert sale.order.review_reason == "The checkout was not opened for this order."
    assert not is_learning(session, sale)


def test_a_payment_pays_for_one_course_only(session: Session) -> None:
    cheap, dear = open_sale(session), open_sale(session, price=Money(90_000, "usd"))

    deliver(session, cheap.event(payment_intent="pi_1"), dear.event(payment_intent="pi_1"))

    assert is_learning(session, cheap)
    assert not is_learning(session, dear)
    assert dear.order.status is OrderStatus.NEEDS_REVIEW


def test_money_by_the_other_gateway_grants_nothing(session: Session) -> None:
    sale = open_sale(session)
    inbox.receive(session, [from_stripe(received(sale.event()))])

    inbox.apply(rows_waiting(session))

    assert not is_learning(session, sale)


def test_an_event_that_comes_before_the_answer_is_led_to_its_order(session: Session) -> None:
    sale = open_sale(session)
    unanswered = make_attempt(session, sale.order, None)

    deliver(session, sale.event(id="cs_sbx_first_heard_of"))

    session.expire_all()
    assert unanswered.session_id == "cs_sbx_first_heard_of"
    assert is_learning(session, sale)


def test_the_price_of_the_day_of_the_order_counts(session: Session) -> None:
    sale = open_sale(session)
    sale.course.price = Money(99_00, "usd")
    sale.course.unpublish(clock.now())

    deliver(session, sale.event())

    assert is_learning(session, sale)


def test_a_course_that_was_deleted_meanwhile_comes_back_for_who_has_paid(session: Session) -> None:
    sale = open_sale(session)
    sale.course.unpublish(clock.now())
    teacher = Actor(
        sale.course.instructor_id, "", "", frozenset({Role.INSTRUCTOR}), "", clock.now()
    )
    with pytest.raises(RuleBroken, match="Somebody is paying"):
        studio.delete(session, teacher, sale.course.public_id)
    deliver(session, sale.event(EXPIRED))
    studio.delete(session, teacher, sale.course.public_id)

    deliver(session, sale.event())

    assert is_learning(session, sale)
    assert sale.course.deleted_at is None


def test_an_unknown_order_is_waited_for(session: Session) -> None:
    sale = open_sale(session)
    body = sale.event(id="cs_sbx_x", metadata={"order_id": "ord_later"})
    inbox.receive(session, [received(body)])
    row_id = rows_waiting(session)[0]

    waits = []
    for _ in range(3):
        inbox.apply([row_id])
        waits.append(round((event_row(session).next_at - clock.now()).total_seconds()))
    parked = event_row(session).status
    later = make_order(session, sale.buyer, open_sale(session).course, public_id="ord_later")
    make_attempt(session, later, "cs_sbx_x")
    inbox.apply([row_id])

    again = session.scalar(
        text("SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at > now()")
    )
    assert (waits, again) == ([1, 5, 15], 3)
    assert parked is EventStatus.PARKED
    assert event_row(session).status is EventStatus.DONE
    assert session.get_one(Order, later.id).status is OrderStatus.PAID


def test_a_double_of_what_waits_or_was_given_up_changes_nothing_and_the_first_still_counts(
    session: Session,
) -> None:
    sale = open_sale(session)
    refund = refund_event(sale)
    deliver(session, refund)
    early = event_row(session)
    deliver(session, refund)
    assert (early.status, count(session, StripeEvent)) == (EventStatus.PARKED, 1)
    early.give_up("A day has passed.")
    deliver(session, refund)
    assert (early.status, count(session, StripeEvent)) == (EventStatus.DEAD, 1)

    deliver(session, sale.event())
    assert is_learning(session, sale)
    early.wake(clock.now())
    session.flush()
    inbox.apply([early.id])
    inbox.apply([early.id])

    session.expire_all()
    told = select(func.count()).where(Letter.kind == "refund")
    assert (early.status, sale.order.status) == (EventStatus.DONE, OrderStatus.REFUNDED)
    assert session.scalar(told) == 1


def test_what_was_faster_than_its_payment_is_tried_as_soon_as_that_is_here(
    session: Session,
) -> None:
    sale = open_sale(session)
    deliver(session, refund_event(sale))
    early = event_row(session)
    session.execute(text("DELETE FROM procrastinate_jobs"))

    deliver(session, open_sale(session).event())
    assert waiting_jobs(session) == []
    deliver(session, sale.event())

    assert waiting_jobs(session) == [[early.id]]
    inbox.apply([early.id])
    session.expire_all()
    assert (early.status, sale.order.status) == (EventStatus.DONE, OrderStatus.REFUNDED)


def waiting_jobs(session: Session) -> list[list[int]]:
    """Events that are to be applied now."""
    asked = text(
        "SELECT args->'row_ids' FROM procrastinate_jobs"
        " WHERE task_name = 'inbox.apply' AND scheduled_at IS NULL AND queueing_lock IS NOT NULL"
    )
    return list(session.scalars(asked))


def test_an_event_is_given_up_after_a_day(session: Session) -> None:
    body = open_sale(session).event(id="cs_sbx_x", metadata={"order_id": "ord_never"})
    inbox.receive(session, [received(body)])
    event_row(session).received_at = clock.now() - timedelta(hours=25)

    inbox.apply(rows_waiting(session))

    dead = event_row(session)
    assert dead.status is EventStatus.DEAD
    assert "no order with the id" in (dead.last_error or "")


def test_another_shops_sale_on_the_same_account_is_left_alone(session: Session) -> None:
    body = open_sale(session).event(id="cs_sbx_theirs", metadata={})

    deliver(session, body)

    row = event_row(session)
    assert (row.status, row.last_error) == (EventStatus.DONE, "It names no order.")


def test_a_fault_of_ours_parks_the_event_and_later_it_is_applied(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = open_sale(session)
    inbox.receive(session, [received(sale.event())])
    row_id = rows_waiting(session)[0]

    with monkeypatch.context() as broken:
        broken.setattr("luma.services.money.access.derive", None)
        inbox.apply([row_id])
    after_fault = (event_row(session).status, count(session, Payment))
    inbox.apply([row_id])

    assert after_fault == (EventStatus.PARKED, 0)
    assert is_learning(session, sale)


def test_an_event_of_no_interest_is_done_with(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event("product.created"))

    assert event_row(session).status is EventStatus.DONE
    assert sale.order.status is OrderStatus.OPEN


def test_an_event_of_another_release_is_not_read_but_asked_about(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = open_sale(session)
    event = json.loads(sale.event())
    truth = event["data"]["object"]
    event |= {"api_version": "2020-08-27", "data": {"object": {"id": truth["id"]}}}
    known = {(Thing.CHECKOUT, truth["id"]): truth}
    monkeypatch.setattr("luma.services.gateways.sandbox.found", lambda *asked: known[asked])

    deliver(session, json.dumps(event))

    assert is_learning(session, sale)


def test_the_sweep_queues_what_was_left_behind(session: Session) -> None:
    sale = open_sale(session)
    inbox.receive(session, [received(sale.event())])
    session.execute(text("DELETE FROM procrastinate_jobs"))
    inbox.sweep(session)
    too_early = session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
    event_row(session).next_at = clock.now() - timedelta(minutes=5)

    inbox.sweep(session)
    inbox.sweep(session)

    queued = session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))
    assert (too_early, queued) == (0, 1)


def test_a_worker_that_starts_takes_up_what_another_left(session: Session) -> None:
    inbox.receive(session, [received(open_sale(session).event())])
    session.execute(text("DELETE FROM procrastinate_jobs"))

    inbox.resume(session)

    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1
