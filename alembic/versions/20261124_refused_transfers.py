"""Why a transfer was refused, and what the issuers of cards warn of."""

import sqlalchemy as sa
from alembic import op

revision = "d10b6a94e3c8"
down_revision = "3c9e51d7ab20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transfers", sa.Column("refused_for", sa.String(length=20), nullable=True))
    op.create_check_constraint(
        "ck_transfers_refused_for_known",
        "transfers",
        "refused_for IN ('account', 'balance', 'gateway', 'other')",
    )
    op.create_table(
        "fraud_warnings",
        sa.Column("warning_id", sa.String(length=255), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_fraud_warnings_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fraud_warnings"),
        sa.UniqueConstraint("warning_id", name="uq_fraud_warnings_warning_id"),
    )
    op.create_index("ix_fraud_warnings_payment_id", "fraud_warnings", ["payment_id"])


def downgrade() -> None:
    op.drop_table("fraud_warnings")
    op.drop_constraint("ck_transfers_refused_for_known", "transfers")
    op.drop_column("transfers", "refused_for")
