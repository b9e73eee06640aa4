"""What was not delivered is fetched, whatever broke on the way; it ends as if nothing had."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from luma.errors import NotAllowed
from luma.models.payment import Payment, StripeEvent
from luma.models.reconciliation import GatewayPull
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox, signatures
from luma.services.gateways.protocol import GatewayDown, GatewayEvent, Stale, Unverified
from luma.services.money import inbox, payments_health, pulling, refusals, sales
from luma.values import OrderStatus, Role
from tests.factories import actor, make_user, signed_in
from tests.selling import Sale, deliver, is_learning, open_sale, received, refund_event
from tests.services.money.test_timeline import at_sandbox


class Account:
    """What the gateway remembers of its events."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.asked: list[datetime] = []
        self.breaks_after: int | None = None

    def keep(self, *bodies: str, ago: timedelta = timedelta()) -> None:
        for body in bodies:
            event = json.loads(body)
            event["created"] = int((clock.now() - ago).timestamp())
            self.bodies.append(json.dumps(event))

    def events_since(self, since: datetime, types: Sequence[str]) -> Iterator[GatewayEvent]:
        assert len(types) <= 20
        self.asked.append(since)
        for number, body in enumerate(self.bodies):
            if self.breaks_after is not None and number >= self.breaks_after:
                raise GatewayDown
            event = signatures.read(body.encode(), "pull")
            if event.type in types and event.created_at >= since.replace(microsecond=0):
                yield event


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account()
    monkeypatch.setattr(sandbox, "events_since", made.events_since)
    return made


def applied(session: Session) -> None:
    inbox.apply(list(session.scalars(select(StripeEvent.id).order_by(StripeEvent.id))))
    session.expire_all()


def sold(session: Session, ago: timedelta = timedelta(days=4)) -> Sale:
    sale = open_sale(session)
    sale.order.created_at = clock.now() - ago
    session.flush()
    return sale


def cursor(session: Session) -> GatewayPull:
    session.expire_all()
    return session.scalars(select(GatewayPull)).one()


def test_what_was_dropped_for_three_days_is_found_and_applied(
    session: Session, account: Account
) -> None:
    sale = sold(session)
    account.keep(sale.event(), refund_event(sale), ago=timedelta(days=3))

    brought = pulling.pull()
    applied(session)

    assert brought is not None
    assert (brought.found, brought.missed) == (2, 2)
    assert sale.order.status is OrderStatus.REFUNDED


def test_each_event_dropped_in_turn_ends_alike(session: Session, account: Account) -> None:
    for dropped in range(2):
        sale = sold(session)
        bodies = [sale.event(), refund_event(sale, 1000)]
        account.keep(*bodies)
        deliver(session, *[body for place, body in enumerate(bodies) if place != dropped])

        pulling.pull()
        applied(session)

        assert sale.order.status is OrderStatus.PAID
        assert is_learning(session, sale)


def test_what_was_delivered_is_not_applied_again(session: Session, account: Account) -> None:
    sale = sold(session)
    account.keep(body := sale.event())
    deliver(session, account.bodies[0])

    brought = pulling.pull()
    applied(session)

    assert json.loads(body)["id"] == json.loads(account.bodies[0])["id"]
    assert brought is not None
    assert (brought.found, brought.missed) == (0, 0)
    assert session.query(Payment).count() == 1


def test_many_events_in_one_second_all_come(session: Session, account: Account) -> None:
    sales = [sold(session) for _ in range(3)]
    account.keep(*[sale.event() for sale in sales for _ in range(70)], ago=timedelta(hours=2))

    brought = pulling.pull()

    assert brought is not None
    assert brought.found == 210


def test_a_gateway_that_breaks_midway_keeps_the_cursor(session: Session, account: Account) -> None:
    sale = sold(session)
    pulling.pull()
    before = cursor(session).read_until
    account.keep(sale.event(), sale.event())
    account.breaks_after = 1

    broken = pulling.pull()
    kept, why = cursor(session).read_until, cursor(session).trouble
    account.breaks_after = None
    again = pulling.pull()
    applied(session)

    assert (broken, kept) == (None, before)
    assert why
    assert again is not None
    assert cursor(session).trouble is None
    assert is_learning(session, sale)


