"""What students say about a course, and its average on the course itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "3f6a9be27c10"
down_revision = "b3e81f0a6c52"
branch_labels = None
depends_on = None

LISTED = sa.text("hidden_at IS NULL AND text <> ''")
REASONS = "reason IN ('spam', 'rude', 'off_topic', 'private', 'other')"


def upgrade() -> None:
    _make_reviews()
    _make_reports()
    _make_votes()
    number = {"server_default": "0", "nullable": False}
    op.add_column("enrolments", sa.Column("review_refused", sa.BigInteger(), **number))
    op.add_column("courses", sa.Column("rating_sum", sa.BigInteger(), **number))
    op.add_column("courses", sa.Column("rating_count", sa.BigInteger(), **number))
    op.add_column(
        "courses",
        sa.Column(
            "rating_bars",
            postgresql.ARRAY(sa.Integer()),
            server_default="{0,0,0,0,0}",
            nullable=False,
        ),
    )
    op.create_check_constraint(
        op.f("ck_courses_rating_sums"),
        "courses",
        "rating_sum BETWEEN rating_count AND 5 * rating_count",
    )


def _make_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("public_id", sa.String(24), nullable=False),
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("student_id", sa.BigInteger(), nullable=True),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("helpful", sa.BigInteger(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_reason", sa.String(300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_reviews_stars_in_range")),
        sa.CheckConstraint("helpful >= 0", name=op.f("ck_reviews_helpful_counts")),
        sa.CheckConstraint(
            "(reply IS NULL) = (replied_at IS NULL)", name=op.f("ck_reviews_reply_stamped")
        ),
        sa.CheckConstraint(
            "(hidden_at IS NULL) = (hidden_reason IS NULL)",
            name=op.f("ck_reviews_hidden_with_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["courses.id"],
            name=op.f("fk_reviews_course_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"],
            ["users.id"],
            name=op.f("fk_reviews_student_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reviews_public_id")),
        sa.UniqueConstraint("student_id", "course_id", name=op.f("uq_reviews_student_id_course_id")),
    )
    op.create_index("ix_reviews_course_id", "reviews", ["course_id"])
    op.create_index(
        "ix_reviews_newest", "reviews", ["course_id", "created_at", "id"], postgresql_where=LISTED
    )
    op.create_index(
        "ix_reviews_helpful",
        "reviews",
        ["course_id", "helpful", "created_at", "id"],
        postgresql_where=LISTED,
    )


def _make_reports() -> None:
    op.create_table(
        "review_reports",
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(REASONS, name=op.f("ck_review_reports_reason_known")),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_reports_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["users.id"],
            name=op.f("fk_review_reports_reporter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reports")),
        sa.UniqueConstraint("review_id", "reporter_id", name=op.f("uq_review_reports_review_id_reporter_id")),
    )
    op.create_index("ix_review_reports_reporter_id", "review_reports", ["reporter_id"])
    op.create_index(
        "ix_review_reports_open",
        "review_reports",
        ["review_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _make_votes() -> None:
    op.create_table(
        "review_votes",
        sa.Column("review_id", sa.BigInteger(), nullable=False),
        sa.Column("voter_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_votes_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["voter_id"],
            ["users.id"],
            name=op.f("fk_review_votes_voter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_votes")),
        sa.UniqueConstraint("review_id", "voter_id", name=op.f("uq_review_votes_review_id_voter_id")),
    )
    op.create_index("ix_review_votes_voter_id", "review_votes", ["voter_id"])


def downgrade() -> None:
    op.drop_constraint(op.f("ck_courses_rating_sums"), "courses")
    for column in ("rating_bars", "rating_count", "rating_sum"):
        op.drop_column("courses", column)
    op.drop_column("enrolments", "review_refused")
    for table in ("review_votes", "review_reports", "reviews"):
        op.drop_table(table)
