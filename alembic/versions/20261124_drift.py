"""Since when a course has not been for sale at the gateway; prices archived at the sandbox."""

import sqlalchemy as sa
from alembic import op

revision = "d41f7a0c9b52"
down_revision = "91b7f04ac6d8"
branch_labels = None
depends_on = None

CAUSES = "'product_archived', 'product_deleted', 'price_archived', 'price_changed'"


def upgrade() -> None:
    op.execute("UPDATE gateway_products SET drift = NULL")
    op.alter_column("gateway_products", "drift", type_=sa.String(length=20))
    op.add_column(
        "gateway_products", sa.Column("drift_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_gateway_products_drift_whole"),
        "gateway_products",
        "num_nulls(drift, drift_at) IN (0, 2)",
    )
    op.create_check_constraint(
        op.f("ck_gateway_products_drift_known"), "gateway_products", f"drift IN ({CAUSES})"
    )
    op.create_index(
        "ix_gateway_products_drift",
        "gateway_products",
        ["drift_at"],
        postgresql_where=sa.text("drift IS NOT NULL"),
    )
    op.create_table(
        "sandbox_archives",
        sa.Column("price_id", sa.String(length=255), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_archives")),
        sa.UniqueConstraint("price_id", name=op.f("uq_sandbox_archives_price_id")),
    )


def downgrade() -> None:
    op.drop_table("sandbox_archives")
    op.drop_index("ix_gateway_products_drift", table_name="gateway_products")
    op.drop_constraint(op.f("ck_gateway_products_drift_known"), "gateway_products")
    op.drop_constraint(op.f("ck_gateway_products_drift_whole"), "gateway_products")
    op.drop_column("gateway_products", "drift_at")
    op.alter_column("gateway_products", "drift", type_=sa.String(length=200))
