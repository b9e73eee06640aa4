"""The sandbox sends what Stripe would send, and is nowhere to be found where money is real."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.payment import SandboxSession
from luma.services import clock
from luma.services.gateways import checkout_events, current
from luma.services.gateways import sandbox as gateway
from luma.services.gateways.protocol import CheckoutRequest, GatewayDown, Thing, Unverified
from luma.services.money import sandbox
from luma.settings import settings
from luma.values import Money
from tests.selling import signed
from tests.standins import contract


def request() -> CheckoutRequest:
    return CheckoutRequest(
        order="ord_1",
        title="Bread for beginners",
        price_id="price_sbx_1",
        amount=Money(5120, "kwd"),
        email="anna@example.org",
        success_url="http://127.0.0.1:8080/checkout/ord_1",
        cancel_url="http://127.0.0.1:8080/checkout/ord_1/cancelled",
        expires_at=int((clock.now() + timedelta(hours=2)).timestamp()),
    )


@pytest.fixture
def session_id(session: Session) -> str:
    return gateway.open_checkout(request(), "key").session_id


def emitted(session: Session) -> list[dict[str, Any]]:
    """Events on their way, oldest first; each one such as Stripe's description allows.

    Without what a payment settled to, which follows it: see test_charges.py.
    """
    rows = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'sandbox.deliver' ORDER BY id")
    )
    found = [json.loads(row.args["payload"]) for row in rows]
    for event in found:
        assert contract.event_faults(event) == []
    return [event for event in found if not event["type"].startswith("charge.updated")]


def test_asking_twice_with_one_key_opens_one_checkout(session: Session) -> None:
    first, second = (gateway.open_checkout(request(), "key") for _ in range(2))

    assert first == second
    assert session.query(SandboxSession).count() == 1


def test_paying_sends_a_paid_checkout(session: Session, session_id: str) -> None:
    view = sandbox.pay(session, session_id)

    (event,) = emitted(session)
    paid = event["data"]["object"]
    assert view.state == "paid"
    assert (event["type"], paid["payment_status"]) == (checkout_events.COMPLETED, "paid")
    assert (paid["amount_total"], paid["currency"]) == (5120, "kwd")
    assert paid["metadata"] == {"order_id": "ord_1"}
    assert event["id"].startswith("evt_sbx_")


@pytest.mark.parametrize(
    ("end", "kind", "paid", "state"),
    [
        (sandbox.settle, checkout_events.SUCCEEDED_LATE, "paid", "paid"),
        (sandbox.bounce, checkout_events.FAILED_LATE, "unpaid", "failed"),
    ],
)
def test_a_late_payment_ends_one_way_or_the_other(
    session: Session, session_id: str, end: Any, kind: str, paid: str, state: str
) -> None:
    promised = sandbox.pay_later(session, session_id)

    view = end(session, session_id)

    first, last = emitted(session)
    assert (promised.state, view.state) == ("promised", state)
    assert (first["type"], first["data"]["object"]["payment_status"]) == (
        checkout_events.COMPLETED,
        "unpaid",
    )
    assert (last["type"], last["data"]["object"]["payment_status"]) == (kind, paid)
    intents = {event["data"]["object"]["payment_intent"] for event in (first, last)}
    assert len(intents) == 1


def test_a_closed_checkout_sends_that_it_expired(session: Session, session_id: str) -> None:
    assert gateway.expire_checkout(session_id)
    assert gateway.expire_checkout(session_id)

    (event,) = emitted(session)
    assert event["type"] == checkout_events.EXPIRED
    assert gateway.found(Thing.CHECKOUT, session_id)["status"] == "expired"


def test_a_paid_checkout_does_not_expire(session: Session, session_id: str) -> None:
    sandbox.pay(session, session_id)

    assert not gateway.expire_checkout(session_id)


@pytest.mark.parametrize(
    "again", [sandbox.pay, sandbox.pay_later, sandbox.settle, sandbox.bounce, sandbox.expire]
)
def test_what_is_finished_stays_so(session: Session, session_id: str, again: Any) -> None:
    sandbox.pay(session, session_id)

    with pytest.raises(RuleBroken, match="finished already"):
        again(session, session_id)

    assert len(emitted(session)) == 1


def test_nobody_pays_after_the_time_is_over(session: Session, session_id: str) -> None:
    gateway.locked(session, session_id).expires_at = clock.now()

    with pytest.raises(RuleBroken, match="has expired"):
        sandbox.pay(session, session_id)


@pytest.mark.parametrize("session_id", ["", "cs_sbx_", "\x00", "cs_sbx_" + "0" * 32, "a" * 9999])
def test_an_unknown_checkout_is_not_found(session: Session, session_id: str) -> None:
    with pytest.raises(NotFound):
        sandbox.checkout(session, session_id)


@pytest.mark.parametrize(
    "variables",
    [
        {"LUMA_STRIPE_SECRET_KEY": "sk_live_x"},
        {"LUMA_STRIPE_SECRET_KEY": "rk_live_x"},
        {"LUMA_STRIPE_SECRET_KEY": "sk_test_x"},
        {
            "LUMA_ENV": "production",
            "LUMA_SECRET": "s",
            "LUMA_STRIPE_SECRET_KEY": "sk_live_x",
            "LUMA_STRIPE_WEBHOOK_SECRET": "whsec_x",
        },
    ],
)
def test_there_is_no_sandbox_beside_a_key_or_in_production(
    session: Session,
    session_id: str,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = '{"id": "evt_sbx_1"}'
    header = signed(body)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()

    assert current().name == "stripe"
    for act in (sandbox.checkout, sandbox.pay, sandbox.pay_later, sandbox.expire):
        with pytest.raises(NotFound):
            act(session, session_id)
    with pytest.raises(NotFound):
        gateway.open_checkout(request(), "another key")
    with pytest.raises(NotFound):
        gateway.deliver(body)
    with pytest.raises((NotFound, Unverified)):
        current().verified(body.encode(), header)


def test_production_does_not_start_without_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMA_ENV", "production")
    monkeypatch.setenv("LUMA_SECRET", "s")
    settings.cache_clear()

    with pytest.raises(ValueError, match="LUMA_STRIPE_SECRET_KEY"):
        settings()


def test_a_delivery_that_nobody_takes_is_tried_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_BASE_URL", "http://127.0.0.1:1")
    settings.cache_clear()

    with pytest.raises(GatewayDown):
        gateway.deliver('{"object": "event", "id": "evt_sbx_1"}')
