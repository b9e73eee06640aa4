"""What an instructor sees of their money, what an admin pays by hand, and how one is connected."""

import json
from datetime import timedelta

import pytest
import stripe as library
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.payee import BankPayout, Payee, PayeeStatus, PayoutStatus, SandboxAccount
from luma.models.payment import StripeEvent
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox, sandbox_connect, signatures, stripe
from luma.services.gateways.account_events import CAPABILITY, DEAUTHORIZED
from luma.services.gateways.protocol import Door, Thing, TransferRequest, Unverified
from luma.services.money import hand_payouts, inbox, payees, payouts, transfers
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import EventStatus, Money, Role
from tests.factories import actor, make_published, make_user
from tests.selling import deliver, refund_event, settled_sale, signature_at, signed
from tests.standins import contract
from tests.standins.running import StripeStandIn


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def admin(session: Session) -> Actor:
    return actor(make_user(session, "Root", roles=(Role.ADMIN,)))


def teacher(course: Course) -> Actor:
    return Actor(course.instructor_id, "Maria", "m@example.org", frozenset({Role.INSTRUCTOR}))


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def test_an_instructor_sees_gross_fees_refunds_net_and_until_when_it_is_held(
    session: Session, course: Course
) -> None:
    old = settled_sale(session, course=course)
    new = settled_sale(session, course=course, days=1)
    deliver(session, refund_event(old, 900))

    seen = payouts.mine(session, teacher(course), 25)

    (total,) = seen.totals
    share = 4410 - 4410 * 900 // 4900
    assert total.figures.gross == usd(9800)
    assert total.figures.refunds == usd(900)
    assert total.figures.net == usd(4410 + share)
    assert total.figures.gross - total.figures.refunds - total.figures.fees == total.figures.net
    assert (total.held, total.due, total.back) == (usd(4410), usd(share), usd(0))
    assert [sale.order for sale in seen.found] == [new.order.public_id, old.order.public_id]
    assert [sale.state for sale in seen.found] == ["held", "due"]
    assert (new.order.paid_at or clock.now()) + timedelta(days=14) == seen.found[0].held_until
    assert seen.months[0].figures.net == total.figures.net


def test_another_instructor_sees_nothing_of_it(session: Session, course: Course) -> None:
    settled_sale(session, course=course)
    other = make_user(session, "Eve", roles=(Role.INSTRUCTOR,))

    seen = payouts.mine(session, actor(other), 25)

    assert (seen.totals, seen.found, seen.months) == ([], [], [])


def test_currencies_and_gateways_are_never_added_up(session: Session, course: Course) -> None:
    settled_sale(session, course=course)
    course.price = Money(4900, "jpy")
    settled_sale(session, course=course)

    seen = payouts.mine(session, teacher(course), 25)

    assert {total.figures.net.currency for total in seen.totals} == {"usd", "jpy"}


def test_a_student_has_no_payouts(session: Session) -> None:
    student = actor(make_user(session))

    with pytest.raises(NotAllowed):
        payouts.mine(session, student, 25)
    with pytest.raises(NotAllowed):
        payees.begin(session, student)


def test_an_admin_pays_what_is_due_by_hand_and_once(
    session: Session, course: Course, admin: Actor
) -> None:
    settled_sale(session, course=course)
    settled_sale(session, course=course, days=1)
    (debt,) = hand_payouts.debts(session, admin)

    paid = hand_payouts.mark_paid(session, admin, debt.key, "44.10", "Bank transfer")

    (left,) = hand_payouts.debts(session, admin)
    assert (debt.due, debt.held, paid) == (usd(4410), usd(4410), usd(4410))
    assert (left.due, left.held) == (usd(0), usd(4410))
    with pytest.raises(RuleBroken, match="Nothing is due"):
        hand_payouts.mark_paid(session, admin, debt.key, "44.10", "Bank transfer")
    (total,) = payouts.mine(session, teacher(course), 25).totals
    assert total.figures.paid == usd(4410)


def test_what_was_paid_by_hand_too_much_is_kept_back(
    session: Session, course: Course, admin: Actor
) -> None:
    sale = settled_sale(session, course=course)
    (debt,) = hand_payouts.debts(session, admin)
    hand_payouts.mark_paid(session, admin, debt.key, "44.10", "Bank transfer")
    deliver(session, refund_event(sale))
    settled_sale(session, course=course)
    settled_sale(session, course=course)

    (after,) = hand_payouts.debts(session, admin)
    paid = hand_payouts.mark_paid(session, admin, after.key, "44.10", "Bank transfer")

    assert (after.due, after.back, after.payable) == (usd(8820), usd(4410), usd(4410))
    assert paid == usd(4410)
    assert hand_payouts.debts(session, admin) == []


