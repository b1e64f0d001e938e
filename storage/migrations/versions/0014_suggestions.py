"""Suggestions: which channels were suggested to whom, and welcomes that wait for the morning."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("newcomer", sa.Column("waits", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "suggested",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("channel_id", ID, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"]),
        sa.PrimaryKeyConstraint("member_id", "channel_id"),
    )


def downgrade() -> None:
    """Forget what was suggested, and who waits for a welcome."""
    op.drop_table("suggested")
    op.drop_column("newcomer", "waits")
