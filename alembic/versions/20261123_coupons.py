"""Coupons, who holds a use of one, and how the gateway knows them."""

import sqlalchemy as sa
from alembic import op

revision = "c0c1f7a2d901"
down_revision = "d84e0b6f2c31"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _coupons()
    _uses()
    _at_the_gateway()


def downgrade() -> None:
    op.drop_table("gateway_coupons")
    op.drop_table("coupon_uses")
    op.drop_table("coupons")


def _coupons() -> None:
    op.create_table(
        "coupons",
        sa.Column("public_id", sa.String(length=24), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("instructor_id", sa.BigInteger(), nullable=True),
        sa.Column("course_id", sa.BigInteger(), nullable=True),
        sa.Column("percent", sa.SmallInteger(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("amount_currency", sa.String(length=3), nullable=True),
        sa.Column("starts_at", TIME, nullable=True),
        sa.Column("ends_at", TIME, nullable=True),
        sa.Column("most_uses", sa.BigInteger(), nullable=True),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z0-9-]{3,40}$'", name=op.f("ck_coupons_code_form")),
        sa.CheckConstraint(
            "percent BETWEEN 1 AND 100", name=op.f("ck_coupons_percent_is_a_share")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_coupons_amount_positive")),
        sa.CheckConstraint(
            "amount_currency ~ '^[a-z]{3}$'", name=op.f("ck_coupons_currency_lower")
        ),
        sa.CheckConstraint(
            "num_nulls(amount_minor, amount_currency) IN (0, 2)"
            " AND (percent IS NULL) = (amount_minor IS NOT NULL)",
            name=op.f("ck_coupons_percent_or_amount"),
        ),
        sa.CheckConstraint(
            "course_id IS NULL OR instructor_id IS NOT NULL",
            name=op.f("ck_coupons_course_of_one"),
        ),
        sa.CheckConstraint("most_uses > 0", name=op.f("ck_coupons_limit_positive")),
        sa.CheckConstraint(
            "uses >= 0 AND uses <= most_uses", name=op.f("ck_coupons_uses_within_limit")
        ),
        sa.CheckConstraint(
            "starts_at < ends_at", name=op.f("ck_coupons_starts_before_it_ends")
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_coupons_course_id")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_coupons_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["instructor_id"], ["users.id"], name=op.f("fk_coupons_instructor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("code", name=op.f("uq_coupons_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_coupons_public_id")),
    )
    op.create_index("ix_coupons_instructor_id", "coupons", ["instructor_id"])
    op.create_index("ix_coupons_course_id", "coupons", ["course_id"])


def _uses() -> None:
    op.create_table(
        "coupon_uses",
        sa.Column("coupon_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("released_at", TIME, nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["buyer_id"], ["users.id"], name=op.f("fk_coupon_uses_buyer_id")),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_coupon_uses_coupon_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_coupon_uses_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_uses")),
        sa.UniqueConstraint("order_id", name=op.f("uq_coupon_uses_order_id")),
    )
    op.create_index(
        "uq_coupon_uses_once_per_buyer",
        "coupon_uses",
        ["coupon_id", "buyer_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index("ix_coupon_uses_buyer_id", "coupon_uses", ["buyer_id"])


def _at_the_gateway() -> None:
    op.create_table(
        "gateway_coupons",
        sa.Column("coupon_id", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=10), nullable=False),
        sa.Column("terms", sa.String(length=40), nullable=False),
        sa.Column("gateway_id", sa.String(length=255), nullable=False),
        sa.Column("promotion_id", sa.String(length=255), nullable=True),
        sa.Column("promotion_ended_at", TIME, nullable=True),
        sa.Column("synced_at", TIME, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "gateway IN ('stripe', 'sandbox')", name=op.f("ck_gateway_coupons_gateway_known")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"],
            ["coupons.id"],
            name=op.f("fk_gateway_coupons_coupon_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_coupons")),
        sa.UniqueConstraint(
            "coupon_id", "gateway", "terms", name=op.f("uq_gateway_coupons_coupon_id_gateway_terms")
        ),
        sa.UniqueConstraint("gateway_id", name=op.f("uq_gateway_coupons_gateway_id")),
        sa.UniqueConstraint("promotion_id", name=op.f("uq_gateway_coupons_promotion_id")),
    )
