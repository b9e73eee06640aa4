"""Sales that are only played, and the buyers who play them."""

import sqlalchemy as sa
from alembic import op

revision = "5a17b0c93e66"
down_revision = "6f2ea4d18c37"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("rehearses_for_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_users_rehearses_for_id"), "users", "users", ["rehearses_for_id"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_users_rehearses_for_id"), "users", ["rehearses_for_id"])
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
        sa.UniqueConstraint("public_id", name=op.f("uq_rehearsals_public_id")),
        *(
            sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_rehearsals_{column}"))
            for column, to in (
                ("course_id", "courses.id"),
                ("buyer_id", "users.id"),
                ("order_id", "orders.id"),
            )
        ),
    )
    op.create_index(
        "uq_rehearsals_one_running",
        "rehearsals",
        ["course_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("rehearsals")
    op.drop_column("users", "rehearses_for_id")
