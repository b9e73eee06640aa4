"""A process of LUMA's is killed at every commit and at every step between: after a restart and the
deliveries that Stripe repeats, everything is as if nothing had happened."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import select, text

from luma import db
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import Payment, StripeEvent
from luma.models.progress import Enrolment
from luma.models.reversal import Dispute, Refund, RefundRequest
from luma.services import accounts
from luma.services.accounts import Visit
from luma.settings import settings
from tests.factories import make_published, make_user
from tests.proofs.dying import Mother, Point, mother, time_passes
from tests.selling import (
    Sale,
    dispute_event,
    open_sale,
    refund_event,
)
from tests.standins.running import StripeStandIn, stripe_stand_in

STEPS = (
    "luma.services.money.inbox:receive",
    "luma.services.money.facts:record",
    "luma.services.money.access:derive",
    "luma.models.received:Received.finish",
    "luma.services.gateways.mail:send",
    "procrastinate.manager:JobManager.finish_job",
)
ALWAYS_TOLD = ("receipt", "sale", "course-open")
"""Of what was overtaken before it was heard of, no letter tells; these are never overtaken."""

MOST_RESTARTS = 5
AT_THE_GATEWAY = ("open_checkout", "create_product", "create_price")


@dataclass(frozen=True)
class Scene:
    """A sale, and what is delivered of it."""

    sale: Sale
    bodies: list[str] = field(default_factory=list)


def paid() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return Scene(sale, [sale.event()])


def refunded_before_it_was_paid() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return Scene(sale, [refund_event(sale), sale.event()])


def disputed_and_won() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return Scene(sale, [sale.event(), dispute_event(sale), dispute_event(sale, "won")])


@pytest.fixture
def here(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mother, test and every process sign with the same."""
    monkeypatch.setenv("LUMA_SECRET", "of this test")
    settings.cache_clear()
    settings().data_path().mkdir(parents=True, exist_ok=True)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("flow", "steps"),
    [(paid, STEPS), (refunded_before_it_was_paid, ()), (disputed_and_won, ())],
)
def test_whatever_it_is_killed_at_the_end_is_the_same(
    flow: Callable[[], Scene], steps: Sequence[str]
) -> None:
    with mother() as life:
        undisturbed = _played(life, flow, None)
        for point in _points(lambda point: _is_killed(life, flow, point, undisturbed), steps):
            assert point
    assert life.killed >= 15


def _is_killed(life: Mother, flow: Callable[[], Scene], point: Point, undisturbed: object) -> bool:
    before = life.killed
    assert _played(life, flow, point) == undisturbed, point
    return life.killed > before


def _points(is_killed: Callable[[Point], bool], steps: Sequence[str]) -> Iterator[Point]:
    """Each commit until there is none left to die at, and each step, before it and after it."""
    for number in count(1):
        if not is_killed(("commit", "before", number)):
            break
        is_killed(("commit", "after", number))
        yield ("commit", "both", number)
    for step in steps:
        for when in ("before", "after"):
            if is_killed((step, when, 1)):
                yield (step, when, 1)


def _played(life: Mother, flow: Callable[[], Scene], point: Point | None) -> object:
    """The flow with one death in it; then a restart, an hour, and what had no answer again."""
    scene = flow()
    was_killed, left = life.live(*scene.bodies, point=point)
    for _ in range(MOST_RESTARTS):
        if not (was_killed or left or _jobs()):
            break
        time_passes()
        was_killed, left = life.live(*left)
    assert _jobs() == 0
    return _state(scene.sale)


def _jobs() -> int:
    with db.unit_of_work() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0


def _state(sale: Sale) -> tuple[object, ...]:
    with db.unit_of_work() as session:
        payments = select(Payment.id).where(Payment.order_id == sale.order.id)
        people = (sale.buyer.id, sale.course.instructor_id)
        letters = select(Letter.kind, Letter.status).where(
            Letter.user_id.in_(people), Letter.kind.in_(ALWAYS_TOLD)
        )
        asked = (
            select(Order.status, Order.review_reason).where(Order.id == sale.order.id),
            select(Enrolment.active, Enrolment.source).where(Enrolment.student_id == sale.buyer.id),
            select(Payment.amount_minor, Payment.mismatch).where(Payment.order_id == sale.order.id),
            select(Refund.amount_minor, Refund.status).where(Refund.payment_id.in_(payments)),
            select(Dispute.status).where(Dispute.payment_id.in_(payments)),
            select(RefundRequest.amount_minor, RefundRequest.refusal).where(
                RefundRequest.payment_id.in_(payments), RefundRequest.refund_id.is_not(None)
            ),
            letters,
            select(StripeEvent.last_error).where(StripeEvent.done_at.is_(None)),
        )
        found = tuple(sorted(map(str, session.execute(one).all())) for one in asked)
        keys = session.scalars(select(Letter.key).where(Letter.user_id.in_(people))).all()
    folder = settings().data_path() / "mail"
    assert all((folder / f"{key}.eml").exists() for key in keys)
    return found


@pytest.fixture
def account(here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStandIn]:
    with stripe_stand_in() as stand_in:
        monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
        monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", "whsec_x")
        monkeypatch.setenv("LUMA_STRIPE_API_BASE", stand_in.address)
        settings.cache_clear()
        yield stand_in
        assert stand_in.misfits == []


def test_a_checkout_that_dies_between_stripe_and_our_commit_is_opened_once(
    account: StripeStandIn,
) -> None:
    with mother() as life:
        for _ in _checkout_points(lambda point: _dies_buying(life, account, point)):
            pass
    assert life.killed >= 15


def _dies_buying(life: Mother, account: StripeStandIn, point: Point) -> bool:
    account.forget()
    with db.unit_of_work() as session:
        buyer, course = make_user(session), make_published(session)
        visit = accounts.open_session(session, buyer.id, Visit("127.0.0.1", "test"))
        buying = (accounts.key_of(visit), course.slug)
    was_killed, _ = life.live(point=point, checkout=buying)
    life.live(checkout=buying)
    _assert_opened_once(account, buyer.id, course)
    return was_killed


def _assert_opened_once(account: StripeStandIn, buyer_id: int, course: Course) -> None:
    assert [len(account.all(kind)) for kind in ("prod", "price", "cs")] == [1, 1, 1]
    with db.unit_of_work() as session:
        orders = session.scalars(select(Order.public_id).where(Order.buyer_id == buyer_id)).all()
    (opened,) = account.all("cs")
    assert [opened["client_reference_id"]] == orders


def _checkout_points(is_killed: Callable[[Point], bool]) -> Iterator[Point]:
    for number in count(1):
        if not is_killed(("commit", "before", number)):
            break
        is_killed(("commit", "after", number))
        yield ("commit", "both", number)
    for call in AT_THE_GATEWAY:
        for when in ("before", "after"):
            if is_killed((f"luma.services.gateways.stripe:{call}", when, 1)):
                yield (call, when, 1)
