"""What an AI found in the students' words, and the to-dos that come of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a1c0de5a7e03"
down_revision = "e5c20b7d1f84"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "analyses",
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("themes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("suggestions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("texts_read", sa.BigInteger(), nullable=False),
        sa.Column("texts_there", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "texts_read <= texts_there", name=op.f("ck_analyses_read_of_those_there")
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["ai_calls.id"], name=op.f("fk_analyses_call_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_analyses_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analyses")),
        sa.UniqueConstraint("public_id", name=op.f("uq_analyses_public_id")),
    )
    op.create_index("ix_analyses_course_id", "analyses", ["course_id", "id"])
    op.create_table(
        "todos",
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(status = 'done') = (done_at IS NOT NULL)", name=op.f("ck_todos_done_stamped")
        ),
        sa.CheckConstraint(
            "told_at IS NULL OR status = 'done'", name=op.f("ck_todos_told_when_done")
        ),
        sa.CheckConstraint("length(btrim(text)) > 0", name=op.f("ck_todos_text_not_blank")),
        sa.CheckConstraint("status IN ('open', 'done')", name=op.f("ck_todos_status_known")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_todos_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_todos_lesson_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todos")),
        sa.UniqueConstraint("origin", name=op.f("uq_todos_origin")),
        sa.UniqueConstraint("public_id", name=op.f("uq_todos_public_id")),
    )
    op.create_index("ix_todos_course_id", "todos", ["course_id"])
    op.create_index("ix_todos_lesson_id", "todos", ["lesson_id"])


def downgrade() -> None:
    op.drop_table("todos")
    op.drop_table("analyses")
