"""The living bot: spaces, inbox, traces, acts, buttons, policy, feedback, reactions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("space", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_actor", "inbox", ["actor"], unique=False)
    op.create_index("ix_inbox_waiting", "inbox", ["done_at", "id"], unique=False)

    op.create_table(
        "refusal", sa.Column("key", sa.LargeBinary(length=16), nullable=False), sa.PrimaryKeyConstraint("key")
    )
    op.create_table(
        "policy",
        sa.Column("community_id", ID, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("community_id", "channel", "name"),
    )
    op.create_table(
        "space",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("ref"),
    )
    op.create_index("ix_space_community_id", "space", ["community_id"], unique=False)

    op.create_table(
        "trace",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "event"),
    )
    op.create_index("ix_trace_at", "trace", ["at"], unique=False)
    op.create_index("ix_trace_channel", "trace", ["channel", "at"], unique=False)
    op.create_index("ix_trace_message", "trace", ["message"], unique=False)

    op.create_table(
        "act",
        sa.Column("id", ID, nullable=False),
        sa.Column("community_id", ID, nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("made", sa.String(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.ForeignKeyConstraint(
            ["trace_id"],
            ["trace.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("trace_id", "position"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_act_channel", "act", ["channel", "id"], unique=False)
    op.create_index("ix_act_made", "act", ["made"], unique=False)
    op.create_index("ix_act_state", "act", ["state"], unique=False)
    op.create_index("ix_act_trace_id", "act", ["trace_id"], unique=False)

    op.create_table(
        "feedback",
        sa.Column("member_id", ID, nullable=False),
        sa.Column("channel_id", ID, nullable=False),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["channel.id"],
        ),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.PrimaryKeyConstraint("member_id", "channel_id"),
    )
    op.create_table(
        "trace_member",
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("member", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trace_id"],
            ["trace.id"],
        ),
        sa.PrimaryKeyConstraint("trace_id", "member"),
    )
    op.create_index("ix_trace_member_member", "trace_member", ["member"], unique=False)

    op.create_table(
        "button",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("act_id", ID, nullable=False),
        sa.Column("press", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("only", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["act_id"],
            ["act.id"],
        ),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("ix_button_act_id", "button", ["act_id"], unique=False)
    op.create_index("ix_button_only", "button", ["only"], unique=False)

    op.create_table(
        "reaction",
        sa.Column("message_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("emoji", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("message_id", "member_id", "emoji"),
    )
    op.create_index("ix_reaction_member_id", "reaction", ["member_id"], unique=False)

    with op.batch_alter_table("channel", schema=None) as batch_op:
        batch_op.add_column(sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    for table in (
        "reaction",
        "feedback",
        "policy",
        "button",
        "act",
        "trace_member",
        "trace",
        "inbox",
        "space",
        "refusal",
    ):
        op.drop_table(table)
    with op.batch_alter_table("member") as batch_op:
        batch_op.drop_column("language")
    with op.batch_alter_table("channel") as batch_op:
        batch_op.drop_column("archived")
