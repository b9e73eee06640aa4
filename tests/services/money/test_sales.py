"""What sales come to: figures, the orders behind them, and who may see whose."""

import random
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, RuleBroken
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.services import clock
from luma.services.money import sales
from luma.services.money.figures import Figures
from luma.services.money.sale_list import SaleRow
from luma.services.money.sales import Asked, Mode, Sales
from luma.values import DisputeStatus, Money, OrderStatus, RefundStatus, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, enrol, make_published, make_user
from tests.ledgers import disputed, pay, refunded, sold
from tests.selling import make_attempt, make_order

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = Asked(range="own", first="2026-11-01", last="2026-11-30")


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


def seen(session: Session, course: Course, asked: Asked = NOVEMBER, most: int = 25) -> Sales:
    return sales.mine(session, actor(course.instructor), asked, most)


def figures(session: Session, course: Course, asked: Asked = NOVEMBER) -> Figures:
    (block,) = seen(session, course, asked).blocks
    return block.now


def test_a_sale_is_split_between_the_platform_and_the_instructor(
    session: Session, course: Course
) -> None:
    sold(session, course, NOON, Money(4999, "usd"))

    found = figures(session, course)

    assert (found.gross, found.fees, found.refunds, found.net) == (4999, 499, 0, 4500)
    assert (found.orders, found.refund_rate) == (1, 0)


def test_tax_is_neither_the_platforms_nor_the_instructors(session: Session, course: Course) -> None:
    sold(session, course, NOON, Money(5831, "usd"), tax=931)

    found = figures(session, course)

    assert (found.gross, found.tax, found.fees, found.net) == (5831, 931, 490, 4410)


def test_a_refund_gives_back_tax_fee_and_share_alike(session: Session, course: Course) -> None:
    payment = sold(session, course, NOON, Money(5831, "usd"), tax=931)
    refunded(session, payment, 5831, NOON)

    found = figures(session, course)

    assert (found.gross, found.refunds) == (5831, 5831)
    assert (found.tax, found.fees, found.net) == (0, 0, 0)
    assert found.refund_rate == 1000


def test_many_small_refunds_come_to_the_same_as_one(session: Session, course: Course) -> None:
    """In parts of 333 each share would be rounded down three times."""
    at_once, in_parts = (sold(session, course, NOON, Money(1000, "usd")) for _ in range(2))
    refunded(session, at_once, 999, NOON)
    for hour in range(3):
        refunded(session, in_parts, 333, NOON + timedelta(hours=hour))

    found = figures(session, course)

    one_by_one = 900 - 900 * 999 // 1000
    assert found.net == 2 * one_by_one


def test_a_refund_counts_on_its_day_and_its_order_on_the_day_of_the_sale(
    session: Session, course: Course
) -> None:
    payment = sold(session, course, NOON - timedelta(days=40), Money(1000, "usd"))
    refunded(session, payment, 1000, NOON)

    (block,) = seen(session, course).blocks

    assert (block.now.gross, block.now.refunds, block.now.orders) == (0, 1000, 0)
    assert (block.now.net, block.now.refund_rate) == (-900, 0)
    assert (block.before.gross, block.before.orders, block.before.refund_rate) == (1000, 1, 1000)


@pytest.mark.parametrize("status", [RefundStatus.FAILED, RefundStatus.CANCELED])
def test_a_refund_that_did_not_go_through_is_none(
    session: Session, course: Course, status: RefundStatus
) -> None:
    payment = sold(session, course, NOON, Money(1000, "usd"))
    refunded(session, payment, 1000, NOON, status)

    assert figures(session, course) == Figures(gross=1000, fees=100, orders=1)


