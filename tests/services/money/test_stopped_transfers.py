"""What Stripe refuses to move is seen, with its reason, by those who can do something about it."""

import json
from collections.abc import Callable

import pytest
import stripe as library
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.payee import Payee, PayeeStatus, RefusalCause, Transfer, TransferStatus
from luma.models.reversal import FraudWarning
from luma.services import clock
from luma.services.gateways import sandbox, sandbox_events, stripe
from luma.services.gateways.fraud_events import WARNED
from luma.services.gateways.protocol import (
    GatewayMissing,
    GatewayRefused,
    Thing,
    TransferRequest,
)
from luma.services.gateways.stripe_refusals import asking
from luma.services.money import outside_transfers, payouts, stopped_transfers, timeline
from luma.services.policies import Actor
from luma.values import Money, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_published, make_user
from tests.selling import Sale, deliver, refund_event, settled_sale
from tests.shares import own, payee_of, run, taken_back, transfer_event
from tests.standins.running import StripeStandIn

Refused = Callable[[GatewayRefused], None]

NEEDS = GatewayRefused("insufficient_capabilities_for_transfer", "Your destination needs more.")
POOR = GatewayRefused("balance_insufficient", "You have insufficient funds.")


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def payee(session: Session, course: Course) -> Payee:
    return payee_of(session, course)


@pytest.fixture
def admin(session: Session) -> Actor:
    return actor(make_user(session, "Root", roles=(Role.ADMIN,)))


def teacher(course: Course) -> Actor:
    return Actor(course.instructor_id, "Maria", "m@example.org", frozenset({Role.INSTRUCTOR}))


