"""Paying instructors: their accounts at the gateway, what was sent there, what was paid by hand."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, composite, mapped_column

from luma.errors import RuleBroken
from luma.models.base import Base, one_of
from luma.values import Money


class PayeeStatus(StrEnum):
    """Whether the gateway lets money be sent to an account: its words, and two of ours."""

    NEW = "new"
    """The instructor has begun and not told the gateway everything."""
    PENDING = "pending"
    ACTIVE = "active"
    RESTRICTED = "restricted"
    UNSUPPORTED = "unsupported"
    CLOSED = "closed"


class TransferStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class RefusalCause(StrEnum):
    """Why the gateway would not move a share, as far as it matters to who can mend it."""

    ACCOUNT = "account"
    """The instructor's account may not receive money, or is gone."""
    BALANCE = "balance"
    """There is too little where it should come from."""
    GATEWAY = "gateway"
    """It was paid at a gateway that is not in use any more."""
    OTHER = "other"


class PayoutStatus(StrEnum):
    """From an account to the instructor's bank, in Stripe's words. Paid may still fail."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def rank(self) -> int:
        return min(list(PayoutStatus).index(self), 3)


class Payee(Base):
    """An instructor's account at a gateway. `status` is as the gateway said at `asked_at`."""

    __tablename__ = "payees"
    __table_args__ = (
        one_of("status", PayeeStatus),
        UniqueConstraint("instructor_id", "gateway"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
    )

    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    gateway: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[str] = mapped_column(String(255), unique=True)
    status: Mapped[PayeeStatus] = mapped_column(default=PayeeStatus.NEW)
    asked_at: Mapped[datetime]
    created_at: Mapped[datetime]

    @property
    def is_payable(self) -> bool:
        return self.status is PayeeStatus.ACTIVE

    def hear(self, status: PayeeStatus, asked_at: datetime) -> None:
        """Take what the gateway said; what was asked earlier and comes later is not news."""
        if asked_at >= self.asked_at:
            self.status = status
            self.asked_at = asked_at


class Transfer(Base):
    """A share sent to an instructor's account, or a part of it taken back (`of_id`).

    Written before the gateway is asked, with the key that makes asking twice harmless.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        one_of("status", TransferStatus),
        UniqueConstraint("payment_id", "number"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint("(status = 'sent') = (gateway_id IS NOT NULL)", name="sent_by_id"),
        one_of("refused_for", RefusalCause),
        Index("ix_transfers_instructor_id", "instructor_id"),
        Index("ix_transfers_of_id", "of_id"),
    )

    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    account_id: Mapped[str] = mapped_column(String(255))
    number: Mapped[int] = mapped_column(SmallInteger)
    """Counts what was tried for a payment, so that a refusal is followed by a new key."""
    of_id: Mapped[int | None] = mapped_column(ForeignKey("transfers.id"))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    operation_key: Mapped[str] = mapped_column(String(120), unique=True)
    status: Mapped[TransferStatus] = mapped_column(default=TransferStatus.WAITING)
    gateway_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    refusal: Mapped[str | None] = mapped_column(String(200))
    refused_for: Mapped[RefusalCause | None]
    is_outside: Mapped[bool] = mapped_column(default=False)
    """Taken back past LUMA, in the gateway's own dashboard."""
    retried_at: Mapped[datetime | None]
    """An admin has looked: what was refused, or taken back there, may be tried again."""
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    @property
    def is_waiting(self) -> bool:
        return self.status is TransferStatus.WAITING

    @property
    def stands_in_the_way(self) -> bool:
        """Whether its sale waits for an admin's word."""
        is_over = self.is_outside or self.status is TransferStatus.REFUSED
        return is_over and self.retried_at is None

    def sent(self, gateway_id: str, now: datetime) -> None:
        """Even after a refusal: the gateway may have done what it said it had not."""
        self.status, self.gateway_id, self.done_at = TransferStatus.SENT, gateway_id, now
        self.refusal = self.refused_for = None

    def retry(self, now: datetime) -> None:
        if not self.stands_in_the_way:
            raise RuleBroken("This is being tried again already. Load the page again.")
        self.retried_at = now

    def refuse(self, cause: RefusalCause, why: str, now: datetime) -> None:
        self.status, self.done_at = TransferStatus.REFUSED, now
        self.refused_for, self.refusal = cause, why[:200]


class ForeignTransfer(Base):
    """A fact: what somebody sent past LUMA, in the gateway's dashboard.

    Without an instructor it went to an account of nobody here; without a payment to one of ours,
    for no sale in particular.
    """

    __tablename__ = "foreign_transfers"
    __table_args__ = (
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("back_minor BETWEEN 0 AND amount_minor", name="back_fits"),
        CheckConstraint("instructor_id IS NOT NULL OR payment_id IS NULL", name="sale_of_ours"),
    )

    transfer_id: Mapped[str] = mapped_column(String(255), unique=True)
    gateway: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[str] = mapped_column(String(255))
    instructor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    back_minor: Mapped[int] = mapped_column(default=0)
    """What was taken back of it."""
    happened_at: Mapped[datetime]


class HandPayout(Base):
    """What the school paid an instructor past the gateway, as an admin says."""

    __tablename__ = "hand_payouts"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
        Index("ix_hand_payouts_instructor_id", "instructor_id"),
    )

    instructor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    gateway: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    note: Mapped[str] = mapped_column(String(200))
    marked_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]


class BankPayout(Base):
    """A fact: what the gateway sends from an instructor's account to their bank."""

    __tablename__ = "bank_payouts"
    __table_args__ = (
        one_of("status", PayoutStatus),
        Index("ix_bank_payouts_account_id", "account_id"),
    )

    payout_id: Mapped[str] = mapped_column(String(255), unique=True)
    account_id: Mapped[str] = mapped_column(String(255))
    amount_minor: Mapped[int]
    amount_currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Money] = composite("amount_minor", "amount_currency")
    status: Mapped[PayoutStatus]
    rank: Mapped[int] = mapped_column(SmallInteger)
    failure: Mapped[str | None] = mapped_column(String(80))
    arrives_at: Mapped[datetime]


class SandboxAccount(Base):
    """An instructor's account at the sandbox: open until somebody plays the onboarding."""

    __tablename__ = "sandbox_accounts"

    account_id: Mapped[str] = mapped_column(String(255), unique=True)
    operation_key: Mapped[str] = mapped_column(String(120), unique=True)
    is_complete: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    def finish(self) -> None:
        if self.is_complete:
            raise RuleBroken("This account is set up already.")
        self.is_complete = True
