"""What moved on the gateway's balance in the days that were compared, by currency."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "91b7f04ac6d8"
down_revision = "d10b6a94e3c8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gateway_pulls", sa.Column("sums", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("gateway_pulls", "sums")
