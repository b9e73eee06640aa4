"""What the AI is asked and what it costs, with a cap per instructor and month."""

import sqlalchemy as sa
from alembic import op

revision = "a1c0de5a7e01"
down_revision = "3f6a9be27c10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ai_calls",
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(status = 'open') = (finished_at IS NULL)", name=op.f("ck_ai_calls_finished_stamped")
        ),
        sa.CheckConstraint(
            "purpose IN ('summary', 'analysis')", name=op.f("ck_ai_calls_purpose_known")
        ),
        sa.CheckConstraint(
            "reserved_micros >= 0 AND cost_micros >= 0", name=op.f("ck_ai_calls_costs_count")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'done', 'failed', 'lost')", name=op.f("ck_ai_calls_status_known")
        ),
        sa.CheckConstraint(
            "prompt_tokens >= 0 AND completion_tokens >= 0", name=op.f("ck_ai_calls_tokens_count")
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_ai_calls_course_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["instructor_id"], ["users.id"], name=op.f("fk_ai_calls_instructor_id")
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_ai_calls_lesson_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_calls")),
    )
    op.create_index("ix_ai_calls_instructor_id", "ai_calls", ["instructor_id", "asked_at"])
    op.create_index(
        "ix_ai_calls_open", "ai_calls", ["asked_at"], postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "ai_months",
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("spent_micros >= 0", name=op.f("ck_ai_months_spent_counts")),
        sa.ForeignKeyConstraint(
            ["instructor_id"],
            ["users.id"],
            name=op.f("fk_ai_months_instructor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_months")),
        sa.UniqueConstraint(
            "instructor_id", "month", name=op.f("uq_ai_months_instructor_id_month")
        ),
    )


def downgrade() -> None:
    op.drop_table("ai_months")
    op.drop_table("ai_calls")
