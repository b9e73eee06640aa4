"""A code takes off what it says, for whom it is meant, as often as it is meant, and no more."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, SandboxSession
from luma.models.user import User
from luma.services import clock, gateways, my_data
from luma.services.gateways import sandbox, sandbox_events
from luma.services.gateways.checkout_events import COMPLETED, EXPIRED
from luma.services.money import (
    access,
    checkout,
    orders,
    promotions,
    refunds,
    sale_list,
    sale_table,
    spans,
    timeline,
)
from luma.services.money.promotions import CodeRefused
from luma.services.policies import Actor
from luma.values import AttemptStatus, Money, OrderStatus
from tests.bad_values import BAD_TEXT
from tests.coupons import make_coupon, uses
from tests.factories import actor, fresh, make_course, make_published, make_user, signed_in
from tests.selling import (
    Sale,
    deliver,
    event_body,
    is_learning,
    make_attempt,
    make_order,
    refund_event,
)


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def buyer(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def me(buyer: User) -> Actor:
    return actor(buyer)


@pytest.fixture
def key(session: Session, buyer: User) -> str:
    return signed_in(session, buyer.id)


def only_order(session: Session) -> Order:
    session.expire_all()
    return session.scalars(select(Order)).one()


def attempt_of(session: Session, order: Order) -> CheckoutAttempt:
    asked = select(CheckoutAttempt).where(CheckoutAttempt.order_id == order.id)
    return session.scalars(asked).one()


@pytest.mark.parametrize(
    ("price", "percent", "off"),
    [
        (Money(4900, "usd"), 20, 980),
        (Money(4999, "usd"), 20, 1000),
        (Money(4990, "usd"), 15, 749),
        (Money(1010, "usd"), 25, 253),
        (Money(4900, "jpy"), 33, 1617),
        (Money(50_000, "ugx"), 33, 16_500),
        (Money(51_000, "ugx"), 33, 16_800),
        (Money(5120, "kwd"), 33, 1690),
        (Money(4900, "usd"), 100, 4900),
    ],
)
def test_a_share_is_rounded_half_up_to_what_can_be_charged(
    price: Money, percent: int, off: int
) -> None:
    assert Coupon(percent=percent).off(price) == Money(off, price.currency)


def test_a_fixed_amount_takes_off_no_more_than_there_is(session: Session, course: Course) -> None:
    make_coupon(session, course, amount=Money(500, "usd"))
    make_coupon(session, course, "ALLOFIT", amount=Money(100_000, "usd"))

    assert promotions.offer(session, None, course, "bread20").total == Money(4400, "usd")
    assert promotions.offer(session, None, course, "ALLOFIT").is_free


def test_a_code_is_read_in_any_case_and_with_blanks_around_it(
    session: Session, course: Course
) -> None:
    make_coupon(session, course)

    assert promotions.offer(session, None, course, " brEAD20 ").words == "20 % off"


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"code": "OTHER"}, "no such code"),
        ({"ended_at": clock.now()}, "expired"),
        ({"ends_at": clock.now() - DAY}, "expired"),
        ({"starts_at": clock.now() + DAY}, "good from"),
        ({"most_uses": 3, "uses": 3}, "used up"),
        ({"amount_minor": 500, "amount_currency": "eur", "percent": None}, "for prices in EUR"),
        ({"percent": 99}, "smallest charge"),
    ],
)
def test_a_refused_code_says_why(
    session: Session, course: Course, changes: dict[str, object], why: str
) -> None:
    course.price = Money(4900, "usd") if changes.get("percent") != 99 else Money(2000, "usd")
    columns = {"code": "BREAD20", "percent": 20, "amount": None} | changes
    fixed = columns.pop("amount_minor", None), columns.pop("amount_currency", None)
    amount = Money(fixed[0], str(fixed[1])) if isinstance(fixed[0], int) else None
    make_coupon(session, course, **(columns | {"amount": amount}))  # type: ignore[arg-type]  # a table of them

    with pytest.raises(CodeRefused, match=why):
        promotions.offer(session, None, course, "BREAD20")
    assert why in promotions.answer(session, course.id, None, "BREAD20").refusal


def test_a_code_is_for_its_course_or_its_instructor_or_for_all(
    session: Session, course: Course
) -> None:
    sibling = make_course(session, "More bread", instructor=course.instructor, published=True)
    strange = make_published(session, "Stones")
    make_coupon(session, course, "ONE")
    make_coupon(session, course, "MINE", course_id=None)
    make_coupon(session, course, "ALL", course_id=None, instructor_id=None)

    def good(code: str) -> list[bool]:
        answers = [
            promotions.answer(session, one.id, None, code) for one in (course, sibling, strange)
        ]
        return [answer.offer is not None for answer in answers]

    assert (good("ONE"), good("MINE"), good("ALL")) == (
        [True, False, False],
        [True, True, False],
        [True, True, True],
    )
    assert "another course" in promotions.answer(session, sibling.id, None, "ONE").refusal
    assert "another instructor" in promotions.answer(session, strange.id, None, "MINE").refusal


@pytest.mark.parametrize(
    "code",
    [text for text in BAD_TEXT if text.strip()],
    ids=range(len([text for text in BAD_TEXT if text.strip()])),
)
def test_what_cannot_be_a_code_is_an_unknown_one(
    session: Session, course: Course, key: str, code: str
) -> None:
    assert promotions.answer(session, course.id, None, code).refusal == promotions.UNKNOWN
    with pytest.raises(CodeRefused):
        checkout.start(key, course.slug, code)


def test_the_till_asks_for_what_the_course_page_showed(
    session: Session, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course)

    checkout.start(key, course.slug, "bread20")

    order = only_order(session)
    assert (order.price, order.discount_minor) == (Money(4900, "usd"), 980)
    row = session.scalars(select(SandboxSession)).one()
    shown = sandbox_events.session(row)
    assert (shown["amount_subtotal"], shown["amount_total"]) == (4900, 3920)
    assert uses(session, coupon) == (1, 1)


def test_what_was_paid_with_a_code_opens_the_course(
    session: Session, course: Course, key: str, buyer: User, me: Actor
) -> None:
    make_coupon(session, course)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)
    sale = Sale(buyer, course, order, attempt_of(session, order))

    deliver(session, sale.event())

    payment = session.scalars(select(Payment)).one()
    assert (payment.amount, payment.discount_minor, payment.mismatch) == (
        Money(3920, "usd"),
        980,
        None,
    )
    assert is_learning(session, sale)
    seen = orders.order(session, me, order.public_id)
    assert (seen.discount, seen.total, seen.code) == (
        Money(980, "usd"),
        Money(3920, "usd"),
        "BREAD20",
    )


def test_code_discount_and_what_went_back_stand_wherever_the_order_does(
    session: Session, course: Course, key: str, buyer: User, me: Actor
) -> None:
    """In the buyer's list, in the seller's spreadsheet, and in what the buyer takes along."""
    proven = fresh(buyer)
    make_coupon(session, course)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)
    sale = Sale(buyer, course, order, attempt_of(session, order))
    deliver(session, sale.event(), refund_event(sale, 1000), refund_event(sale, 500, name="2"))

    (mine,) = orders.mine(session, me)
    today = spans.usual(clock.now().date())
    listed = sale_list.page(session, today, sale_list.Wish("", sale_list.ALL), [], None).rows
    (taken,) = next(
        table.rows for table in my_data.tables(session, proven) if table.name == "orders"
    )

    assert (mine.total.words(), mine.refunded.words()) == ("$39.20", "$15")
    assert "BREAD20,USD,49.00,9.80,39.20,0.00,15.00" in sale_table.lines(listed)
    assert taken[-4:] == ("BREAD20", "$9.80", "$0", "$15")


def test_a_discount_that_the_order_does_not_know_gives_nothing(
    session: Session, course: Course, key: str, buyer: User
) -> None:
    make_coupon(session, course)
    checkout.start(key, course.slug)
    order = only_order(session)
    sale = Sale(buyer, course, order, attempt_of(session, order))
    details = {"amount_discount": 980, "amount_shipping": 0, "amount_tax": 0}

    deliver(session, sale.event(amount_total=3920, total_details=details))

    assert order.status is OrderStatus.NEEDS_REVIEW
    assert not is_learning(session, sale)


def test_twice_pressed_takes_one_use(session: Session, course: Course, key: str) -> None:
    coupon = make_coupon(session, course, most_uses=1)

    first, second = (checkout.start(key, course.slug, "BREAD20") for _ in range(2))

    assert first == second
    assert uses(session, coupon) == (1, 1)


def test_who_comes_back_from_the_till_still_sees_the_price_there(
    session: Session, course: Course, key: str, buyer: User
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    checkout.start(key, course.slug, "BREAD20")
    coupon.end(clock.now())
    session.flush()

    shown = promotions.answer(session, course.id, buyer.id, "bread20").offer

    assert shown is not None
    assert shown.total == Money(3920, "usd")
    assert promotions.answer(session, course.id, None, "bread20").refusal == promotions.ENDED


def test_a_code_is_good_once_for_each_buyer(
    session: Session, course: Course, key: str, buyer: User
) -> None:
    other = make_course(session, "More bread", instructor=course.instructor, published=True)
    coupon = make_coupon(session, course, course_id=None)
    checkout.start(key, course.slug, "BREAD20")

    with pytest.raises(CodeRefused, match="already"):
        checkout.start(key, other.slug, "BREAD20")

    assert uses(session, coupon) == (1, 1)
    assert promotions.answer(session, other.id, make_user(session).id, "BREAD20").offer


@pytest.mark.parametrize(("first", "then"), [("", "BREAD20"), ("BREAD20", ""), ("BREAD20", "TWO")])
def test_an_order_open_at_another_discount_is_closed_first(
    session: Session, course: Course, key: str, first: str, then: str
) -> None:
    coupon = make_coupon(session, course)
    make_coupon(session, course, "TWO", percent=20)
    before = checkout.start(key, course.slug, first)

    after = checkout.start(key, course.slug, then)

    assert before != after
    old, new = session.scalars(select(Order).order_by(Order.id)).all()
    assert (old.status, new.status) == (OrderStatus.EXPIRED, OrderStatus.OPEN)
    assert new.discount_minor == (980 if then else 0)
    assert uses(session, coupon)[0] == (1 if then == "BREAD20" else 0)


def end(coupon: Coupon) -> None:
    coupon.end(clock.now())


def run_out(coupon: Coupon) -> None:
    coupon.ends_at = clock.now()


def fill(coupon: Coupon) -> None:
    coupon.most_uses = 1


@pytest.mark.parametrize("change", [end, run_out, fill])
def test_what_was_shown_is_honoured_whatever_became_of_the_code(
    session: Session, course: Course, key: str, buyer: User, change: Callable[[Coupon], None]
) -> None:
    coupon = make_coupon(session, course)
    till = checkout.start(key, course.slug, "BREAD20")

    change(coupon)
    session.flush()

    assert checkout.start(key, course.slug, "BREAD20") == till
    order = only_order(session)
    sale = Sale(buyer, course, order, attempt_of(session, order))
    deliver(session, sale.event())
    assert order.status is OrderStatus.PAID
    assert uses(session, coupon) == (1, 1)
    with pytest.raises(CodeRefused):
        checkout.start(signed_in(session, make_user(session).id), course.slug, "BREAD20")


def test_a_use_comes_back_when_the_visit_expires(
    session: Session, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)

    deliver(session, event_body(attempt_of(session, order), EXPIRED, "unpaid"))

    assert order.status is OrderStatus.EXPIRED
    assert uses(session, coupon) == (0, 0)
    checkout.start(key, course.slug, "BREAD20")
    assert uses(session, coupon) == (1, 1)


def test_a_use_comes_back_when_the_gateway_refuses(
    session: Session, course: Course, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    checkout.start(key, course.slug)
    checkout.close(only_order(session).id)

    def refuse(*_: object) -> None:
        raise gateways.protocol.GatewayRefused

    monkeypatch.setattr(sandbox, "open_checkout", refuse)
    with pytest.raises(gateways.protocol.GatewayRefused):
        checkout.start(key, course.slug, "BREAD20")

    assert uses(session, coupon) == (0, 0)


@pytest.mark.parametrize("turned", [False, True])
def test_expired_and_paid_end_the_same_in_either_order(
    session: Session, course: Course, key: str, turned: bool
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)
    attempt = attempt_of(session, order)
    bodies = [event_body(attempt, EXPIRED, "unpaid"), event_body(attempt, COMPLETED, "paid")]

    for body in reversed(bodies) if turned else bodies:
        deliver(session, body)

    assert order.status is OrderStatus.PAID
    assert uses(session, coupon) == (1, 1)


def test_money_after_the_last_use_went_to_somebody_else_is_honoured_all_the_same(
    session: Session, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)
    attempt = attempt_of(session, order)
    deliver(session, event_body(attempt, EXPIRED, "unpaid"))
    checkout.start(signed_in(session, make_user(session).id), course.slug, "BREAD20")

    deliver(session, event_body(attempt, COMPLETED, "paid"))

    session.refresh(order)
    assert order.status is OrderStatus.PAID
    assert uses(session, coupon) == (1, 1)


def test_a_refund_gives_no_use_back(session: Session, course: Course, buyer: User) -> None:
    coupon = make_coupon(session, course, uses=1)
    order = make_order(session, buyer, course, discount_minor=980)
    session.add(
        CouponUse(coupon_id=coupon.id, order_id=order.id, buyer_id=buyer.id, claimed_at=clock.now())
    )
    make_attempt(session, order).note(AttemptStatus.OPEN)
    session.flush()
    order.settle(OrderStatus.REFUNDED, clock.now())

    promotions.settle(session, order)

    assert uses(session, coupon) == (1, 1)


def test_a_hundred_percent_open_the_course_without_a_gateway(
    session: Session,
    course: Course,
    key: str,
    buyer: User,
    me: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coupon = make_coupon(session, course, percent=100, most_uses=1)
    monkeypatch.setattr(sandbox, "is_set_up", lambda: False)

    address = checkout.start(key, course.slug, "BREAD20")

    assert address.startswith(f"/learn/{course.slug}/les_")
    order = only_order(session)
    payment = session.scalars(select(Payment)).one()
    assert (order.status, order.discount_minor, order.review_reason) == (
        OrderStatus.PAID,
        4900,
        None,
    )
    assert (payment.session_id, payment.amount) == (f"free:{order.public_id}", Money(0, "usd"))
    assert session.scalars(select(CheckoutAttempt)).all() == []
    assert is_learning(session, Sale(buyer, course, order, CheckoutAttempt()))
    assert uses(session, coupon) == (1, 1)
    assert refunds.promise(session, me, order.public_id).until is None
    steps = [step.what for step in timeline.of(session, me, order.public_id).steps]
    assert steps[:4] == ["Checkout opened", "Paid", "No gateway needed", "Access granted"]


def test_the_last_free_use_goes_once_and_leaves_no_order_behind(
    session: Session, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course, percent=100, most_uses=1)
    checkout.start(key, course.slug, "BREAD20")
    late = signed_in(session, make_user(session).id)

    with pytest.raises(CodeRefused, match="used up"):
        checkout.start(late, course.slug, "BREAD20")

    assert uses(session, coupon) == (1, 1)
    assert only_order(session).status is OrderStatus.PAID


def test_deriving_again_changes_no_count(session: Session, course: Course, key: str) -> None:
    coupon = make_coupon(session, course)
    checkout.start(key, course.slug, "BREAD20")
    order = only_order(session)
    checkout.close(order.id)

    for _ in range(3):
        access.derive(session, access.locked(session, order.id))

    assert uses(session, coupon) == (0, 0)