def test_a_sum_that_changed_meanwhile_is_not_marked(
    session: Session, course: Course, admin: Actor
) -> None:
    settled_sale(session, course=course)
    (debt,) = hand_payouts.debts(session, admin)
    settled_sale(session, course=course)

    with pytest.raises(RuleBroken, match="changed meanwhile"):
        hand_payouts.mark_paid(session, admin, debt.key, "44.10", "Bank transfer")


@pytest.mark.parametrize("key", ["", "x", "1", "9" * 40, "1:sandbox", None, "1:x:zzz", "²:x:y"])
def test_a_payout_that_is_none_is_refused_in_words(
    session: Session, admin: Actor, key: object
) -> None:
    with pytest.raises(RuleBroken):
        hand_payouts.mark_paid(session, admin, key, "1.00", "Bank transfer")


def test_who_is_paid_through_the_gateway_is_not_paid_by_hand(
    session: Session, course: Course, admin: Actor
) -> None:
    settled_sale(session, course=course)
    connected(session, course)
    (debt,) = hand_payouts.debts(session, admin)

    assert debt.is_by_itself
    with pytest.raises(RuleBroken, match="twice"):
        hand_payouts.mark_paid(session, admin, debt.key, "44.10", "Bank transfer")


def test_the_export_has_no_formulas(session: Session, course: Course, admin: Actor) -> None:
    settled_sale(session, course=course)
    session.get_one(User, course.instructor_id).name = "=HYPERLINK(1)"
    session.flush()

    assert "'=HYPERLINK(1)" in hand_payouts.table(session, admin)
    with pytest.raises(NotAllowed):
        hand_payouts.table(session, teacher(course))


def connected(session: Session, course: Course, account_id: str = "") -> Payee:
    """An instructor who has told the sandbox everything."""
    address = payees.onboard(course.instructor_id)
    account_id = address.rpartition("/")[2]
    payees.finish_in_sandbox(session, account_id)
    payees.refresh(course.instructor_id)
    session.expire_all()
    return session.scalars(select(Payee)).one()


def test_connecting_twice_makes_one_account(session: Session, course: Course) -> None:
    first = payees.onboard(course.instructor_id)
    second = payees.onboard(course.instructor_id)

    assert first == second
    assert len(session.scalars(select(SandboxAccount)).all()) == 1
    assert payees.connection(session, teacher(course)).status == "new"


def test_finishing_announces_it_by_a_thin_event_that_makes_the_account_payable(
    session: Session, course: Course
) -> None:
    address = payees.onboard(course.instructor_id)
    payees.finish_in_sandbox(session, address.rpartition("/")[2])
    (body,) = thin_events(session)

    arrive(session, body, Door.THIN)

    assert contract.event_faults(json.loads(body)) == []
    assert payees.connection(session, teacher(course)).is_payable
    with pytest.raises(RuleBroken, match="already"):
        payees.finish_in_sandbox(session, address.rpartition("/")[2])


def thin_events(session: Session) -> list[str]:
    rows = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'sandbox.deliver' ORDER BY id")
    )
    bodies = [str(row.args["payload"]) for row in rows]
    return [body for body in bodies if json.loads(body)["object"] == "v2.core.event"]


def arrive(session: Session, body: str, door: Door) -> StripeEvent:
    event = sandbox.verified(body.encode(), signed(body), door)
    inbox.receive(session, [event])
    row = session.scalars(select(StripeEvent).order_by(StripeEvent.id.desc())).first()
    assert row is not None
    inbox.apply([row.id])
    session.expire_all()
    return row


