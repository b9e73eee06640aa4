"""Whatever is not delivered, and whatever breaks while it is fetched, it ends as if nothing had."""

import json
import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerEntry
from luma.models.payment import Payment, StripeEvent
from luma.models.reconciliation import GatewayPull
from luma.models.reversal import Dispute, Refund
from luma.services import clock
from luma.services.gateways import sandbox_events, stripe
from luma.services.money import inbox, payments_health, pulling
from luma.values import EventStatus, OrderStatus
from tests.selling import (
    COMPLETED,
    EXPIRED,
    SUCCEEDED_LATE,
    Sale,
    charge_event,
    deliver,
    dispute_event,
    is_learning,
    open_sale,
    refund_event,
)
from tests.services.money.test_pulling import Account
from tests.services.money.test_pulling import account as gateway  # noqa: F401  (a fixture)
from tests.standins.running import StripeStandIn

AGO = timedelta(hours=1)


def applied(session: Session) -> None:
    """Whatever waits, as often as it takes."""
    for _ in range(3):
        waits = select(StripeEvent.id).where(
            StripeEvent.status.in_([EventStatus.NEW, EventStatus.PARKED])
        )
        inbox.apply(list(session.scalars(waits.order_by(StripeEvent.id))))
        session.expire_all()


def won(sale: Sale) -> list[str]:
    return [
        sale.event(COMPLETED, "unpaid"),
        sale.event(SUCCEEDED_LATE),
        charge_event(sale),
        refund_event(sale, 1000, "pending"),
        refund_event(sale, 1000),
        dispute_event(sale),
        dispute_event(sale, "won"),
    ]


def lost(sale: Sale) -> list[str]:
    return [sale.event(), charge_event(sale), dispute_event(sale), dispute_event(sale, "lost")]


def expired(sale: Sale) -> list[str]:
    return [sale.event(EXPIRED)]


def state(session: Session, sale: Sale) -> dict[str, Any]:
    """All that money and access have come to."""
    session.expire_all()
    payment = session.scalar(select(Payment).where(Payment.order_id == sale.order.id))
    number = payment.id if payment else 0
    refunds = session.execute(
        select(Refund.amount_minor, Refund.status).where(Refund.payment_id == number)
    )
    disputes = session.execute(
        select(Dispute.amount_minor, Dispute.status).where(Dispute.payment_id == number)
    )
    lines = session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.minor))
        .where(LedgerEntry.payment_id == number)
        .group_by(LedgerEntry.account)
    )
    return {
        "order": (sale.order.status, sale.order.review_reason),
        "paid": payment and (payment.amount_minor, payment.settled_minor, payment.fee_minor),
        "back": sorted(map(tuple, refunds)) + sorted(map(tuple, disputes)),
        "ledger": sorted((account, total) for account, total in lines if total),
        "learns": is_learning(session, sale),
    }


def was_away(session: Session, span: timedelta) -> None:
    """LUMA itself, as long as that."""
    then = clock.now() - span
    session.execute(update(GatewayPull).values(read_until=then, pulled_at=then))


def old_sale(session: Session) -> Sale:
    sale = open_sale(session)
    sale.order.created_at = clock.now() - timedelta(days=5)
    session.flush()
    return sale


