"""Answers: conversations, files and entries of the FAQ, what was answered from what, and what members think of it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, of: str, *, nullable: bool = False) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column(name, ID, nullable=nullable), sa.ForeignKeyConstraint([name], [f"{of}.id"])


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.add_column("message", sa.Column("conversation", ID, nullable=True))
    for column in ("conversation", "thread_id", "reply_to"):
        op.create_index(f"ix_message_{column}", "message", [column])
    op.create_index(
        "ix_member_bot",
        "member",
        ["community_id"],
        sqlite_where=sa.text("bot IS 1"),
        postgresql_where=sa.text("bot IS true"),
    )
    _notes()
    op.add_column("outbox", sa.Column("note_id", ID, nullable=True))
    op.create_index("ix_outbox_note_id", "outbox", ["note_id"])
    _answers()


def _notes() -> None:
    op.create_table(
        "document",
        sa.Column("id", ID, nullable=False),
        *_number("community_id", "community"),
        *_number("channel_id", "channel"),
        _text("name"),
        _text("digest"),
        _text("path"),
        _text("url"),
        _text("given_by"),
        _instant("given_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "name"),
    )
    op.create_table(
        "note",
        sa.Column("id", ID, nullable=False),
        *_number("community_id", "community"),
        *_number("channel_id", "channel"),
        *_number("document_id", "document", nullable=True),
        sa.Column("point", sa.Uuid(), nullable=False),
        _text("kind"),
        sa.Column("position", sa.Integer(), nullable=False),
        _long("heading"),
        _long("text"),
        _text("owner"),
        _instant("made_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("point"),
    )
    for column in ("community_id", "channel_id", "document_id"):
        op.create_index(f"ix_note_{column}", "note", [column])
    op.create_table(
        "note_source",
        *_number("note_id", "note"),
        _text("message"),
        *_number("channel_id", "channel"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("note_id", "message"),
    )
    op.create_index("ix_note_source_message", "note_source", ["message"])


def _answers() -> None:
    op.create_table(
        "answer",
        _text("id"),
        *_number("community_id", "community"),
        *_number("member_id", "member", nullable=True),
        _text("channel"),
        _text("thread"),
        _text("asked"),
        _long("question"),
        _text("trace_id"),
        _text("made"),
        _text("card"),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        _text("standing"),
        _instant("at"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("community_id", "member_id", "asked", "trace_id", "made", "card"):
        op.create_index(f"ix_answer_{column}", "answer", [column])
    op.create_table(
        "answer_source",
        sa.Column("answer_id", sa.String(), nullable=False),
        _text("source"),
        *_number("channel_id", "channel"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"]),
        sa.PrimaryKeyConstraint("answer_id", "source"),
    )
    op.create_index("ix_answer_source_source", "answer_source", ["source"])
    op.create_table(
        "opinion",
        sa.Column("answer_id", sa.String(), nullable=False),
        *_number("member_id", "member"),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"]),
        sa.PrimaryKeyConstraint("answer_id", "member_id"),
    )
    op.create_index("ix_opinion_member_id", "opinion", ["member_id"])


def downgrade() -> None:
    """Drop what was kept of answers."""
    for table in ("opinion", "answer_source", "answer", "note_source"):
        op.drop_table(table)
    op.drop_index("ix_outbox_note_id", "outbox")
    op.drop_column("outbox", "note_id")
    op.drop_table("note")
    op.drop_table("document")
    for column in ("conversation", "thread_id", "reply_to"):
        op.drop_index(f"ix_message_{column}", "message")
    op.drop_column("message", "conversation")
    op.drop_index("ix_member_bot", "member")
