"""The catalogue counts and filters without reading a course, and sorts by title from an index."""

import sqlalchemy as sa
from alembic import op

revision = "d41f6b0c7e29"
down_revision = "c7d1e0f42a66"
branch_labels = None
depends_on = None

ON_SALE = sa.text("status = 'published'")


def upgrade() -> None:
    op.drop_index("ix_courses_newest", table_name="courses")
    op.create_index(
        "ix_courses_newest",
        "courses",
        ["published_at", "id"],
        postgresql_include=["subject", "price_minor"],
        postgresql_where=ON_SALE,
    )
    op.create_index(
        "ix_courses_by_title", "courses", [sa.text("lower(title)"), "id"], postgresql_where=ON_SALE
    )


def downgrade() -> None:
    op.drop_index("ix_courses_by_title", table_name="courses")
    op.drop_index("ix_courses_newest", table_name="courses")
    op.create_index(
        "ix_courses_newest", "courses", ["published_at", "id"], postgresql_where=ON_SALE
    )
