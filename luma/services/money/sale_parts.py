"""What of a payment is whose: tax, the platform's fee, the instructor's share, and what of each
goes back. In SQL, in whole minor units; each division rounds down, as in `Money.split`.

A payment less its tax is the base; the fee is a share of the base, and the rest the instructor's.
Of refunds and lost disputes, what was taken back so far decides: so that many small refunds come
to the same as one large one.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Numeric,
    SQLColumnExpression,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund
from luma.services.money.standings import COUNTED
from luma.values import DisputeStatus

Int = SQLColumnExpression[int]


def share() -> Int:
    """The instructor's part of a payment; the rest of its base is the fee."""
    base = Payment.amount_minor - Payment.tax_minor
    return base - base * Order.fee_bps // 10_000


def taken_back() -> CompoundSelect[Any]:
    """Every amount that went back to a buyer: payment_id, at, kind, id, amount, currency."""
    refunds = select(
        Refund.payment_id,
        Refund.refunded_at.label("at"),
        literal(0).label("kind"),
        Refund.id,
        Refund.amount_minor.label("amount"),
        Refund.amount_currency.label("currency"),
    ).where(Refund.status.in_(COUNTED))
    lost = select(
        Dispute.payment_id,
        Dispute.opened_at,
        literal(1),
        Dispute.id,
        Dispute.amount_minor,
        Dispute.amount_currency,
    ).where(Dispute.status == DisputeStatus.LOST)
    return union_all(refunds, lost)


def steps() -> Subquery:
    """The same with how much of the payment was back before it and with it, never over the whole.

    A dispute in another currency than the payment's takes all that is left.
    """
    back = taken_back().subquery("taken_back")
    amount = case(
        (back.c.currency == Payment.amount_currency, back.c.amount), else_=Payment.amount_minor
    )
    so_far = func.sum(amount).over(
        partition_by=back.c.payment_id, order_by=(back.c.at, back.c.kind, back.c.id)
    )
    return (
        select(
            back.c.payment_id,
            back.c.at,
            cast(func.least(so_far - amount, Payment.amount_minor), BigInteger).label("until"),
            cast(func.least(so_far, Payment.amount_minor), BigInteger).label("upto"),
        )
        .join(Payment, Payment.id == back.c.payment_id)
        .subquery("steps")
    )


def taken_back_of(payment: type[Payment]) -> Int:
    """All that went back of the payment of an outer statement."""
    back = taken_back().subquery("back_of")
    amount = case(
        (back.c.currency == payment.amount_currency, back.c.amount), else_=payment.amount_minor
    )
    total = func.least(func.coalesce(func.sum(amount), 0), payment.amount_minor)
    return (
        select(cast(total, BigInteger))
        .where(back.c.payment_id == payment.id)
        .correlate(payment)
        .scalar_subquery()
    )


def part(of: Int, taken: Int) -> Int:
    """What of a part goes back when so much of the whole payment does."""
    whole = cast(of, Numeric) * taken
    return cast(func.coalesce(func.div(whole, func.nullif(Payment.amount_minor, 0)), 0), BigInteger)