def test_a_lost_dispute_takes_what_is_left_and_an_open_one_nothing_yet(
    session: Session, course: Course
) -> None:
    lost, still_open = (sold(session, course, NOON, Money(1000, "usd")) for _ in range(2))
    refunded(session, lost, 400, NOON)
    disputed(session, lost, NOON + timedelta(hours=1), DisputeStatus.LOST)
    disputed(session, still_open, NOON, DisputeStatus.NEEDS_RESPONSE)

    found = figures(session, course)

    assert (found.refunds, found.net, found.refunded_orders) == (1000, 900, 1)


def test_what_does_not_fit_its_order_is_in_no_figure(session: Session, course: Course) -> None:
    sold(session, course, NOON, Money(1, "usd"), mismatch="Paid $0.01, asked $49.")

    assert seen(session, course).blocks == ()


def test_an_order_paid_twice_is_one_order(session: Session, course: Course) -> None:
    first = sold(session, course, NOON, Money(1000, "usd"))
    order = seen(session, course).found.rows[0].order
    twice = pay(session, _order(session, first), NOON + timedelta(days=1), Money(1000, "usd"))
    refunded(session, twice, 1000, NOON + timedelta(days=1))

    found = figures(session, course)

    assert (found.orders, found.gross, found.refunds, found.net) == (1, 2000, 1000, 900)
    assert found.refund_rate == 0
    (row,) = seen(session, course).found.rows
    assert (row.order, row.paid, row.refunded) == (order, Money(2000, "usd"), Money(1000, "usd"))


def test_currencies_are_never_in_one_sum(session: Session, course: Course) -> None:
    sold(session, course, NOON, Money(1000, "usd"))
    sold(session, course, NOON, Money(5000, "jpy"))

    found = {block.currency: block.now.gross for block in seen(session, course).blocks}

    assert found == {"usd": 1000, "jpy": 5000}


def test_test_money_and_real_money_are_never_in_one_sum(session: Session, course: Course) -> None:
    sold(session, course, NOON, Money(1000, "usd"))
    for prefix, minor in (("cs_test_", 20), ("cs_live_", 300)):
        payment = sold(session, course, NOON, Money(minor, "usd"), gateway="stripe", prefix=prefix)
        make_attempt(session, _order(session, payment), payment.session_id)

    amounts = {}
    for mode in Mode:
        found = seen(session, course, Asked("own", "2026-11-01", "2026-11-30", mode=mode))
        amounts[mode] = [block.now.gross for block in found.blocks]
        assert set(found.other_modes) == set(Mode) - {mode}
        assert [row.paid.minor for row in found.found.rows] == amounts[mode]

    assert amounts == {Mode.SANDBOX: [1000], Mode.TEST: [20], Mode.LIVE: [300]}


def test_without_a_wish_the_money_of_today_is_shown(session: Session, course: Course) -> None:
    assert seen(session, course, Asked()).mode is Mode.SANDBOX


def test_the_days_before_are_as_many_and_end_where_these_begin(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    midnight = datetime(2026, 11, 17, tzinfo=UTC)
    for at, minor in (
        (now, 1),
        (midnight, 10),
        (midnight - timedelta(microseconds=1), 100),
        (midnight - timedelta(days=7), 1000),
        (midnight - timedelta(days=7, microseconds=1), 10_000),
    ):
        sold(session, course, at, Money(minor, "usd"))

    (block,) = seen(session, course, Asked(range="7")).blocks

    assert (block.now.gross, block.before.gross) == (11, 1100)
    assert [bar.figures.gross for bar in block.bars] == [10, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("asked", "bars"), [("7", 7), ("30", 30), ("90", 90), ("year", 53)])
def test_the_chart_has_a_part_for_each_day_or_week(
    session: Session, course: Course, asked: str, bars: int
) -> None:
    sold(session, course, clock.now())

    found = seen(session, course, Asked(range=asked))

    assert len(found.blocks[0].bars) == bars
    assert found.blocks[0].bars[-1].last == found.span.last


def test_many_years_are_shown_by_months(session: Session, course: Course) -> None:
    sold(session, course, NOON)

    (block,) = seen(session, course, Asked("own", "2024-01-15", "2026-11-30")).blocks

    assert len(block.bars) == 35
    assert (block.bars[0].first, block.bars[0].last) == (date(2024, 1, 15), date(2024, 1, 31))
    assert (block.bars[-1].first, block.bars[-1].last) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize("bad", [*BAD_TEXT, "2026-02-30", "1999-01-01", "20261101--"])
def test_days_that_cannot_be_read_are_said_and_the_last_thirty_shown(
    session: Session, course: Course, bad: str
) -> None:
    for first, last in ((bad, "2026-11-30"), ("2026-11-01", bad)):
        found = seen(session, course, Asked("own", first, last))

        assert "2026-11-23" in found.problem
        assert found.span.days == 30


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [("2026-11-30", "2026-11-01", "after the last"), ("2001-01-01", "2026-11-01", "five years")],
)
def test_days_that_make_no_span_are_said(
    session: Session, course: Course, first: str, last: str, says: str
) -> None:
    found = seen(session, course, Asked("own", first, last))

    assert says in found.problem
    assert found.span.days == 30


