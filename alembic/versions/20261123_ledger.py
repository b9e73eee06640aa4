"""A ledger whose lines come to nothing, which the database itself keeps so."""

import sqlalchemy as sa
from alembic import op

revision = "5e1d93c07b26"
down_revision = "5a17b0c93e64"
branch_labels = None
depends_on = None

KINDS = (
    "payment, refund, refund_back, dispute, dispute_back, dispute_lost, transfer, transfer_back, "
    "paid_by_hand, carry"
)
ACCOUNTS = "gateway, gateway_fee, platform_fee, instructor, tax, dispute, unclear, bank"

REFUSE = """
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is written once: % is refused', TG_OP;
END
$$
"""
GUARD = """
CREATE TRIGGER {table}_is_written_once
BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()
"""
BALANCE = """
CREATE FUNCTION ensure_ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM ledger_entries WHERE transaction_id = NEW.transaction_id
    GROUP BY currency HAVING sum(minor) <> 0
  ) THEN
    RAISE EXCEPTION 'the lines of ledger transaction % do not come to zero', NEW.transaction_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END
$$
"""
CHECK = """
CREATE CONSTRAINT TRIGGER ledger_entries_come_to_zero
AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ensure_ledger_balance()
"""


def upgrade() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            f"kind IN ({_quoted(KINDS)})", name="ck_ledger_transactions_kind_known"
        ),
        sa.CheckConstraint(
            "gateway IN ('stripe', 'sandbox')", name="ck_ledger_transactions_gateway_known"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_ledger_transactions_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_transactions"),
        sa.UniqueConstraint("key", name="uq_ledger_transactions_key"),
    )
    for column in ("payment_id", "happened_at"):
        op.create_index(f"ix_ledger_transactions_{column}", "ledger_transactions", [column])
    _create_entries()
    op.execute(REFUSE)
    for table in ("ledger_transactions", "ledger_entries"):
        op.execute(GUARD.format(table=table))
    op.execute(BALANCE)
    op.execute(CHECK)


def _create_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            f"account IN ({_quoted(ACCOUNTS)})", name="ck_ledger_entries_account_known"
        ),
        sa.CheckConstraint("minor <> 0", name="ck_ledger_entries_says_something"),
        sa.CheckConstraint("currency ~ '^[a-z]{3}$'", name="ck_ledger_entries_currency_lower"),
        sa.CheckConstraint(
            "(account = 'instructor') = (instructor_id IS NOT NULL)",
            name="ck_ledger_entries_whose_share",
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transactions.id"],
            name="fk_ledger_entries_transaction_id",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_ledger_entries_payment_id"
        ),
        sa.ForeignKeyConstraint(
            ["instructor_id"], ["users.id"], name="fk_ledger_entries_instructor_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
    )
    for name, columns in (
        ("transaction_id", ["transaction_id"]),
        ("payment_id", ["payment_id"]),
        ("instructor_id", ["instructor_id", "currency"]),
    ):
        op.create_index(f"ix_ledger_entries_{name}", "ledger_entries", columns)


def downgrade() -> None:
    op.drop_table("ledger_entries")
    op.drop_table("ledger_transactions")
    op.execute("DROP FUNCTION refuse_ledger_change()")
    op.execute("DROP FUNCTION ensure_ledger_balance()")


def _quoted(words: str) -> str:
    return ", ".join(f"'{word}'" for word in words.split(", "))
