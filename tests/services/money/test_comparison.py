"""What the gateway says and LUMA does not becomes a row, until it is gone."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from luma.errors import NotAllowed
from luma.models.payment import Payment, SandboxReversal, SandboxSession
from luma.models.reconciliation import GatewayPull
from luma.models.reversal import Refund
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox_charges, sandbox_reversals
from luma.services.money import comparison, differences, pulling, reconciliation
from luma.services.money.differences import Sum
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
    return [one.words for one in differences.open_now(session)]


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


def settled(session: Session, sale: Sale) -> SandboxSession:
    row = paid(session, sale)
    heal(session, sale)
    long_ago = clock.now() - timedelta(minutes=30)
    session.execute(update(Payment).values(paid_at=long_ago))
    return row


def sums(session: Session) -> list[Sum]:
    session.expire_all()
    asked = select(GatewayPull.sums).where(GatewayPull.gateway == "sandbox")
    return [Sum.thawed(one) for one in session.scalars(asked).one() or []]


def refunded(session: Session, row: SandboxSession, minor: int) -> SandboxReversal:
    made = sandbox_reversals.refund(session, row, Money(minor, "usd"), f"key-{minor}")
    made.created_at = clock.now() - timedelta(minutes=20)
    session.flush()
    return made


def test_every_movement_is_in_the_ledger_and_the_sums_are_equal(
    session: Session, sale: Sale
) -> None:
    pulling.pull()
    row = settled(session, sale)
    refunded(session, row, 1000)
    failed = refunded(session, row, 500)
    heal(session, sale)
    failed.close("failed")
    heal(session, sale)
    disputed = open_sale(session)
    sandbox_reversals.dispute(session, settled(session, disputed))
    session.execute(update(SandboxReversal).values(created_at=clock.now() - timedelta(minutes=20)))
    heal(session, disputed)

    assert comparison.compare() == 0
    fee = sandbox_charges.fee(4900, "usd")
    net = 4900 - fee - 1000 + 4900 - fee - 4900
    assert sums(session) == [Sum("usd", net, net, 6)]


def test_a_line_of_the_ledger_that_says_another_amount_is_named_by_its_charge(
    session: Session, sale: Sale
) -> None:
    pulling.pull()
    settled(session, sale)
    right = sandbox_charges.fee

    def dearer(minor: int, currency: str) -> int:
        return right(minor, currency) + 7

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox_charges, "fee", dearer)
        session.execute(update(Payment).values(fee_minor=dearer(4900, "usd")))
        comparison.compare()

    (found,) = differences.open_now(session)
    (total,) = sums(session)
    assert found.name.startswith("ch_sbx_")
    assert found.order == sale.order.public_id
    assert "$47.21" in found.words
    assert "$47.28" in found.words
    assert total.theirs - total.ours == -7


def test_what_only_the_ledger_has_is_named(session: Session, sale: Sale) -> None:
    pulling.pull()
    row = settled(session, sale)
    gone = refunded(session, row, 1000)
    heal(session, sale)
    session.execute(delete(Refund).where(Refund.refund_id == gone.object_id))
    session.delete(gone)
    session.flush()

    comparison.compare()

    assert words(session) == ["The sandbox moved nothing on its balance, and the ledger has -$10."]


def test_what_moved_long_before_it_was_paid_is_no_difference(
    session: Session, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bank debit that was promised last week is paid just now."""
    monkeypatch.setattr(comparison, "ON_ITS_WAY", timedelta(minutes=-1))
    pulling.pull()
    row = settled(session, sale)
    row.created_at = sale.attempt.created_at = clock.now() - timedelta(days=6)
    session.flush()

    assert comparison.compare() == 0


def test_a_difference_stays_until_it_is_mended_however_old_it_is(
    session: Session, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(session, sale)
    comparison.compare()
    later = clock.now() + timedelta(days=9)
    monkeypatch.setattr(clock, "now", lambda: later)

    comparison.compare()
    after_days = words(session)
    heal(session, sale)
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(minutes=1))
    comparison.compare()

    assert len(after_days) == 1
    assert words(session) == []


def test_a_rehearsal_and_another_shop_are_nobodys_movement(session: Session, sale: Sale) -> None:
    pulling.pull()
    teacher = sale.course.instructor_id
    session.execute(update(User).where(User.id == sale.buyer.id).values(rehearses_for_id=teacher))
    settled(session, sale)
    stranger = open_sale(session)
    paid(session, stranger)
    session.delete(stranger.attempt)
    session.flush()

    assert comparison.compare() == 0
    assert sums(session) == []
