"""Profiles: what people show of themselves. Every instructor has one, with an address of its own."""

import sqlalchemy as sa
from alembic import op

revision = "7d20b9e4f513"
down_revision = "e5c2a97d1f08"
branch_labels = None
depends_on = None

FILL = r"""
INSERT INTO profiles (user_id, slug, about)
SELECT id,
       coalesce(nullif(trim(both '-' from left(regexp_replace(lower(name), '[^a-z0-9]+', '-', 'g'), 50)), '') || '-', '')
           || 'p' || id,
       ''
FROM users WHERE id IN (SELECT user_id FROM user_roles WHERE role = 'instructor')
"""


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_profiles_slug_plain")
        ),
        sa.CheckConstraint("length(about) <= 10000", name=op.f("ck_profiles_about_length")),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["images.id"], name=op.f("fk_profiles_picture_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_profiles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("slug", name=op.f("uq_profiles_slug")),
        sa.UniqueConstraint("user_id", name=op.f("uq_profiles_user_id")),
    )
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("profiles")
