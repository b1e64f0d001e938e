"""Alerts that the staff was told, what of them is muted, and the words that are watched."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _community() -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column("community_id", ID, nullable=False), sa.ForeignKeyConstraint(["community_id"], ["community.id"])


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(), nullable=False),
        *_community(),
        sa.Column("subject", sa.String(), nullable=False),
        _instant("began"),
        _instant("at"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alert_lately", "alert", ["community_id", "at"])
    op.create_table(
        "alert_mute",
        *_community(),
        sa.Column("subject", sa.String(), nullable=False),
        _instant("until"),
        sa.Column("muted_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "subject"),
    )
    op.create_table(
        "watchword",
        *_community(),
        sa.Column("word", sa.String(), nullable=False),
        _instant("added_at"),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "word"),
    )


def downgrade() -> None:
    for table in ("watchword", "alert_mute", "alert"):
        op.drop_table(table)
