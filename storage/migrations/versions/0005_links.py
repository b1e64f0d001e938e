"""Links: codes by which two accounts or two communities prove that they belong together."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "proof",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("code", "member_id"),
    )
    op.create_index("ix_proof_member_id", "proof", ["member_id"])
    op.create_index("ix_proof_expires_at", "proof", ["expires_at"])
    op.add_column("community", sa.Column("joined_id", ID, nullable=True))


def downgrade() -> None:
    """Leave communities that were linked together: what belongs to which is not known any more."""
    op.drop_column("community", "joined_id")
    op.drop_table("proof")
