"""What happened at a gateway is told from its beginning, delivered or not, and nothing else is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from luma.models.order import Order
from luma.models.payment import StripeEvent
from luma.models.sandbox import SandboxEvent
from luma.services import clock, housekeeping
from luma.services.gateways import (
    checkout_events,
    sandbox,
    sandbox_events,
    sandbox_post,
    stripe,
)
from luma.services.gateways.protocol import GatewayDown, GatewayEvent
from luma.services.money import inbox
from luma.values import OrderStatus
from tests.selling import open_sale
from tests.standins.running import StripeStandIn

TYPES = [checkout_events.COMPLETED, checkout_events.EXPIRED]
THEN = datetime(2026, 11, 20, 9, 0, 0, 700_000, tzinfo=UTC)


def told(gateway: Any, since: datetime, types: list[str] = TYPES) -> list[GatewayEvent]:
    return list(gateway.events_since(since, types))


def of_stripe(number: int, at: datetime, **changes: object) -> dict[str, Any]:
    thing: sandbox_events.JSON = {"id": f"cs_{number}", "object": "checkout.session"}
    event: dict[str, Any] = json.loads(sandbox_events.event(checkout_events.COMPLETED, thing, at))
    return event | {"id": f"evt_{number:05d}"} | changes


@pytest.fixture
def kept(session: Session) -> list[str]:
    """Three events of the sandbox, a second apart, whose deliveries nobody has made."""
    for number in range(3):
        thing: sandbox_events.JSON = {"id": f"cs_sbx_{number}", "object": "checkout.session"}
        sandbox.emit(session, checkout_events.EXPIRED, thing)
    rows = session.query(SandboxEvent).order_by(SandboxEvent.id).all()
    for row, second in zip(rows, (2, 1, 0), strict=True):
        row.created_at = (THEN + timedelta(seconds=second)).replace(microsecond=0)
    session.flush()
    return [row.event_id for row in reversed(rows)]


def test_the_sandbox_tells_what_it_made_oldest_first(
    kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_post, "AT_ONCE", 1)

    found = told(sandbox, THEN - timedelta(days=1))

    assert [event.event_id for event in found] == kept
    assert {event.source for event in found} == {"pull"}


def test_what_happened_in_the_second_that_is_asked_from_is_told(kept: list[str]) -> None:
    assert [event.event_id for event in told(sandbox, THEN)] == kept
    assert len(told(sandbox, THEN + timedelta(seconds=1))) == 2
    assert told(sandbox, THEN, [checkout_events.COMPLETED]) == []


def test_events_of_the_sandbox_are_forgotten_after_a_month(
    session: Session, kept: list[str]
) -> None:
    a_month = timedelta(days=30)
    session.execute(
        update(SandboxEvent)
        .where(SandboxEvent.event_id == kept[0])
        .values(created_at=clock.now() - a_month - timedelta(seconds=2))
    )
    session.execute(
        update(SandboxEvent)
        .where(SandboxEvent.event_id != kept[0])
        .values(created_at=clock.now() - a_month + timedelta(minutes=1))
    )

    housekeeping.forget_old(session)

    assert len(told(sandbox, clock.now() - timedelta(days=99))) == 2


def test_what_was_pulled_from_the_sandbox_pays_for_a_sandbox_order(session: Session) -> None:
    sale = open_sale(session)
    body = sale.event()
    sandbox_post.keep(session, body)
    session.flush()

    inbox.receive(session, told(sandbox, clock.now() - timedelta(minutes=1)))
    inbox.apply([row.id for row in session.query(StripeEvent)])

    session.expire_all()
    assert session.get_one(Order, sale.order.id).status is OrderStatus.PAID


def test_what_was_pulled_from_stripe_pays_for_no_sandbox_order(
    session: Session, account: StripeStandIn
) -> None:
    sale = open_sale(session)
    account.happened([json.loads(sale.event()) | {"id": "evt_1"}])

    inbox.receive(session, told(stripe, clock.now() - timedelta(minutes=1)))
    inbox.apply([row.id for row in session.query(StripeEvent)])

    session.expire_all()
    assert session.get_one(Order, sale.order.id).status is OrderStatus.NEEDS_REVIEW


def test_stripe_tells_everything_oldest_first_across_pages_and_windows(
    account: StripeStandIn,
) -> None:
    """More than a page in one second; the seconds at both ends of a window; a quiet day."""
    start = clock.now() - timedelta(days=2)
    moments = [
        *[start] * 230,
        start + timedelta(hours=6, seconds=-1),
        start + timedelta(hours=6),
        clock.now() - timedelta(seconds=1),
    ]
    made = [of_stripe(number, at) for number, at in enumerate(moments)]
    account.happened(made)

    found = told(stripe, start)

    assert [event.event_id for event in found] == [one["id"] for one in made]
    assert json.loads(found[0].raw) == made[0]
    assert {event.source for event in found} == {"pull"}


def test_only_what_is_asked_for_is_told(account: StripeStandIn) -> None:
    at = clock.now() - timedelta(seconds=5)
    account.happened(
        [
            of_stripe(1, at - timedelta(minutes=1)),
            of_stripe(2, at, type="charge.updated"),
            of_stripe(3, at),
        ]
    )

    assert [event.event_id for event in told(stripe, at)] == ["evt_00003"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"livemode": True},
        {"account": "acct_1"},
        {"id": "evt_sbx_1"},
        {"created": True},
        {"livemode": "no"},
        {"data": {"object": []}},
    ],
)
def test_what_would_be_refused_on_delivery_is_not_taken(
    account: StripeStandIn, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    good = of_stripe(1, clock.now())
    bodies = iter([{"data": [of_stripe(2, clock.now()) | wrong, good], "has_more": False}])
    monkeypatch.setattr(stripe, "_page_of_events", lambda _: json.dumps(next(bodies)))

    found = told(stripe, clock.now())

    assert [event.event_id for event in found] == ["evt_00001"]


def test_fractions_come_as_they_were_sent(account: StripeStandIn) -> None:
    event = of_stripe(1, clock.now())
    event["data"]["object"] |= {"share": 8.25}
    account.happened([event])

    (found,) = told(stripe, clock.now() - timedelta(minutes=1))

    assert json.loads(found.raw) == event


@pytest.mark.parametrize("kind", ["reset", "429", "html"])
def test_stripe_that_is_away_in_the_middle_is_said_to_be(
    account: StripeStandIn, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0.01)
    monkeypatch.setattr("stripe.HTTPClient.MAX_DELAY", 0.01)
    account.fails(kind, "/v1/events", times=9)

    with pytest.raises(GatewayDown):
        told(stripe, clock.now())
