"""The desk of one sale: what it shows, who may see it, access by hand, evidence as one file."""

import json
from contextlib import suppress
from io import BytesIO
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Chapter, Lesson
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.reversal import RefundRequest
from luma.services import learning
from luma.services.money import desk, evidence, evidence_file, refunds
from luma.services.money.refunds import Access
from luma.values import EnrolmentSource, Money, RefundStatus, Role
from tests.bad_values import BAD_TEXT
from tests.factories import actor, make_instructor, make_user
from tests.selling import Sale, deliver, dispute_event, is_learning, open_sale, refund_event
from tests.services.money.test_refunds import buyer, pay_at_sandbox, seller, send_all


@pytest.fixture
def sale(session: Session) -> Sale:
    sale = open_sale(session)
    deliver(session, sale.event())
    pay_at_sandbox(session, sale)
    return sale


def test_a_sale_shows_what_was_paid_and_what_went_back(session: Session, sale: Sale) -> None:
    refunds.ask(session, seller(session, sale), sale.order.public_id, "10", "A part.")
    send_all(session)
    deliver(session, refund_event(sale, 500, "pending", name="dashboard"))

    found = desk.sale(session, seller(session, sale), sale.order.public_id)

    assert (found.buyer, found.email) == (sale.buyer.name, sale.buyer.email)
    assert found.money.left == Money(3400, "usd")
    assert [line.amount.minor for line in found.payments] == [4900]
    assert {(line.amount.minor, line.status, line.reason) for line in found.refunds} == {
        (1000, RefundStatus.SUCCEEDED, "A part."),
        (500, RefundStatus.PENDING, None),
    }
    assert found.access is EnrolmentSource.PURCHASE


def test_a_disputed_sale_still_says_what_was_paid(session: Session, sale: Sale) -> None:
    deliver(session, refund_event(sale, 1000), dispute_event(sale))

    found = desk.sale(session, seller(session, sale), sale.order.public_id)

    assert (found.paid, found.refunded) == (Money(4900, "usd"), Money(1000, "usd"))
    assert found.money.left == Money(0, "usd")


def test_a_refund_that_waits_or_was_refused_is_shown_as_that(session: Session, sale: Sale) -> None:
    by = seller(session, sale)
    refunds.ask(session, by, sale.order.public_id, "10", "A part.")
    (waiting,) = desk.sale(session, by, sale.order.public_id).refunds
    session.scalars(select(RefundRequest)).one().refuse("No.")
    session.flush()
    (refused,) = desk.sale(session, by, sale.order.public_id).refunds

    assert waiting.is_waiting
    assert not refused.is_waiting
    assert refused.trouble == "No."


def test_only_its_seller_and_admins_see_a_sale(session: Session, sale: Sale) -> None:
    order = sale.order.public_id
    for stranger in (actor(make_instructor(session)), buyer(session, sale)):
        with pytest.raises(NotFound):
            desk.sale(session, stranger, order)
        with pytest.raises(NotFound):
            evidence.evidence(session, stranger, order)
        with pytest.raises(NotFound):
            desk.give_access(session, stranger, order, "For me.")

    admin = actor(make_user(session, "Ada", roles=(Role.ADMIN,)))
    assert desk.sale(session, admin, order).public_id == order


def test_access_by_hand_outlives_a_refund_until_it_is_taken_back(
    session: Session, sale: Sale
) -> None:
    by, order = seller(session, sale), sale.order.public_id
    with pytest.raises(RuleBroken, match="access already"):
        desk.give_access(session, by, order, "Too early.")
    deliver(session, refund_event(sale))

    desk.give_access(session, by, order, "A second chance.")
    given = is_learning(session, sale)
    desk.take_access(session, by, order, "Chance missed.")

    assert given
    assert not is_learning(session, sale)
    with pytest.raises(RuleBroken, match="no access by hand"):
        desk.take_access(session, by, order, "Once more.")


def test_taking_back_ends_nothing_that_was_paid(session: Session, sale: Sale) -> None:
    by, order = seller(session, sale), sale.order.public_id
    refunds.ask(session, by, order, "", "Ours.", Access.KEEP)
    desk.take_access(session, by, order, "No, after all.")

    assert is_learning(session, sale)


def test_the_way_in_is_written_again_once_a_minute(session: Session, sale: Sale) -> None:
    by, order = seller(session, sale), sale.order.public_id
    for _ in range(2):
        desk.resend_access(session, by, order)

    written = session.scalars(select(Letter.id).where(Letter.kind == "course-open")).all()
    assert len(written) == 2
    deliver(session, refund_event(sale))
    with pytest.raises(RuleBroken, match="closed for this buyer"):
        desk.resend_access(session, by, order)


@pytest.mark.parametrize("bad", [*BAD_TEXT, "", None, 7])
def test_no_odd_search_or_reason_breaks_the_desk(session: Session, sale: Sale, bad: object) -> None:
    admin = actor(make_user(session, "Ada", roles=(Role.ADMIN,)))
    for odd in (
        lambda: desk.found(session, admin, bad, "all", 5),
        lambda: desk.give_access(session, admin, sale.order.public_id, bad),
        lambda: desk.take_access(session, admin, sale.order.public_id, bad),
        lambda: Access.read(bad),
        lambda: desk.only(bad),
    ):
        with suppress(RuleBroken):
            odd()
    assert session.scalar(select(Order.id).where(Order.id == sale.order.id))


def test_orders_are_found_by_code_buyer_and_course(session: Session, sale: Sale) -> None:
    admin = actor(make_user(session, "Ada", roles=(Role.ADMIN,)))
    other = open_sale(session)
    deliver(session, other.event(amount_subtotal=1, amount_total=1))
    code = sale.order.public_id.removeprefix("ord_").upper()

    def found(words: str, only: desk.Only = "all") -> list[str]:
        return [row.public_id for row in desk.found(session, admin, words, only, 50).found]

    assert found(f"{code[:4]}-{code[4:8]}-{code[8:]}") == [sale.order.public_id]
    assert found(sale.order.public_id) == [sale.order.public_id]
    assert found(sale.buyer.email) == [sale.order.public_id]
    assert found("") == [other.order.public_id, sale.order.public_id]
    assert found("", "review") == [other.order.public_id]
    assert found("no such thing") == []


def test_evidence_is_one_file_with_terms_use_letters_and_no_addresses_of_computers(
    session: Session, sale: Sale
) -> None:
    of_course = select(Lesson).join(Chapter).where(Chapter.course_id == sale.course.id)
    lesson = session.scalars(of_course.order_by(Lesson.position).limit(1)).one()
    learning.complete_lesson(session, buyer(session, sale), lesson.public_id)
    deliver(session, dispute_event(sale))

    found = evidence.evidence(session, seller(session, sale), sale.order.public_id)
    with ZipFile(BytesIO(evidence_file.packed(found))) as archive:
        page = archive.read("evidence.html").decode()
        data = json.loads(archive.read("evidence.json"))

    assert "Money back within 14 days" in page
    assert [row["Subject"] for row in data["letters"]][1] == "Your receipt"
    assert data["lessons"][0]["Lesson"] == lesson.title
    assert data["lessons"][0]["Finished"].endswith("UTC")
    assert data["disputes"][0]["State"] == "needs_response"
    assert "192.0.2." not in page


def test_what_a_buyer_is_called_is_no_markup_in_the_evidence(session: Session, sale: Sale) -> None:
    sale.buyer.name = "<script>alert(1)</script>"
    deliver(session, dispute_event(sale))

    found = evidence.evidence(session, seller(session, sale), sale.order.public_id)

    assert "<script>" not in evidence_file.page(found)
