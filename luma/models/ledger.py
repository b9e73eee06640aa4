"""The ledger: every movement of money, as lines that together come to nothing."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from luma.models.base import Base, one_of, worded


class LedgerAccount(StrEnum):
    """Whose money a line of the ledger speaks of. See docs/payments.md."""

    GATEWAY = "gateway"
    """What lies at the gateway."""
    GATEWAY_FEE = "gateway_fee"
    PLATFORM_FEE = "platform_fee"
    INSTRUCTOR = "instructor"
    """What is owed to the instructor of the course."""
    TAX = "tax"
    DISPUTE = "dispute"
    """With a bank, until it has decided."""
    DISPUTE_FEE = "dispute_fee"
    EXCHANGE = "exchange"
    """What went back at another rate than it came: the school's loss, or its gain."""
    UNCLEAR = "unclear"
    """Of payments that do not fit their order: nobody's share until an admin has looked."""
    BANK = "bank"
    """What the school pays by hand, past the gateway."""


class LedgerKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_BACK = "refund_back"
    """A refund that failed: the money is back."""
    DISPUTE = "dispute"
    DISPUTE_BACK = "dispute_back"
    DISPUTE_LOST = "dispute_lost"
    TRANSFER = "transfer"
    TRANSFER_BACK = "transfer_back"
    PAID_BY_HAND = "paid_by_hand"
    SETTLEMENT = "settlement"
    """What a refund or a dispute took from the gateway's balance beside what was counted."""
    SETTLEMENT_BACK = "settlement_back"
    """The same for what was put back there."""
    CARRY = "carry"
    """What was paid out too much for one sale is kept back from another."""

    @property
    def pays_out(self) -> bool:
        return self in (LedgerKind.TRANSFER, LedgerKind.TRANSFER_BACK, LedgerKind.PAID_BY_HAND)


class LedgerTransaction(Base):
    """One movement, posted once: `key` is the kind and the id of the fact behind it.

    A trigger of the database refuses to change or delete it.
    """

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        one_of("kind", LedgerKind),
        CheckConstraint("gateway IN ('stripe', 'sandbox')", name="gateway_known"),
        Index("ix_ledger_transactions_payment_id", "payment_id"),
        Index("ix_ledger_transactions_happened_at", "happened_at"),
    )

    key: Mapped[str] = mapped_column(String(320), unique=True)
    kind: Mapped[LedgerKind] = mapped_column(worded(LedgerKind, 30))
    gateway: Mapped[str] = mapped_column(String(10))
    """Test money and real money are never in one sum."""
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    """The payment that the fact is about; a line may be about another one. Null for money that
    somebody sent past LUMA for no sale in particular."""
    happened_at: Mapped[datetime]
    posted_at: Mapped[datetime]


class LedgerEntry(Base):
    """One line. What came in or was spent is above zero, what LUMA owes or earned is below.

    Written once too; at the end of each transaction of the database the lines of each movement
    must come to zero in every currency, or nothing is written.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        one_of("account", LedgerAccount),
        CheckConstraint("minor <> 0", name="says_something"),
        CheckConstraint("currency ~ '^[a-z]{3}$'", name="currency_lower"),
        CheckConstraint(
            "(account = 'instructor') = (instructor_id IS NOT NULL)", name="whose_share"
        ),
        CheckConstraint(
            "payment_id IS NOT NULL OR account IN ('instructor', 'gateway')", name="of_a_sale"
        ),
        Index("ix_ledger_entries_transaction_id", "transaction_id"),
        Index("ix_ledger_entries_payment_id", "payment_id"),
        Index("ix_ledger_entries_instructor_id", "instructor_id", "currency"),
    )

    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transactions.id"))
    account: Mapped[LedgerAccount]
    minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    instructor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
