"""Each try keeps the vendor's id for it, so that a late word about an earlier try is known as one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("provider_id", sa.String(length=200), nullable=True))
