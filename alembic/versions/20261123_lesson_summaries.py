"""Transcripts and summaries of lessons, and runs over all lessons of a course."""

import sqlalchemy as sa
from alembic import op

revision = "a1c0de5a7e02"
down_revision = "7d20b9e4f513"
branch_labels = None
depends_on = None

CONTENT = "md5(title || chr(31) || text || chr(31) || transcript)"


def upgrade() -> None:
    op.add_column("lessons", sa.Column("transcript", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "lessons", sa.Column("summary_html", sa.Text(), server_default="", nullable=False)
    )
    op.alter_column("lessons", "transcript", server_default=None)
    op.alter_column("lessons", "summary_html", server_default=None)
    op.add_column(
        "lessons",
        sa.Column(
            "content_hash", sa.String(32), sa.Computed(CONTENT, persisted=True), nullable=False
        ),
    )
    _summaries()
    _runs()


def _summaries() -> None:
    op.create_table(
        "lesson_summaries",
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("draft_of", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_of", sa.String(length=32), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(text = '') = (approved_at IS NULL)",
            name=op.f("ck_lesson_summaries_approved_stamped"),
        ),
        sa.CheckConstraint(
            "length(draft) <= 3000 AND length(text) <= 3000",
            name=op.f("ck_lesson_summaries_texts_short"),
        ),
        sa.CheckConstraint(
            "source IN ('ai', 'extract', 'person')",
            name=op.f("ck_lesson_summaries_source_known"),
        ),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["ai_calls.id"],
            name=op.f("fk_lesson_summaries_call_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lessons.id"],
            name=op.f("fk_lesson_summaries_lesson_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_summaries")),
        sa.UniqueConstraint("lesson_id", name=op.f("uq_lesson_summaries_lesson_id")),
    )


def _runs() -> None:
    op.create_table(
        "summary_runs",
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(status = 'running') = (finished_at IS NULL)",
            name=op.f("ck_summary_runs_finished_stamped"),
        ),
        sa.CheckConstraint(
            "source IN ('ai', 'extract', 'person')", name=op.f("ck_summary_runs_source_known")
        ),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'cancelled', 'stopped')",
            name=op.f("ck_summary_runs_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["courses.id"],
            name=op.f("fk_summary_runs_course_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["instructor_id"],
            ["users.id"],
            name=op.f("fk_summary_runs_instructor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_summary_runs_public_id")),
    )
    op.create_index("ix_summary_runs_course_id", "summary_runs", ["course_id", "id"])
    op.create_index(
        "uq_summary_runs_running",
        "summary_runs",
        ["course_id"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "summary_tasks",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'working', 'done', 'failed')",
            name=op.f("ck_summary_tasks_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["ai_calls.id"],
            name=op.f("fk_summary_tasks_call_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lessons.id"],
            name=op.f("fk_summary_tasks_lesson_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["summary_runs.id"],
            name=op.f("fk_summary_tasks_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_tasks")),
        sa.UniqueConstraint("run_id", "lesson_id", name=op.f("uq_summary_tasks_run_id_lesson_id")),
    )


def downgrade() -> None:
    op.drop_table("summary_tasks")
    op.drop_table("summary_runs")
    op.drop_table("lesson_summaries")
    op.drop_column("lessons", "content_hash")
    op.drop_column("lessons", "summary_html")
    op.drop_column("lessons", "transcript")
