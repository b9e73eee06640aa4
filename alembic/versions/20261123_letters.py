"""Letters are kept until they have arrived, and shown to whoever runs the school."""

import sqlalchemy as sa
from alembic import op

revision = "b5c2e81f4a07"
down_revision = "e5c27a914d08"
branch_labels = None
depends_on = None

STATUSES = "status IN ('waiting', 'sent', 'refused', 'given_up', 'expired')"


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("greeting", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("button_words", sa.String(length=80), nullable=False),
        sa.Column("button_path", sa.String(length=500), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sending_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(STATUSES, name="ck_letters_status_known"),
        sa.CheckConstraint(r"subject !~ '[\r\n]'", name="ck_letters_subject_is_one_line"),
        sa.CheckConstraint(r"address !~ '[\r\n]'", name="ck_letters_address_is_one_line"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_letters_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("key", name="uq_letters_key"),
    )
    op.create_index("ix_letters_user_id", "letters", ["user_id"])
    op.create_index("ix_letters_status", "letters", ["status", "id"])


def downgrade() -> None:
    op.drop_table("letters")
