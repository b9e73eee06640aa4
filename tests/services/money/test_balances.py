"""The balance at Stripe against the ledger: fees, another rate, and what is not LUMA's business."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.models.reconciliation import GatewayPull
from luma.services import clock
from luma.services.money import comparison, differences, inbox, pulling
from luma.services.money.differences import Sum
from luma.values import EventStatus
from tests.selling import (
    Sale,
    charge_event,
    dispute_event,
    from_stripe,
    open_sale,
    received,
    refund_event,
    settled_as,
)
from tests.standins.running import StripeStandIn

EARLIER = int(clock.now().timestamp()) - 1800
"""No event about it can be on its way any more."""


def line(name: str, source: str | None, kind: str, amount: int, fee: int = 0) -> dict[str, Any]:
    told = settled_as(amount, "eur", fee)
    return told | {"id": f"txn_{name}", "source": source, "type": kind, "created": EARLIER}


def happens(
    session: Session, account: StripeStandIn, body: str, **changes: object
) -> dict[str, Any]:
    """It is so at Stripe, and Stripe says so."""
    event = json.loads(body)
    thing: dict[str, Any] = event["data"]["object"]
    thing |= {"created": EARLIER, **changes}
    account.changes(thing["id"], **thing)
    inbox.receive(session, [from_stripe(received(json.dumps(event)))])
    waits = select(StripeEvent.id).where(StripeEvent.status == EventStatus.NEW)
    inbox.apply(list(session.scalars(waits)))
    session.expire_all()
    return thing


@pytest.fixture
def sale(session: Session, account: StripeStandIn) -> Sale:
    """For $49, which is 45.10 € there and then; refunded in part, and disputed, at other rates."""
    pulling.pull()
    made = open_sale(session)
    made.order.gateway = "stripe"
    session.flush()
    happens(session, account, made.event())
    body = charge_event(made)
    charge = json.loads(body)["data"]["object"]["id"]
    paid = line("charge", charge, "charge", 4510, 161)
    happens(session, account, body, balance_transaction=paid)
    refund = json.loads(refund_event(made, 1000))["data"]["object"]["id"]
    back = line("refund", refund, "refund", -930)
    happens(session, account, refund_event(made, 1000), balance_transaction=back)
    dispute = json.loads(dispute_event(made))["data"]["object"]["id"]
    gone = line("dispute", dispute, "adjustment", -3601, 2000)
    happens(session, account, dispute_event(made), balance_transactions=[gone])
    for one in (paid, back, gone):
        account.changes(one["id"], **one)
    return made


def sums(session: Session) -> list[Sum]:
    session.expire_all()
    row = session.scalars(select(GatewayPull).where(GatewayPull.gateway == "stripe")).one()
    return [Sum.thawed(one) for one in row.sums or []]


def test_fees_and_rates_of_refunds_and_disputes_leave_no_difference(
    session: Session, sale: Sale
) -> None:
    assert comparison.compare() == 0
    net = 4510 - 161 - 930 - 3601 - 2000
    assert sums(session) == [Sum("eur", net, net, 3)]


def test_the_schools_own_payouts_and_fees_and_other_shops_are_left_out(
    session: Session, account: StripeStandIn, sale: Sale
) -> None:
    for number, (source, kind) in enumerate(
        [("po_1", "payout"), (None, "stripe_fee"), ("ch_other", "charge"), ("re_other", "refund")]
    ):
        one = line(f"other{number}", source, kind, -100)
        account.changes(one["id"], **one)

    assert comparison.compare() == 0
    assert sums(session)[0].moves == 3


def test_what_the_ledger_does_not_have_is_named_by_its_thing(
    session: Session, account: StripeStandIn, sale: Sale
) -> None:
    (name,) = [one["id"] for one in account.all("dispute")]
    again = line("again", name, "adjustment", -100)
    account.changes(again["id"], **again)

    comparison.compare()

    (found,) = differences.open_now(session)
    (total,) = sums(session)
    assert (found.name, found.order) == (name, sale.order.public_id)
    assert found.words == "Stripe moved -€57.01 on its balance, and the ledger has -€56.01."
    assert total.theirs - total.ours == -100
