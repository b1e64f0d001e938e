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
    with op.batch_alter_table("act") as batch_op:
        batch_op.add_column(sa.Column("waited", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("waited_for", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("dropped", sa.Integer(), nullable=False, server_default="0"))

    # What an owner chooses is undone and explained like every other setting only if it is one.
    op.execute(
        "INSERT INTO policy (community_id, channel, name, value) "
        "SELECT id, '', 'consent', consent FROM community WHERE consent <> 'opt_out'"
    )
    with op.batch_alter_table("community") as batch_op:
        batch_op.drop_column("consent")


def downgrade() -> None:
    with op.batch_alter_table("community") as batch_op:
        batch_op.add_column(sa.Column("consent", sa.String(), nullable=False, server_default="opt_out"))
    op.execute(
        "UPDATE community SET consent = (SELECT value FROM policy WHERE policy.community_id = community.id "
        "AND policy.name = 'consent') WHERE id IN (SELECT community_id FROM policy WHERE name = 'consent')"
    )
    op.execute("DELETE FROM policy WHERE name = 'consent'")
    with op.batch_alter_table("act") as batch_op:
        for name in ("dropped", "waited_for", "waited"):
            batch_op.drop_column(name)
    op.drop_table("backfill")
