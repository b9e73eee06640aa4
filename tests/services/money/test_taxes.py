"""Tax that Stripe counts: inside a price or on top of it, and the receipt that says so."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.order import Order
from luma.models.payment import GatewayProduct, Payment, StripeEvent
from luma.services import clock, studio
from luma.services.gateways import sandbox_events
from luma.services.money import catalogue_sync, checkout, orders, receipts, taxes
from luma.settings import Settings, settings
from luma.values import EventStatus, Money, OrderStatus
from tests.factories import actor, make_course, make_published, make_user, signed_in
from tests.ledgers import refunded
from tests.selling import Sale, deliver, open_sale
from tests.standins.running import StripeStandIn


@pytest.fixture
def taxed(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The switch is on, prices have the tax inside unless a test says otherwise."""
    monkeypatch.setattr(settings(), "stripe_tax", True)
    return settings()


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


def amounts(subtotal: int, tax: int, total: int, discount: int = 0) -> dict[str, Any]:
    parts = {"amount_discount": discount, "amount_shipping": 0, "amount_tax": tax}
    return {"amount_subtotal": subtotal, "amount_total": total, "total_details": parts}


@pytest.mark.parametrize(
    ("behavior", "said", "status"),
    [
        ("inclusive", amounts(4900, 782, 4900), OrderStatus.PAID),
        ("exclusive", amounts(4900, 931, 5831), OrderStatus.PAID),
        (None, amounts(4900, 782, 4900), OrderStatus.PAID),
        (None, amounts(4900, 931, 5831), OrderStatus.PAID),
        ("inclusive", amounts(4900, 0, 4900), OrderStatus.PAID),
        ("exclusive", amounts(4900, 0, 4900), OrderStatus.PAID),
        ("inclusive", amounts(4900, 931, 5831), OrderStatus.NEEDS_REVIEW),
        ("exclusive", amounts(4900, 782, 4900), OrderStatus.NEEDS_REVIEW),
        ("exclusive", amounts(4900, 931, 5830), OrderStatus.NEEDS_REVIEW),
        ("inclusive", amounts(4900, -931, 3969), OrderStatus.NEEDS_REVIEW),
    ],
)
def test_tax_is_inside_the_price_or_on_top_of_it_as_the_order_says(
    session: Session, sale: Sale, behavior: str, said: dict[str, Any], status: OrderStatus
) -> None:
    sale.order.tax_behavior = behavior
    session.flush()

    deliver(session, sale.event(**said))

    assert session.get_one(Order, sale.order.id).status is status


@pytest.mark.parametrize(
    ("said", "tax", "is_inside"),
    [(amounts(4900, 782, 4900), 782, True), (amounts(4900, 931, 5831), 931, False)],
)
def test_the_receipt_says_what_of_it_is_tax(
    session: Session, sale: Sale, said: dict[str, Any], tax: int, is_inside: bool
) -> None:
    mine = actor(sale.buyer)
    deliver(session, sale.event(**said))
    payment = session.query(Payment).one()
    refunded(session, payment, 400, clock.now())

    found = receipts.receipt(session, mine, sale.order.public_id)

    assert (found.tax, found.tax_is_inside) == (Money(tax, "usd"), is_inside)
    assert (found.total, found.refunded) == (payment.amount, Money(400, "usd"))
    assert (found.price, found.is_test, found.document) == (Money(4900, "usd"), True, None)


def test_a_receipt_is_the_buyers_alone_and_there_once_money_is(
    session: Session, sale: Sale
) -> None:
    mine, name = actor(sale.buyer), sale.order.public_id
    with pytest.raises(NotFound):
        receipts.receipt(session, mine, name)
    assert orders.order(session, mine, name).receipt_address is None

    deliver(session, sale.event())

    assert receipts.receipt(session, mine, name).order == name
    assert orders.order(session, mine, name).receipt_address == orders.receipt_address(name)
    teacher = make_user(session)
    for stranger in (actor(teacher), actor(make_user(session))):
        with pytest.raises(NotFound):
            receipts.receipt(session, stranger, name)
    for odd in ("", "ord_", "ord_\0", "../etc", name.upper()):
        with pytest.raises(NotFound):
            receipts.receipt(session, mine, odd)


def invoice_paid(order: str | None, **changes: object) -> str:
    thing: dict[str, object] = {
        "id": "in_1",
        "object": "invoice",
        "metadata": {"order_id": order} if order else {},
        "hosted_invoice_url": "https://invoice.stripe.com/i/1",
    }
    return sandbox_events.event("invoice.paid", thing | changes, clock.now())