@pytest.fixture
def run_while_refused(session: Session, payee: Payee, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """The periodic job runs while Stripe says no."""

    def run_it(refusal: GatewayRefused) -> None:
        def refuse(request: TransferRequest, key: str) -> str:
            raise refusal

        with monkeypatch.context() as unwilling:
            unwilling.setattr(sandbox, "transfer", refuse)
            run(session, payee)

    return run_it


def jobs(session: Session, task: str) -> list[dict[str, object]]:
    asked = text("SELECT args FROM procrastinate_jobs WHERE task_name = :task ORDER BY id")
    return [row.args for row in session.execute(asked, {"task": task})]


ACCOUNT, BALANCE, OTHER = RefusalCause.ACCOUNT, RefusalCause.BALANCE, RefusalCause.OTHER
MAY_NOT = "The instructor’s account may not receive money."
TOO_LOW = "The school’s balance at the payment service is too low."
WILL_NOT = "The payment service will not send it."


@pytest.mark.parametrize(
    ("refusal", "cause", "why"),
    [
        (NEEDS, ACCOUNT, f"{MAY_NOT} It says: Your destination needs more."),
        (GatewayMissing("resource_missing", ""), ACCOUNT, MAY_NOT),
        (POOR, BALANCE, f"{TOO_LOW} It says: You have insufficient funds."),
        (GatewayRefused(), OTHER, WILL_NOT),
        (GatewayRefused("strange", "x" * 500), OTHER, f"{WILL_NOT} It says: {'x' * 500}"[:200]),
    ],
)
def test_why_is_told_in_words_with_those_of_the_gateway(
    refusal: GatewayRefused, cause: RefusalCause, why: str
) -> None:
    found = stopped_transfers.cause_of(refusal)
    transfer = Transfer()

    transfer.refuse(found, stopped_transfers.in_words(found, refusal, is_back=False), clock.now())

    assert (transfer.refused_for, transfer.refusal) == (cause, why)


@pytest.mark.parametrize(("refusal", "is_asked"), [(NEEDS, True), (POOR, False)])
def test_an_admin_sees_what_was_refused_and_the_account_is_asked_about(
    session: Session,
    course: Course,
    admin: Actor,
    run_while_refused: Refused,
    refusal: GatewayRefused,
    is_asked: bool,
) -> None:
    sale = settled_sale(session, course=course)

    run_while_refused(refusal)

    (seen,) = stopped_transfers.stopped(session, admin)
    (letter,) = session.scalars(select(Letter).where(Letter.user_id == admin.id))
    moving = (sale.order.public_id, Money(4410, "usd"), False)
    assert (seen.order, seen.amount, seen.is_back) == moving
    assert refusal.said in seen.why
    assert refusal.said in letter.text
    refreshed = jobs(session, "payees.refresh")
    assert refreshed == ([{"instructor_id": course.instructor_id}] if is_asked else [])


def test_what_is_tried_again_goes_out_with_a_new_key(
    session: Session,
    course: Course,
    payee: Payee,
    admin: Actor,
    run_while_refused: Refused,
) -> None:
    settled_sale(session, course=course)
    run_while_refused(POOR)
    (seen,) = stopped_transfers.stopped(session, admin)

    said = stopped_transfers.try_again(session, admin, str(seen.number))
    run(session, payee)

    assert said.startswith("It is being tried again.")
    assert jobs(session, "transfers.plan_for") == [{"payee_id": payee.id}]
    assert own(session) == [4410]
    assert stopped_transfers.stopped(session, admin) == []
    with pytest.raises(RuleBroken, match="already"):
        stopped_transfers.try_again(session, admin, str(seen.number))


def test_what_is_refused_twice_is_listed_and_told_once(
    session: Session,
    course: Course,
    payee: Payee,
    admin: Actor,
    run_while_refused: Refused,
) -> None:
    settled_sale(session, course=course)
    run_while_refused(POOR)
    (first,) = stopped_transfers.stopped(session, admin)
    stopped_transfers.try_again(session, admin, first.number)

    run_while_refused(NEEDS)

    (seen,) = stopped_transfers.stopped(session, admin)
    assert (seen.number > first.number, seen.cause) == (True, RefusalCause.ACCOUNT)
    assert len(session.scalars(select(Letter).where(Letter.user_id == admin.id)).all()) == 1


def test_a_reversal_that_is_refused_is_tried_again_on_demand(
    session: Session,
    course: Course,
    payee: Payee,
    admin: Actor,
    run_while_refused: Refused,
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    deliver(session, refund_event(sale))
    run_while_refused(POOR)
    run(session, payee)
    (seen,) = stopped_transfers.stopped(session, admin)

    stopped_transfers.try_again(session, admin, seen.number)
    run(session, payee)

    assert (seen.is_back, seen.amount) == (True, Money(4410, "usd"))
    assert seen.why.startswith("There is not as much left in the instructor’s account.")
    assert own(session) == [4410, -4410]
    assert stopped_transfers.stopped(session, admin) == []


def test_what_was_kept_back_meanwhile_is_not_listed_any_more(
    session: Session,
    course: Course,
    payee: Payee,
    admin: Actor,
    run_while_refused: Refused,
) -> None:
    sale = settled_sale(session, course=course)
    run(session, payee)
    deliver(session, refund_event(sale))
    run_while_refused(POOR)
    settled_sale(session, course=course)

    run(session, payee)

    assert stopped_transfers.stopped(session, admin) == []
    assert own(session) == [4410]


def test_a_share_that_somebody_took_back_there_is_sent_again_on_demand(
    session: Session, course: Course, payee: Payee, admin: Actor
) -> None:
    settled_sale(session, course=course)
    run(session, payee)
    ours = session.scalars(select(Transfer)).one()
    deliver(session, transfer_event(4410, taken_back(1000), name=ours.gateway_id or ""))
    (seen,) = stopped_transfers.stopped(session, admin)

    stopped_transfers.try_again(session, admin, seen.number)
    run(session, payee)

    assert (seen.is_outside, seen.amount) == (True, Money(1000, "usd"))
    assert own(session) == [4410, -1000, 1000]


def test_an_account_that_may_not_receive_waits_and_says_so(
    session: Session,
    course: Course,
    payee: Payee,
    admin: Actor,
    run_while_refused: Refused,
) -> None:
    settled_sale(session, course=course)
    run_while_refused(NEEDS)
    payee.hear(PayeeStatus.RESTRICTED, clock.now())
    (seen,) = stopped_transfers.stopped(session, admin)

    said = stopped_transfers.try_again(session, admin, seen.number)
    run(session, payee)
    waited = own(session)
    payee.hear(PayeeStatus.ACTIVE, clock.now())
    run(session, payee)

    assert said == "It goes out as soon as the instructor’s account may receive money."
    assert (waited, own(session)) == ([], [4410])


def test_the_instructor_sees_what_was_not_sent_and_nobody_elses(
    session: Session, course: Course, run_while_refused: Refused
) -> None:
    settled_sale(session, course=course)
    run_while_refused(NEEDS)
    other = make_user(session, "Eve", roles=(Role.INSTRUCTOR,))

    (seen,) = payouts.mine(session, teacher(course), 25).stopped

    assert (seen.cause, seen.amount) == (RefusalCause.ACCOUNT, Money(4410, "usd"))
    assert payouts.mine(session, actor(other), 25).stopped == []


def test_money_sent_ahead_is_seen_by_both_sides(
    session: Session, course: Course, payee: Payee, admin: Actor
) -> None:
    deliver(session, transfer_event(900), transfer_event(700, name="tr_2", to="acct_1Else"))

    (total,) = payouts.mine(session, teacher(course), 25).totals
    else_, ours = outside_transfers.foreign(session, admin)

    assert (total.figures.paid, total.back, total.due) == (
        Money(900, "usd"),
        Money(900, "usd"),
        Money(0, "usd"),
    )
    assert (ours.instructor, else_.instructor, else_.account_id) == (
        "Ines Weber",
        None,
        "acct_1Else",
    )


@pytest.mark.parametrize("number", [*BAD_TEXT, None, 0, -1, 10**30, "1.5", [], "99999999"])
def test_a_transfer_that_is_none_is_refused_in_words(
    session: Session, admin: Actor, number: object
) -> None:
    with pytest.raises(RuleBroken):
        stopped_transfers.try_again(session, admin, number)


def test_nobody_but_an_admin_sees_or_tries(session: Session, course: Course) -> None:
    for forbidden in (
        lambda: stopped_transfers.stopped(session, teacher(course)),
        lambda: stopped_transfers.try_again(session, teacher(course), 1),
        lambda: outside_transfers.foreign(session, teacher(course)),
    ):
        with pytest.raises(NotAllowed):
            forbidden()


def test_what_stripe_says_goes_along_and_what_it_says_of_keys_does_not() -> None:
    about = library.InvalidRequestError(  # type: ignore[no-untyped-call]  # it has none
        "Not\nenough.", None, code="balance_insufficient", json_body={"error": {}}
    )
    with pytest.raises(GatewayRefused) as refused, asking("transfer"):
        raise about
    with pytest.raises(GatewayRefused) as secret, asking("transfer"):
        raise library.AuthenticationError("Invalid key sk_x", json_body={"error": {}})

    assert (refused.value.code, refused.value.said) == ("balance_insufficient", "Not enough.")
    assert secret.value.said == ""


def test_stripes_own_sentence_arrives(account: StripeStandIn) -> None:
    payee = stripe.create_payee("anna@example.org", "Anna", "key-account")
    share = TransferRequest("key-1", "ord_1", payee, "ch_1", Money(4410, "eur"))
    made = stripe.transfer(share, "key-1")
    back = TransferRequest("key-2", "ord_1", payee, "ch_1", Money(4411, "eur"), of=made)

    with pytest.raises(GatewayRefused) as refused:
        stripe.transfer(back, "key-2")

    assert refused.value.said == "There is not as much left."


def test_stripe_shows_a_transfer_with_all_that_went_back(account: StripeStandIn) -> None:
    payee = stripe.create_payee("anna@example.org", "Anna", "key-account")
    share = TransferRequest("key-1", "ord_1", payee, "ch_1", Money(4410, "eur"))
    made = stripe.transfer(share, "key-1")
    back = TransferRequest("key-2", "ord_1", payee, "ch_1", Money(410, "eur"), of=made)
    reversal = stripe.transfer(back, "key-2")

    found = json.loads(json.dumps(stripe.found(Thing.TRANSFER, made)))

    assert [one["id"] for one in found["reversals"]["data"]] == [reversal]
    assert found["amount_reversed"] == 410


def warning_event(sale: Sale, **changes: object) -> str:
    """As Stripe's documentation shows it; its published description of objects has none."""
    intent = sandbox_events.intent_id(sale.attempt.session_id or "")
    thing: dict[str, object] = {
        "id": "issfr_1",
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": f"ch_{intent[3:]}",
        "created": int(clock.now().timestamp()),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": intent,
    }
    return sandbox_events.event(WARNED, thing | changes, clock.now())


@pytest.mark.parametrize("changes", [{}, {"payment_intent": None}])
def test_a_warning_of_fraud_is_told_to_admins_once_with_the_way_to_the_order(
    session: Session, course: Course, admin: Actor, changes: dict[str, object]
) -> None:
    sale = settled_sale(session, course=course)

    deliver(session, warning_event(sale, **changes), warning_event(sale, **changes))

    letters = session.scalars(select(Letter).where(Letter.user_id == admin.id)).all()
    assert [(one.subject, one.button_path) for one in letters] == [
        ("A payment may be fraud", f"/admin/orders/{sale.order.public_id}")
    ]
    steps = timeline.of(session, admin, sale.order.public_id).steps
    (step,) = [one for one in steps if one.what == "Card issuer warns of fraud"]
    assert (step.words, step.state) == ("Made with stolen card", "failed")


def test_a_warning_about_what_is_refunded_already_wakes_nobody(
    session: Session, course: Course, admin: Actor
) -> None:
    sale = settled_sale(session, course=course)

    deliver(session, warning_event(sale, actionable=False))

    assert len(session.scalars(select(FraudWarning)).all()) == 1
    assert session.scalars(select(Letter).where(Letter.user_id == admin.id)).all() == []


def test_a_warning_that_comes_before_its_payment_waits_for_it(
    session: Session, course: Course, admin: Actor
) -> None:
    sale = settled_sale(session, course=course)
    other = warning_event(sale, payment_intent="pi_unknown", charge="ch_unknown")

    deliver(session, other)

    assert session.scalars(select(FraudWarning)).all() == []
    assert (
        session.scalars(select(Transfer).where(Transfer.status == TransferStatus.SENT)).all() == []
    )
