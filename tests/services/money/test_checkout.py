"""An order at the price of the day, one page to pay at, and never the same course twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound, RuleBroken, ServiceDown, SignInNeeded
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import GatewayProduct, SandboxSession
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox
from luma.services.gateways.protocol import GatewayDown, GatewayRefused
from luma.services.money import access, checkout, orders
from luma.settings import settings
from luma.values import AttemptStatus, EnrolmentSource, Money, OrderStatus
from tests.factories import actor, enrol, make_course, make_published, make_user, signed_in
from tests.selling import (
    EXPIRED,
    Sale,
    deliver,
    is_learning,
    make_attempt,
    make_order,
    open_sale,
)


@pytest.fixture
def buyer(session: Session) -> User:
    return make_user(session)


@pytest.fixture
def key(session: Session, buyer: User) -> str:
    return signed_in(session, buyer.id)


@pytest.fixture
def course(session: Session) -> Course:
    return make_published(session)


def only_order(session: Session) -> Order:
    session.expire_all()
    return session.scalars(select(Order)).one()


def count(session: Session, table: type[Order] | type[SandboxSession] | type[Enrolment]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_buyer_is_led_to_the_gateway_with_an_order_at_todays_price(
    session: Session, key: str, course: Course, buyer: User
) -> None:
    address = checkout.start(key, course.slug)

    order = only_order(session)
    assert address.startswith("http://127.0.0.1:8080/sandbox/checkout/cs_sbx_")
    assert (order.status, order.price, order.buyer_id) == (
        OrderStatus.OPEN,
        Money(4900, "usd"),
        buyer.id,
    )
    assert order.fee_bps == 1000


def test_a_second_tab_gets_the_same_page(session: Session, key: str, course: Course) -> None:
    first = checkout.start(key, course.slug)
    second = checkout.start(key, course.slug)

    assert first == second
    assert (count(session, Order), count(session, SandboxSession)) == (1, 1)


def test_the_order_is_there_before_the_gateway_is_asked(
    session: Session, key: str, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def down(*_: object) -> None:
        seen.append(count(session, Order))
        raise GatewayDown

    monkeypatch.setattr(sandbox, "open_checkout", down)

    with pytest.raises(ServiceDown, match="does not answer"):
        checkout.start(key, course.slug)

    assert seen == [1]


def test_a_try_without_an_answer_is_repeated_with_the_same_key(
    session: Session, key: str, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = sandbox.open_checkout
    with monkeypatch.context() as lost:
        lost.setattr(sandbox, "open_checkout", losing_the_answer(ask))
        with pytest.raises(ServiceDown):
            checkout.start(key, course.slug)

    address = checkout.start(key, course.slug)

    assert address.endswith(session.scalars(select(SandboxSession.session_id)).one())


def losing_the_answer(ask: Callable[..., object]) -> Callable[..., None]:
    def asked(*arguments: object) -> None:
        ask(*arguments)
        raise GatewayDown

    return asked


def test_a_refusal_ends_the_order_and_the_next_try_is_a_new_one(
    session: Session, key: str, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise GatewayRefused

    with monkeypatch.context() as refusing:
        refusing.setattr(sandbox, "open_checkout", refuse)
        with pytest.raises(ServiceDown, match="could not do that"):
            checkout.start(key, course.slug)
    ended = only_order(session).status

    checkout.start(key, course.slug)

    assert ended is OrderStatus.FAILED
    assert count(session, Order) == 2


def test_a_page_that_is_almost_over_is_not_shown_again(
    session: Session, key: str, course: Course
) -> None:
    first = checkout.start(key, course.slug)
    session.scalars(select(CheckoutAttempt)).one().expires_at = clock.now() + timedelta(seconds=5)

    second = checkout.start(key, course.slug)

    assert first != second
    assert count(session, Order) == 1


def test_a_new_price_closes_the_open_order_and_opens_another(
    session: Session, key: str, course: Course
) -> None:
    first = checkout.start(key, course.slug)
    course.price = Money(9900, "usd")

    second = checkout.start(key, course.slug)

    session.expire_all()
    found = session.scalars(select(Order).order_by(Order.id)).all()
    assert first != second
    assert [(order.status, order.price.minor) for order in found] == [
        (OrderStatus.EXPIRED, 4900),
        (OrderStatus.OPEN, 9900),
    ]
    closed = session.scalar(
        select(SandboxSession.status).where(SandboxSession.session_id == first.rpartition("/")[2])
    )
    assert closed == "expired"


def test_who_has_just_paid_the_old_price_is_not_asked_again(
    session: Session, key: str, course: Course
) -> None:
    first = checkout.start(key, course.slug)
    sandbox.locked(session, first.rpartition("/")[2]).pay()
    course.price = Money(9900, "usd")

    where = checkout.start(key, course.slug)

    order = only_order(session)
    assert order.status is OrderStatus.PENDING
    assert where == f"/checkout/{order.public_id}"


def test_after_a_visit_expired_the_next_press_opens_a_new_order_and_a_new_page(
    session: Session, key: str, course: Course, buyer: User
) -> None:
    first = checkout.start(key, course.slug)
    order = only_order(session)
    visit = session.scalars(select(CheckoutAttempt)).one()
    deliver(session, Sale(buyer, course, order, visit).event(EXPIRED))

    second = checkout.start(key, course.slug)

    assert first != second
    found = session.scalars(select(Order.status).order_by(Order.id)).all()
    assert found == [OrderStatus.EXPIRED, OrderStatus.OPEN]


def test_a_late_payment_leads_back_to_its_own_page(
    session: Session, key: str, course: Course, buyer: User
) -> None:
    order = make_order(session, buyer, course)
    make_attempt(session, order).note(AttemptStatus.AWAITING)
    access.derive(session, access.locked(session, order.id))

    where = checkout.start(key, course.slug)

    assert where == f"/checkout/{order.public_id}"


def test_an_order_of_the_sandbox_is_closed_once_stripe_is_on(
    session: Session, key: str, course: Course, buyer: User
) -> None:
    order = make_order(session, buyer, course, gateway="stripe")
    make_attempt(session, order, "cs_live_1")

    checkout.start(key, course.slug)

    session.expire_all()
    assert order.status is OrderStatus.EXPIRED
    assert count(session, Order) == 2


def test_a_course_is_not_bought_twice(
    session: Session, key: str, course: Course, buyer: User
) -> None:
    enrol(session, buyer, course)

    with pytest.raises(RuleBroken, match="yours already"):
        checkout.start(key, course.slug)

    assert count(session, Order) == 0


def test_nobody_buys_their_own_course(session: Session) -> None:
    course = make_published(session)

    with pytest.raises(RuleBroken, match="You teach"):
        checkout.start(signed_in(session, course.instructor_id), course.slug)


def test_a_free_course_is_not_bought(session: Session, key: str, course: Course) -> None:
    course.price = Money(0, "usd")

    with pytest.raises(RuleBroken, match="free"):
        checkout.start(key, course.slug)


@pytest.mark.parametrize("slug", ["no-such", "", "\x00", "\ud800", "a" * 5000, "../x", "%27"])
def test_what_is_not_on_sale_is_not_found(session: Session, key: str, slug: str) -> None:
    with pytest.raises(NotFound):
        checkout.start(key, slug)


def test_a_draft_is_not_on_sale(session: Session, key: str) -> None:
    draft = make_course(session)

    with pytest.raises(NotFound):
        checkout.start(key, draft.slug)


def test_a_stranger_is_asked_to_sign_in(session: Session, course: Course) -> None:
    with pytest.raises(SignInNeeded):
        checkout.start(None, course.slug)


def test_without_a_webhook_secret_nobody_is_sent_to_pay(
    session: Session, key: str, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMA_STRIPE_SECRET_KEY", "sk_test_x")
    settings.cache_clear()

    with pytest.raises(ServiceDown, match="not set up"):
        checkout.start(key, course.slug)


def test_a_free_course_enrols_without_an_order(
    session: Session, course: Course, buyer: User
) -> None:
    course.price = Money(0, "usd")

    where = checkout.enrol_free(session, actor(buyer), course.slug)
    checkout.enrol_free(session, actor(buyer), course.slug)

    found = session.scalars(select(Enrolment)).one()
    assert (found.source, found.active) == (EnrolmentSource.FREE, True)
    assert where == f"/learn/{course.slug}/{course.chapters[0].lessons[0].public_id}"
    assert count(session, Order) == 0


def test_what_costs_something_is_not_enrolled_in_for_nothing(
    session: Session, course: Course, buyer: User
) -> None:
    with pytest.raises(RuleBroken, match=r"costs \$49"):
        checkout.enrol_free(session, actor(buyer), course.slug)


def test_a_free_enrolment_outlives_orders(session: Session) -> None:
    sale = open_sale(session)
    access.grant_free(session, sale.buyer.id, sale.course.id)
    sale.attempt.note(AttemptStatus.EXPIRED)

    access.derive(session, access.locked(session, sale.order.id))

    assert sale.order.status is OrderStatus.EXPIRED
    assert is_learning(session, sale)


def test_an_order_is_seen_by_its_buyer_only(session: Session) -> None:
    sale = open_sale(session)
    stranger = make_user(session, "Eve")

    mine = orders.order(session, actor(sale.buyer), sale.order.public_id)

    assert (mine.status, mine.course_title) == (OrderStatus.OPEN, "Bread for beginners")
    for look in (orders.order, orders.status):
        with pytest.raises(NotFound, match="another account"):
            look(session, actor(stranger), sale.order.public_id)
    assert orders.mine(session, actor(stranger)) == []


@pytest.mark.parametrize("public_id", ["", "ord_", "\x00", "ord_\x00", "ord_" + "a" * 99, "1"])
def test_an_id_that_is_none_is_not_found(session: Session, buyer: User, public_id: str) -> None:
    with pytest.raises(NotFound):
        orders.order(session, actor(buyer), public_id)


def test_many_clicks_at_once_open_one_order_and_one_page(fresh_database: str) -> None:
    with db.unit_of_work() as session:
        key = signed_in(session, make_user(session).id)
        slug = make_published(session).slug

    with ThreadPoolExecutor(8) as clicks:
        addresses = set(clicks.map(lambda _: checkout.start(key, slug), range(24)))

    with db.unit_of_work() as session:
        assert (count(session, Order), count(session, SandboxSession)) == (1, 1)
        assert session.scalar(select(func.count()).select_from(GatewayProduct)) == 1
    assert len(addresses) == 1
