"""When Stripe breaks while money or a coupon is on its way: never two of anything, and it ends."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma import bridge, worker
from luma.models.coupon import Coupon
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payee import Payee, PayeeStatus, RefusalCause, Transfer
from luma.models.payment import Payment, StripeEvent
from luma.models.reversal import Refund, RefundRequest
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import stripe
from luma.services.gateways.protocol import GatewayDown, GatewayRefused
from luma.services.money import coupon_sync, inbox, ledger, refunds, stopped_transfers, transfers
from luma.services.policies import Actor
from luma.values import EventStatus, OrderStatus
from tests.coupons import make_coupon
from tests.factories import make_published
from tests.selling import (
    Sale,
    from_stripe,
    received,
    refund_event,
    rows_waiting,
    settled_sale,
)
from tests.standins.running import StripeStandIn

NO_ANSWER = ("reset", "hang", "409", "429", "html")
"""What says nothing about whether it was done: asked again with the same key."""

ACCOUNT = "acct_1Receives"


@pytest.fixture(autouse=True)
def _asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe's library would try again by itself, and LUMA's own retries would not be seen."""
    monkeypatch.setattr(stripe, "RETRIES", 0)


@dataclass(frozen=True)
class Deed:
    """Something a job asks of Stripe: where, what it makes, and the job, ready to run."""

    path: str
    makes: str
    ready: Callable[[Session, StripeStandIn], Callable[[], None]]
    refused: str = ""
    """What is written down when Stripe will not."""


def sold(session: Session, account: StripeStandIn) -> Sale:
    """Paid at Stripe, inside the promise."""
    sale = settled_sale(session, days=1)
    sale.order.gateway = "stripe"
    session.flush()
    payment = session.scalars(select(Payment)).one()
    there = {"object": "payment_intent", "amount": 4900, "currency": "usd", "livemode": False}
    account.changes(str(payment.payment_intent_id), id=payment.payment_intent_id, **there)
    account.changes(ACCOUNT, id=ACCOUNT, object="v2.core.account", livemode=False)
    return sale


def buyer(sale: Sale) -> Actor:
    return Actor(sale.buyer.id, sale.buyer.name, sale.buyer.email, frozenset())


def a_refund(session: Session, account: StripeStandIn) -> Callable[[], None]:
    sale = sold(session, account)
    refunds.claim(session, buyer(sale), sale.order.public_id, "Not for me.")
    request = session.scalars(select(RefundRequest.id)).one()
    return lambda: refunds.send(request)


def a_transfer(session: Session, account: StripeStandIn) -> Callable[[], None]:
    sale = sold(session, account)
    sale.order.paid_at = clock.now() - timedelta(days=20)
    payee = Payee(
        instructor_id=sale.course.instructor_id,
        gateway="stripe",
        account_id=ACCOUNT,
        status=PayeeStatus.ACTIVE,
        asked_at=clock.now(),
        created_at=clock.now(),
    )
    session.add(payee)
    session.flush()
    return next_transfer(session)


def a_reversal(session: Session, account: StripeStandIn) -> Callable[[], None]:
    """Half of a sale went back after its share was sent."""
    a_transfer(session, account)()
    (payment,) = session.scalars(select(Payment))
    session.add(
        Refund(
            refund_id="re_half",
            payment_id=payment.id,
            amount=replace(payment.amount, minor=2450),
            status="succeeded",
            rank=1,
            refunded_at=clock.now(),
        )
    )
    ledger.post(session, payment.id)
    return next_transfer(session)


def next_transfer(session: Session) -> Callable[[], None]:
    """As the job that comes by the clock writes it down."""
    session.expire_all()
    transfers.plan_for(session, session.scalars(select(Payee.id)).one())
    number = session.scalars(select(Transfer.id).order_by(Transfer.id.desc())).first()
    assert number is not None
    return lambda: transfers.send(number)


def a_coupon(session: Session, account: StripeStandIn) -> Callable[[], None]:
    coupon = make_coupon(session, make_published(session)).id
    return lambda: coupon_sync.sync(coupon)


