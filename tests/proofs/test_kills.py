"""A process of LUMA's is killed at every commit and at every step between: after a restart and the
deliveries that Stripe repeats, everything is as if nothing had happened."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import count

import pytest
from sqlalchemy import select, text

from luma import db
from luma.models.order import Order
from luma.services import accounts
from luma.services.accounts import Visit
from luma.settings import settings
from tests.database import Databases
from tests.factories import make_published, make_user
from tests.proofs import scenes
from tests.proofs.dying import Mother, Point, mother, time_passes
from tests.proofs.scenes import Scene
from tests.standins.running import StripeStandIn, stripe_stand_in

STEPS = (
    "luma.services.money.inbox:receive",
    "luma.services.money.facts:record",
    "luma.services.money.access:derive",
    "luma.models.received:Received.finish",
    "luma.services.gateways.mail:send",
    "procrastinate.manager:JobManager.finish_job",
)
REFUND_AT_SANDBOX = ("luma.services.gateways.sandbox:refund",)

MOST_RESTARTS = 5


def at_stripe(*calls: str) -> tuple[str, ...]:
    return tuple(f"luma.services.gateways.stripe:{call}" for call in calls)


@pytest.fixture(scope="module")
def _house(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mother, dict[str, str]]]:
    """One mother and one database for all deaths: what is slow only once is over for them all."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("kills")
        ours = {
            "LUMA_DATABASE_URL": stack.enter_context(databases.fresh()),
            "LUMA_DATA_DIR": str(folder),
            "LUMA_SECRET": "of these tests",
        }
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in ours.items():
            patch.setenv(name, value)
        yield stack.enter_context(mother()), ours
        db.forget()


@pytest.fixture
def life(_house: tuple[Mother, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Mother:
    """Mother, test and every process sign with the same."""
    known, ours = _house
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    if not known.is_ready:
        known.live(*scenes.paid().bodies, stays=True)
        known.is_ready = True
    known.killed = 0
    return known


@pytest.fixture
def account(life: Mother, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStandIn]:
    with stripe_stand_in() as stand_in:
        monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
        monkeypatch.setenv("LUMA_STRIPE_WEBHOOK_SECRET", "whsec_x")
        monkeypatch.setenv("LUMA_STRIPE_API_BASE", stand_in.address)
        settings.cache_clear()
        yield stand_in
        assert stand_in.misfits == []


@pytest.mark.parametrize(
    ("flow", "steps", "first", "deaths"),
    [
        (scenes.paid, STEPS, 1, 15),
        (scenes.refunded_before_it_was_paid, (), 3, 6),
        (scenes.disputed_and_won, (), 5, 6),
        (scenes.paid_late, (), 3, 6),
        (scenes.paid_twice, REFUND_AT_SANDBOX, 9, 8),
    ],
)
def test_whatever_it_is_killed_at_the_end_is_the_same(
    life: Mother, flow: Callable[[], Scene], steps: Sequence[str], first: int, deaths: int
) -> None:
    """From the `first` commit that is another one than those of a plain payment."""
    undisturbed = _played(life, flow, None)

    def dies(point: Point) -> bool:
        before = life.killed
        assert _played(life, flow, point) == undisturbed, point
        return life.killed > before

    _die_everywhere(dies, steps, first)

    assert life.killed >= deaths


@pytest.mark.parametrize(
    ("flow", "steps", "makes"),
    [
        (scenes.a_part_that_the_seller_gives_back, at_stripe("refund"), {"re": 1}),
        (scenes.all_back_inside_the_promise, at_stripe("refund"), {"re": 1}),
        (scenes.a_share_that_is_due, at_stripe("transfer"), {"tr": 1, "trr": 0}),
        (scenes.a_share_that_comes_back, at_stripe("transfer"), {"tr": 1, "trr": 1}),
        (
            scenes.a_coupon_and_its_code,
            at_stripe("create_coupon", "create_promotion_code"),
            {"cpn": 1, "promo": 1},
        ),
    ],
)
def test_what_dies_between_stripes_answer_and_our_commit_is_done_once(
    life: Mother,
    account: StripeStandIn,
    flow: Callable[[StripeStandIn], Scene],
    steps: Sequence[str],
    makes: dict[str, int],
) -> None:
    def begun() -> Scene:
        account.forget()
        return flow(account)

    undisturbed = _played(life, begun, None)

    def dies(point: Point) -> bool:
        before = life.killed
        assert _played(life, begun, point) == undisturbed, point
        assert {kind: len(account.all(kind)) for kind in makes} == makes, point
        return life.killed > before

    _die_everywhere(dies, steps)

    assert life.killed >= 2 * len(steps) + 3


def test_a_checkout_that_dies_between_stripe_and_our_commit_is_opened_once(
    life: Mother, account: StripeStandIn
) -> None:
    steps = at_stripe("open_checkout", "create_product", "create_price")

    _die_everywhere(lambda point: _dies_buying(life, account, point), steps)

    assert life.killed >= 12


def _die_everywhere(dies: Callable[[Point], bool], steps: Sequence[str], first: int = 1) -> None:
    """After each commit until there is none left to die at, and before and after each step.

    Before a commit everything is as after the one before it, but for what a step has done outside.
    """
    dies(("commit", "before", first))
    for number in count(first):
        if not dies(("commit", "after", number)):
            break
    for step in steps:
        for when in ("before", "after"):
            dies((step, when, 1))


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
    return scenes.known(scene)


def _jobs() -> int:
    with db.unit_of_work() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0


def _dies_buying(life: Mother, account: StripeStandIn, point: Point) -> bool:
    account.forget()
    with db.unit_of_work() as session:
        buyer, course = make_user(session), make_published(session)
        visit = accounts.open_session(session, buyer.id, Visit("127.0.0.1", "test"))
        buying = (accounts.key_of(visit), course.slug)
    was_killed, _ = life.live(point=point, checkout=buying)
    life.live(checkout=buying)
    _assert_opened_once(account, buyer.id)
    return was_killed


def _assert_opened_once(account: StripeStandIn, buyer_id: int) -> None:
    assert [len(account.all(kind)) for kind in ("prod", "price", "cs")] == [1, 1, 1]
    with db.unit_of_work() as session:
        orders = session.scalars(select(Order.public_id).where(Order.buyer_id == buyer_id)).all()
    (opened,) = account.all("cs")
    assert [opened["client_reference_id"]] == orders
