"""Only what members said in messages keeps its vectors, and only what humans said its points: the rest goes."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _drop_vectors_of_no_message()
    # What a bot had edited was encoded. Its points are deleted, as those of erased messages are.
    op.execute(
        "DELETE FROM outbox WHERE message_id IN "
        "(SELECT message.id FROM message JOIN member ON member.id = message.author_id WHERE member.bot)"
    )
    op.execute(
        "INSERT INTO outbox (point, message_id, sent_at) SELECT message.point, NULL, message.sent_at "
        "FROM message JOIN member ON member.id = message.author_id WHERE member.bot AND message.edited_at IS NOT NULL"
    )


def _drop_vectors_of_no_message() -> None:
    """Drop the vectors of what the bot was asked, and of words that were deleted before they were encoded."""
    connection = op.get_bind()
    fingerprint = connection.scalar(sa.text("SELECT fingerprint FROM collection")) or ""
    said = connection.execute(sa.text("SELECT text FROM message")).scalars()
    wanted = {_key(fingerprint, text) for text in said}
    kept = connection.execute(sa.text("SELECT key FROM encoding")).scalars()
    gone = [{"key": one} for one in map(bytes, kept) if one not in wanted]
    if gone:
        connection.execute(sa.text("DELETE FROM encoding WHERE key = :key"), gone)


def _key(fingerprint: str, text: str) -> bytes:
    words = f"{fingerprint}\0passage\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=16).digest()


def downgrade() -> None:
    """Leave it: a cached vector is made again when it is asked for."""