REFUND = Deed("/v1/refunds", "re", a_refund, refunds.REFUSED)
TRANSFER = Deed("/v1/transfers", "tr", a_transfer, stopped_transfers.SENT[RefusalCause.OTHER])
REVERSAL = Deed(
    "/v1/transfers/", "trr", a_reversal, stopped_transfers.TAKEN_BACK[RefusalCause.OTHER]
)
COUPON = Deed("/v1/coupons", "cpn", a_coupon)
CODE = Deed("/v1/promotion_codes", "promo", a_coupon)
DEEDS = (REFUND, TRANSFER, REVERSAL, COUPON, CODE)


def made(account: StripeStandIn, deed: Deed) -> int:
    return len(account.all(deed.makes))


def keys(account: StripeStandIn, deed: Deed) -> list[str]:
    """Of what was asked to be made there, in the order of asking."""
    asked = [one for one in account.requests if one["path"].startswith(deed.path)]
    return [one["key"] for one in asked if one["method"] == "POST"]


@pytest.mark.parametrize("kind", NO_ANSWER)
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.makes)
def test_without_an_answer_the_job_asks_again_with_the_same_key(
    session: Session, account: StripeStandIn, deed: Deed, kind: str
) -> None:
    job = deed.ready(session, account)
    account.fails(kind, deed.path)

    with pytest.raises(GatewayDown, match="Try again in a minute"):
        job()
    between = made(account, deed)
    for _ in range(2):
        job()

    assert between == (kind in ("reset", "hang"))
    assert made(account, deed) == 1
    first, second = keys(account, deed)
    assert first == second != ""


@pytest.mark.parametrize("deed", [REFUND, TRANSFER, REVERSAL], ids=lambda deed: deed.makes)
def test_money_that_moved_behind_a_failure_of_stripes_is_found_and_not_sent_twice(
    session: Session, account: StripeStandIn, deed: Deed
) -> None:
    """A 500 is no word on whether it was done, and the same key would get it again for a day."""
    job = deed.ready(session, account)
    account.fails("500 and done", deed.path)

    for _ in range(2):
        job()

    assert made(account, deed) == 1
    assert answered(session, deed) == [(True, None)]


@pytest.mark.parametrize("deed", [REFUND, TRANSFER, REVERSAL], ids=lambda deed: deed.makes)
def test_a_failure_of_stripes_that_did_nothing_is_a_refusal_in_words(
    session: Session, account: StripeStandIn, deed: Deed
) -> None:
    job = deed.ready(session, account)
    account.fails("500", deed.path)

    for _ in range(2):
        job()

    assert made(account, deed) == 0
    assert answered(session, deed) == [(False, deed.refused)]


def answered(session: Session, deed: Deed) -> list[tuple[bool, str | None]]:
    """Whether what was written down is done, and why not; without what a deed stands on."""
    session.expire_all()
    if deed is REFUND:
        return [(one.refund_id is not None, one.refusal) for one in session.query(RefundRequest)]
    is_back = Transfer.of_id.is_not(None) == (deed is REVERSAL)
    found = session.scalars(select(Transfer).where(is_back))
    return [(one.gateway_id is not None, one.refusal) for one in found]


def test_a_buyer_reads_of_the_failure_and_asks_again(
    session: Session, account: StripeStandIn
) -> None:
    job = a_refund(session, account)
    account.fails("500", REFUND.path)
    job()
    sale = only_sale(session)
    read = refunds.promise(session, buyer(sale), sale.order.public_id)

    refunds.claim(session, buyer(sale), sale.order.public_id, "Not for me, still.")
    for number in session.scalars(select(RefundRequest.id)).all():
        refunds.send(number)

    assert (read.refusal, read.paid.left.minor) == (refunds.REFUSED, 4900)
    assert made(account, REFUND) == 1
    assert len(set(keys(account, REFUND))) == 2
    session.expire_all()
    assert sale.order.status is OrderStatus.REFUNDED