@pytest.mark.parametrize("bad", BAD_TEXT)
def test_no_address_breaks_the_page(session: Session, course: Course, bad: str) -> None:
    sold(session, course, clock.now())

    odd = seen(session, course, Asked(range=bad, state=bad, mode=bad, course=bad or "crs_none"))

    assert (odd.blocks, odd.state, odd.mode) == ((), "all", Mode.SANDBOX)
    with suppress(RuleBroken):
        seen(session, course, Asked(words=bad))


def test_the_list_has_the_newest_first_and_says_that_there_is_more(
    session: Session, course: Course
) -> None:
    for day in range(3):
        sold(session, course, NOON - timedelta(days=day), Money(100 + day, "usd"))

    found = seen(session, course, most=2).found

    assert [row.paid.minor for row in found.rows] == [100, 101]
    assert found.has_more


def test_a_row_says_what_was_asked_paid_and_given_back_and_who_learns(
    session: Session, course: Course
) -> None:
    buyer = make_user(session, "Bea Buyer", email="bea@example.org")
    payment = sold(
        session,
        course,
        NOON,
        Money(4165, "usd"),
        buyer=buyer,
        tax=665,
        price=Money(4900, "usd"),
        discount_minor=1400,
    )
    refunded(session, payment, 1000, NOON)
    enrol(session, buyer, course)

    (row,) = seen(session, course).found.rows

    assert (row.buyer, row.email, row.course) == ("Bea Buyer", "bea@example.org", course.title)
    assert [part.minor for part in (row.price, row.discount, row.paid, row.tax, row.refunded)] == [
        4900,
        1400,
        4165,
        665,
        1000,
    ]
    assert row.net == Money(3150 - 3150 * 1000 // 4165, "usd")
    assert row.has_access


@pytest.mark.parametrize("words", ["BEA@exam", "bea buy", "Sourdough", "ORDER"])
def test_an_order_is_found_by_who_what_and_its_id(session: Session, words: str) -> None:
    course = make_published(session, "Sourdough for all")
    sold(session, course, NOON, buyer=make_user(session, "Bea Buyer", email="bea@example.org"))
    other = make_published(session, "Rolls")
    other.instructor_id = course.instructor_id
    sold(session, other, NOON)
    (mine,) = (row for row in seen(session, course).found.rows if row.email == "bea@example.org")
    asked = mine.order.upper() if words == "ORDER" else words

    found = seen(session, course, Asked("own", "2026-11-01", "2026-11-30", words=asked)).found

    assert [row.order for row in found.rows] == [mine.order]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("all", {"paid", "pending", "needs_review", "refunded", "disputed", "charged_back"}),
        ("paid", {"paid"}),
        ("pending", {"pending"}),
        ("refunded", {"refunded"}),
        ("disputed", {"disputed", "charged_back"}),
        ("review", {"needs_review"}),
        ("unpaid", {"open", "failed", "expired"}),
    ],
)
def test_the_list_is_filtered_by_state(
    session: Session, course: Course, state: str, expected: set[str]
) -> None:
    for status in OrderStatus:
        paid_at = NOON if status is OrderStatus.PAID else None
        wanted = {"status": status, "created_at": NOON, "paid_at": paid_at}
        make_order(session, make_user(session), course, **wanted)

    found = seen(session, course, Asked("own", "2026-11-01", "2026-11-30", state=state)).found

    assert {row.status.value for row in found.rows} == expected


