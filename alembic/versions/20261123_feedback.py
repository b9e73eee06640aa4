"""The form that asks students about a lesson or a course, and what they answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "91c4d07be5a8"
down_revision = "a1c0de5a7e01"
branch_labels = None
depends_on = None

KINDS = "kind IN ('scale', 'choice', 'text')"


def upgrade() -> None:
    _make_questions()
    _make_sheets()
    _make_answers()


def _make_questions() -> None:
    op.create_table(
        "feedback_questions",
        sa.Column("public_id", sa.String(24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("prompt", sa.String(200), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_feedback_questions_kind_known")),
        sa.CheckConstraint(
            "length(btrim(prompt)) > 0", name=op.f("ck_feedback_questions_prompt_not_blank")
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_feedback_questions_position_counts")),
        sa.CheckConstraint(
            "(kind = 'choice') = (jsonb_array_length(options) > 1)",
            name=op.f("ck_feedback_questions_options_fit"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["courses.id"],
            name=op.f("fk_feedback_questions_course_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_questions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_feedback_questions_public_id")),
        sa.UniqueConstraint(
            "course_id",
            "position",
            name=op.f("uq_feedback_questions_course_id_position"),
            deferrable=True,
            initially="DEFERRED",
        ),
    )


def _make_sheets() -> None:
    op.create_table(
        "feedback_sheets",
        sa.Column("public_id", sa.String(24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("student_id", sa.BigInteger(), nullable=True),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["courses.id"],
            name=op.f("fk_feedback_sheets_course_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"],
            ["lessons.id"],
            name=op.f("fk_feedback_sheets_lesson_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["users.id"],
            name=op.f("fk_feedback_sheets_student_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_sheets")),
        sa.UniqueConstraint("public_id", name=op.f("uq_feedback_sheets_public_id")),
    )
    op.create_index("ix_feedback_sheets_course_id", "feedback_sheets", ["course_id"])
    op.create_index("ix_feedback_sheets_lesson_id", "feedback_sheets", ["lesson_id"])
    op.create_index(
        "uq_feedback_sheets_lesson",
        "feedback_sheets",
        ["student_id", "lesson_id"],
        unique=True,
        postgresql_where=sa.text("lesson_id IS NOT NULL"),
    )
    op.create_index(
        "uq_feedback_sheets_course",
        "feedback_sheets",
        ["student_id", "course_id"],
        unique=True,
        postgresql_where=sa.text("lesson_id IS NULL"),
    )


def _make_answers() -> None:
    op.create_table(
        "feedback_answers",
        sa.Column("public_id", sa.String(24), nullable=False),
        sa.Column("sheet_id", sa.BigInteger(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "number BETWEEN 1 AND 5", name=op.f("ck_feedback_answers_number_in_range")
        ),
        sa.CheckConstraint(
            "(number IS NULL) = (text <> '')", name=op.f("ck_feedback_answers_says_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"],
            ["feedback_sheets.id"],
            name=op.f("fk_feedback_answers_sheet_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["feedback_questions.id"],
            name=op.f("fk_feedback_answers_question_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_answers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_feedback_answers_public_id")),
        sa.UniqueConstraint(
            "sheet_id", "question_id", name=op.f("uq_feedback_answers_sheet_id_question_id")
        ),
    )
    op.create_index("ix_feedback_answers_question_id", "feedback_answers", ["question_id"])


def downgrade() -> None:
    for table in ("feedback_answers", "feedback_sheets", "feedback_questions"):
        op.drop_table(table)
