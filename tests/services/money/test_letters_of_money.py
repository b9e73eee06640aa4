"""Each letter about money is written once, and says what is true, in whatever order facts come."""

import itertools
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from luma.models.letter import Letter
from luma.models.user import UserRole
from luma.services.money import refunds
from luma.values import Money, Role
from tests.factories import make_user
from tests.selling import (
    FAILED_LATE,
    SUCCEEDED_LATE,
    Sale,
    deliver,
    dispute_event,
    is_learning,
    make_attempt,
    open_sale,
    refund_event,
)

Told = Sequence[tuple[str, int]]


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


@pytest.fixture
def admin(session: Session) -> int:
    return make_user(session, "Ada Admin", roles=(Role.ADMIN,)).id


def told(session: Session) -> Told:
    """Kind and addressee of every letter, sorted."""
    session.expire_all()
    rows = session.execute(select(Letter.kind, Letter.user_id))
    return sorted((kind, user_id or 0) for kind, user_id in rows)


def newest(session: Session, kind: str, user_id: int) -> Letter:
    asked = select(Letter).where(Letter.kind == kind, Letter.user_id == user_id)
    return session.scalars(asked.order_by(Letter.id.desc()).limit(1)).one()


def bought(sale: Sale) -> Told:
    buyer, seller = sale.buyer.id, sale.course.instructor_id
    return [("course-open", buyer), ("receipt", buyer), ("sale", seller)]


def test_a_purchase_is_a_receipt_the_way_in_and_a_word_to_the_seller(
    session: Session, sale: Sale, admin: int
) -> None:
    deliver(session, sale.event(), sale.event())

    assert told(session) == sorted(bought(sale))
    receipt = newest(session, "receipt", sale.buyer.id).text
    for words in (
        "Course: Bread for beginners",
        "Price: $49",
        "Total: $49",
        f"/orders/{sale.order.public_id}/receipt",
    ):
        assert words in receipt
    assert "Discount" not in receipt
    assert "Tax" not in receipt


def test_a_receipt_names_discount_and_tax(session: Session, sale: Sale) -> None:
    sale.order.discount_minor = 900
    session.flush()

    details = {"amount_discount": 900, "amount_tax": 760, "amount_shipping": 0}
    deliver(session, sale.event(total_details=details, amount_total=4760))

    receipt = newest(session, "receipt", sale.buyer.id).text
    for words in ("Price: $49", "Discount: -$9", "Tax: $7.60", "Total: $47.60"):
        assert words in receipt


def test_a_payment_that_does_not_fit_is_a_question_to_the_admins(
    session: Session, sale: Sale, admin: int
) -> None:
    deliver(session, sale.event(amount_subtotal=100, amount_total=100))

    wanted = [("payment-review", sale.buyer.id), ("payment-review", admin)]
    assert told(session) == sorted(wanted)
    assert "asked $49" in newest(session, "payment-review", admin).text


def test_a_late_payment_is_pending_first(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(status="unpaid"), sale.event(status="unpaid"))
    pending = told(session)
    deliver(session, sale.event(SUCCEEDED_LATE))

    assert pending == [("payment-pending", sale.buyer.id)]
    assert told(session) == sorted([*pending, *bought(sale)])


def test_nobody_is_told_that_a_payment_is_pending_that_has_arrived(
    session: Session, sale: Sale
) -> None:
    deliver(session, sale.event(SUCCEEDED_LATE), sale.event(status="unpaid"))

    assert told(session) == sorted(bought(sale))


@pytest.mark.parametrize("turned", [False, True])
def test_a_late_payment_that_fails_is_told_once(
    session: Session, sale: Sale, *, turned: bool
) -> None:
    arriving = [sale.event(status="unpaid"), sale.event(FAILED_LATE)]
    deliver(session, *(reversed(arriving) if turned else arriving), *arriving)

    failed = [one for one in told(session) if one[0] == "payment-failed"]
    assert failed == [("payment-failed", sale.buyer.id)]


def test_a_failed_visit_beside_a_paid_one_is_not_told(session: Session, sale: Sale) -> None:
    other = Sale(sale.buyer, sale.course, sale.order, make_attempt(session, sale.order))

    deliver(session, sale.event(), other.event(FAILED_LATE))

    assert told(session) == sorted(bought(sale))


def test_a_refund_says_what_becomes_of_the_course(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), refund_event(sale, 1000, name="part"))
    part = newest(session, "refund", sale.buyer.id).text
    deliver(session, refund_event(sale, 3900, name="rest"))
    rest = newest(session, "refund", sale.buyer.id).text

    assert "$10 for" in part
    assert "open for you" in part
    assert "$39 for" in rest
    assert "closed for you" in rest


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_comes_back_is_told_to_all_whom_it_concerns(
    session: Session, sale: Sale, admin: int, status: str
) -> None:
    deliver(session, sale.event(), refund_event(sale), refund_event(sale, status=status))

    kind = f"refund-{status}"
    came_back = [one for one in told(session) if one[0] == kind]
    everybody = (sale.buyer.id, sale.course.instructor_id, admin)
    assert came_back == sorted((kind, user_id) for user_id in everybody)
    assert "open for you" in newest(session, kind, sale.buyer.id).text