def test_one_course_can_be_looked_at_alone(session: Session, course: Course) -> None:
    other = make_published(session, "Rolls")
    other.instructor = course.instructor
    sold(session, course, NOON, Money(100, "usd"))
    sold(session, other, NOON, Money(1, "usd"))
    asked = Asked("own", "2026-11-01", "2026-11-30", course=other.public_id)

    found = seen(session, course, asked)

    assert [block.now.gross for block in found.blocks] == [1]
    assert [row.course for row in found.found.rows] == ["Rolls"]
    assert [choice.title for choice in found.courses] == [course.title, "Rolls"]


def test_open_disputes_stand_on_top_the_soonest_first(session: Session, course: Course) -> None:
    long_ago = NOON - timedelta(days=300)
    for minor, status, days in (
        (10, DisputeStatus.NEEDS_RESPONSE, 9),
        (20, DisputeStatus.WARNING_NEEDS_RESPONSE, 3),
        (30, DisputeStatus.WON, 1),
    ):
        payment = sold(session, course, long_ago, Money(minor, "usd"))
        disputed(session, payment, long_ago, status, due_by=NOON + timedelta(days=days))

    found = seen(session, course).disputes

    assert [(one.amount.minor, one.moved_money) for one in found] == [(20, False), (10, True)]
    assert found[0].reason == "product not received"


def test_nobody_sees_what_another_sold(session: Session, course: Course) -> None:
    rival = make_published(session, "Rolls")
    payment = sold(session, course, NOON)
    disputed(session, payment, NOON, DisputeStatus.NEEDS_RESPONSE)
    asked = Asked("own", "2026-11-01", "2026-11-30", course=course.public_id)

    for wish in (NOVEMBER, asked):
        found = seen(session, rival, wish)

        assert (found.blocks, found.found.rows, found.disputes, found.courses) == ((), (), (), ())
        assert sales.my_rows(session, actor(rival.instructor), wish, None).rows == ()


def test_an_admin_sees_the_whole_school_and_nobody_else_does(
    session: Session, course: Course
) -> None:
    sold(session, course, NOON, Money(100, "usd"))
    sold(session, make_published(session, "Rolls"), NOON, Money(1, "usd"))
    admin = actor(make_user(session, roles=(Role.ADMIN,)))

    (block,) = sales.school(session, admin, NOVEMBER, 25).blocks

    assert block.now.gross == 101
    assert len(sales.school_rows(session, admin, NOVEMBER, None).rows) == 2
    teacher = actor(course.instructor)
    for refused in (
        lambda: sales.mine(session, admin, NOVEMBER, 25),
        lambda: sales.my_rows(session, admin, NOVEMBER, None),
        lambda: sales.school(session, teacher, NOVEMBER, 25),
        lambda: sales.school_rows(session, teacher, NOVEMBER, None),
    ):
        with pytest.raises(NotAllowed):
            refused()


