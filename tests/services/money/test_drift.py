"""What somebody changes at the gateway: selling stops, people are told, one press puts it right."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payment import GatewayProduct, StripeEvent
from luma.services import clock, gateways, landing
from luma.services.gateways import sandbox_events, sandbox_prices, signatures
from luma.services.money import catalogue_sync, checkout, drift, inbox
from luma.services.policies import Actor
from luma.values import Drift, EventStatus, Money, OrderStatus, Role
from tests.factories import make_published, make_user, signed_in
from tests.selling import deliver, from_stripe, is_learning, open_sale
from tests.standins import contract
from tests.standins.running import StripeStandIn


@pytest.fixture
def course(session: Session, account: StripeStandIn) -> Course:
    """On sale, and known to Stripe."""
    course = make_published(session)
    catalogue_sync.sync(course.id)
    return course


@pytest.fixture
def key(session: Session) -> str:
    return signed_in(session, make_user(session).id)


def known(session: Session) -> GatewayProduct:
    session.expire_all()
    return session.query(GatewayProduct).one()


def hears(session: Session, kind: str, thing: dict[str, Any], asked_by: str | None = None) -> str:
    """An event from Stripe arrives and is applied; what it defers is done. Returns its id."""
    body = json.loads(sandbox_events.event(kind, thing, clock.now()))
    body["id"] = body["id"].replace("evt_sbx_", "evt_")
    body["request"] = {"id": "req_1", "idempotency_key": asked_by}
    assert contract.event_faults(body) == []
    event = from_stripe(signatures.read(json.dumps(body).encode(), "push"))
    inbox.receive(session, [event])
    row = session.scalars(select(StripeEvent).where(StripeEvent.event_id == event.event_id)).one()
    inbox.apply([row.id])
    for (course_id,) in jobs(session, drift.LOOK):
        drift.look(course_id)
    return event.event_id


def jobs(session: Session, task: str) -> list[tuple[int]]:
    """Take what waits of a task out of the queue: the ids in it."""
    asked = text(
        "DELETE FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'"
        " RETURNING coalesce(args->>'course_id', args->>'order_id')::bigint"
    )
    return [(number,) for (number,) in session.execute(asked.bindparams(task=task))]


def letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).where(Letter.kind == "buying-paused")))


def edit(account: StripeStandIn, prefix: str, **fields: object) -> dict[str, Any]:
    """In Stripe's dashboard. Returns the thing as it is then."""
    name = account.all(prefix)[-1]["id"]
    account.changes(name, **fields)
    return account.all(prefix)[-1]


