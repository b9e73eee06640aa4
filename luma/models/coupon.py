"""Coupons, who holds a use of one, and how the gateway knows them."""

from datetime import datetime
from functools import partial

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from luma import currencies
from luma.errors import RuleBroken
from luma.models.base import Base, new_public_id
from luma.values import Money


class Coupon(Base):
    """So many percent or a fixed amount off: one course, all of an instructor's, or the school.

    What it takes off never changes, so that whoever was shown a price gets it. `uses` is counted
    by services/money/promotions.py alone.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("code ~ '^[A-Z0-9-]{3,40}$'", name="code_form"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent_is_a_share"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint(
            "num_nulls(amount_minor, amount_currency) IN (0, 2)"
            " AND (percent IS NULL) = (amount_minor IS NOT NULL)",
            name="percent_or_amount",
        ),
        CheckConstraint(
            "course_id IS NULL OR instructor_id IS NOT NULL", name="course_of_somebody"
        ),
        CheckConstraint("most_uses > 0", name="limit_positive"),
        CheckConstraint("uses >= 0 AND uses <= most_uses", name="uses_within_limit"),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        Index("ix_coupons_instructor_id", "instructor_id"),
        Index("ix_coupons_course_id", "course_id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "cpn")
    )
    code: Mapped[str] = mapped_column(String(40), unique=True)
    """In capitals; whoever types it may write it as they like."""
    instructor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Whose courses it is for; null for every course of the school."""
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"))
    """The one course it is for, if it is for one."""
    percent: Mapped[int | None] = mapped_column(SmallInteger)
    amount_minor: Mapped[int | None]
    amount_currency: Mapped[str | None] = mapped_column(String(3))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    most_uses: Mapped[int | None]
    """Null for as many as come."""
    uses: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When somebody ended it by hand."""

    @property
    def amount(self) -> Money | None:
        """The fixed amount, unless it is a share."""
        if self.amount_minor is None or self.amount_currency is None:
            return None
        return Money(self.amount_minor, self.amount_currency)

    @property
    def words(self) -> str:
        """ "20 % off", "$5 off"."""
        return f"{self.amount.words() if self.amount else f'{self.percent} %'} off"

    def off(self, price: Money) -> Money:
        """What it takes off this price: at most all of it, in amounts that can be charged.

        A share is rounded half up to a whole step of the currency. Raises RuleBroken for a fixed
        amount of another currency.
        """
        if fixed := self.amount:
            if fixed.currency != price.currency:
                raise RuleBroken(
                    f"This code is for prices in {fixed.currency.upper()},"
                    f" and this course is sold in {price.currency.upper()}."
                )
            return min(fixed, price, key=lambda money: money.minor)
        step = currencies.step(price.currency)
        steps = (price.minor // step * (self.percent or 0) + 50) // 100
        return Money(steps * step, price.currency)

    def is_exactly(self, off: Money, price: Money) -> bool:
        """Whether `off` is its plain share or amount, so that nobody had to round."""
        if fixed := self.amount:
            return off == fixed
        return off.minor * 100 == price.minor * (self.percent or 0)

    def end(self, now: datetime) -> None:
        """From now on nobody gets it any more. Who was shown its price still pays that."""
        self.ended_at = self.ended_at or now


class CouponUse(Base):
    """One use of a coupon, held by an order from the moment at which it is opened.

    Given back, with `released_at`, when the order ends without money.
    """

    __tablename__ = "coupon_uses"
    __table_args__ = (
        Index(
            "uq_coupon_uses_once_per_buyer",
            "coupon_id",
            "buyer_id",
            unique=True,
            postgresql_where="released_at IS NULL",
        ),
        Index("ix_coupon_uses_buyer_id", "buyer_id"),
    )

    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupons.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    buyer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class GatewayCoupon(Base):
    """A coupon as the gateway knows it. One of ours may be several there: `terms` tells which.

    "20%" or "500 usd": where a share had to be rounded, the gateway gets the exact amount.
    """

    __tablename__ = "gateway_coupons"
    __table_args__ = (
        UniqueConstraint("coupon_id", "gateway", "terms"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
    )

    coupon_id: Mapped[int] = mapped_column(ForeignKey("coupons.id", ondelete="CASCADE"))
    gateway: Mapped[str] = mapped_column(String(10))
    terms: Mapped[str] = mapped_column(String(40))
    gateway_id: Mapped[str] = mapped_column(String(255), unique=True)
    promotion_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    """Of the promotion code, which only the coupon as it stands has."""
    promotion_ended_at: Mapped[datetime | None]
    synced_at: Mapped[datetime]
