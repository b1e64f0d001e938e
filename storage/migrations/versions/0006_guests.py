"""Guests: members who read only the channels that they are in, open ones too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("member", sa.Column("guest", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Forget who is a guest."""
    op.drop_column("member", "guest")
