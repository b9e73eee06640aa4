"""What is refunded of another shop's on the same Stripe account is done with, and ours waits."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.payment import StripeEvent
from luma.services import gateways
from luma.services.gateways.protocol import GatewayDown
from luma.services.money import inbox
from luma.values import EventStatus
from tests.selling import from_stripe, open_sale, received, refund_event, rows_waiting


class Stripe:
    """Knows one charge; `order` is what its metadata names."""

    name = "stripe"

    def __init__(self, order: str | None, *, answers: bool = True) -> None:
        self.order, self.answers = order, answers

    def found(self, kind: object, thing_id: str) -> dict[str, object]:
        if not self.answers:
            raise GatewayDown
        named = {"order_id": self.order} if self.order else {}
        return {"id": thing_id, "status": "succeeded", "metadata": named}


@pytest.mark.parametrize(
    ("stripe", "ends"),
    [
        (Stripe(None), EventStatus.DONE),
        (Stripe("ord_1234"), EventStatus.PARKED),
        (Stripe(None, answers=False), EventStatus.PARKED),
    ],
)
def test_a_refund_waits_for_its_payment_unless_that_is_another_shops(
    session: Session, monkeypatch: pytest.MonkeyPatch, stripe: Stripe, ends: EventStatus
) -> None:
    monkeypatch.setattr(gateways, "current", lambda: stripe)
    inbox.receive(session, [from_stripe(received(refund_event(open_sale(session))))])
    states = []
    for _ in range(2):
        inbox.apply(rows_waiting(session))
        session.expire_all()
        states.append(session.scalar(select(StripeEvent.status)))

    assert states == [EventStatus.PARKED, ends]
