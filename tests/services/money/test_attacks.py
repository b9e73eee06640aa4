"""What somebody tries who wants money, or what is not theirs to read."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from luma.errors import ProveAgain, RuleBroken, TooMany
from luma.models.course import Course
from luma.models.order import CheckoutAttempt
from luma.models.payment import Payment
from luma.services import accounts, clock
from luma.services.accounts import Visit
from luma.services.money import (
    checkout,
    evidence,
    guesses,
    hand_payouts,
    payees,
    payouts,
    promotions,
)
from luma.services.money.promotions import Answer
from luma.services.policies import FRESH, Actor
from luma.settings import settings
from luma.values import AttemptStatus, Money, OrderStatus, Role
from tests.coupons import make_coupon
from tests.factories import (
    actor,
    fresh,
    make_instructor,
    make_published,
    make_user,
    password_hash,
    signed_in,
)
from tests.selling import deliver, dispute_event, make_attempt, make_order, settled_sale

HERE = Visit("203.0.113.7", "Firefox")


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


def teacher(course: Course) -> Actor:
    return Actor(course.instructor_id, "Ines", "ines@example.org", frozenset({Role.INSTRUCTOR}))


def test_nobody_takes_the_names_that_luma_gives(session: Session, course: Course) -> None:
    """Whoever had them would keep an instructor from rehearsing, and others from leaving."""
    for email in (
        f"rehearsal-{course.instructor_id}@rehearsal.invalid",
        "deleted-7@Deleted.INVALID",
    ):
        with pytest.raises(RuleBroken, match="Type an e-mail address"):
            accounts.sign_up(session, "Eve", email, password_hash(), Role.STUDENT, HERE)


def test_an_open_browser_is_not_enough_to_say_where_money_goes(session: Session) -> None:
    ines = make_instructor(session)
    old = replace(actor(ines), authenticated_at=clock.now() - FRESH - timedelta(seconds=1))

    with pytest.raises(ProveAgain):
        payees.begin(session, old)

    assert payees.begin(session, fresh(ines)) == ines.id
    assert payees.come_back(session, old) == ines.id


@pytest.mark.parametrize("gateway", ["sandbox", "stripe"])
def test_what_was_paid_in_play_is_owed_to_nobody_once_money_is_real(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch, gateway: str
) -> None:
    admin = actor(make_user(session, "Root", roles=(Role.ADMIN,)))
    sale = settled_sale(session, course=course)
    sale.order.gateway = gateway
    payment = session.query(Payment).one()
    payment.session_id = f"cs_test_{payment.id}" if gateway == "stripe" else payment.session_id
    session.flush()
    (debt,) = hand_payouts.debts(session, admin)

    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()

    assert debt.due == Money(4410, "usd")
    assert hand_payouts.debts(session, admin) == []
    assert payouts.mine(session, teacher(course), 25).totals == []
    with pytest.raises(RuleBroken, match="Nothing is due"):
        hand_payouts.mark_paid(session, admin, debt.key, "44.10", "By bank")


def test_how_somebody_learns_is_read_only_to_answer_a_bank(
    session: Session, course: Course
) -> None:
    sale = settled_sale(session, course=course)
    seller = teacher(course)

    with pytest.raises(RuleBroken, match="Nobody disputes"):
        evidence.evidence(session, seller, sale.order.public_id)

    deliver(session, dispute_event(sale))
    assert evidence.evidence(session, seller, sale.order.public_id).tables


def test_codes_cannot_be_guessed_one_after_the_other(session: Session, course: Course) -> None:
    make_coupon(session, course, "BREAD20")

    def ask(code: str, address: str = "203.0.113.7") -> Answer:
        return guesses.answer(session, course.id, None, code, address)

    refusals = {ask(f"WRONG{number}").refusal for number in range(30)}

    assert refusals == {promotions.UNKNOWN}
    assert (ask("BREAD20").offer, "Too many" in ask("BREAD20").refusal) == (None, True)
    assert ask("BREAD20", "203.0.113.8").offer
    with pytest.raises(TooMany):
        guesses.ensure_few(session, "203.0.113.7")


def test_a_code_that_is_over_is_no_guess(session: Session, course: Course) -> None:
    make_coupon(session, course, "OLD", ended_at=clock.now())

    for _ in range(31):
        found = guesses.answer(session, course.id, None, "OLD", "203.0.113.7")

    assert found.refusal == promotions.ENDED


def test_nobody_opens_checkouts_without_end(session: Session, course: Course) -> None:
    """With a code and without it in turn, each visit asks the gateway several times."""
    buyer = make_user(session)
    key = signed_in(session, buyer.id)
    order = make_order(session, buyer, course, status=OrderStatus.EXPIRED)
    for _ in range(30):
        make_attempt(session, order, None).note(AttemptStatus.EXPIRED)

    with pytest.raises(TooMany, match="Try again in an hour"):
        checkout.start(key, course.slug)

    hour = clock.now() - timedelta(hours=1)
    session.execute(update(CheckoutAttempt).values(created_at=hour))
    assert "/sandbox/checkout/" in checkout.start(key, course.slug)