@pytest.mark.parametrize("history", [won, lost, expired])
def test_each_event_dropped_in_turn_and_all_of_them_for_three_days_end_alike(
    session: Session,
    gateway: Account,  # noqa: F811
    history: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sale = old_sale(session)
    gateway.keep(*history(sale), ago=AGO)
    deliver(session, *gateway.bodies)
    applied(session)
    right = state(session, sale)
    many = len(gateway.bodies)

    for dropped in [{number} for number in range(many)] + [set(range(many))]:
        sale, is_all = old_sale(session), len(dropped) == many > 1
        if is_all:
            was_away(session, timedelta(days=3))
        gateway.keep(*history(sale), ago=timedelta(days=3) if is_all else AGO)
        bodies = gateway.bodies[-many:]
        deliver(session, *(body for place, body in enumerate(bodies) if place not in dropped))
        caplog.clear()

        brought = pulling.pull()
        applied(session)

        assert brought is not None
        assert (brought.found, brought.missed) == (len(dropped), len(dropped)), dropped
        assert state(session, sale) == right, dropped
        assert any("the push had missed" in one.message for one in caplog.records)
    assert "does not deliver" in (payments_health.warning(session) or "")


def test_nothing_dropped_is_no_alarm(
    session: Session,
    gateway: Account,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    sale = old_sale(session)
    gateway.keep(*won(sale), ago=AGO)
    deliver(session, *gateway.bodies)

    with caplog.at_level(logging.ERROR):
        pulling.pull()

    assert caplog.records == []
    assert payments_health.warning(session) is None


def of_another_shop(number: int, at: datetime) -> dict[str, Any]:
    """Cheap to apply, and counted all the same."""
    thing: sandbox_events.JSON = {"id": f"cs_test_{number}", "object": "checkout.session"}
    event: dict[str, Any] = json.loads(sandbox_events.event(EXPIRED, thing, at))
    return event | {"id": f"evt_{number:05d}"}


def arrived(session: Session) -> Counter[str]:
    return Counter(session.scalars(select(StripeEvent.event_id)))


def stripe_sale(session: Session) -> Sale:
    sale = old_sale(session)
    sale.order.gateway = "stripe"
    session.flush()
    return sale


def as_of(body: str, at: datetime, name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(body)
    return event | {"id": name, "created": int(at.timestamp())}


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_at_the_edge_of_a_page_within_one_second_nothing_is_left_out(
    session: Session, account: StripeStandIn, more: int
) -> None:
    sale, at = stripe_sale(session), clock.now() - AGO
    others = [of_another_shop(number, at) for number in range(200 + more - 1)]
    account.happened([as_of(sale.event(), at, "evt_paid"), *others])

    brought = pulling.pull()
    again = pulling.pull()
    applied(session)

    assert brought is not None
    assert again is not None
    assert (brought.found, again.found) == (200 + more, 0)
    assert set(arrived(session).values()) == {1}
    assert sale.order.status is OrderStatus.PAID


@pytest.mark.parametrize("kind", ["500", "reset", "html"])
def test_stripe_that_is_away_between_two_pages_loses_nothing(
    session: Session, account: StripeStandIn, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sale, at = stripe_sale(session), clock.now() - AGO
    others = [of_another_shop(number, at) for number in range(150)]
    account.happened([as_of(sale.event(), at, "evt_paid"), *others])
    goes_away(monkeypatch, account, kind)

    broken = pulling.pull()
    trouble = session.scalar(select(GatewayPull.trouble))
    account.fails(kind, "/v1/events", times=0)
    whole = pulling.pull()
    applied(session)

    assert (broken, bool(trouble)) == (None, True)
    assert whole is not None
    assert session.scalar(select(GatewayPull.trouble)) is None
    assert len(arrived(session)) == 151
    assert sale.order.status is OrderStatus.PAID


def goes_away(monkeypatch: pytest.MonkeyPatch, account: StripeStandIn, kind: str) -> None:
    """Just before a second page is asked for, once."""
    ask, gone = stripe._page_of_events, list[str]()

    def page(wanted: Any) -> str:
        if "starting_after" in wanted and not gone:
            gone.append(kind)
            account.fails(kind, "/v1/events", times=9)
        return ask(wanted)

    monkeypatch.setattr(stripe, "_page_of_events", page)


def test_a_lost_cursor_costs_nothing_but_a_longer_read(
    session: Session, account: StripeStandIn
) -> None:
    sale = stripe_sale(session)
    account.happened([as_of(sale.event(), clock.now() - timedelta(days=3), "evt_paid")])
    early = clock.now() - timedelta(minutes=10)
    session.add(
        GatewayPull(
            gateway="stripe", livemode=False, read_until=early, pulled_at=early, tried_at=early
        )
    )
    session.flush()
    pulling.pull()
    before = arrived(session)
    session.execute(text("DELETE FROM gateway_pulls"))
    session.expire_all()

    pulling.pull()
    applied(session)

    assert before == Counter()
    assert sale.order.status is OrderStatus.PAID


@pytest.mark.parametrize("hours", [-4, -1, 1, 30])
def test_a_clock_that_is_off_loses_nothing(
    session: Session, account: StripeStandIn, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Ours is fast or slow by hours; Stripe's is right."""
    sale, right = stripe_sale(session), clock.now()
    account.happened([of_another_shop(1, right - timedelta(minutes=20))])
    monkeypatch.setattr(clock, "now", lambda: right + timedelta(hours=hours))
    pulling.pull()
    paid = as_of(sale.event(), right, "evt_paid")
    account.happened([of_another_shop(1, right - timedelta(minutes=20)), paid])

    pulling.pull()
    applied(session)

    assert sale.order.status is OrderStatus.PAID
