"""A tester plays the bank and the network, and LUMA hears of it by Stripe's own kind of events."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxSession, StripeEvent
from luma.models.sandbox import SandboxEvent
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import events, reversal_events, sandbox_post
from luma.services.gateways import sandbox as gateway
from luma.services.gateways.protocol import GatewayDown
from luma.services.money import checkout, inbox, sandbox, sandbox_desk, sandbox_record
from luma.services.money.sandbox_record import Faults
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import EventStatus, OrderStatus, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_instructor, make_published, make_user, signed_in
from tests.selling import deliver
from tests.standins import contract

NO_AMOUNTS = [bad for bad in BAD_TEXT if bad.strip()]
AS_IT_SHOULD = Faults(twice=False, swap=False, drop=False, delay=0)


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def buyer(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def open_session(session: Session, course: Course, buyer: User) -> str:
    """A buyer at the sandbox's page, for $49."""
    key = signed_in(session, buyer.id)
    return checkout.start(key, course.slug).rpartition("/")[2]


@pytest.fixture
def paid(session: Session, open_session: str) -> str:
    sandbox.pay(session, open_session)
    arrive(session)
    return open_session


def jobs(session: Session) -> list[Any]:
    asked = text(
        "SELECT id, args, scheduled_at FROM procrastinate_jobs"
        " WHERE task_name = 'sandbox.deliver' ORDER BY id"
    )
    return list(session.execute(asked))


def on_the_way(session: Session) -> list[list[dict[str, Any]]]:
    """What each waiting job delivers, in its order; each such as Stripe's description allows."""
    session.flush()
    found = [[json.loads(body) for body in _bodies(job.args)] for job in jobs(session)]
    for together in found:
        for event in together:
            assert contract.event_faults(event) == []
    return found


def _bodies(args: dict[str, Any]) -> list[str]:
    return [args["payload"], *args["then"]]


def arrive(session: Session) -> None:
    """What the queue would deliver now is received and applied."""
    on_the_way(session)
    for job in jobs(session):
        deliver(session, *_bodies(job.args))
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job.id})


def pull(session: Session) -> None:
    """Ask the gateway for all that happened, and apply what was not known."""
    since = clock.now() - timedelta(hours=1)
    types = sorted(events.ACTED_ON)
    for some in (types[:20], types[20:]):
        if listed := list(gateway.events_since(since, some)):
            inbox.receive(session, listed)
    waiting = select(StripeEvent.id).where(StripeEvent.status != EventStatus.DONE)
    for _ in range(2):
        inbox.apply(list(session.scalars(waiting.order_by(StripeEvent.id))))
    session.expire_all()


def kinds(session: Session) -> list[list[str]]:
    return [[event["type"] for event in events] for events in on_the_way(session)]


def teacher_of(course: Course) -> Actor:
    return Actor(course.instructor_id, "Ines", "ines@example.org", frozenset({Role.INSTRUCTOR}))


def view(session: Session, session_id: str) -> sandbox_record.Desk:
    session.flush()
    return sandbox_record.desk(session, session_id)


def only(session: Session, session_id: str) -> str:
    (one,) = view(session, session_id).reversals
    return one.object_id


def standing(session: Session, session_id: str) -> tuple[OrderStatus | None, bool]:
    found = view(session, session_id)
    return found.order, found.has_access


def test_a_full_refund_ends_access_and_one_that_fails_later_gives_it_back(
    session: Session, paid: str
) -> None:
    assert standing(session, paid) == (OrderStatus.PAID, True)

    sandbox_desk.refund(session, paid, "")
    arrive(session)
    refunded = standing(session, paid)
    sandbox_desk.fail_refund(session, paid, only(session, paid))
    (failed,) = on_the_way(session)
    arrive(session)

    assert refunded == (OrderStatus.REFUNDED, False)
    assert failed[0]["data"]["object"]["failure_reason"] == "lost_or_stolen_card"
    assert standing(session, paid) == (OrderStatus.PAID, True)
    assert view(session, paid).left.minor == 4900


