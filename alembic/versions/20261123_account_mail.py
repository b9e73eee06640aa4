"""Addresses are confirmed, passwords reset, by links that open once. The demo's are confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "c93d0b7a1f52"
down_revision = "a1c0de5a7e02"
branch_labels = None
depends_on = None

PURPOSES = "purpose IN ('verify', 'reset', 'old_address', 'new_address')"


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("UPDATE users SET email_verified_at = now() WHERE email LIKE '%@luma.example'")
    op.create_table(
        "account_tokens",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(PURPOSES, name="ck_account_tokens_purpose_known"),
        sa.CheckConstraint(
            "octet_length(token_hash) = 32", name="ck_account_tokens_token_hash_is_sha256"
        ),
        sa.CheckConstraint("expires_at > created_at", name="ck_account_tokens_expires_later"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_account_tokens_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_account_tokens_token_hash"),
        sa.UniqueConstraint("user_id", "purpose", name="uq_account_tokens_user_id_purpose"),
    )


def downgrade() -> None:
    op.drop_table("account_tokens")
    op.drop_column("users", "email_verified_at")