CASES = [
    ("prod", "product.updated", {"active": False}, Drift.PRODUCT_ARCHIVED),
    ("price", "price.updated", {"active": False}, Drift.PRICE_ARCHIVED),
    ("price", "price.updated", {"unit_amount": 100}, Drift.PRICE_CHANGED),
    (
        "price",
        "price.updated",
        {"currency_options": {"eur": {"unit_amount": 9}, "usd": {"unit_amount": 4900}}},
        Drift.PRICE_CHANGED,
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_what_is_changed_in_the_dashboard_is_not_sold_until_it_is_put_right(
    session: Session,
    account: StripeStandIn,
    course: Course,
    key: str,
    case: tuple[str, str, dict[str, object], Drift],
) -> None:
    prefix, kind, change, why = case
    edit(account, prefix, **change)
    hears(session, kind, {**contract.example(kind.partition(".")[0]), **_ids(account, prefix)})

    assert known(session).drift is why
    assert landing.course_page(session, course.slug)[0].is_paused
    with pytest.raises(RuleBroken, match="paused"):
        checkout.start(key, course.slug)
    assert not account.all("cs")

    said = drift.mend(signed_in(session, course.instructor_id), course.public_id)

    assert said == f"“{course.title}” can be bought again."
    assert not landing.course_page(session, course.slug)[0].is_paused
    assert checkout.start(key, course.slug) == account.all("cs")[0]["url"]
    price = account.all("price")[-1]
    assert (price["active"], price["unit_amount"]) == (True, 4900)
    assert account.all("prod")[-1]["active"]
    drift.look(course.id)
    assert known(session).drift is None


def _ids(account: StripeStandIn, prefix: str) -> dict[str, object]:
    thing = account.all(prefix)[-1]
    return {"id": thing["id"]} | ({"product": thing["product"]} if "product" in thing else {})


def test_who_can_mend_it_is_told_once(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    admin = make_user(session, roles=(Role.ADMIN,))
    thing = edit(account, "price", active=False)

    for _ in range(3):
        hears(session, "price.updated", thing)

    assert {letter.user_id for letter in letters(session)} == {course.instructor_id, admin.id}
    assert len(letters(session)) == 2
    assert "its price was archived" in letters(session)[0].text


def test_whoever_is_on_the_way_to_pay_is_stopped_and_who_has_paid_is_served(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    checkout.start(key, course.slug)
    order = session.query(Order).one()

    hears(session, "price.updated", edit(account, "price", active=False))

    ((closed,),) = jobs(session, "checkout.close")
    assert closed == order.id
    checkout.close(closed)
    assert session.get_one(Order, closed, populate_existing=True).status is OrderStatus.EXPIRED
    assert account.all("cs")[0]["status"] == "expired"


def test_what_was_paid_before_the_price_went_is_honoured(session: Session) -> None:
    sale = open_sale(session)
    row = GatewayProduct(
        course_id=sale.course.id,
        gateway="sandbox",
        product_id="prod_sbx_1",
        name=sale.course.title,
        description="",
        price_id="price_sbx_1",
        price_minor=4900,
        price_currency="usd",
        synced_at=clock.now(),
    )
    session.add(row)
    row.pause(Drift.PRICE_ARCHIVED, clock.now())

    deliver(session, sale.event())

    assert is_learning(session, sale)
    assert sale.order.status is OrderStatus.PAID


def test_our_own_echo_is_not_looked_at(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    asked = len(account.requests)

    hears(session, "product.updated", account.all("prod")[0], asked_by="luma:stripe:rename:1:2")

    assert len(account.requests) == asked


def test_what_is_put_back_in_the_dashboard_is_sold_again(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    hears(session, "price.updated", edit(account, "price", active=False))
    hears(session, "price.updated", edit(account, "price", active=True))

    assert known(session).drift is None


def test_events_in_any_order_end_with_what_is_there(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    """The archiving is told after the putting back, and changes nothing."""
    archived = edit(account, "price", active=False)
    there = edit(account, "price", active=True)

    hears(session, "price.updated", there)
    hears(session, "price.updated", archived)

    assert known(session).drift is None


def test_a_deleted_product_is_made_anew_by_the_same_press(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    (thing,) = account.all("prod")
    gone = {"livemode": True}  # as good as deleted: this account does not find it
    account.changes(thing["id"], **gone)
    hears(session, "product.deleted", thing)
    assert known(session).drift is Drift.PRODUCT_DELETED

    drift.mend(signed_in(session, course.instructor_id), course.public_id)

    assert known(session).product_id != thing["id"]
    assert checkout.start(key, course.slug)


def test_an_edited_name_is_written_again(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    hears(session, "product.updated", edit(account, "prod", name="Buy gold"))
    ((course_id,),) = jobs(session, "catalogue.sync")
    catalogue_sync.sync(course_id)

    assert account.all("prod")[0]["name"] == course.title
    assert known(session).drift is None


def test_another_shops_product_is_none_of_ours(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    event = hears(session, "product.updated", contract.example("product"))

    row = session.scalars(select(StripeEvent).where(StripeEvent.event_id == event)).one()
    assert (row.status, jobs(session, drift.LOOK)) == (EventStatus.DONE, [])


def test_a_buyer_who_comes_before_the_event_is_told_the_same(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    edit(account, "price", active=False)

    with pytest.raises(RuleBroken, match="paused"):
        checkout.start(key, course.slug)

    assert known(session).drift is Drift.PRICE_ARCHIVED


def test_what_no_event_has_told_is_found_at_night(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    edit(account, "prod", active=False)

    drift.look_at_all(session)
    for (course_id,) in jobs(session, drift.LOOK):
        drift.look(course_id)

    assert known(session).drift is Drift.PRODUCT_ARCHIVED
    assert [one.title for one in drift.paused(session, _admin(session))] == [course.title]


def test_a_draft_is_not_looked_at(session: Session, account: StripeStandIn, course: Course) -> None:
    course.unpublish(clock.now())
    asked = len(account.requests)

    hears(session, "price.updated", account.all("price")[0])
    drift.look_at_all(session)

    assert (len(account.requests), letters(session)) == (asked, [])


def test_nobody_else_mends_it(session: Session, account: StripeStandIn, course: Course) -> None:
    rival = make_user(session, roles=(Role.INSTRUCTOR,))
    hears(session, "price.updated", edit(account, "price", active=False))

    for who in (rival.id, make_user(session).id):
        with pytest.raises(NotFound):
            drift.mend(signed_in(session, who), course.public_id)
    for name in ("", "crs_nothing", "x" * 500, "a\x00b"):
        with pytest.raises(NotFound):
            drift.mend(signed_in(session, course.instructor_id), name)

    assert known(session).drift is Drift.PRICE_ARCHIVED


def test_mending_while_stripe_is_away_is_gone_on_with(
    session: Session, account: StripeStandIn, course: Course, key: str
) -> None:
    hears(session, "price.updated", edit(account, "price", active=False))
    account.fails("reset", "/v1/", times=20)

    with pytest.raises(Exception, match="Try again"):
        drift.mend(signed_in(session, course.instructor_id), course.public_id)

    account.fails("reset", "/v1/", times=0)
    assert jobs(session, "catalogue.sync") == [(course.id,)]
    assert checkout.start(key, course.slug)
    keys = [one["key"] for one in account.requests if one["path"] == "/v1/prices"]
    assert len(account.all("price")) == 2, keys


def test_the_sandbox_knows_archived_prices_too(session: Session) -> None:
    course = make_published(session)
    catalogue_sync.sync(course.id)
    price = known(session).price_id
    assert price is not None
    sandbox_prices.archive(session, price)
    drift.look(course.id)
    assert known(session).drift is Drift.PRICE_ARCHIVED

    drift.mend(signed_in(session, course.instructor_id), course.public_id)

    assert known(session).price_id != price
    drift.look(course.id)
    assert known(session).drift is None
    assert gateways.current().name == "sandbox"


def test_the_price_edited_in_the_studio_waits_for_the_mending(
    session: Session, account: StripeStandIn, course: Course
) -> None:
    hears(session, "price.updated", edit(account, "price", active=False))
    course.price = Money(5900, "usd")
    catalogue_sync.sync(course.id)
    assert len(account.all("price")) == 1

    drift.mend(signed_in(session, course.instructor_id), course.public_id)

    assert account.all("price")[-1]["unit_amount"] == 5900
    assert session.scalar(select(func.count()).select_from(GatewayProduct)) == 1


def _admin(session: Session) -> Actor:
    admin = make_user(session, roles=(Role.ADMIN,))
    return Actor(admin.id, admin.name, admin.email, frozenset({Role.ADMIN}), "", clock.now())
