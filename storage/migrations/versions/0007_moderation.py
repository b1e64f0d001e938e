"""Moderation: cases with their evidence and reports, what verdicts teach, and what was learned from that."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _cases()
    _what_hangs_on_them()
    op.create_table(
        "learned_heads",
        sa.Column("community_id", ID, nullable=False),
        _text("version"),
        _text("fingerprint"),
        _instant("built_at"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"]),
        sa.PrimaryKeyConstraint("community_id"),
    )


def _cases() -> None:
    op.create_table(
        "moderation_case",
        _text("id"),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        _text("kind"),
        _instant("opened_at"),
        _text("space"),
        _text("trace_id"),
        sa.Column("detectors", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        _text("step"),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        _instant("expires_at"),
        _text("by"),
        _text("standing"),
        _text("verdict"),
        _text("verdict_by"),
        _instant("verdict_at", nullable=True),
        sa.Column("appeal", sa.Text(), nullable=False),
        _instant("appealed_at", nullable=True),
        _text("appeal_state"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_moderation_case_member_id", "moderation_case", ["member_id"])
    op.create_index("ix_moderation_case_queue", "moderation_case", ["community_id", "standing", "opened_at"])


def _what_hangs_on_them() -> None:
    op.create_table(
        "evidence",
        _text("case_id"),
        _text("message"),
        sa.Column("member_id", ID, nullable=False),
        _text("channel"),
        sa.Column("text", sa.Text(), nullable=False),
        _instant("sent_at"),
        _text("picture"),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_case.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("case_id", "message"),
    )
    op.create_index("ix_evidence_member_id", "evidence", ["member_id"])
    op.create_index("ix_evidence_message", "evidence", ["message"])
    op.create_table(
        "report",
        _text("case_id"),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_case.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("case_id", "member_id"),
    )
    op.create_index("ix_report_member_id", "report", ["member_id"])
    op.create_table(
        "lesson",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        _text("case_id"),
        sa.Column("member_id", ID, nullable=False),
        _text("message"),
        _text("head"),
        sa.Column("label", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("logit", sa.Float(), nullable=True),
        _text("made_by"),
        _text("picture"),
        _instant("at"),
        _instant("matures_at"),
        sa.ForeignKeyConstraint(["case_id"], ["moderation_case.id"]),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "message", "head"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lesson_case_id", "lesson", ["case_id"])
    op.create_index("ix_lesson_community_id", "lesson", ["community_id"])
    op.create_index("ix_lesson_member_id", "lesson", ["member_id"])


def downgrade() -> None:
    """Drop what was kept of cases."""
    for table in ("learned_heads", "lesson", "report", "evidence", "moderation_case"):
        op.drop_table(table)
