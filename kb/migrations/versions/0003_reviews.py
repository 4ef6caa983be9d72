"""What a draft was made for, who edited it, and decisions that have not reached the runbooks yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reviews", sa.Column("base_sha256", sa.String(length=64), server_default="", nullable=False))
    op.add_column("reviews", sa.Column("edited_by", sa.Text(), server_default="", nullable=False))
    op.add_column("reviews", sa.Column("offer", sa.Text(), server_default="", nullable=False))
    op.add_column("reviews", sa.Column("is_pending", sa.Boolean(), server_default=sa.false(), nullable=False))