def test_a_clock_of_ours_that_is_hours_ahead_loses_nothing(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = sold(session)
    right = clock.now()
    monkeypatch.setattr(clock, "now", lambda: right + timedelta(hours=5))
    pulling.pull()
    account.bodies.append(sale.event())

    pulling.pull()
    applied(session)

    assert sale.order.status is OrderStatus.PAID


def test_a_lost_cursor_begins_with_the_first_order(session: Session, account: Account) -> None:
    sale = sold(session)
    account.keep(sale.event(), ago=timedelta(days=2))
    pulling.pull()
    session.delete(cursor(session))
    session.flush()

    pulling.pull()

    assert account.asked[-1] <= sale.order.created_at


def test_after_a_month_of_silence_lists_are_read(session: Session, account: Account) -> None:
    sale = sold(session, timedelta(days=2))
    sale.attempt.session_id = f"cs_sbx_{sale.order.id:032x}"
    session.flush()
    at_sandbox(session, sale, "complete", "paid")
    pulling.pull()
    long_ago = clock.now() - timedelta(days=40)
    session.execute(update(GatewayPull).values(pulled_at=long_ago, read_until=long_ago))
    session.expire_all()

    pulling.pull()
    session.expire_all()

    assert sale.order.status is OrderStatus.PAID
    assert cursor(session).pulled_at > long_ago


def test_what_is_missed_and_not_delivered_since_warns_sellers(
    session: Session, account: Account
) -> None:
    sale = sold(session)
    calm = payments_health.warning(session)
    account.keep(sale.event(), ago=timedelta(hours=1))
    pulling.pull()
    warned = payments_health.warning(session)
    seller = session.scalars(
        select(User).options(selectinload(User.roles)).where(User.id == sale.course.instructor_id)
    ).one()
    shown = sales.mine(session, actor(seller), sales.Asked(), 25).warning
    inbox.receive(session, [received(sale.event())])
    session.execute(
        update(StripeEvent)
        .where(StripeEvent.source == "sandbox")
        .values(received_at=clock.now() + timedelta(seconds=5))
    )

    assert calm is None
    assert warned
    assert "does not deliver" in warned
    assert shown == warned
    assert payments_health.warning(session) is None


def test_only_admins_press_the_button(session: Session, account: Account) -> None:
    admin, other = make_user(session, roles=(Role.ADMIN,)), make_user(session)
    keys = [signed_in(session, one.id) for one in (admin, other)]

    assert pulling.pull_now(keys[0]).startswith("Nothing was missing")
    with pytest.raises(NotAllowed):
        pulling.pull_now(keys[1])


def test_refusals_are_counted_by_reason(session: Session) -> None:
    refusals.note(session, [Unverified("Bad."), Unverified("Bad."), Unverified("Worse.")])
    refusals.note(session, [Unverified("Bad.")])

    counted = {one.reason: one.times for one in refusals.of_the_week(session)}

    assert counted == {"Bad.": 3, "Worse.": 1}


@pytest.mark.parametrize(
    ("ages", "words"),
    [([600, 610, 605], "fast"), ([-900, -905], "slow"), ([600, 90_000], None), ([600], None)],
)
def test_a_clock_that_is_off_is_named(session: Session, ages: list[int], words: str | None) -> None:
    refusals.note(session, [Stale(age) for age in ages])

    (found,) = refusals.of_the_week(session)

    if words is None:
        assert found.clock_words is None
    else:
        assert found.clock_words is not None
        assert words in found.clock_words


def test_old_refusals_are_forgotten(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals.note(session, [Unverified("Bad.")])
    later = datetime.now(UTC) + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)

    refusals.forget_old(session)
    monkeypatch.undo()

    assert refusals.of_the_week(session) == ()
