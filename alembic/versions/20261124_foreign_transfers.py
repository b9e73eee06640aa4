"""Transfers made past LUMA, and what an admin lets be tried again."""

import sqlalchemy as sa
from alembic import op

revision = "c4e81f20a7d5"
down_revision = "7a8e5c0de0f1"
branch_labels = None
depends_on = None

LEDGER = ("ledger_transactions", "ledger_entries")


def upgrade() -> None:
    op.create_table(
        "foreign_transfers",
        sa.Column("transfer_id", sa.String(length=255), nullable=False),
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.Column("back_minor", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "gateway IN ('stripe', 'sandbox')", name="ck_foreign_transfers_gateway_known"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_foreign_transfers_amount_positive"),
        sa.CheckConstraint(
            "back_minor BETWEEN 0 AND amount_minor", name="ck_foreign_transfers_back_fits"
        ),
        sa.CheckConstraint(
            "instructor_id IS NOT NULL OR payment_id IS NULL",
            name="ck_foreign_transfers_sale_of_ours",
        ),
        sa.ForeignKeyConstraint(
            ["instructor_id"], ["users.id"], name="fk_foreign_transfers_instructor_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_foreign_transfers_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_foreign_transfers"),
        sa.UniqueConstraint("transfer_id", name="uq_foreign_transfers_transfer_id"),
    )
    op.add_column(
        "transfers",
        sa.Column("is_outside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("transfers", "is_outside", server_default=None)
    op.add_column("transfers", sa.Column("retried_at", sa.DateTime(timezone=True), nullable=True))
    for table in LEDGER:
        op.alter_column(table, "payment_id", nullable=True)
    op.create_check_constraint(
        "ck_ledger_entries_of_a_sale",
        "ledger_entries",
        "payment_id IS NOT NULL OR account IN ('instructor', 'gateway')",
    )


def downgrade() -> None:
    op.drop_constraint("ck_ledger_entries_of_a_sale", "ledger_entries")
    for table in LEDGER:
        op.alter_column(table, "payment_id", nullable=False)
    op.drop_column("transfers", "retried_at")
    op.drop_column("transfers", "is_outside")
    op.drop_table("foreign_transfers")
