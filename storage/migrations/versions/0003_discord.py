"""Discord: how far back its channels were read; what an act waited for; consent is a setting among others."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backfill",
        sa.Column("community_id", ID, nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("community_id", "room"),
    )
    op.add_column("act", sa.Column("waited", sa.Float(), nullable=False, server_default="0"))
    op.add_column("act", sa.Column("waited_for", sa.String(), nullable=False, server_default=""))
    op.add_column("act", sa.Column("dropped", sa.Integer(), nullable=False, server_default="0"))

    # What an owner chooses is undone and explained like every other setting only if it is one.
    op.execute(
        "INSERT INTO policy (community_id, channel, name, value) "
        "SELECT id, '', 'consent', consent FROM community WHERE consent <> 'opt_out'"
    )
    # Not in a batch: that would make the table anew, and rows of others refer to those in it.
    op.drop_column("community", "consent")


def downgrade() -> None:
    op.add_column("community", sa.Column("consent", sa.String(), nullable=False, server_default="opt_out"))
    op.execute(
        "UPDATE community SET consent = (SELECT value FROM policy WHERE policy.community_id = community.id "
        "AND policy.name = 'consent') WHERE id IN (SELECT community_id FROM policy WHERE name = 'consent')"
    )
    op.execute("DELETE FROM policy WHERE name = 'consent'")
    for name in ("dropped", "waited_for", "waited"):
        op.drop_column("act", name)
    op.drop_table("backfill")
