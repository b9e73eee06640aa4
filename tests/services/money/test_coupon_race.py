"""Fifty buyers reach for the last use of a coupon at once, two hundred times: never over."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from luma import db
from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Course
from luma.models.order import Order
from luma.services.money import promotions
from luma.services.money.promotions import CodeRefused, Offer
from luma.values import OrderStatus
from tests.coupons import make_coupon
from tests.factories import make_published, make_user
from tests.selling import make_order

BUYERS = 50
ROUNDS = 200
LIMIT = 7


def _opened(course_id: int, buyer_id: int, order_id: int) -> bool:
    """One transaction, as the one that opens an order: the offer is looked at, then claimed."""
    try:
        with db.unit_of_work() as session:
            course = session.get_one(Course, course_id)
            given = promotions.offer(session, buyer_id, course, "LAST")
            promotions.claim(session, session.get_one(Order, order_id), given)
    except CodeRefused:
        return False
    return True


def _claimed(order: Order, given: Offer) -> bool:
    """What was looked at a moment ago is claimed now."""
    try:
        with db.unit_of_work() as session:
            promotions.claim(session, order, given)
    except CodeRefused:
        return False
    return True


@pytest.mark.usefixtures("fresh_database")
def test_of_fifty_buyers_at_once_the_last_use_goes_to_one_in_two_hundred_rounds() -> None:
    """All fifty have seen that there is one left before the first of them takes it."""
    with db.unit_of_work() as session:
        course = make_published(session)
        coupon = make_coupon(session, course, "LAST", most_uses=1).id
        orders = [
            make_order(session, make_user(session), course, discount_minor=980)
            for _ in range(BUYERS)
        ]
        given = promotions.offer(session, None, course, "LAST")
    winners: list[int] = []
    with ThreadPoolExecutor(BUYERS) as threads:
        for _ in range(ROUNDS):
            start = Barrier(BUYERS)

            def reach(order: Order, start: Barrier = start) -> bool:
                start.wait(30)
                return _claimed(order, given)

            winners.append(sum(threads.map(reach, orders)))
            _start_over(coupon)

    assert winners == [1] * ROUNDS


@pytest.mark.usefixtures("fresh_database")
def test_seven_uses_go_to_seven_and_what_comes_back_goes_to_one_more() -> None:
    with db.unit_of_work() as session:
        course = make_published(session)
        coupon = make_coupon(session, course, "LAST", most_uses=LIMIT).id
        buyers = [make_user(session) for _ in range(BUYERS)]
        course_id, people = course.id, [buyer.id for buyer in buyers]
        orders = [make_order(session, person, course, discount_minor=980).id for person in buyers]
    pairs = list(zip(people, orders, strict=True))
    with ThreadPoolExecutor(BUYERS) as threads:
        won = list(threads.map(lambda pair: _opened(course_id, *pair), pairs))
        lucky = orders[won.index(True)]
        with db.unit_of_work() as session:
            order = session.get_one(Order, lucky)
            order.settle(OrderStatus.EXPIRED, order.created_at)
            promotions.settle(session, order)
        unlucky = [pair for pair, had in zip(pairs, won, strict=True) if not had]
        again = list(threads.map(lambda pair: _opened(course_id, *pair), unlucky))

    assert (sum(won), sum(again)) == (LIMIT, 1)
    with db.unit_of_work() as session:
        held = select(func.count()).where(CouponUse.released_at.is_(None))
        assert (session.get_one(Coupon, coupon).uses, session.scalar(held)) == (LIMIT, LIMIT)


def _start_over(coupon: int) -> None:
    """Give the one use back, after looking that it is one."""
    with db.unit_of_work() as session:
        held = session.scalars(select(CouponUse)).all()
        assert (session.get_one(Coupon, coupon).uses, len(held)) == (1, 1)
        session.delete(held[0])
        session.execute(update(Coupon).values(uses=0))
