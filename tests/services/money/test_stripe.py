"""LUMA against a stand-in for Stripe: what goes over the wire, and what happens when it breaks."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
import stripe as library
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import ServiceDown
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import GatewayOperation, GatewayProduct
from luma.services import clock, gateways
from luma.services.gateways import stripe
from luma.services.gateways.protocol import CheckoutRequest, GatewayDown, GatewayRefused
from luma.services.money import access, catalogue_sync, checkout
from luma.settings import settings
from luma.values import AttemptStatus, Money, OrderStatus
from tests.factories import make_published, make_user, signed_in
from tests.selling import make_attempt, make_order
from tests.standins.running import StripeStandIn


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


@pytest.fixture
def key(session: Session) -> str:
    return signed_in(session, make_user(session).id)


def only_product(session: Session) -> GatewayProduct:
    session.expire_all()
    return session.query(GatewayProduct).one()


def order(session: Session) -> Order:
    session.expire_all()
    return session.query(Order).order_by(Order.id.desc()).first()  # type: ignore[return-value]  # there is one


def test_a_course_on_sale_is_a_product_with_a_price(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    catalogue_sync.sync(course.id)

    (product,), (price,) = account.all("prod"), account.all("price")
    assert (product["name"], product["description"]) == (course.title, course.summary)
    assert (price["unit_amount"], price["currency"], price["product"]) == (
        4900,
        "usd",
        product["id"],
    )
    assert price["lookup_key"] == course.public_id
    assert only_product(session).price_id == price["id"]


def test_what_is_in_step_is_not_asked_about(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    catalogue_sync.sync(course.id)
    asked = len(account.requests)

    catalogue_sync.sync(course.id)

    assert len(account.requests) == asked


def test_a_new_price_replaces_the_old_one(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    for minor in (4900, 5900, 4900):
        course.price = Money(minor, "usd")
        catalogue_sync.sync(course.id)

    prices = account.all("price")
    (product,) = account.all("prod")
    assert [(price["unit_amount"], price["active"]) for price in prices] == [
        (4900, False),
        (5900, False),
        (4900, True),
    ]
    assert [price["lookup_key"] for price in prices] == [None, None, course.public_id]
    assert product["default_price"] == prices[-1]["id"]


def test_a_new_name_reaches_the_product(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    catalogue_sync.sync(course.id)
    course.title, course.summary = "Bread, again", ""

    catalogue_sync.sync(course.id)

    (product,) = account.all("prod")
    assert (product["name"], product["description"]) == ("Bread, again", "")


def test_what_is_free_or_not_on_sale_stays_at_home(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    free = make_published(session)
    free.price = Money(0, "usd")
    course.unpublish(clock.now())

    for one in (free, course):
        catalogue_sync.sync(one.id)

    assert account.requests == []


def test_a_buyer_is_led_to_stripes_page(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    address = checkout.start(key, course.slug)
    again = checkout.start(key, course.slug)

    (opened,) = account.all("cs")
    public_id = order(session).public_id
    assert address == again == opened["url"]
    assert opened["client_reference_id"] == opened["metadata"]["order_id"] == public_id
    assert opened["success_url"] == f"http://127.0.0.1:8080/checkout/{public_id}"
    form = account.requests[-1]["form"]
    assert "payment_method_types" not in form
    assert f"payment_intent_data[metadata][order_id]={public_id}".replace("[", "%5B") in (
        form.replace("[", "%5B").replace("%5D", "]")
    )


@pytest.mark.parametrize("kind", ["reset", "hang", "409", "html"])
@pytest.mark.parametrize("path", ["/v1/products", "/v1/prices", "/v1/checkout"])
def test_a_lost_answer_makes_nothing_twice(
    session: Session, account: StripeStandIn, course: Course, key: str, kind: str, path: str
) -> None:
    """Whether the library tries again or the buyer does, the key is the same."""
    account.fails(kind, path)

    address = until_it_works(key, course.slug)

    (opened,) = account.all("cs")
    assert address == opened["url"]
    assert [len(account.all(kind)) for kind in ("prod", "price")] == [1, 1]


def until_it_works(key: str, slug: str) -> str:
    """A buyer who presses Buy again."""
    for _ in range(3):
        try:
            return checkout.start(key, slug)
        except GatewayDown:
            continue
    raise AssertionError("it never worked")


@pytest.mark.parametrize("path", ["/v1/products", "/v1/prices", "/v1/checkout"])
def test_a_stored_failure_is_asked_anew_with_another_key(
    session: Session, account: StripeStandIn, course: Course, key: str, path: str
) -> None:
    """Stripe repeats a 500 to the same key for a day; the next try must not wait so long."""
    account.fails("500", path)

    with pytest.raises(ServiceDown, match="Try again"):
        checkout.start(key, course.slug)
    address = checkout.start(key, course.slug)

    assert address == account.all("cs")[-1]["url"]
    assert [len(account.all(kind)) for kind in ("prod", "price", "cs")] == [1, 1, 1]


def test_too_many_requests_are_no_answer(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    account.fails("429", "/v1/checkout", times=1)

    with pytest.raises(GatewayDown):
        checkout.start(key, course.slug)

    assert order(session).status is OrderStatus.OPEN
    assert checkout.start(key, course.slug) == account.all("cs")[0]["url"]


def test_a_refusal_is_a_sentence(account: StripeStandIn) -> None:
    with pytest.raises(GatewayRefused, match="could not do that"):
        stripe.open_checkout(request("price_of_nobody"), "a key")


def test_going_live_makes_everything_anew(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    """What was made with a test key is not there for the live one."""
    checkout.start(key, course.slug)
    session.query(CheckoutAttempt).one().expires_at = clock.now()
    account.forget()
    course.title = "Bread, again"

    address = checkout.start(key, course.slug)
    catalogue_sync.sync(course.id)

    assert address == account.all("cs")[0]["url"]
    assert [one["name"] for one in account.all("prod")] == ["Bread, again"]


@pytest.mark.parametrize("answered", [True, False])
def test_a_page_that_a_test_key_opened_is_not_offered_once_keys_are_live(
    session: Session,
    account: StripeStandIn,
    course: Course,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    answered: bool,
) -> None:
    with nullcontext() if answered else pytest.raises(GatewayDown):
        account.fails("409", "/v1/checkout", times=0 if answered else 3)
        checkout.start(key, course.slug)
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_live_x")
    settings.cache_clear()

    address = checkout.start(key, course.slug)

    assert address.startswith("https://checkout.stripe.com/c/pay/cs_live_")
    assert checkout.start(key, course.slug) == address
    found = session.scalars(select(Order.status).order_by(Order.id)).all()
    assert found[-1] is OrderStatus.OPEN
    assert set(found[:-1]) <= {OrderStatus.EXPIRED, OrderStatus.FAILED}


@pytest.mark.parametrize(
    ("modes", "is_sold_anew"),
    [(("test", "live"), True), (("live", "test"), False), (("live", "live"), False)],
)
def test_a_late_payment_is_waited_for_while_it_may_be_real_money(
    session: Session,
    account: StripeStandIn,
    course: Course,
    monkeypatch: pytest.MonkeyPatch,
    modes: tuple[str, str],
    is_sold_anew: bool,
) -> None:
    buyer = make_user(session)
    late = make_order(session, buyer, course, gateway="stripe")
    make_attempt(session, late, f"cs_{modes[0]}_1").note(AttemptStatus.AWAITING)
    access.derive(session, access.locked(session, late.id))
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", f"sk_{modes[1]}_x")
    settings.cache_clear()

    address = checkout.start(signed_in(session, buyer.id), course.slug)

    assert address.startswith("https://checkout.stripe.com") is is_sold_anew
    session.expire_all()
    assert late.status is (OrderStatus.EXPIRED if is_sold_anew else OrderStatus.PENDING)


def test_a_checkout_that_is_not_there_is_closed(account: StripeStandIn) -> None:
    assert stripe.expire_checkout("cs_test_of_another_mode")


def request(price_id: str) -> CheckoutRequest:
    later = int((clock.now() + timedelta(hours=1)).timestamp())
    return CheckoutRequest(
        "ord_1",
        "Bread",
        price_id,
        Money(4900, "usd"),
        "a@example.org",
        "https://s",
        "https://c",
        later,
    )


def test_a_new_price_closes_what_is_open_at_the_old_one(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    checkout.start(key, course.slug)
    course.price = Money(9900, "usd")

    checkout.start(key, course.slug)

    first, second = account.all("cs")
    assert (first["status"], second["status"]) == ("expired", "open")
    assert second["amount_total"] == 9900


def test_who_paid_meanwhile_is_not_closed(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    checkout.start(key, course.slug)
    account.changes(account.all("cs")[0]["id"], status="complete", payment_status="paid")
    course.price = Money(9900, "usd")

    checkout.close(order(session).id)

    assert order(session).status is OrderStatus.PENDING


def test_a_crash_after_the_call_is_healed_by_the_same_key(
    session: Session, account: StripeStandIn, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between Stripe's answer and our commit: the operation is there, its result not."""
    with monkeypatch.context() as crashing:
        crashing.setattr("luma.services.operations.finish", crash)
        with pytest.raises(SystemExit):
            catalogue_sync.sync(course.id)
    begun = session.query(GatewayOperation).one()

    catalogue_sync.sync(course.id)

    session.refresh(begun)
    assert begun.result_id == account.all("prod")[0]["id"]
    assert len(account.all("prod")) == 1


def crash(*_: object) -> None:
    raise SystemExit


def test_nothing_is_sold_while_stripe_is_away(
    session: Session,
    course: Course,
    key: str,
    account: StripeStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_API_BASE", "http://127.0.0.1:1")
    settings.cache_clear()

    with pytest.raises(GatewayDown, match="does not answer"):
        checkout.start(key, course.slug)


def test_the_library_is_quiet_and_patient_enough() -> None:
    client = stripe._client_for("sk_test_x", None)

    assert not library.enable_telemetry
    assert client._requestor._options.max_network_retries == 2
    assert gateways.current().name == "sandbox"
