"""Which searches were only a step on the way to the next one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("search_log", sa.Column("superseded", sa.Boolean(), server_default=sa.false(), nullable=False))
