"""How a course is taxed, what an order and the gateway's price say of it, and invoices."""

import sqlalchemy as sa
from alembic import op

revision = "7a8e5c0de0f1"
down_revision = "5a17b0c93e66"
branch_labels = None
depends_on = None

KNOWN = "tax_behavior IN ('inclusive', 'exclusive')"


def upgrade() -> None:
    op.add_column("courses", sa.Column("tax_code", sa.String(length=20), nullable=True))
    for table in ("courses", "orders"):
        op.add_column(table, sa.Column("tax_behavior", sa.String(length=10), nullable=True))
        op.create_check_constraint(op.f(f"ck_{table}_tax_behavior_known"), table, KNOWN)
    for name, length in (("tax_code", 20), ("tax_behavior", 10)):
        op.add_column(
            "gateway_products",
            sa.Column(
                name, sa.String(length=length), nullable=False, server_default=sa.text("''")
            ),
        )
        op.alter_column("gateway_products", name, server_default=None)
    op.add_column("payments", sa.Column("invoice_id", sa.String(length=255), nullable=True))
    op.add_column("payments", sa.Column("invoice_url", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_payments_invoice_id"), "payments", ["invoice_id"])


def downgrade() -> None:
    op.drop_column("payments", "invoice_url")
    op.drop_column("payments", "invoice_id")
    for name in ("tax_behavior", "tax_code"):
        op.drop_column("gateway_products", name)
    for table in ("orders", "courses"):
        op.drop_column(table, "tax_behavior")
    op.drop_column("courses", "tax_code")