def test_all_rows_come_page_by_page_each_once(
    session: Session, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luma.services.money.sale_list.AT_ONCE", 2)
    for minor in range(5):
        sold(session, course, NOON - timedelta(days=minor // 3), Money(100 + minor, "usd"))

    rows: list[SaleRow] = []
    place, more = None, True
    while more:
        page = sales.my_rows(session, actor(course.instructor), NOVEMBER, place)
        rows += page.rows
        place, more = page.onward, page.onward is not None

    assert sorted(row.paid.minor for row in rows) == [100, 101, 102, 103, 104]
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)


def test_all_figures_are_one_statement(session: Session, course: Course) -> None:
    for day in range(3):
        refunded(session, sold(session, course, NOON - timedelta(days=day)), 100, NOON)
    asked: list[str] = []

    def hear(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(session.bind, "before_cursor_execute", hear)
    try:
        seen(session, course)
    finally:
        event.remove(session.bind, "before_cursor_execute", hear)

    assert len([one for one in asked if "timezone" in one]) == 1
    assert len(asked) <= 10  # two of them ask whether money is heard of in time


@pytest.mark.parametrize("seed", range(12))
def test_the_sums_are_those_of_adding_up_by_hand(
    session: Session, course: Course, seed: int
) -> None:
    dice = random.Random(seed)
    expected: dict[str, list[Figures]] = defaultdict(lambda: [Figures(), Figures()])
    for _ in range(12):
        for at, currency, figures_ in _random_sale(session, course, dice):
            if (when := _which(at)) is not None:
                expected[currency][when] += figures_

    found = {block.currency: [block.now, block.before] for block in seen(session, course).blocks}

    nothing = [Figures(), Figures()]
    assert found == {c: sums for c, sums in expected.items() if sums != nothing or c in found}
    for block in seen(session, course).blocks:
        assert sum((bar.figures for bar in block.bars), start=Figures()) == block.now


def _which(at: datetime) -> int | None:
    if datetime(2026, 11, 1, tzinfo=UTC) <= at < datetime(2026, 12, 1, tzinfo=UTC):
        return 0
    return (
        1 if datetime(2026, 10, 2, tzinfo=UTC) <= at < datetime(2026, 11, 1, tzinfo=UTC) else None
    )


def _random_sale(
    session: Session, course: Course, dice: random.Random
) -> list[tuple[datetime, str, Figures]]:
    """A sale with refunds and disputes, and what each of its moments adds to the figures."""
    currency, minor = dice.choice(["usd", "jpy", "kwd"]), dice.randrange(50, 100_000)
    tax, bps = dice.choice([0, minor * 19 // 119]), dice.choice([0, 1000, 1234, 10_000])
    at = _moment(dice)
    payment = sold(session, course, at, Money(minor, currency), tax=tax, fee_bps=bps)
    moments = sorted(
        (at + timedelta(minutes=dice.randrange(60 * 24 * 40)), dice.randrange(1, minor + 1))
        for _ in range(dice.randrange(4))
    )
    fee = (minor - tax) * bps // 10_000
    share, gone = minor - tax - fee, 0
    facts = []
    for when, wish in moments:
        counts = dice.random() < 0.8
        if dice.random() < 0.8:
            status = RefundStatus.SUCCEEDED if counts else RefundStatus.FAILED
            refunded(session, payment, wish, when, status)
        else:
            verdict = DisputeStatus.LOST if counts else DisputeStatus.WON
            disputed(session, payment, when, verdict, Money(wish, currency))
        if counts:
            now_gone = min(minor, gone + wish)
            shares = share * now_gone // minor - share * gone // minor
            taxes = tax * now_gone // minor - tax * gone // minor
            amount, gone = now_gone - gone, now_gone
            fees = amount - shares - taxes
            facts.append((when, currency, Figures(tax=-taxes, fees=-fees, refunds=amount)))
    first = Figures(gross=minor, tax=tax, fees=fee, orders=1, refunded_orders=int(gone > 0))
    return [(at, currency, first), *facts]


def _moment(dice: random.Random) -> datetime:
    return datetime(2026, 9, 20, tzinfo=UTC) + timedelta(minutes=dice.randrange(60 * 24 * 80))


def _order(session: Session, payment: Payment) -> Order:
    return session.get_one(Order, payment.order_id)
