"""What a payment settled to and cost is heard later, in any order, and written once."""

import itertools
import json
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.models.payment import Payment, SandboxSession, StripeEvent
from luma.services import clock
from luma.services.gateways import sandbox_charges, stripe
from luma.services.gateways.charge_events import CHARGE_UPDATED, CHARGED
from luma.services.gateways.protocol import Thing
from luma.services.money import sandbox
from luma.values import EventStatus, Money
from tests.selling import Sale, charge_event, deliver, open_sale, settled_as
from tests.standins import contract
from tests.standins.running import StripeStandIn


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


def payment(session: Session) -> Payment:
    session.expire_all()
    return session.scalars(select(Payment)).one()


def last_event(session: Session) -> StripeEvent:
    found = session.scalars(select(StripeEvent).order_by(StripeEvent.id.desc())).first()
    assert found is not None
    return found


def settlement(session: Session) -> tuple[int | None, str | None, int | None]:
    one = payment(session)
    return one.settled_minor, one.settled_currency, one.fee_minor


def test_a_charge_tells_what_was_settled_and_what_it_cost(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), charge_event(sale, receipt_url="https://pay.example/r/1"))

    assert settlement(session) == (4900, "usd", 172)
    assert payment(session).receipt_url == "https://pay.example/r/1"
    assert (payment(session).charge_id or "").startswith("ch_sbx_")


def test_a_sale_in_yen_may_settle_in_euros(session: Session) -> None:
    sale = open_sale(session, price=Money(4900, "jpy"))

    deliver(
        session, sale.event(), charge_event(sale, balance_transaction=settled_as(2890, "eur", 114))
    )

    assert settlement(session) == (2890, "eur", 114)
    assert payment(session).amount == Money(4900, "jpy")


def test_whatever_comes_first_the_end_is_the_same(session: Session) -> None:
    ends = set()
    for order in itertools.permutations(range(3)):
        sale = open_sale(session)
        bodies = [
            sale.event(),
            charge_event(sale, CHARGED, balance_transaction=None),
            charge_event(sale),
        ]
        deliver(session, *(bodies[number] for number in order), bodies[order[0]])
        row = session.scalars(select(Payment).where(Payment.order_id == sale.order.id)).one()
        ends.add((row.settled_minor, row.settled_currency, row.fee_minor, bool(row.charge_id)))

    assert ends == {(4900, "usd", 172, True)}


def test_what_is_known_is_not_written_over(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), charge_event(sale))
    deliver(
        session,
        charge_event(sale, CHARGED, balance_transaction=None, receipt_url=None),
        charge_event(sale, balance_transaction=settled_as(1, "eur", 1)),
    )

    assert settlement(session) == (4900, "usd", 172)


def test_a_charge_before_its_payment_waits(session: Session, sale: Sale) -> None:
    deliver(session, charge_event(sale))

    assert last_event(session).status is EventStatus.PARKED


def test_a_charge_of_another_shop_is_done_with(session: Session, sale: Sale) -> None:
    deliver(session, charge_event(sale, metadata={}))

    assert last_event(session).status is EventStatus.DONE
    assert last_event(session).last_error == "It names no order."


@pytest.mark.parametrize("status", ["failed", "pending"])
def test_a_try_that_failed_settles_nothing(session: Session, sale: Sale, status: str) -> None:
    deliver(session, sale.event(), charge_event(sale, id="ch_other", status=status))

    assert last_event(session).status is EventStatus.DONE
    assert settlement(session) == (None, None, None)
    assert payment(session).charge_id is None


@pytest.mark.parametrize(
    "broken",
    [
        {"balance_transaction": {"amount": "4900", "currency": "usd", "fee": 1}},
        {"balance_transaction": {"amount": 4900, "currency": "xxx", "fee": 1}},
        {"balance_transaction": {"amount": 4900}},
        {"id": ""},
    ],
)
def test_nonsense_about_a_charge_is_kept_and_not_believed(
    session: Session, sale: Sale, broken: dict[str, object]
) -> None:
    body = json.loads(charge_event(sale))
    body["data"]["object"] |= broken

    deliver(session, sale.event(), json.dumps(body))

    assert last_event(session).status is EventStatus.PARKED
    assert settlement(session) == (None, None, None)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://x.example", "https://" * 999])
def test_a_receipt_is_a_plain_address(session: Session, sale: Sale, address: str) -> None:
    deliver(session, sale.event(), charge_event(sale, receipt_url=address))

    assert payment(session).receipt_url is None


@pytest.mark.parametrize(
    ("minor", "currency", "fee"),
    [(4900, "usd", 172), (50, "eur", 31), (4900, "jpy", 142), (5120, "kwd", 178), (500, "ugx", 44)],
)
def test_the_sandbox_charges_what_stripe_would(minor: int, currency: str, fee: int) -> None:
    assert sandbox_charges.fee(minor, currency) == fee


def test_the_sandbox_settles_what_was_paid(session: Session, sale: Sale) -> None:
    deliver(session, *paid_at_the_sandbox(session, sale))

    assert settlement(session) == (4900, "usd", 172)


def paid_at_the_sandbox(session: Session, sale: Sale) -> list[str]:
    """Events as the sandbox sends them: the charge names what it settled to, and no more."""
    row = SandboxSession(
        session_id=f"cs_sbx_{sale.order.id:032x}",
        operation_key=sale.attempt.operation_key,
        request=sale.attempt.request,
        created_at=clock.now(),
        expires_at=sale.attempt.expires_at,
    )
    sale.attempt.session_id = row.session_id
    session.add(row)
    session.flush()
    sandbox.pay(session, row.session_id)
    jobs = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'sandbox.deliver' ORDER BY id")
    )
    bodies = [str(job.args["payload"]) for job in jobs]
    events: list[dict[str, Any]] = [json.loads(body) for body in bodies]
    charges = [event["data"]["object"] for event in events if event["type"] == CHARGE_UPDATED]
    assert [contract.event_faults(event) for event in events] == [[], []]
    assert [type(charge["balance_transaction"]) for charge in charges] == [str]
    return bodies


def test_stripe_is_asked_for_a_charge_with_what_it_settled_to(account: StripeStandIn) -> None:
    made = contract.example("charge") | {"id": "ch_1", "balance_transaction": "txn_1"}
    account.changes("ch_1", **made)
    settled = settled_as(2890, "eur", 114) | {"id": "txn_1", "livemode": False}
    account.changes("txn_1", **settled)

    found = stripe.found(Thing.CHARGE, "ch_1")

    transaction = found["balance_transaction"]
    assert isinstance(transaction, dict)
    assert (transaction["amount"], transaction["currency"]) == (2890, "eur")
