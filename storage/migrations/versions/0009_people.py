"""People: what members opt in for, who was shown to whom and what they said, what was shown as missed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str, of: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column(name, ID, nullable=False), sa.ForeignKeyConstraint([name], [f"{of}.id"])


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "wish",
        *_number("member_id", "member"),
        _text("wish"),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        _instant("at"),
        sa.PrimaryKeyConstraint("member_id", "wish"),
    )
    op.create_table(
        "meeting",
        _text("id"),
        *_number("community_id", "community"),
        *_number("first_id", "member"),
        *_number("other_id", "member"),
        _text("said"),
        _text("answer"),
        _instant("shown_at"),
        _instant("said_at"),
        _instant("answered_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    for side in ("first", "other"):
        op.create_index(f"ix_meeting_{side}", "meeting", [f"{side}_id", "shown_at"])
    op.create_table(
        "taste",
        *_number("member_id", "member"),
        sa.Column("conversation", ID, nullable=False),
        *_number("channel_id", "channel"),
        _text("taste"),
        _instant("at"),
        sa.PrimaryKeyConstraint("member_id", "conversation"),
    )
    op.create_index("ix_taste_channel_id", "taste", ["channel_id"])


def downgrade() -> None:
    """Drop what members wished, whom they met, and what they thought of what they missed."""
    for table in ("taste", "meeting", "wish"):
        op.drop_table(table)
