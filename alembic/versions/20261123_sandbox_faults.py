"""What a tester has go wrong with the sandbox's events, and what became of each of them."""

import sqlalchemy as sa
from alembic import op

revision = "5a17b0c93e65"
down_revision = "c5a1e5b7da17"
branch_labels = None
depends_on = None

FAULTS = ("delivers_twice", "swaps", "drops")


def upgrade() -> None:
    for fault in FAULTS:
        _add("sandbox_sessions", sa.Column(fault, sa.Boolean(), nullable=False), sa.false())
    delay = sa.Column("delay_seconds", sa.SmallInteger(), nullable=False)
    _add("sandbox_sessions", delay, sa.text("0"))
    op.create_check_constraint(
        op.f("ck_sandbox_sessions_delay_is_short"),
        "sandbox_sessions",
        "delay_seconds BETWEEN 0 AND 600",
    )
    fate = sa.Column("fate", sa.String(length=10), nullable=False)
    _add("sandbox_events", fate, sa.text("'sent'"))
    op.create_check_constraint(
        op.f("ck_sandbox_events_fate_known"),
        "sandbox_events",
        "fate IN ('sent', 'held', 'dropped')",
    )
    op.add_column("sandbox_events", sa.Column("session_id", sa.String(length=255), nullable=True))
    moment = sa.DateTime(timezone=True)
    op.add_column("sandbox_events", sa.Column("delivered_at", moment, nullable=True))
    op.add_column("sandbox_events", sa.Column("trouble", sa.Text(), nullable=True))
    op.create_index("ix_sandbox_events_session_id", "sandbox_events", ["session_id"])


def _add(table: str, column: sa.Column[object], value: object) -> None:
    """With a value for the rows that are there, and no default for those to come."""
    name = column.name
    column.server_default = sa.DefaultClause(value)  # type: ignore[arg-type]  # a clause
    op.add_column(table, column)
    op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    op.drop_index("ix_sandbox_events_session_id", "sandbox_events")
    for column in ("trouble", "delivered_at", "session_id", "fate"):
        op.drop_column("sandbox_events", column)
    for column in ("delay_seconds", *FAULTS):
        op.drop_column("sandbox_sessions", column)
