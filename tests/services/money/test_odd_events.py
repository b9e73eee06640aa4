"""What an event may also be: older, newer, poorer, richer, late, about nothing, or about others."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.payment import Payment, StripeEvent
from luma.models.reversal import Dispute, Refund
from luma.services import clock, housekeeping
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayMissing
from luma.services.money import inbox
from luma.values import EventStatus, OrderStatus
from tests.selling import (
    EXPIRED,
    FAILED_LATE,
    SUCCEEDED_LATE,
    Sale,
    deliver,
    dispute_event,
    is_learning,
    open_sale,
    received,
    refund_event,
    rows_waiting,
)

Thing = dict[str, Any]


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


def changed(body: str, **changes: object) -> str:
    """Other words around the thing, under an id of its own."""
    event = json.loads(body)
    return json.dumps(event | {"id": f"{event['id']}0"} | changes)


def about(body: str, thing: Thing) -> str:
    return changed(body, data={"object": thing})


def thing_of(body: str) -> Thing:
    found: Thing = json.loads(body)["data"]["object"]
    return found


def last(session: Session) -> StripeEvent:
    session.expire_all()
    found = session.scalars(select(StripeEvent).order_by(StripeEvent.id.desc())).first()
    assert found is not None
    return found


def count(session: Session, table: type[Payment] | type[Refund] | type[Dispute]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    "kind",
    [
        "payment_intent.created",
        "payment_intent.processing",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "charge.refunded",
        "charge.refund.updated",
        "charge.failed",
        "radar.early_fraud_warning.updated",
        "something.that.nobody_knows.yet",
    ],
)
@pytest.mark.parametrize("is_late", [True, False])
def test_words_that_prove_nothing_take_nothing_and_give_nothing(
    session: Session, sale: Sale, kind: str, is_late: bool
) -> None:
    other = changed(sale.event(), type=kind)
    deliver(session, *((sale.event(), other) if is_late else (other,)))

    assert last(session).status is EventStatus.DONE
    assert is_learning(session, sale) is is_late
    assert sale.order.status is (OrderStatus.PAID if is_late else OrderStatus.OPEN)
    assert (count(session, Payment), count(session, Refund)) == (int(is_late), 0)


def test_two_events_about_one_payment_are_one_payment(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), sale.event(SUCCEEDED_LATE), sale.event())

    assert count(session, Payment) == 1
    assert (sale.order.status, sale.order.review_reason) == (OrderStatus.PAID, None)


def test_what_happens_in_an_instructors_account_pays_for_nothing(
    session: Session, sale: Sale
) -> None:
    deliver(session, changed(sale.event(), account="acct_1"))

    assert last(session).status is EventStatus.DONE
    assert sale.order.status is OrderStatus.OPEN
    assert not is_learning(session, sale)


def test_the_session_of_one_buyer_with_the_order_of_another_helps_neither(
    session: Session, sale: Sale
) -> None:
    other = open_sale(session)

    deliver(session, sale.event(metadata={"order_id": other.order.public_id}))

    assert (sale.order.status, other.order.status) == (OrderStatus.NEEDS_REVIEW, OrderStatus.OPEN)
    assert not is_learning(session, sale)
    assert not is_learning(session, other)


# Late money.


@pytest.mark.parametrize("arriving", list(itertools.permutations(range(3))))
def test_late_money_opens_the_course_whatever_was_said_before_and_after(
    session: Session, sale: Sale, arriving: tuple[int, ...]
) -> None:
    bodies = [sale.event(status="unpaid"), sale.event(EXPIRED), sale.event(SUCCEEDED_LATE)]

    deliver(session, *(bodies[number] for number in arriving))

    assert sale.order.status is OrderStatus.PAID
    assert is_learning(session, sale)


@pytest.mark.parametrize("end", [EXPIRED, FAILED_LATE])
def test_unpaid_and_its_end_are_the_same_in_either_order(session: Session, end: str) -> None:
    ends = set()
    for step in (1, -1):
        sale = open_sale(session)
        deliver(session, *[sale.event(status="unpaid"), sale.event(end)][::step])
        ends.add((sale.order.status, is_learning(session, sale)))

    wanted = OrderStatus.EXPIRED if end == EXPIRED else OrderStatus.FAILED
    assert ends == {(wanted, False)}


def test_money_that_comes_after_seven_days_is_still_waited_for(
    session: Session, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(session, sale.event(status="unpaid"))
    week_later = clock.now() + timedelta(days=7)
    monkeypatch.setattr(clock, "now", lambda: week_later)

    for tidy in (housekeeping.forget_old, inbox.sweep, inbox.resume):
        tidy(session)
    waits = sale.order.status
    deliver(session, sale.event(SUCCEEDED_LATE))

    assert waits is OrderStatus.PENDING
    assert (sale.order.status, sale.order.paid_at) == (OrderStatus.PAID, week_later)
    assert is_learning(session, sale)


# Other releases.


@pytest.mark.parametrize("version", ["2020-08-27", "2099-01-01.zulu", None])
def test_an_event_of_another_release_about_what_is_gone_waits_and_is_given_up_loudly(
    session: Session,
    sale: Sale,
    version: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[str] = []

    def gone(_kind: object, thing_id: str) -> Thing:
        asked.append(thing_id)
        raise GatewayMissing

    monkeypatch.setattr(sandbox, "found", gone)
    inbox.receive(session, [received(changed(sale.event(), api_version=version))])
    other = open_sale(session)
    inbox.receive(session, [received(other.event())])

    inbox.apply(rows_waiting(session))
    first = session.scalars(select(StripeEvent.status).order_by(StripeEvent.id)).all()
    lost = session.scalars(select(StripeEvent).order_by(StripeEvent.id).limit(1)).one()
    lost.received_at -= timedelta(hours=25)
    inbox.apply(rows_waiting(session))

    assert asked == [sale.attempt.session_id] * 2
    assert first == [EventStatus.PARKED, EventStatus.DONE]
    assert is_learning(session, other)
    assert not is_learning(session, sale)
    session.expire_all()
    assert lost.status is EventStatus.DEAD
    assert "an event is given up" in caplog.messages


NEW = {"a_field_of_next_year": {"nested": [1, 2]}, "another": None}


def test_what_stripe_adds_is_no_matter(session: Session, sale: Sale) -> None:
    bodies = [sale.event(), refund_event(sale, 1000), dispute_event(sale)]

    deliver(session, *(changed(about(one, thing_of(one) | NEW), **NEW) for one in bodies))

    assert sale.order.status is OrderStatus.DISPUTED
    assert [count(session, table) for table in (Payment, Refund, Dispute)] == [1, 1, 1]


PAID_BY = "id currency amount_subtotal amount_total payment_status"
NEEDED = {
    "checkout.session": f"{PAID_BY} object metadata payment_intent total_details",
    "refund": "id object amount currency status created payment_intent",
    "dispute": "id object amount currency status created payment_intent",
}


def poor(body: str) -> str:
    """With nothing in it but what LUMA cannot do without."""
    thing = thing_of(body)
    kept = NEEDED[thing["object"]].split()
    return about(body, {name: thing[name] for name in kept if name in thing})


def test_what_stripe_leaves_out_is_no_matter_either(session: Session, sale: Sale) -> None:
    bodies = [sale.event(), refund_event(sale, 1000), dispute_event(sale)]

    deliver(session, *map(poor, bodies))

    assert sale.order.status is OrderStatus.DISPUTED
    assert [count(session, table) for table in (Payment, Refund, Dispute)] == [1, 1, 1]


def test_without_details_and_metadata_the_session_is_enough(session: Session, sale: Sale) -> None:
    thing = thing_of(sale.event())
    kept = {name: thing[name] for name in thing if name not in ("total_details", "metadata")}

    deliver(session, about(sale.event(), kept))

    assert is_learning(session, sale)


def test_a_payment_that_is_written_out_is_the_one_that_it_names(
    session: Session, sale: Sale
) -> None:
    paid = thing_of(sale.event())
    whole = {"id": paid["payment_intent"], "object": "payment_intent"}

    deliver(session, about(sale.event(), paid | {"payment_intent": whole}), refund_event(sale))

    assert session.scalars(select(Payment.payment_intent_id)).all() == [paid["payment_intent"]]
    assert sale.order.status is OrderStatus.REFUNDED


@pytest.mark.parametrize("body", [refund_event, dispute_event])
def test_a_state_that_nobody_knows_yet_waits_and_is_not_lost(
    session: Session, sale: Sale, body: Any
) -> None:
    deliver(session, sale.event())
    told = body(sale)

    deliver(session, about(told, thing_of(told) | {"status": "put_in_a_drawer"}))

    assert last(session).status is EventStatus.PARKED
    assert "put_in_a_drawer" in (last(session).last_error or "")
    assert is_learning(session, sale)


NONSENSE: tuple[object, ...] = (
    "",
    "\0",
    "\ud800",
    "x" * 10_000,
    None,
    True,
    -1,
    2**63,
    1.5,
    [],
    {"id": 1},
)


@pytest.mark.parametrize(
    "field",
    [
        *("id", "currency", "amount_subtotal", "amount_total", "payment_status"),
        *("payment_intent", "metadata", "total_details", "invoice"),
    ],
)
def test_nothing_that_a_signed_session_may_hold_makes_the_worker_stumble(
    session: Session, sale: Sale, field: str
) -> None:
    """Signed by Stripe and still nonsense: it is done with or it waits, and no money appears."""
    genuine = sale.event()
    for number, value in enumerate(NONSENSE):
        told = about(genuine, thing_of(genuine) | {field: value})
        with session.begin_nested() as point:
            deliver(session, changed(told, id=f"evt_sbx_odd{number}"))
            found, order = last(session).status, sale.order.status
            learning = is_learning(session, sale)
            point.rollback()

        assert found in (EventStatus.DONE, EventStatus.PARKED), value
        assert learning is (order is OrderStatus.PAID), value
        assert not (learning and field in PAID_BY.split()), value
