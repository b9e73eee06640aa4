"""Coupons at Stripe: Checkout shows the amount that LUMA showed, whatever happens in between."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import ServiceDown
from luma.models.coupon import GatewayCoupon
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.services import clock
from luma.services.money import checkout, coupon_sync
from luma.values import Money, OrderStatus
from tests.coupons import make_coupon, uses
from tests.factories import make_published, make_user, signed_in
from tests.standins.running import StripeStandIn


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def key(session: Session) -> str:
    user = make_user(session)
    return signed_in(session, user.id)


def test_a_coupon_and_its_code_are_made_once(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    coupon = make_coupon(session, course)

    for _ in range(2):
        coupon_sync.sync(coupon.id)

    (there,), (promotion,) = account.all("cpn"), account.all("promo")
    assert (there["percent_off"], there["duration"], there["name"]) == (20, "once", "BREAD20")
    assert promotion["promotion"] == {"type": "coupon", "coupon": there["id"]}
    assert (promotion["code"], promotion["active"]) == ("BREAD20", True)


def test_a_fixed_amount_goes_with_its_currency(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    coupon_sync.sync(make_coupon(session, course, amount=Money(550, "usd")).id)

    (there,) = account.all("cpn")
    assert (there["amount_off"], there["currency"]) == (550, "usd")


def test_an_ended_coupon_ends_its_code_there(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    coupon = make_coupon(session, course)
    coupon_sync.sync(coupon.id)
    coupon.end(clock.now())
    session.flush()

    for _ in range(2):
        coupon_sync.sync(coupon.id)

    (promotion,) = account.all("promo")
    assert promotion["active"] is False
    ends = [one for one in account.requests if one["path"].endswith(promotion["id"])]
    assert len(ends) == 1


def test_a_coupon_that_ended_before_it_was_made_there_never_is(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    coupon_sync.sync(make_coupon(session, course, ended_at=clock.now()).id)

    assert account.requests == []


@pytest.mark.parametrize(
    ("deal", "terms"),
    [
        ((4900, 20, 3920), "20%"),
        ((4999, 20, 3999), "1000 usd"),
        ((4990, 15, 4241), "749 usd"),
    ],
)
def test_stripe_shows_the_very_amount(
    session: Session,
    account: StripeStandIn,
    course: Course,
    key: str,
    deal: tuple[int, int, int],
    terms: str,
) -> None:
    """The stand-in rounds shares down: where LUMA had to round, it must not be left to it."""
    minor, percent, total = deal
    course.price = Money(minor, "usd")
    coupon = make_coupon(session, course, percent=percent)
    coupon_sync.sync(coupon.id)

    address = checkout.start(key, course.slug, "BREAD20")

    (there,) = account.all("cs")
    assert there["url"] == address
    assert (there["amount_subtotal"], there["amount_total"]) == (minor, total)
    order = session.scalars(select(Order)).one()
    assert order.discount_minor == there["total_details"]["amount_discount"]
    kept = session.scalars(select(GatewayCoupon.terms)).all()
    assert terms in kept


def test_a_buyer_before_the_job_has_the_coupon_made(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    make_coupon(session, course)

    checkout.start(key, course.slug, "BREAD20")

    (there,) = account.all("cpn")
    (asked,) = [one for one in account.requests if one["path"] == "/v1/checkout/sessions"]
    assert f"discounts[0][coupon]={there['id']}" in asked["form"].replace("%5B", "[").replace(
        "%5D", "]"
    )
    assert "allow_promotion_codes" not in asked["form"]


def test_a_code_that_another_shop_has_keeps_nobody_from_buying(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    first, second = (make_coupon(session, course, code) for code in ("BREAD20", "TWO"))
    coupon_sync.sync(first.id)
    (theirs,) = account.all("promo")
    account.changes(theirs["id"], code="TWO")

    coupon_sync.sync(second.id)
    checkout.start(key, course.slug, "TWO")

    assert len(account.all("promo")) == 1
    assert account.all("cs")[0]["amount_total"] == 3920


def test_a_coupon_that_was_deleted_there_is_made_anew(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    coupon_sync.sync(coupon.id)
    (gone,) = account.all("cpn")
    account.changes(gone["id"], livemode=True)

    checkout.start(key, course.slug, "BREAD20")

    assert len(account.all("cpn")) == 2
    assert account.all("cs")[0]["amount_total"] == 3920
    assert uses(session, coupon) == (1, 1)
    states = session.scalars(select(Order.status).order_by(Order.id)).all()
    assert states == [OrderStatus.FAILED, OrderStatus.OPEN]


def test_while_stripe_is_silent_no_use_is_lost(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    coupon = make_coupon(session, course, most_uses=1)
    account.fails("409", "/v1/checkout", times=9)
    with pytest.raises(ServiceDown):
        checkout.start(key, course.slug, "BREAD20")
    account.fails("409", "/v1/nothing")

    checkout.start(key, course.slug, "BREAD20")

    assert uses(session, coupon) == (1, 1)
    assert len(session.scalars(select(CheckoutAttempt)).all()) == 1
