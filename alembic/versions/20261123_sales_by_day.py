"""Sales are looked at by their day."""

import sqlalchemy as sa
from alembic import op

revision = "c5a1e5b7da17"
down_revision = "5e1d93c07b26"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_orders_sold_at",
        "orders",
        ["course_id", sa.text("coalesce(paid_at, created_at)"), "id"],
    )
    op.create_index("ix_payments_paid_at", "payments", ["paid_at"])


def downgrade() -> None:
    op.drop_index("ix_payments_paid_at", table_name="payments")
    op.drop_index("ix_orders_sold_at", table_name="orders")
