"""What a payment is made of, what it settled to, and what a coupon takes off an order."""

import sqlalchemy as sa
from alembic import op

revision = "b7d2f0c4e611"
down_revision = "a1c0de5a7e03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = sa.text("0")
    op.add_column(
        "orders", sa.Column("discount_minor", sa.BigInteger(), nullable=False, server_default=nothing)
    )
    op.alter_column("orders", "discount_minor", server_default=None)
    op.create_check_constraint(
        op.f("ck_orders_discount_within_price"),
        "orders",
        "discount_minor BETWEEN 0 AND price_minor",
    )
    for part in ("discount_minor", "tax_minor"):
        op.add_column(
            "payments", sa.Column(part, sa.BigInteger(), nullable=False, server_default=nothing)
        )
        op.alter_column("payments", part, server_default=None)
    op.add_column("payments", sa.Column("charge_id", sa.String(length=255), nullable=True))
    op.add_column("payments", sa.Column("receipt_url", sa.Text(), nullable=True))
    op.add_column("payments", sa.Column("settled_minor", sa.BigInteger(), nullable=True))
    op.add_column("payments", sa.Column("settled_currency", sa.String(length=3), nullable=True))
    op.add_column("payments", sa.Column("fee_minor", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_payments_charge_id"), "payments", ["charge_id"])
    op.create_check_constraint(
        op.f("ck_payments_parts_not_negative"),
        "payments",
        "discount_minor >= 0 AND tax_minor >= 0",
    )
    op.create_check_constraint(
        op.f("ck_payments_settled_whole"),
        "payments",
        "num_nulls(settled_minor, settled_currency, fee_minor) IN (0, 3)",
    )


def downgrade() -> None:
    for column in (
        "fee_minor",
        "settled_currency",
        "settled_minor",
        "receipt_url",
        "charge_id",
        "tax_minor",
        "discount_minor",
    ):
        op.drop_column("payments", column)
    op.drop_column("orders", "discount_minor")