def snapshot(kind: str, account_id: str, thing: dict[str, object]) -> str:
    event = {
        "id": "evt_sbx_1",
        "object": "event",
        "api_version": library.api_version,
        "account": account_id,
        "created": int(clock.now().timestamp()),
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    return json.dumps(event)


def test_who_takes_the_school_out_of_their_account_is_not_paid_there(
    session: Session, course: Course
) -> None:
    payee = connected(session, course)
    gone = snapshot(DEAUTHORIZED, payee.account_id, {"id": "ca_1", "object": "application"})

    arrive(session, gone, Door.CONNECT)

    assert payee.status is PayeeStatus.CLOSED


def test_an_account_of_nobody_here_is_done_with(session: Session) -> None:
    body = snapshot(DEAUTHORIZED, "acct_other", {"id": "ca_1", "object": "application"})

    row = arrive(session, body, Door.CONNECT)

    assert (row.status, row.last_error) == (
        EventStatus.DONE,
        "It is about an account of nobody here.",
    )


def test_a_payout_may_be_paid_and_still_fail_and_never_the_reverse(
    session: Session, course: Course
) -> None:
    payee = connected(session, course)
    told = contract.example("payout") | {"id": "po_1", "amount": 4410}
    for number, (status, failure) in enumerate(
        [("in_transit", None), ("failed", "account_closed"), ("paid", None)]
    ):
        thing = told | {"status": status, "failure_code": failure}
        body = snapshot("payout.updated", payee.account_id, thing)
        arrive(session, body.replace("evt_sbx_1", f"evt_sbx_p{number}"), Door.CONNECT)

    payout = session.scalars(select(BankPayout)).one()
    (shown,) = payouts.mine(session, teacher(course), 25).bank
    assert (payout.status, shown.failure) == (PayoutStatus.FAILED, "account_closed")


@pytest.mark.parametrize("door", [Door.PLATFORM, Door.CONNECT])
def test_a_thin_event_is_refused_where_snapshots_arrive(door: Door) -> None:
    body = json.dumps(sandbox_connect.thin(CAPABILITY, "acct_sbx_1"))

    with pytest.raises(Unverified):
        sandbox.verified(body.encode(), signed(body), door)


def test_a_snapshot_is_refused_where_thin_events_arrive() -> None:
    body = snapshot("account.updated", "acct_1", {"id": "acct_1", "object": "account"})

    with pytest.raises(Unverified):
        sandbox.verified(body.encode(), signed(body), Door.THIN)


@pytest.mark.parametrize(
    "change",
    [
        {"created": 5},
        {"created": "yesterday"},
        {"livemode": "no"},
        {"related_object": {"id": "../x"}},
        {"related_object": "acct_1"},
        {"type": "A B"},
        {"id": "x"},
    ],
)
def test_nonsense_is_no_thin_event(change: dict[str, object]) -> None:
    body = json.dumps(sandbox_connect.thin(CAPABILITY, "acct_sbx_1") | change)

    with pytest.raises(Unverified):
        signatures.read_thin(body.encode(), "push")


def test_each_address_at_stripe_has_secrets_of_its_own(
    account: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_THIN_SECRET", "whsec_old, whsec_thin")
    settings.cache_clear()
    said = sandbox_connect.thin(CAPABILITY, "acct_1") | {"id": "evt_1"}
    body = json.dumps(said).encode()
    now = int(clock.now().timestamp())

    event = stripe.verified(body, signature_at(body, "whsec_thin", now), Door.THIN)

    assert event.type == CAPABILITY
    with pytest.raises(Unverified):
        stripe.verified(body, signature_at(body, "whsec_x", now), Door.THIN)
    with pytest.raises(NotFound):
        stripe.verified(body, signature_at(body, "whsec_thin", now), Door.CONNECT)


def test_stripe_makes_one_account_and_leads_there(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    first, second = (payees.onboard(course.instructor_id) for _ in range(2))
    (made,) = account.all("acct")
    payees.refresh(course.instructor_id)

    assert first == second == "https://connect.stripe.com/setup/1"
    assert session.scalars(select(Payee.account_id)).one() == made["id"]
    assert stripe.found(Thing.ACCOUNT, made["id"])["id"] == made["id"]


def test_stripe_transfers_and_reverses_once_for_each_key(account: StripeStandIn) -> None:
    payee = stripe.create_payee("anna@example.org", "Anna", "key-account")
    share = TransferRequest("key-1", "ord_1", payee, "ch_1", Money(4410, "eur"))

    first, again = (stripe.transfer(share, "key-1") for _ in range(2))
    back = TransferRequest("key-2", "ord_1", payee, "ch_1", Money(410, "eur"), of=first)
    reversal = stripe.transfer(back, "key-2")

    (made,) = account.all("tr")
    assert first == again == made["id"]
    assert (made["source_transaction"], made["transfer_group"]) == ("ch_1", "ord_1")
    assert stripe.transfer_made(share) == first
    assert stripe.transfer_made(back) == reversal
    assert made["amount_reversed"] == 410


def test_every_payee_is_planned_for(session: Session, course: Course) -> None:
    payee = connected(session, course)

    transfers.plan(session)

    job = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'transfers.plan_for'")
    assert [row.args for row in session.execute(job)] == [{"payee_id": payee.id}]