def test_parts_are_refunded_until_nothing_is_left(session: Session, paid: str) -> None:
    for amount in ("20", "9.50", ""):
        sandbox_desk.refund(session, paid, amount)
    arrive(session)

    found = view(session, paid)
    assert [one.amount.minor for one in found.reversals] == [2000, 950, 1950]
    assert (found.left.minor, found.order) == (0, OrderStatus.REFUNDED)
    with pytest.raises(RuleBroken, match="between 0"):
        sandbox_desk.refund(session, paid, "")


@pytest.mark.parametrize("amount", ["0", "-1", "49.01", "4.999", "1e3", "x", *NO_AMOUNTS])
def test_an_amount_that_makes_no_sense_is_refused_in_words(
    session: Session, paid: str, amount: str
) -> None:
    with pytest.raises((RuleBroken, ValueError), match=r"\w+ .*\."):
        sandbox_desk.refund(session, paid, amount)

    assert view(session, paid).reversals == ()


@pytest.mark.parametrize(
    ("end", "order", "has_access", "told"),
    [
        (sandbox_desk.win, OrderStatus.PAID, True, sandbox_desk.REINSTATED),
        (sandbox_desk.lose, OrderStatus.CHARGED_BACK, False, reversal_events.DECIDED),
    ],
)
def test_a_dispute_suspends_until_the_bank_decides(
    session: Session, paid: str, end: Any, order: OrderStatus, has_access: bool, told: str
) -> None:
    sandbox_desk.dispute(session, paid)
    said = kinds(session)
    arrive(session)
    disputed = standing(session, paid)
    end(session, paid, only(session, paid))
    last = kinds(session)[-1]
    arrive(session)

    assert said == [[reversal_events.DISPUTED], [sandbox_desk.WITHDRAWN]]
    assert disputed == (OrderStatus.DISPUTED, False)
    assert last == [told]
    assert standing(session, paid) == (order, has_access)


def test_an_inquiry_keeps_access_until_it_becomes_a_dispute(session: Session, paid: str) -> None:
    sandbox_desk.inquire(session, paid)
    arrive(session)
    asked = standing(session, paid)
    sandbox_desk.escalate(session, paid, only(session, paid))
    arrive(session)

    assert asked == (OrderStatus.PAID, True)
    assert standing(session, paid) == (OrderStatus.DISPUTED, False)
    sandbox_desk.lose(session, paid, only(session, paid))
    arrive(session)
    assert standing(session, paid) == (OrderStatus.CHARGED_BACK, False)


def test_an_inquiry_may_come_to_nothing_and_another_may_follow(session: Session, paid: str) -> None:
    sandbox_desk.inquire(session, paid)
    with pytest.raises(RuleBroken, match="disputed already"):
        sandbox_desk.inquire(session, paid)
    sandbox_desk.drop_inquiry(session, paid, only(session, paid))
    sandbox_desk.inquire(session, paid)
    arrive(session)

    assert standing(session, paid) == (OrderStatus.PAID, True)


@pytest.mark.parametrize("first", [sandbox_desk.win, sandbox_desk.lose])
@pytest.mark.parametrize("second", [sandbox_desk.win, sandbox_desk.lose, sandbox_desk.drop_inquiry])
def test_a_dispute_is_decided_once(session: Session, paid: str, first: Any, second: Any) -> None:
    sandbox_desk.dispute(session, paid)
    name = only(session, paid)
    first(session, paid, name)
    sent = len(jobs(session))

    with pytest.raises(RuleBroken, match="decided already"):
        second(session, paid, name)

    assert len(jobs(session)) == sent


def test_what_is_disputed_is_not_refunded(session: Session, paid: str) -> None:
    sandbox_desk.dispute(session, paid)

    with pytest.raises(RuleBroken, match="disputed already"):
        sandbox_desk.refund(session, paid, "1")