def only_sale(session: Session) -> Sale:
    session.expire_all()
    order = session.query(Order).one()
    (attempt,) = session.query(CheckoutAttempt)
    return Sale(
        session.get_one(User, order.buyer_id),
        session.get_one(Course, order.course_id),
        order,
        attempt,
    )


@pytest.mark.parametrize("deed", [REFUND, TRANSFER, REVERSAL], ids=lambda deed: deed.makes)
def test_what_was_asked_a_day_ago_is_looked_for_before_it_is_asked_again(
    session: Session, account: StripeStandIn, deed: Deed
) -> None:
    """Stripe forgets a key after a day: the same key would move the money a second time."""
    job = deed.ready(session, account)
    account.fails("reset", deed.path)
    with pytest.raises(GatewayDown):
        job()
    session.expire_all()
    for one in (*session.query(RefundRequest), *session.query(Transfer)):
        one.created_at -= timedelta(days=2)
    session.flush()
    asked = keys(account, deed)

    job()

    assert keys(account, deed) == asked
    assert made(account, deed) == 1
    assert answered(session, deed) == [(True, None)]


@pytest.mark.parametrize("kind", [*NO_ANSWER, "500"])
def test_a_refund_that_cannot_be_read_again_waits_in_the_inbox(
    session: Session, account: StripeStandIn, kind: str
) -> None:
    """What an event of another release says is not believed: the refund is asked for."""
    sale = sold(session, account)
    event = json.loads(refund_event(sale, refund_id="re_1")) | {"api_version": "2019-01-01"}
    thing = event["data"]["object"]
    account.changes("re_1", **thing | {"livemode": False})
    inbox.receive(session, [from_stripe(received(json.dumps(event)))])
    account.fails(kind, "/v1/refunds/re_1")
    states = []

    for _ in range(2):
        inbox.apply(rows_waiting(session))
        session.expire_all()
        states.append(session.scalars(select(StripeEvent.status)).all()[-1])

    assert states == [EventStatus.PARKED, EventStatus.DONE]
    assert [one.refund_id for one in session.query(Refund)] == ["re_1"]
    assert sale.order.status is OrderStatus.REFUNDED


def test_a_coupon_is_asked_for_anew_after_a_stored_failure(
    session: Session, account: StripeStandIn
) -> None:
    job = a_coupon(session, account)
    account.fails("500", COUPON.path)

    with pytest.raises(GatewayRefused, match="Try again"):
        job()
    job()

    assert (made(account, COUPON), made(account, CODE)) == (1, 1)
    assert len(set(keys(account, COUPON))) == 2


def test_a_coupon_does_without_its_code_after_a_stored_failure_until_the_next_time(
    session: Session, account: StripeStandIn
) -> None:
    job = a_coupon(session, account)
    account.fails("500", CODE.path)

    for _ in range(2):
        job()

    assert (made(account, COUPON), made(account, CODE)) == (1, 1)


@pytest.mark.parametrize(
    ("deed", "task", "argument"),
    [
        (REFUND, "refunds.send", "request_id"),
        (TRANSFER, "transfers.send", "transfer_id"),
        (COUPON, "coupons.sync", "coupon_id"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.makes,
)
async def test_while_stripe_hangs_everybody_else_is_answered(
    session: Session, account: StripeStandIn, deed: Deed, task: str, argument: str
) -> None:
    """The job as the worker runs it, and a page's question after it has asked Stripe."""
    deed.ready(session, account)
    number = session.execute(text("SELECT args FROM procrastinate_jobs ORDER BY id DESC")).first()
    account.fails("hang", deed.path)
    arguments = number[0] if number else {argument: session.query(Coupon).one().id}
    running = worker.build("").tasks[task].func

    job = asyncio.create_task(running(SimpleNamespace(job=SimpleNamespace(id=None)), **arguments))
    await bridge.apart(_until_asked, account, deed)
    answer = await bridge.perform(lambda session: session.scalar(select(1)))

    assert (answer, job.done()) == (1, False)
    with pytest.raises(GatewayDown):
        await job


def _until_asked(account: StripeStandIn, deed: Deed) -> None:
    while not keys(account, deed):
        time.sleep(0.01)
