"""What refunds and disputes moved on the gateway's balance, with fees and exchange rates."""

import sqlalchemy as sa
from alembic import op

revision = "e7a2c95d10b4"
down_revision = "d41f7a0c9b52"
branch_labels = None
depends_on = None

KINDS = (
    "payment, refund, refund_back, dispute, dispute_back, dispute_lost, transfer, transfer_back, "
    "paid_by_hand"
)
ACCOUNTS = "gateway, gateway_fee, platform_fee, instructor, tax, dispute"
NEW_KINDS = f"{KINDS}, settlement, settlement_back, carry"
NEW_ACCOUNTS = f"{ACCOUNTS}, dispute_fee, exchange, unclear, bank"


def upgrade() -> None:
    op.create_table(
        "balance_moves",
        sa.Column("move_id", sa.String(length=255), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("thing", sa.String(length=255), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("currency ~ '^[a-z]{3}$'", name=op.f("ck_balance_moves_currency_lower")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_balance_moves_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_balance_moves"),
        sa.UniqueConstraint("move_id", name="uq_balance_moves_move_id"),
    )
    op.create_index("ix_balance_moves_payment_id", "balance_moves", ["payment_id"])
    _allow(NEW_KINDS, NEW_ACCOUNTS)


def downgrade() -> None:
    _allow(f"{KINDS}, carry", f"{ACCOUNTS}, unclear, bank")
    op.drop_table("balance_moves")


def _allow(kinds: str, accounts: str) -> None:
    for table, column, words in (
        ("ledger_transactions", "kind", kinds),
        ("ledger_entries", "account", accounts),
    ):
        name = f"ck_{table}_{column}_known"
        for old in (name, f"ck_{table}_{name}"):
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {old}")
        op.create_check_constraint(op.f(name), table, f"{column} IN ({_quoted(words)})")


def _quoted(words: str) -> str:
    return ", ".join(f"'{word}'" for word in words.split(", "))