def test_money_that_never_came_does_not_go_back(session: Session, open_session: str) -> None:
    for deed in (sandbox_desk.dispute, sandbox_desk.inquire):
        with pytest.raises(RuleBroken, match="Nothing has been paid"):
            deed(session, open_session)
    with pytest.raises(RuleBroken, match="Nothing has been paid"):
        sandbox_desk.refund(session, open_session, "")


@pytest.mark.parametrize("name", ["", "du_sbx_nobody", "\x00", "a" * 9999])
def test_what_is_not_of_this_checkout_is_not_found(session: Session, paid: str, name: str) -> None:
    sandbox_desk.dispute(session, paid)
    for deed in (sandbox_desk.win, sandbox_desk.fail_refund):
        with pytest.raises(NotFound):
            deed(session, paid, name)
    with pytest.raises((NotFound, RuleBroken)):
        sandbox_desk.send(session, paid, name)


def test_a_refund_is_not_won_and_a_dispute_does_not_fail(session: Session, paid: str) -> None:
    sandbox_desk.refund(session, paid, "1")

    with pytest.raises(NotFound):
        sandbox_desk.win(session, paid, only(session, paid))


def test_twice_means_every_event_twice_and_nothing_more_comes_of_it(
    session: Session, open_session: str
) -> None:
    sandbox_desk.set_faults(session, open_session, Faults(True, False, False, 0))
    sandbox.pay(session, open_session)

    assert kinds(session) == [
        ["checkout.session.completed"],
        ["checkout.session.completed"],
        ["charge.updated"],
        ["charge.updated"],
    ]
    arrive(session)
    assert standing(session, open_session) == (OrderStatus.PAID, True)


def test_swap_holds_an_event_until_the_next_one_went(session: Session, paid: str) -> None:
    sandbox_desk.set_faults(session, paid, Faults(False, True, False, 0))
    sandbox_desk.refund(session, paid, "")
    held = view(session, paid).events[0]
    before = kinds(session)
    sandbox_desk.fail_refund(session, paid, only(session, paid))

    assert (held.fate, before) == ("held", [])
    assert kinds(session) == [[reversal_events.REFUND_FAILED, reversal_events.REFUND_CREATED]]
    arrive(session)
    assert standing(session, paid) == (OrderStatus.PAID, True)


def test_what_was_held_goes_with_the_next_even_after_swapping_ended(
    session: Session, paid: str
) -> None:
    sandbox_desk.set_faults(session, paid, Faults(False, True, False, 0))
    sandbox_desk.refund(session, paid, "1")
    sandbox_desk.set_faults(session, paid, AS_IT_SHOULD)
    sandbox_desk.refund(session, paid, "2")

    assert kinds(session) == [[reversal_events.REFUND_CREATED, reversal_events.REFUND_CREATED]]


def test_a_dropped_event_is_kept_and_can_be_sent_after_all(
    session: Session, open_session: str
) -> None:
    sandbox_desk.set_faults(session, open_session, Faults(False, False, True, 0))
    sandbox.pay(session, open_session)
    dropped = view(session, open_session)
    nothing = kinds(session)
    for event in dropped.events:
        sandbox_desk.send(session, open_session, event.event_id)
    arrive(session)

    assert nothing == []
    assert {event.fate for event in dropped.events} == {"dropped"}
    assert standing(session, open_session) == (OrderStatus.PAID, True)
    assert not view(session, open_session).is_waiting


