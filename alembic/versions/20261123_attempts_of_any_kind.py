"""Attempts of any kind are counted in one table: the kinds are the code's."""

from alembic import op

revision = "b3e81f0a6c52"
down_revision = "a0d17c5e9b34"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_sign_in_attempts_kind_known"), "sign_in_attempts", type_="check")


def downgrade() -> None:
    op.execute("DELETE FROM sign_in_attempts WHERE kind NOT IN ('account', 'address', 'everyone')")
    op.create_check_constraint(
        op.f("ck_sign_in_attempts_kind_known"),
        "sign_in_attempts",
        "kind IN ('account', 'address', 'everyone')",
    )
