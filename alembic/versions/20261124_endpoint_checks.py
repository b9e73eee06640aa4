"""Where the gateway sends its events, as it said when it was last asked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3c9e51d7ab20"
down_revision = "c4e81f20a7d5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "endpoint_checks",
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("found", postgresql.JSONB(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "gateway IN ('stripe', 'sandbox')", name=op.f("ck_endpoint_checks_gateway_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_checks")),
        sa.UniqueConstraint(
            "gateway", "livemode", name=op.f("uq_endpoint_checks_gateway_livemode")
        ),
    )


def downgrade() -> None:
    op.drop_table("endpoint_checks")
