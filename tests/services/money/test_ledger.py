"""Every movement comes to nothing, is posted once and stays; the shares are exact."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.payment import Payment
from luma.services.money import ledger, shares
from luma.values import Money
from tests.selling import (
    Sale,
    charge_event,
    deliver,
    dispute_event,
    open_sale,
    refund_event,
    settled_as,
)
from tests.shares import books


@pytest.fixture
def sale(session: Session) -> Sale:
    """Sold, paid and settled: $49, of which $1.72 is the gateway's and 10 % the platform's."""
    sale = open_sale(session)
    deliver(session, sale.event(), charge_event(sale))
    return sale


def keys(session: Session) -> list[str]:
    found = session.scalars(select(LedgerTransaction.key).order_by(LedgerTransaction.id))
    return [key.partition(":")[0] for key in found]


def test_a_payment_is_shared_out_once_it_is_settled(session: Session, sale: Sale) -> None:
    deliver(session, charge_event(sale))

    assert books(session, sale) == {
        "gateway": 4728,
        "gateway_fee": 172,
        "platform_fee": -490,
        "instructor": -4410,
    }
    assert keys(session) == ["payment"]


def test_before_it_is_settled_nothing_is_posted(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(), refund_event(sale, 900))

    assert books(session, sale) == {}


def test_a_refund_heard_before_the_settlement_is_posted_with_it(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(), refund_event(sale, 900), charge_event(sale))

    assert keys(session) == ["payment", "refund"]
    assert books(session, sale)["instructor"] == -(4410 - 4410 * 900 // 4900)


def test_a_full_refund_leaves_nobody_anything_and_the_platform_the_fee(
    session: Session, sale: Sale
) -> None:
    parts = [refund_event(sale, minor, name=str(minor)) for minor in (333, 1234, 3333)]

    deliver(session, *parts, *parts)

    assert books(session, sale) == {"gateway": -172, "gateway_fee": 172}


def test_a_refund_that_fails_is_undone(session: Session, sale: Sale) -> None:
    before = books(session, sale)

    deliver(session, refund_event(sale, 1234), refund_event(sale, 1234, "failed"))
    deliver(session, refund_event(sale, 1234, "failed"))

    assert books(session, sale) == before
    assert keys(session) == ["payment", "refund", "refund_back"]


def test_a_bank_takes_the_money_and_gives_it_back(session: Session, sale: Sale) -> None:
    before = books(session, sale)

    deliver(session, dispute_event(sale))
    disputed = books(session, sale)
    deliver(session, dispute_event(sale, "won"))

    assert (disputed["dispute"], disputed["gateway"]) == (4900, -172)
    assert disputed["instructor"] == before["instructor"]
    assert books(session, sale) == before


@pytest.mark.parametrize("heard", [("needs_response", "lost"), ("lost", "needs_response")])
def test_a_lost_dispute_is_everybodys_loss(
    session: Session, sale: Sale, heard: tuple[str, ...]
) -> None:
    deliver(session, refund_event(sale, 900), *(dispute_event(sale, status) for status in heard))

    left = books(session, sale)
    assert left == {"gateway": -1072, "gateway_fee": 172, "platform_fee": 900}


def test_an_inquiry_moves_nothing(session: Session, sale: Sale) -> None:
    before = books(session, sale)

    deliver(session, dispute_event(sale, "warning_needs_response"))
    deliver(session, dispute_event(sale, "warning_closed"))

    assert books(session, sale) == before


def test_what_does_not_fit_its_order_is_nobodys_share(session: Session) -> None:
    sale = open_sale(session)

    deliver(session, sale.event(amount_subtotal=4800, amount_total=4800), charge_event(sale))
    deliver(session, refund_event(sale, 2400))

    assert books(session, sale) == {"gateway": 2278, "gateway_fee": 172, "unclear": -2450}


@pytest.mark.parametrize(
    ("paid", "settled", "tax", "bps", "parts"),
    [
        (4900, 4900, 0, 1000, (4410, 490, 0)),
        (4900, 4900, 0, 0, (4900, 0, 0)),
        (4900, 4900, 0, 10_000, (0, 4900, 0)),
        (4999, 4999, 0, 1250, (4375, 624, 0)),
        (4900, 4900, 782, 1000, (3707, 411, 782)),
        (4900, 2890, 0, 1000, (2601, 289, 0)),
        (4900, 2890, 445, 1000, (2366, 262, 262)),
        (1, 1, 0, 9_999, (1, 0, 0)),
        (5120, 5120, 0, 333, (4950, 170, 0)),
        (10**12, 10**12, 3, 1, (999899999998, 99999999, 3)),
    ],
)
def test_the_split_is_exact(
    paid: int, settled: int, tax: int, bps: int, parts: tuple[int, int, int]
) -> None:
    split = shares.of(paid, settled, tax, bps)

    assert (split.instructor, split.rest, split.tax) == parts
    assert split.settled == settled


def test_a_sale_in_yen_is_shared_out_in_euros(session: Session) -> None:
    sale = open_sale(session, price=Money(4900, "jpy"))
    settled = charge_event(sale, balance_transaction=settled_as(2890, "eur", 114))

    deliver(session, sale.event(), settled, refund_event(sale, 1000))

    assert set(session.scalars(select(LedgerEntry.currency))) == {"eur"}
    assert books(session, sale)["instructor"] == -(2601 - 2601 * 1000 // 4900)


Step = tuple[str, int]

STEPS = st.lists(
    st.tuples(st.sampled_from(("refund", "fail", "dispute", "won", "lost")), st.integers(0, 4)),
    max_size=12,
)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, settled=st.integers(50, 9000), data=st.data())
def test_whatever_happens_the_lines_come_to_nothing_and_the_share_is_exact(
    session: Session, steps: list[Step], settled: int, data: Any
) -> None:
    sale = open_sale(session)
    whole = charge_event(sale, balance_transaction=settled_as(settled, "eur", 20))
    deliver(session, sale.event())
    at = data.draw(st.integers(0, len(steps)))
    for place, (word, number) in enumerate(steps):
        if place == at:
            deliver(session, whole)
        deliver(session, story(sale, word, number))
    deliver(session, whole)

    payment = session.scalars(select(Payment).where(Payment.order_id == sale.order.id)).one()
    ledger.post(session, payment.id)
    share = shares.of(4900, settled, 0, 1000).instructor
    gone = back(session, payment.id)
    assert sum(books(session, sale).values()) == 0
    assert -books(session, sale).get("instructor", 0) == share - share * gone // 4900
    assert all_movements_come_to_zero(session)


def story(sale: Sale, word: str, number: int) -> str:
    minor = (1, 490, 700, 999, 1200)[number]
    if word in ("refund", "fail"):
        status = "succeeded" if word == "refund" else "failed"
        return refund_event(sale, minor, status, name=str(number))
    status = {"dispute": "needs_response"}.get(word, word)
    return dispute_event(sale, status, name=str(number % 2))


def back(session: Session, payment_id: int) -> int:
    """What the facts say has gone back, in what was paid."""
    refunded = session.scalar(
        text(
            "SELECT coalesce(sum(amount_minor), 0) FROM refunds "
            "WHERE payment_id = :one AND status IN ('pending', 'requires_action', 'succeeded')"
        ),
        {"one": payment_id},
    )
    lost = session.scalar(
        text(
            "SELECT coalesce(sum(amount_minor), 0) FROM disputes "
            "WHERE payment_id = :one AND status = 'lost'"
        ),
        {"one": payment_id},
    )
    return min(int(refunded or 0) + int(lost or 0), 4900)


def all_movements_come_to_zero(session: Session) -> bool:
    sums: defaultdict[int, int] = defaultdict(int)
    for entry in session.scalars(select(LedgerEntry)):
        sums[entry.transaction_id] += entry.minor
    return set(sums.values()) <= {0}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET minor = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "UPDATE ledger_transactions SET key = 'x'",
        "DELETE FROM ledger_transactions",
    ],
)
def test_the_database_refuses_to_change_the_ledger(
    session: Session, sale: Sale, statement: str
) -> None:
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError, match="written once"), session.begin_nested():
        session.execute(text(statement))


def test_the_database_refuses_lines_that_do_not_come_to_zero(session: Session, sale: Sale) -> None:
    one = session.scalars(select(LedgerEntry)).first()
    assert one is not None
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError, match="do not come to zero"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO ledger_entries (transaction_id, account, minor, currency, payment_id) "
                "VALUES (:movement, 'tax', 1, 'usd', :payment)"
            ),
            {"movement": one.transaction_id, "payment": one.payment_id},
        )


def test_lines_that_do_not_come_to_zero_are_not_written(session: Session, sale: Sale) -> None:
    payment = session.scalars(select(Payment)).one()
    wrong = ledger.Posting(
        LedgerKind.TRANSFER, "x", payment.paid_at, {LedgerAccount.GATEWAY: 1, LedgerAccount.TAX: 1}
    )

    with pytest.raises(ValueError, match="zero"):
        ledger.write(session, wrong, "sandbox", payment, sale.course.instructor_id)
