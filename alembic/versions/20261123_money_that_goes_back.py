"""Refunds and disputes as facts, refunds that LUMA asks for, and access that no order gave."""

import sqlalchemy as sa
from alembic import op

revision = "e5c20b7d1f84"
down_revision = "c90b7f3e6a15"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATUSES = {
    "orders": (
        "status",
        "'open', 'pending', 'paid', 'failed', 'expired', 'needs_review'",
        "'refunded', 'disputed', 'charged_back'",
    ),
    "enrolments": ("source", "'free', 'purchase'", "'gift', 'manual'"),
}


def _amount(least: str) -> list[sa.schema.SchemaItem]:
    name = "positive" if least == "> 0" else "not_negative"
    return [
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint(f"amount_minor {least}", name=f"amount_{name}"),
    ]


def _shared(table: str, payment: bool = True) -> list[sa.schema.SchemaItem]:
    columns = [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]
    if payment:
        columns += [
            sa.Column("payment_id", sa.BigInteger(), nullable=False),
            sa.ForeignKeyConstraint(
                ["payment_id"], ["payments.id"], name=op.f(f"fk_{table}_payment_id")
            ),
        ]
    return columns


def upgrade() -> None:
    for table, (column, old, new) in STATUSES.items():
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table, type_="check")
        op.create_check_constraint(f"{column}_known", table, f"{column} IN ({old}, {new})")
    op.add_column("orders", sa.Column("access_ended_reason", sa.String(length=200), nullable=True))
    op.add_column("orders", sa.Column("refund_days", sa.SmallInteger(), nullable=True))
    op.execute("UPDATE orders SET refund_days = 14")
    op.alter_column("orders", "refund_days", nullable=False)
    op.create_check_constraint("refund_days_not_negative", "orders", "refund_days >= 0")
    _facts()
    _requests()
    _grants()
    _sandbox()
    op.execute(
        "INSERT INTO grants (student_id, course_id, source, created_at)"
        " SELECT student_id, course_id, source, created_at FROM enrolments"
        " WHERE source = 'free' AND active"
    )


def _facts() -> None:
    op.create_table(
        "refunds",
        *_shared("refunds"),
        *_amount("> 0"),
        sa.Column("refund_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("failure", sa.String(length=80), nullable=True),
        sa.Column("refunded_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        sa.CheckConstraint(
            "status IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')",
            name="status_known",
        ),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refunds_refund_id")),
    )
    op.create_table(
        "disputes",
        *_shared("disputes"),
        *_amount(">= 0"),
        sa.Column("dispute_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("due_by", MOMENT, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_currency ~ '^[a-z]{3}$'", name="currency_lower"),
        sa.CheckConstraint(
            "status IN ('warning_needs_response', 'warning_under_review', 'needs_response',"
            " 'under_review', 'warning_closed', 'prevented', 'won', 'lost')",
            name="status_known",
        ),
        sa.UniqueConstraint("dispute_id", name=op.f("uq_disputes_dispute_id")),
    )
    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id"])
    op.create_index("ix_disputes_payment_id", "disputes", ["payment_id"])


def _requests() -> None:
    op.create_table(
        "refund_requests",
        *_shared("refund_requests"),
        *_amount("> 0"),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("operation_key", sa.String(length=80), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("refund_id", sa.String(length=255), nullable=True),
        sa.Column("refusal", sa.String(length=200), nullable=True),
        sa.CheckConstraint("length(btrim(reason)) > 0", name="reason_not_blank"),
        sa.CheckConstraint("refund_id IS NULL OR refusal IS NULL", name="one_answer"),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["users.id"], name=op.f("fk_refund_requests_asked_by_id")
        ),
        sa.UniqueConstraint("operation_key", name=op.f("uq_refund_requests_operation_key")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_refund_requests_refund_id")),
    )
    op.create_index("ix_refund_requests_payment_id", "refund_requests", ["payment_id"])


def _grants() -> None:
    op.create_table(
        "grants",
        *_shared("grants", payment=False),
        sa.Column("student_id", sa.BigInteger(), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("given_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "source IN ('free', 'purchase', 'gift', 'manual')", name="source_known"
        ),
        sa.CheckConstraint("source <> 'purchase'", name="not_bought"),
        sa.CheckConstraint("(source = 'manual') <= (reason IS NOT NULL)", name="manual_has_reason"),
        sa.ForeignKeyConstraint(["student_id"], ["users.id"], name=op.f("fk_grants_student_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_grants_course_id")),
        sa.ForeignKeyConstraint(["given_by_id"], ["users.id"], name=op.f("fk_grants_given_by_id")),
    )
    op.create_index("ix_grants_course_id", "grants", ["course_id"])
    op.create_index(
        "uq_grants_one_live",
        "grants",
        ["student_id", "course_id", "source"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _sandbox() -> None:
    op.create_table(
        "sandbox_reversals",
        *_shared("sandbox_reversals", payment=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("session_id", sa.String(length=255), nullable=False),
        sa.Column("operation_key", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('refund', 'dispute')", name="kind_known"),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sandbox_sessions.session_id"],
            name=op.f("fk_sandbox_reversals_session_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("object_id", name=op.f("uq_sandbox_reversals_object_id")),
        sa.UniqueConstraint("operation_key", name=op.f("uq_sandbox_reversals_operation_key")),
    )
    op.create_index("ix_sandbox_reversals_session_id", "sandbox_reversals", ["session_id"])


def downgrade() -> None:
    for table in ("sandbox_reversals", "grants", "refund_requests", "disputes", "refunds"):
        op.drop_table(table)
    op.drop_column("orders", "access_ended_reason")
    op.drop_column("orders", "refund_days")
    op.execute("UPDATE orders SET status = 'paid' WHERE status IN ('disputed', 'charged_back')")
    op.execute("UPDATE orders SET status = 'expired' WHERE status = 'refunded'")
    op.execute("UPDATE enrolments SET source = 'free' WHERE source IN ('gift', 'manual')")
    for table, (column, old, _) in STATUSES.items():
        op.drop_constraint(op.f(f"ck_{table}_{column}_known"), table, type_="check")
        op.create_check_constraint(f"{column}_known", table, f"{column} IN ({old})")
