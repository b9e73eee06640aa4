"""Events by what they name; how far the gateway was read, what differs, and what was refused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "d84e0b6f2c31"
down_revision = "5a17b0c93e65"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = sa.text("'{}'")
    op.add_column(
        "stripe_events",
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False, server_default=nothing),
    )
    op.alter_column("stripe_events", "subjects", server_default=None)
    op.create_index(
        "ix_stripe_events_subjects", "stripe_events", ["subjects"], postgresql_using="gin"
    )
    op.add_column(
        "checkout_attempts", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("gateway_products", sa.Column("drift", sa.String(length=200), nullable=True))
    op.create_table(
        "gateway_pulls",
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(length=200), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "gateway IN ('stripe', 'sandbox')", name=op.f("ck_gateway_pulls_gateway_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_pulls")),
        sa.UniqueConstraint("gateway", "livemode", name=op.f("uq_gateway_pulls_gateway_livemode")),
    )
    op.create_table(
        "differences",
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("order_public_id", sa.String(length=24), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
        sa.UniqueConstraint(
            "gateway", "livemode", "name", name=op.f("uq_differences_gateway_livemode_name")
        ),
    )
    op.create_index(
        "ix_differences_open",
        "differences",
        ["found_at"],
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "webhook_refusals",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("least_age", sa.BigInteger(), nullable=True),
        sa.Column("most_age", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("times > 0", name=op.f("ck_webhook_refusals_times_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_refusals")),
        sa.UniqueConstraint("hour", "reason", name=op.f("uq_webhook_refusals_hour_reason")),
    )


def downgrade() -> None:
    op.drop_table("webhook_refusals")
    op.drop_table("differences")
    op.drop_table("gateway_pulls")
    op.drop_column("gateway_products", "drift")
    op.drop_column("checkout_attempts", "returned_at")
    op.drop_column("stripe_events", "subjects")
