"""The audit log, which the database itself keeps from being changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "a0d17c5e9b34"
down_revision = "d41f6b0c7e29"
branch_labels = None
depends_on = None

REFUSE = """
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is written once: % is refused', TG_OP;
END
$$
"""
GUARD = """
CREATE TRIGGER audit_log_is_written_once
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
"""


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("thing", sa.String(length=120), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(r"act ~ '^[a-z_]+\.[a-z_]+$'", name="ck_audit_log_act_in_words"),
        sa.CheckConstraint("length(btrim(thing)) > 0", name="ck_audit_log_thing_not_blank"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_actor", "audit_log", ["actor_id", "id"])
    op.create_index("ix_audit_log_thing", "audit_log", ["thing", "id"])
    op.create_index("ix_audit_log_act", "audit_log", ["act", "id"])
    op.execute(REFUSE)
    op.execute(GUARD)


def downgrade() -> None:
    op.drop_table("audit_log")
    op.execute("DROP FUNCTION refuse_audit_change()")
