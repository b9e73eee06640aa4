"""The sandbox keeps the events that it makes, so that they can be asked for as at Stripe."""

import sqlalchemy as sa
from alembic import op

revision = "5a17b0c93e64"
down_revision = "b7d2f0c4e611"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sandbox_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_sandbox_events_event_id")),
    )
    op.create_index("ix_sandbox_events_created_at", "sandbox_events", ["created_at"])


def downgrade() -> None:
    op.drop_table("sandbox_events")
