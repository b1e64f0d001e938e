"""Interests that members named, and whom the bot welcomed and asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _whose() -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column("member_id", ID, nullable=False), sa.ForeignKeyConstraint(["member_id"], ["member.id"])


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "interest",
        sa.Column("id", ID, nullable=False),
        *_whose(),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        _instant("at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_interest_member_id", "interest", ["member_id"])
    op.create_table(
        "newcomer",
        *_whose(),
        _instant("welcomed_at"),
        _instant("followed_at", nullable=True),
        sa.PrimaryKeyConstraint("member_id"),
    )
    op.create_index("ix_newcomer_welcomed_at", "newcomer", ["welcomed_at"])


def downgrade() -> None:
    """Drop what members said they like, and who was welcomed."""
    for table in ("newcomer", "interest"):
        op.drop_table(table)
