"""Orders, and every visit to a checkout made for them."""

from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from luma.models.base import Base, new_public_id, one_of
from luma.models.course import Course
from luma.models.user import User
from luma.values import AttemptStatus, Money, OrderStatus


class Order(Base):
    """A student's wish to buy a course at the price of the day, which the order keeps.

    `status` is derived from facts; services/money/access.py sets it through `settle`.
    """

    __tablename__ = "orders"
    __table_args__ = (
        one_of("status", OrderStatus),
        CheckConstraint("price_minor > 0", name="price_positive"),
        CheckConstraint("price_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint("discount_minor BETWEEN 0 AND price_minor", name="discount_within_price"),
        CheckConstraint("tax_behavior IN ('inclusive', 'exclusive')", name="tax_behavior_known"),
        CheckConstraint("fee_bps BETWEEN 0 AND 10000", name="fee_is_a_share"),
        CheckConstraint("refund_days >= 0", name="refund_days_not_negative"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
        CheckConstraint("(status = 'paid') <= (paid_at IS NOT NULL)", name="paid_stamped"),
        Index(
            "uq_orders_one_open",
            "buyer_id",
            "course_id",
            unique=True,
            postgresql_where="status IN ('open', 'pending')",
        ),
        Index("ix_orders_buyer_id", "buyer_id"),
        Index("ix_orders_course_id", "course_id"),
        Index("ix_orders_sold_at", "course_id", text("coalesce(paid_at, created_at)"), "id"),
    )

    public_id: Mapped[str] = mapped_column(
        String(24), unique=True, default=partial(new_public_id, "ord")
    )
    buyer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    price_minor: Mapped[int]
    price_currency: Mapped[str] = mapped_column(String(3))
    price: Mapped[Money] = composite("price_minor", "price_currency")
    discount_minor: Mapped[int] = mapped_column(default=0)
    """What a coupon takes off the price."""
    tax_behavior: Mapped[str | None] = mapped_column(String(10))
    """Whether the gateway adds tax to the price or finds it inside; null where it counts none."""
    fee_bps: Mapped[int]
    refund_days: Mapped[int] = mapped_column(SmallInteger)
    """How long the promise of a refund holds that the buyer was given."""
    gateway: Mapped[str] = mapped_column(String(10))
    status: Mapped[OrderStatus] = mapped_column(default=OrderStatus.OPEN)
    review_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    access_ended_reason: Mapped[str | None] = mapped_column(String(200))
    """Why a paid order gives no access any more: with a part refunded, its seller said so."""

    buyer: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")

    def settle(self, status: OrderStatus, now: datetime, reason: str | None = None) -> None:
        """Take the status that the facts of payment say. `reason` is why an admin must look."""
        self.status = status
        self.review_reason = reason
        self.updated_at = now
        if status is OrderStatus.PAID:
            self.paid_at = self.paid_at or now


class CheckoutAttempt(Base):
    """Asked of the gateway with `operation_key`, so that asking twice opens one session.

    `request` is what was asked, frozen with the key. Never overwritten: a new visit is a new row.
    """

    __tablename__ = "checkout_attempts"
    __table_args__ = (
        one_of("status", AttemptStatus),
        Index("ix_checkout_attempts_order_id", "order_id"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    operation_key: Mapped[str] = mapped_column(String(80), unique=True)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    session_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    url: Mapped[str | None]
    status: Mapped[AttemptStatus] = mapped_column(default=AttemptStatus.OPEN)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    """When the buyer came back from paying, which proves nothing and is worth a look."""

    order: Mapped[Order] = relationship(lazy="raise")

    RANK = (AttemptStatus.OPEN, AttemptStatus.AWAITING, AttemptStatus.EXPIRED, AttemptStatus.FAILED)

    @property
    def is_open(self) -> bool:
        return self.status is AttemptStatus.OPEN

    def note(self, status: AttemptStatus) -> None:
        """Take a newer fact; an older one that arrives late changes nothing."""
        if self.RANK.index(status) > self.RANK.index(self.status):
            self.status = status
