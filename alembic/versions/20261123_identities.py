"""Signing in through identity providers: people on the way, and what Clerk tells later."""

import sqlalchemy as sa
from alembic import op

revision = "e5c2a97d1f08"
down_revision = "d5a2f18b0e47"
branch_labels = None
depends_on = None

WAITING = sa.text("status IN ('new', 'parked')")


def upgrade() -> None:
    op.create_table(
        "identity_visits",
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("onward", sa.String(length=500), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "octet_length(state_hash) = 32", name="ck_identity_visits_state_hash_is_sha256"
        ),
        sa.CheckConstraint(
            "octet_length(browser_hash) = 32", name="ck_identity_visits_browser_hash_is_sha256"
        ),
        sa.CheckConstraint(
            "num_nulls(external_id, email, name) IN (0, 3)",
            name="ck_identity_visits_came_back_whole",
        ),
        sa.CheckConstraint(
            "external_id IS NULL OR returned_at IS NOT NULL",
            name="ck_identity_visits_came_back_once",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_identity_visits_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_visits"),
        sa.UniqueConstraint("public_id", name="uq_identity_visits_public_id"),
        sa.UniqueConstraint("state_hash", name="uq_identity_visits_state_hash"),
    )
    op.create_index("ix_identity_visits_user_id", "identity_visits", ["user_id"])
    op.create_index("ix_identity_visits_expires_at", "identity_visits", ["expires_at"])
    op.create_table(
        "identity_events",
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=120), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "status IN ('new', 'done', 'parked', 'dead')", name="ck_identity_events_status_known"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_identity_events"),
        sa.UniqueConstraint("event_id", name="uq_identity_events_event_id"),
    )
    op.create_index(
        "ix_identity_events_waiting", "identity_events", ["next_at"], postgresql_where=WAITING
    )
    op.create_index(
        "ix_identity_events_subject", "identity_events", ["subject", "happened_at"]
    )


def downgrade() -> None:
    op.drop_table("identity_events")
    op.drop_table("identity_visits")