@pytest.mark.parametrize("is_first", [True, False])
def test_an_invoice_is_shown_on_the_receipt_whenever_it_is_heard_of(
    session: Session, sale: Sale, is_first: bool
) -> None:
    events = [sale.event(invoice="in_1"), invoice_paid(sale.order.public_id)]

    mine = actor(sale.buyer)

    deliver(session, *(reversed(events) if is_first else events))

    found = receipts.receipt(session, mine, sale.order.public_id)
    assert (found.document, found.is_invoice) == ("https://invoice.stripe.com/i/1", True)


@pytest.mark.parametrize("address", [None, "javascript:alert(1)", "http://x.example", 7])
def test_what_is_no_safe_address_is_no_link(session: Session, sale: Sale, address: object) -> None:
    odd = invoice_paid(sale.order.public_id, hosted_invoice_url=address)
    mine = actor(sale.buyer)

    deliver(session, sale.event(invoice="in_1"), odd)

    assert receipts.receipt(session, mine, sale.order.public_id).document is None


def test_an_invoice_of_another_shop_is_done_with(session: Session) -> None:
    deliver(session, invoice_paid(None))

    assert session.query(StripeEvent).one().status is EventStatus.DONE


def test_stripe_is_told_about_tax_where_it_is_counted(
    session: Session, account: StripeStandIn, taxed: Settings
) -> None:
    course = make_published(session)
    course.tax_code, course.tax_behavior = "txcd_20060158", "exclusive"
    session.flush()
    buyer = make_user(session)
    key = signed_in(session, buyer.id)

    checkout.start(key, course.slug)

    (product,), (price,) = account.all("prod"), account.all("price")
    assert (product["tax_code"], price["tax_behavior"]) == ("txcd_20060158", "exclusive")
    order = session.query(Order).one()
    form = account.requests[-1]["form"]
    assert "automatic_tax[enabled]=true" in form.lower()
    assert "tax_id_collection[enabled]=true" in form.lower()
    assert f"invoice_creation[invoice_data][metadata][order_id]={order.public_id}" in form
    assert account.misfits == []
    assert order.tax_behavior == "exclusive"


def test_without_the_switch_nothing_is_said_about_tax(
    session: Session, account: StripeStandIn
) -> None:
    course = make_published(session)
    course.tax_behavior = "exclusive"
    session.flush()

    catalogue_sync.sync(course.id)

    (product,), (price,) = account.all("prod"), account.all("price")
    assert not product.get("tax_code")
    assert price.get("tax_behavior", "unspecified") == "unspecified"
    assert taxes.beside_price(session, course.id) == ""


def test_switched_on_later_a_price_is_made_that_says_it(
    session: Session, account: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_published(session)
    catalogue_sync.sync(course.id)
    (before,) = account.all("price")
    monkeypatch.setattr(settings(), "stripe_tax", True)

    catalogue_sync.sync(course.id)
    catalogue_sync.sync(course.id)

    prices = account.all("price")
    assert [price["tax_behavior"] for price in prices if price["id"] != before["id"]] == [
        "inclusive"
    ]
    session.expire_all()
    known = session.query(GatewayProduct).one()
    assert (known.tax_behavior, known.tax_code) == ("inclusive", settings().tax_code)


def test_the_first_publication_fixes_how_tax_counts(
    session: Session, taxed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(session)
    teacher = actor(course.instructor)
    studio.publish(session, teacher, course.public_id)
    monkeypatch.setattr(settings(), "tax_behavior", "exclusive")
    studio.unpublish(session, teacher, course.public_id)

    studio.publish(session, teacher, course.public_id)

    assert (course.tax_behavior, taxes.behavior(course)) == ("inclusive", "inclusive")


@pytest.mark.parametrize(
    ("behavior", "words"), [("inclusive", "incl. VAT"), ("exclusive", "plus tax")]
)
def test_the_course_page_says_how_tax_counts(
    session: Session, taxed: Settings, behavior: str, words: str
) -> None:
    course = make_published(session)
    course.tax_behavior = behavior

    assert taxes.beside_price(session, course.id) == words
    course.price = Money(0, "usd")
    assert taxes.beside_price(session, course.id) == ""


@pytest.mark.parametrize("code", ["", "txcd_1", "txcd_99999999"])
def test_only_kinds_that_a_course_can_be_are_taken(code: str) -> None:
    with pytest.raises(ValueError, match="txcd_10000000"):
        Settings(tax_code=code)
