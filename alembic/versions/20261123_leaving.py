"""People may delete their accounts: what stays of them has no name and no way in."""

import sqlalchemy as sa
from alembic import op

revision = "c90b7f3e6a15"
down_revision = "c93d0b7a1f52"
branch_labels = None
depends_on = None

HAS_A_WAY_IN = "password_hash IS NOT NULL OR external_id IS NOT NULL"


def upgrade() -> None:
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_users_can_sign_in"), "users", type_="check")
    op.create_check_constraint(
        op.f("ck_users_can_sign_in"), "users", f"{HAS_A_WAY_IN} OR deleted_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_users_deleted_is_out"), "users", "deleted_at IS NULL OR disabled_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_users_deleted_is_out"), "users", type_="check")
    op.execute("UPDATE users SET password_hash = '-' WHERE deleted_at IS NOT NULL")
    op.drop_constraint(op.f("ck_users_can_sign_in"), "users", type_="check")
    op.create_check_constraint(op.f("ck_users_can_sign_in"), "users", HAS_A_WAY_IN)
    op.drop_column("users", "deleted_at")
