"""Payees, transfers to them, and what is paid by hand."""

import sqlalchemy as sa
from alembic import op

revision = "6f2ea4d18c37"
down_revision = "c0c1f7a2d901"
branch_labels = None
depends_on = None

GATEWAYS = "gateway IN ('stripe', 'sandbox')"


def upgrade() -> None:
    _create_payees()
    _create_transfers()
    _create_payouts()
    op.create_table(
        "sandbox_accounts",
        _id(),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("operation_key", sa.String(length=120), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_accounts"),
        sa.UniqueConstraint("account_id", name="uq_sandbox_accounts_account_id"),
        sa.UniqueConstraint("operation_key", name="uq_sandbox_accounts_operation_key"),
    )


def _create_payees() -> None:
    op.create_table(
        "payees",
        _id(),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('new', 'pending', 'active', 'restricted', 'unsupported', 'closed')",
            name="ck_payees_status_known",
        ),
        sa.CheckConstraint(GATEWAYS, name="ck_payees_gateway_known"),
        _user("payees", "instructor_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payees"),
        sa.UniqueConstraint("instructor_id", "gateway", name="uq_payees_instructor_id_gateway"),
        sa.UniqueConstraint("account_id", name="uq_payees_account_id"),
    )


def _create_transfers() -> None:
    op.create_table(
        "transfers",
        _id(),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("of_id", sa.BigInteger(), nullable=True),
        *_amount(),
        sa.Column("operation_key", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("gateway_id", sa.String(length=255), nullable=True),
        sa.Column("refusal", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'sent', 'refused')", name="ck_transfers_status_known"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_transfers_amount_positive"),
        sa.CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="ck_transfers_currency_lower"),
        sa.CheckConstraint(
            "(status = 'sent') = (gateway_id IS NOT NULL)", name="ck_transfers_sent_by_id"
        ),
        _user("transfers", "instructor_id"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_transfers_payment_id"),
        sa.ForeignKeyConstraint(["of_id"], ["transfers.id"], name="fk_transfers_of_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
        sa.UniqueConstraint("payment_id", "number", name="uq_transfers_payment_id_number"),
        sa.UniqueConstraint("operation_key", name="uq_transfers_operation_key"),
        sa.UniqueConstraint("gateway_id", name="uq_transfers_gateway_id"),
    )
    for column in ("instructor_id", "of_id"):
        op.create_index(f"ix_transfers_{column}", "transfers", [column])


def _create_payouts() -> None:
    op.create_table(
        "hand_payouts",
        _id(),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=10), nullable=False),
        *_amount(),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("marked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_hand_payouts_amount_positive"),
        sa.CheckConstraint(GATEWAYS, name="ck_hand_payouts_gateway_known"),
        _user("hand_payouts", "instructor_id"),
        _user("hand_payouts", "marked_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hand_payouts"),
    )
    op.create_index("ix_hand_payouts_instructor_id", "hand_payouts", ["instructor_id"])
    op.create_table(
        "bank_payouts",
        _id(),
        sa.Column("payout_id", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        *_amount(),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')",
            name="ck_bank_payouts_status_known",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bank_payouts"),
        sa.UniqueConstraint("payout_id", name="uq_bank_payouts_payout_id"),
    )
    op.create_index("ix_bank_payouts_account_id", "bank_payouts", ["account_id"])


def downgrade() -> None:
    for table in ("sandbox_accounts", "bank_payouts", "hand_payouts", "transfers", "payees"):
        op.drop_table(table)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _amount() -> tuple[sa.Column[int], sa.Column[str]]:
    return (
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
    )


def _user(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["users.id"], name=f"fk_{table}_{column}")