@pytest.mark.parametrize("dropped", range(3))
def test_whichever_step_is_dropped_asking_for_it_heals(
    session: Session, open_session: str, dropped: int
) -> None:
    """Paid, refunded, and the refund failed: in the end as if nothing had been dropped."""
    steps: tuple[Callable[[], object], ...] = (
        lambda: sandbox.pay(session, open_session),
        lambda: sandbox_desk.refund(session, open_session, ""),
        lambda: sandbox_desk.fail_refund(session, open_session, only(session, open_session)),
    )

    for number, step in enumerate(steps):
        faults = Faults(False, False, number == dropped, 0)
        sandbox_desk.set_faults(session, open_session, faults)
        step()
        arrive(session)
    before = {event.status for event in view(session, open_session).events}
    pull(session)

    found = view(session, open_session)
    assert before != {EventStatus.DONE}
    assert {event.status for event in found.events} == {EventStatus.DONE}
    assert (found.order, found.has_access) == (OrderStatus.PAID, True)


def test_a_delay_is_waited_for(session: Session, open_session: str) -> None:
    sandbox_desk.set_faults(session, open_session, Faults(False, False, False, 90))
    sandbox.pay(session, open_session)

    session.flush()
    for job in jobs(session):
        assert 80 < (job.scheduled_at - clock.now()).total_seconds() <= 90


@pytest.mark.parametrize("delay", [-1, 601])
def test_a_delay_has_bounds(session: Session, open_session: str, delay: int) -> None:
    with pytest.raises(RuleBroken, match="0 to 600"):
        sandbox_desk.set_faults(session, open_session, Faults(False, False, False, delay))


def test_faults_of_one_checkout_leave_others_alone(session: Session, open_session: str) -> None:
    sandbox_desk.set_faults(session, open_session, Faults(False, False, True, 0))
    another = SandboxSession(
        session_id="cs_sbx_" + "0" * 32,
        operation_key="another",
        request=session.query(SandboxSession).one().request,
        created_at=clock.now(),
        expires_at=clock.now(),
    )
    session.add(another)
    session.flush()

    sandbox.expire(session, another.session_id)

    assert kinds(session) == [["checkout.session.expired"]]


def test_why_an_event_does_not_arrive_is_told(
    session: Session, open_session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.pay(session, open_session)
    monkeypatch.setenv("LUMA_BASE_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    on_the_way(session)

    with pytest.raises(GatewayDown):
        sandbox_post.deliver(session.query(SandboxEvent).order_by(SandboxEvent.id).first().body)  # type: ignore[union-attr]  # there is one

    session.expire_all()
    found = view(session, open_session)
    assert "LUMA_BASE_URL" in (found.events[-1].trouble or "")


def test_instructors_find_the_checkouts_of_their_courses_and_admins_all(
    session: Session, course: Course, buyer: User, open_session: str
) -> None:
    rival = actor(make_instructor(session))
    admin = actor(make_user(session, roles=(Role.ADMIN,)))

    student = Actor(buyer.id, "Bea", "bea@example.org", frozenset({Role.STUDENT}))

    seen = [
        [one.session_id for one in sandbox_record.recent(session, who)]
        for who in (teacher_of(course), rival, admin)
    ]

    assert seen == [[open_session], [], [open_session]]
    with pytest.raises(NotAllowed):
        sandbox_record.recent(session, student)


def test_there_is_no_desk_beside_a_key(
    session: Session, paid: str, monkeypatch: pytest.MonkeyPatch, course: Course
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    settings.cache_clear()

    for deed in (sandbox_desk.dispute, sandbox_desk.inquire, sandbox_record.desk):
        with pytest.raises(NotFound):
            deed(session, paid)
    for ended in (sandbox_desk.refund, sandbox_desk.win, sandbox_desk.fail_refund):
        with pytest.raises(NotFound):
            ended(session, paid, "")
    with pytest.raises(NotFound):
        sandbox_desk.set_faults(session, paid, AS_IT_SHOULD)
    with pytest.raises(NotFound):
        sandbox_record.recent(session, teacher_of(course))


def test_the_order_that_it_shows_is_the_one_that_was_opened(session: Session, paid: str) -> None:
    order = session.query(Order).one()
    attempt = session.query(CheckoutAttempt).one()

    assert attempt.session_id == paid
    assert view(session, paid).order is order.status
