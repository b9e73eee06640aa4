"""What the gateway says and LUMA does not becomes a row, until it is gone."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from luma.errors import NotAllowed
from luma.models.payment import Payment, SandboxReversal, SandboxSession
from luma.services import clock
from luma.services.gateways import sandbox_reversals
from luma.services.money import comparison, reconciliation
from luma.values import Money
from tests.factories import make_user, signed_in
from tests.selling import Sale, deliver, open_sale
from tests.services.money.test_timeline import at_sandbox


@pytest.fixture
def sale(session: Session) -> Sale:
    return open_sale(session)


def paid(session: Session, sale: Sale) -> SandboxSession:
    """Half an hour ago: no event can be on its way any more."""
    row = at_sandbox(session, sale, "complete", "paid")
    row.created_at = clock.now() - timedelta(minutes=30)
    session.flush()
    return row


def words(session: Session) -> list[str]:
    session.expire_all()
    return [one.words for one in comparison.open_differences(session)]


def heal(session: Session, sale: Sale) -> None:
    reconciliation.reconcile(signed_in(session, sale.course.instructor_id), sale.order.public_id)


def test_where_all_is_known_nothing_differs(session: Session, sale: Sale) -> None:
    paid(session, sale)
    heal(session, sale)

    assert comparison.compare() == 0
    assert words(session) == []


def test_a_payment_that_was_not_heard_of_is_found_and_goes_when_it_is_mended(
    session: Session, sale: Sale
) -> None:
    paid(session, sale)

    comparison.compare()
    first = words(session)
    comparison.compare()
    again = words(session)
    heal(session, sale)
    comparison.compare()

    assert first == again == ["The sandbox has it paid, and LUMA has not heard of it."]
    assert words(session) == []


def test_what_has_just_happened_is_not_called_a_difference(session: Session, sale: Sale) -> None:
    at_sandbox(session, sale, "complete", "paid")

    assert comparison.compare() == 0


def test_a_payment_that_the_gateway_does_not_have_is_found(session: Session, sale: Sale) -> None:
    deliver(session, sale.event())

    comparison.compare()

    assert words(session) == ["LUMA counts a payment that the sandbox does not have."]


def test_another_sum_is_found(session: Session, sale: Sale) -> None:
    paid(session, sale)
    heal(session, sale)
    session.execute(update(Payment).values(amount_minor=100))

    comparison.compare()

    assert any("was paid" in one for one in words(session))


def test_another_fee_is_found(session: Session, sale: Sale) -> None:
    paid(session, sale)
    heal(session, sale)
    session.execute(update(Payment).values(fee_minor=1))

    comparison.compare()

    assert any("settled" in one for one in words(session))


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_what_went_back_unheard_is_found(session: Session, sale: Sale, kind: str) -> None:
    row = paid(session, sale)
    heal(session, sale)
    if kind == "refund":
        sandbox_reversals.refund(session, row, Money(1000, "usd"), "key")
    else:
        sandbox_reversals.dispute(session, row)
    session.execute(update(SandboxReversal).values(created_at=clock.now() - timedelta(minutes=30)))

    comparison.compare()
    found = words(session)
    heal(session, sale)
    comparison.compare()

    assert len(found) == 1
    assert words(session) == []


def test_only_admins_press_the_button(session: Session, sale: Sale) -> None:
    key = signed_in(session, make_user(session).id)

    with pytest.raises(NotAllowed):
        comparison.compare_now(key)