def test_a_refund_asked_anew_after_a_failure_is_told_anew(session: Session, sale: Sale) -> None:
    first = [refund_event(sale, name="1"), refund_event(sale, status="failed", name="1")]
    deliver(session, sale.event(), *first, refund_event(sale, name="2"))

    kinds = Counter(kind for kind, _ in told(session))
    assert (kinds["refund"], kinds["refund-failed"]) == (2, 2)


def test_a_dispute_goes_to_seller_and_admins_and_what_concerns_them_to_the_buyer(
    session: Session, sale: Sale, admin: int
) -> None:
    deliver(session, sale.event(), dispute_event(sale), dispute_event(sale, "won"))

    everybody = (sale.buyer.id, sale.course.instructor_id, admin)
    wanted = [(kind, who) for kind in ("dispute-opened", "dispute-won") for who in everybody]
    assert told(session) == sorted([*bought(sale), *wanted])
    opened = newest(session, "dispute-opened", sale.course.instructor_id)
    assert opened.button_path == f"/studio/sales/{sale.order.public_id}"
    assert "Answer it by" in opened.text
    assert newest(session, "dispute-opened", admin).button_path.startswith("/admin/orders/")


def test_a_banks_question_is_not_the_buyers(session: Session, sale: Sale, admin: int) -> None:
    deliver(session, sale.event(), dispute_event(sale, "warning_needs_response"))

    asked = [one for one in told(session) if one[0] == "inquiry"]
    assert asked == sorted([("inquiry", sale.course.instructor_id), ("inquiry", admin)])


def test_a_seller_who_is_an_admin_gets_one_letter(session: Session, sale: Sale) -> None:
    asked = select(Letter.user_id).where(Letter.kind == "dispute-opened")
    seller = sale.course.instructor_id
    session.add(UserRole(user_id=seller, role=Role.ADMIN))
    deliver(session, sale.event(), dispute_event(sale))

    assert sorted(filter(None, session.scalars(asked))) == sorted([seller, sale.buyer.id])


def test_the_way_in_is_told_once_for_each_purchase(session: Session, sale: Sale) -> None:
    deliver(session, sale.event(), dispute_event(sale), dispute_event(sale, "won"))
    opened = [one for one in told(session) if one[0] == "course-open"]
    deliver(session, refund_event(sale))
    again = open_sale(session, course=sale.course)
    again.order.buyer_id = sale.buyer.id
    session.flush()
    deliver(session, again.event())

    assert opened == [("course-open", sale.buyer.id)]
    assert [kind for kind, _ in told(session)].count("course-open") == 2


def test_whatever_the_order_of_arrival_the_last_word_is_told_once(
    session: Session, sale: Sale, admin: int
) -> None:
    """Of 5,040 orders of seven facts so many that any three come in every order, at least twice.

    Passing states are told at most once, and never late.
    """
    arriving = [
        sale.event(status="unpaid"),
        sale.event(SUCCEEDED_LATE),
        refund_event(sale, 1000, "pending"),
        refund_event(sale, 1000, "succeeded"),
        refund_event(sale, 1000, "failed"),
        dispute_event(sale),
        dispute_event(sale, "won"),
    ]
    buyer, seller = sale.buyer.id, sale.course.instructor_id
    lasting = sorted(
        [*bought(sale)]
        + [
            (kind, who)
            for kind in ("refund-failed", "dispute-won")
            for who in (buyer, seller, admin)
        ]
    )
    passing = {"payment-pending", "refund", "sale-refunded", "dispute-opened"}
    for order_of in every_order_of_three(7, times=2):
        with session.begin_nested() as point:
            deliver(session, *(arriving[number] for number in order_of), arriving[order_of[0]])
            found, learning = told(session), is_learning(session, sale)
            point.rollback()

        assert [one for one in found if one[0] not in passing] == lasting, order_of
        assert max(Counter(found).values()) == 1, order_of
        assert learning


def every_order_of_three(facts: int, times: int) -> list[tuple[int, ...]]:
    """Orders of so many facts in which each three are met in each of their six orders."""
    chance, chosen = random.Random(5), list[tuple[int, ...]]()
    met = dict.fromkeys(itertools.permutations(range(facts), 3), 0)
    while min(met.values()) < times:
        tried = [tuple(chance.sample(range(facts), facts)) for _ in range(50)]
        best = max(
            tried, key=lambda one: sum(met[part] < times for part in itertools.combinations(one, 3))
        )
        chosen.append(best)
        for part in itertools.combinations(best, 3):
            met[part] += 1
    return chosen


def test_a_deleted_letter_is_not_a_reason_to_write_it_again(session: Session, sale: Sale) -> None:
    """Letters are forgotten after three months; events may be pulled again after them."""
    deliver(session, sale.event(), refund_event(sale, 1000))
    session.execute(delete(Letter))

    deliver(session, sale.event(), refund_event(sale, 1000))

    assert told(session) == []
    assert refunds.refundable(session, sale.order).refunded == Money(1000, "usd")
