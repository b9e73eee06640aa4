"""The job queue's own tables, out of its package."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "c7d1e0f42a66"
down_revision = "b4a0a11b8521"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    connection.execute(SchemaManager.get_schema())


def downgrade() -> None:
    raise NotImplementedError("The job queue has no way back: restore a backup instead.")
