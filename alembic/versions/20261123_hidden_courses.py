"""Courses that an admin has hidden, and why jobs fail."""

import sqlalchemy as sa
from alembic import op

revision = "d5a2f18b0e47"
down_revision = "b5c2e81f4a07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("courses", sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("courses", sa.Column("hidden_reason", sa.String(length=500), nullable=True))
    op.add_column("courses", sa.Column("hidden_on_sale", sa.Boolean(), nullable=True))
    op.create_check_constraint(
        op.f("ck_courses_hidden_not_on_sale"), "courses", "status = 'draft' OR hidden_at IS NULL"
    )
    op.create_check_constraint(
        op.f("ck_courses_hidden_whole"),
        "courses",
        "num_nulls(hidden_at, hidden_reason, hidden_on_sale) IN (0, 3)",
    )
    op.create_table(
        "job_failures",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_failures")),
        sa.UniqueConstraint("job_id", name=op.f("uq_job_failures_job_id")),
    )


def downgrade() -> None:
    op.drop_table("job_failures")
    op.drop_constraint(op.f("ck_courses_hidden_whole"), "courses", type_="check")
    op.drop_constraint(op.f("ck_courses_hidden_not_on_sale"), "courses", type_="check")
    op.drop_column("courses", "hidden_on_sale")
    op.drop_column("courses", "hidden_reason")
    op.drop_column("courses", "hidden_at")
