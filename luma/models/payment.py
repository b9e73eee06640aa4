"""What the gateway told us, kept as it came, and what we keep in step there."""

from datetime import datetime
from types import MappingProxyType

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, composite, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, one_of
from luma.models.received import Received
from luma.values import Drift, EventStatus, Money


class Payment(Base):
    """A fact: money arrived for an order. What it settled to, and its fee, is heard later; nothing
    else of it ever changes."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint("discount_minor >= 0 AND tax_minor >= 0", name="parts_not_negative"),
        CheckConstraint(
            "num_nulls(settled_minor, settled_currency, fee_minor) IN (0, 3)", name="settled_whole"
        ),
        Index("ix_payments_order_id", "order_id"),
        Index("ix_payments_paid_at", "paid_at"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    session_id: Mapped[str] = mapped_column(String(255), unique=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    mismatch: Mapped[str | None] = mapped_column(String(200))
    """Why this payment does not fit its order; null when it does."""
    paid_at: Mapped[datetime]
    discount_minor: Mapped[int] = mapped_column(default=0)
    tax_minor: Mapped[int] = mapped_column(default=0)
    """In the currency of `amount`, which is the price less the discount, and more by the tax unless
    the price has the tax in it."""
    charge_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    receipt_url: Mapped[str | None]
    """The gateway's own page with the receipt or the invoice."""
    invoice_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    invoice_url: Mapped[str | None]
    """The same as an invoice, where the gateway writes one."""
    settled_minor: Mapped[int | None]
    settled_currency: Mapped[str | None] = mapped_column(String(3))
    fee_minor: Mapped[int | None]
    """What the gateway kept, in the currency of settlement; `settled` is before this fee."""


class StripeEvent(Received, Base):
    """The inbox: every verified event, as it came, once."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        one_of("status", EventStatus),
        CheckConstraint("source IN ('push', 'pull', 'sandbox')", name="source_known"),
        Index(
            "ix_stripe_events_waiting", "next_at", postgresql_where="status IN ('new', 'parked')"
        ),
        Index("ix_stripe_events_subjects", "subjects", postgresql_using="gin"),
    )

    api_version: Mapped[str | None] = mapped_column(String(40))
    livemode: Mapped[bool]
    account: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(10))
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    """The ids it names: of the thing itself, its payment, charge and order."""


class GatewayProduct(Base):
    """A course as the gateway knows it. Null prices are still to be made there."""

    __tablename__ = "gateway_products"
    __table_args__ = (
        UniqueConstraint("course_id", "gateway"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
        CheckConstraint("num_nulls(price_id, price_minor, price_currency) IN (0, 3)", name="price"),
        CheckConstraint("num_nulls(drift, drift_at) IN (0, 2)", name="drift_whole"),
        one_of("drift", Drift),
        Index("ix_gateway_products_drift", "drift_at", postgresql_where="drift IS NOT NULL"),
    )

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    gateway: Mapped[str] = mapped_column(String(10))
    product_id: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(250))
    description: Mapped[str]
    tax_code: Mapped[str] = mapped_column(String(20), default="")
    """Empty as long as the gateway was not told any."""
    tax_behavior: Mapped[str] = mapped_column(String(10), default="")
    """Of the price there, which never changes; empty while it has none."""
    price_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    price_minor: Mapped[int | None]
    price_currency: Mapped[str | None] = mapped_column(String(3))
    synced_at: Mapped[datetime]
    drift: Mapped[Drift | None]
    """What somebody changed at the gateway: until it is mended, nobody buys."""
    drift_at: Mapped[datetime | None]

    def pause(self, why: Drift, now: datetime) -> None:
        self.drift, self.drift_at = why, now

    def resume(self) -> None:
        self.drift = self.drift_at = None

    def spoil(self) -> None:
        """Forget what the gateway was told: the next sync tells it all anew, and sells again.

        A price cannot be changed there, so that one which was is replaced.
        """
        if self.drift and self.drift.is_of_price:
            self.price_id = self.price_minor = self.price_currency = None
        self.name = ""
        self.resume()


class GatewayOperation(Base):
    """A call to make at the gateway, written before it is made; its key makes retries harmless."""

    __tablename__ = "gateway_operations"

    key: Mapped[str] = mapped_column(String(120), unique=True)
    request: Mapped[dict[str, object]] = mapped_column(JSONB)
    result_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class SandboxSession(Base):
    """A checkout session of the built-in gateway that stands in for Stripe.

    `status` is open, then complete or expired; a promised payment that fails ends as failed.
    """

    __tablename__ = "sandbox_sessions"
    __table_args__ = (CheckConstraint("delay_seconds BETWEEN 0 AND 600", name="delay_is_short"),)

    session_id: Mapped[str] = mapped_column(String(255), unique=True)
    operation_key: Mapped[str] = mapped_column(String(80), unique=True)
    request: Mapped[dict[str, object]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(20), default="open")
    payment_status: Mapped[str] = mapped_column(String(20), default="unpaid")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    delivers_twice: Mapped[bool] = mapped_column(default=False)
    """This and the next three: what a tester has go wrong with events on their way."""
    swaps: Mapped[bool] = mapped_column(default=False)
    drops: Mapped[bool] = mapped_column(default=False)
    delay_seconds: Mapped[int] = mapped_column(SmallInteger, default=0)

    def pay(self) -> None:
        self._leave("open")
        self.status, self.payment_status = "complete", "paid"

    def promise(self) -> None:
        """The buyer is done; the money comes, or does not, some days later."""
        self._leave("open")
        self.status = "complete"

    def keep(self) -> None:
        self._leave("complete", payment_status="unpaid")
        self.payment_status = "paid"

    def break_off(self) -> None:
        self._leave("complete", payment_status="unpaid")
        self.status = "failed"

    def expire(self) -> None:
        self._leave("open")
        self.status = "expired"

    def _leave(self, status: str, payment_status: str = "unpaid") -> None:
        if (self.status, self.payment_status) != (status, payment_status):
            raise RuleBroken("This checkout has been finished already.")


class SandboxReversal(Base):
    """A refund or a dispute at the sandbox, in Stripe's words."""

    __tablename__ = "sandbox_reversals"
    __table_args__ = (CheckConstraint("kind IN ('refund', 'dispute')", name="kind_known"),)

    object_id: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sandbox_sessions.session_id", ondelete="CASCADE"), index=True
    )
    operation_key: Mapped[str] = mapped_column(String(80), unique=True)
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(30))
    created_at: Mapped[datetime]

    ENDS = MappingProxyType(
        {
            ("refund", "succeeded"): ("failed",),
            ("dispute", "needs_response"): ("won", "lost"),
            ("dispute", "warning_needs_response"): ("warning_closed", "needs_response"),
        }
    )
    """An inquiry is put aside, or becomes a dispute."""

    @property
    def is_open(self) -> bool:
        """A dispute or an inquiry that waits for the bank's word."""
        return self.status in ("needs_response", "warning_needs_response")

    def close(self, status: str) -> None:
        """What the bank decides of a dispute, or how a refund fails in the end."""
        if status not in self.ENDS.get((self.kind, self.status), ()):
            raise RuleBroken("This is decided already.")
        self.status = status
