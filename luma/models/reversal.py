"""Money that went back: refunds, and disputes before a bank."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, composite, mapped_column

from luma.models.base import Base, one_of, worded
from luma.values import DisputeStatus, Money, RefundStatus


class Refund(Base):
    """A fact, by the gateway's id. Its status changes only when its rank rises."""

    __tablename__ = "refunds"
    __table_args__ = (
        one_of("status", RefundStatus),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        Index("ix_refunds_payment_id", "payment_id"),
    )

    refund_id: Mapped[str] = mapped_column(String(255), unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    status: Mapped[RefundStatus]
    rank: Mapped[int] = mapped_column(SmallInteger)
    failure: Mapped[str | None] = mapped_column(String(80))
    """The gateway's word for why the money could not be sent."""
    refunded_at: Mapped[datetime]


class Dispute(Base):
    """A fact, by the gateway's id. Its status changes only when its rank rises."""

    __tablename__ = "disputes"
    __table_args__ = (
        one_of("status", DisputeStatus),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        Index("ix_disputes_payment_id", "payment_id"),
    )

    dispute_id: Mapped[str] = mapped_column(String(255), unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    status: Mapped[DisputeStatus] = mapped_column(worded(DisputeStatus, 30))
    rank: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(String(80))
    due_by: Mapped[datetime | None]
    """Until when evidence is taken."""
    opened_at: Mapped[datetime]


class BalanceMove(Base):
    """A fact: what a refund or a dispute moved on the gateway's own balance, and its fee there.

    Below zero is what went away. It may be in another currency than the payment's.
    """

    __tablename__ = "balance_moves"
    __table_args__ = (
        CheckConstraint("currency ~ '^[a-z]{3}$'", name="currency_lower"),
        Index("ix_balance_moves_payment_id", "payment_id"),
    )

    move_id: Mapped[str] = mapped_column(String(255), unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    thing: Mapped[str] = mapped_column(String(255))
    """The gateway's id of the refund or the dispute."""
    minor: Mapped[int]
    fee_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    happened_at: Mapped[datetime]


class FraudWarning(Base):
    """A fact: the card's issuer thinks a payment was not its customer's wish. No money moved."""

    __tablename__ = "fraud_warnings"
    __table_args__ = (Index("ix_fraud_warnings_payment_id", "payment_id"),)

    warning_id: Mapped[str] = mapped_column(String(255), unique=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    reason: Mapped[str] = mapped_column(String(80))
    warned_at: Mapped[datetime]


class RefundRequest(Base):
    """A refund that LUMA asks the gateway for, written before it asks; its key makes retries
    harmless. Once answered, the fact is a `Refund`."""

    __tablename__ = "refund_requests"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("length(btrim(reason)) > 0", name="reason_not_blank"),
        CheckConstraint("refund_id IS NULL OR refusal IS NULL", name="one_answer"),
        Index("ix_refund_requests_payment_id", "payment_id"),
    )

    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    reason: Mapped[str] = mapped_column(String(200))
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Null when LUMA itself gives back what was paid twice."""
    operation_key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime]
    refund_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    refusal: Mapped[str | None] = mapped_column(String(200))
    """Why the gateway will not do it."""

    @property
    def is_waiting(self) -> bool:
        return self.refund_id is None and self.refusal is None

    def sent(self, refund_id: str) -> None:
        self.refund_id = refund_id

    def refuse(self, why: str) -> None:
        self.refusal = why[:200]
