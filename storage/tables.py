"""Every table, and whose its rows are. The schema itself is made by `storage/migrations`; a test holds both equal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, DateTime, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

Id = BigInteger().with_variant(Integer, "sqlite")
"""64 bits everywhere; SQLite numbers rows by itself only in a column called INTEGER."""


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC; refuses a naive one, since nobody could say when it was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back where the database forgot it, or speaks of its own."""
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """Says that a table's rows are members': such a table is counted, exported and erased with no further line.

    `by` is the column that holds the member's number, and `shows` are those that an export tells. Where a row is about
    a channel, `room` is its column: an export tells the channel's name, and the rows of a direct conversation with the
    member go too. Where it belongs to a case, `case` is its column: what hangs on a case about the member goes too.
    Other tables are in `storage/holdings.py` and `storage/exporting.py`.
    """

    by: str
    shows: tuple[str, ...]
    room: str = ""
    case: str = ""


class CommunityRow(SQLModel, table=True):
    """One community; nothing crosses from one to another.

    One that was linked to another stays as a name and a number that mean the other one: members who were forgotten in
    it are recognised by its number.
    """

    __tablename__ = "community"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Instant)
    joined_id: int | None = Field(default=None, sa_type=Id, description="the community that it belongs to now")


class PersonRow(SQLModel, table=True):
    """A human; holds the members that proved to be the same one."""

    __tablename__ = "person"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    created_at: datetime = Field(sa_type=Instant)


class MemberRow(SQLModel, table=True):
    """One account in one community."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("community_id", "ref"),
        Index("ix_member_bot", "community_id", sqlite_where=text("bot IS 1"), postgresql_where=text("bot IS true")),
    )
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    person_id: int = Field(foreign_key="person.id", sa_type=Id, index=True)
    ref: str
    name: str
    bot: bool = False
    language: str = Field(default="", description="what the platform last said; empty for the community's")
    guest: bool = Field(default=False, description="reads only the channels that they are in, open ones too")


class ChannelRow(SQLModel, table=True):
    """A channel and its audience."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("community_id", "ref"),)
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    ref: str
    name: str
    description: str = Field(default="", sa_type=Text)
    audience: str = Field(default="everyone")
    archived: bool = False


class MembershipRow(SQLModel, table=True):
    """Who is in which channel; for a channel whose audience is its members, also who may read it."""

    __tablename__ = "membership"
    __personal__: ClassVar = Personal(by="member_id", shows=("joined_at", "left_at"), room="channel_id")
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id, primary_key=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True, index=True)
    joined_at: datetime = Field(sa_type=Instant)
    left_at: datetime | None = Field(default=None, sa_type=Instant)


class ThreadRow(SQLModel, table=True):
    """A thread or topic inside a channel."""

    __tablename__ = "thread"
    __table_args__ = (UniqueConstraint("channel_id", "ref"),)
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id)
    ref: str
    title: str


class MessageRow(SQLModel, table=True):
    """One message; its audience is its channel's. `source` says how it came here."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("community_id", "ref"),
        Index("ix_message_channel", "channel_id", "sent_at"),
        Index("ix_message_author", "author_id", "sent_at"),
    )
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id)
    author_id: int = Field(foreign_key="member.id", sa_type=Id)
    thread_id: int | None = Field(default=None, foreign_key="thread.id", sa_type=Id, index=True)
    conversation: int | None = Field(
        default=None, sa_type=Id, index=True, description="what its conversation is called: storage/conversations.py"
    )
    ref: str
    point: UUID = Field(unique=True, description="the message's id in the vector store")
    reply_to: str | None = Field(default=None, index=True)
    text: str = Field(sa_type=Text)
    sent_at: datetime = Field(sa_type=Instant)
    edited_at: datetime | None = Field(default=None, sa_type=Instant)
    source: str
    to_bot: bool = Field(default=False, description="whether it asks the bot, so that it is no talk of its channel")


class ConsentRow(SQLModel, table=True):
    """What a member said about being collected; without a row, the community's default holds."""

    __tablename__ = "consent"
    __personal__: ClassVar = Personal(by="member_id", shows=("collected", "at"))
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    collected: bool
    at: datetime = Field(sa_type=Instant)


class ProofRow(SQLModel, table=True):
    """A code on one of its two sides: who made it, or who entered it, and whether they confirmed what it links.

    A row without another side is a code that nobody entered yet, or one that nobody made.
    """

    __tablename__ = "proof"
    __personal__: ClassVar = Personal(by="member_id", shows=("subject", "made", "confirmed", "expires_at"))
    code: str = Field(primary_key=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True, index=True)
    subject: str = Field(description="what it links: person, community")
    made: bool
    confirmed: bool = False
    expires_at: datetime = Field(sa_type=Instant, index=True)


class OutboxRow(SQLModel, table=True):
    """A vector write still to be done, stored in the transaction that stored its message or note.

    Without either, the point is to be deleted.
    """

    __tablename__ = "outbox"
    # A number must never come back: whoever acknowledges late would take out a row that was not written.
    __table_args__ = (Index("ix_outbox_newest", "sent_at", "id"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    point: UUID
    message_id: int | None = Field(default=None, foreign_key="message.id", sa_type=Id, index=True)
    note_id: int | None = Field(default=None, sa_type=Id, index=True)
    sent_at: datetime = Field(sa_type=Instant)


class CollectionRow(SQLModel, table=True):
    """The encoder fingerprint whose vectors serve; one row."""

    __tablename__ = "collection"
    id: int = Field(default=1, primary_key=True)
    fingerprint: str


class AdoptedRow(SQLModel, table=True):
    """A tuned encoder that was adopted for a community's matching, beside the one that serves everything."""

    __tablename__ = "adopted"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    fingerprint: str = Field(primary_key=True)
    size: int = Field(description="dimensions of its vectors")
    folder: str = Field(description="its name among the encoders of the home")
    state: str = Field(description="building, serving, leaving")
    until: int = Field(sa_type=Id, description="while it is building: the last outbox number that must be written")
    at: datetime = Field(sa_type=Instant)


class EncodingRow(SQLModel, table=True):
    """The cache of vectors, float16, by a hash of fingerprint and text."""

    __tablename__ = "encoding"
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))
    vector: bytes = Field(sa_type=LargeBinary)


class ProfileRow(SQLModel, table=True):
    """A community's channel profiles, as safetensors. Derived from every channel it covers; dropped by a forget."""

    __tablename__ = "profile"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    fingerprint: str
    version: str = Field(description="names the state of the messages it was learned from")
    built_at: datetime = Field(sa_type=Instant)
    data: bytes = Field(sa_type=LargeBinary)


class LedgerRow(SQLModel, table=True):
    """What was done, by whom and why; only ever added to."""

    __tablename__ = "ledger"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    act: str
    details: dict[str, object] = Field(sa_type=JSON)


class SpaceRow(SQLModel, table=True):
    """A platform's server, workspace or group, and the community it belongs to."""

    __tablename__ = "space"
    ref: str = Field(primary_key=True)
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    name: str


class InboxRow(SQLModel, table=True):
    """An event that arrived: on disk before the platform is told, kept as history once it is done.

    Within a lane (a channel), events are handled in order. `event` is emptied when nothing may be kept of it.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("space", "key"),
        Index("ix_inbox_waiting", "done_at", "id"),
        Index("ix_inbox_actor", "actor"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    space: str
    key: str
    lane: str
    actor: str = Field(default="", description="reference of the member who did it")
    event: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=Instant)
    attempts: int = Field(default=0, description="how often it was leased")
    holder: str = Field(default="", description="the process that leased it")
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class TraceRow(SQLModel, table=True):
    """The story of one event: what each skill saw, what was ruled and why. Acts hold what came of it."""

    __tablename__ = "trace"
    __table_args__ = (UniqueConstraint("community_id", "event"), Index("ix_trace_channel", "channel", "at"))
    id: str = Field(primary_key=True)
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    event: str = Field(description="the key of the event")
    channel: str = ""
    message: str = Field(default="", index=True, description="the message that it is about")
    at: datetime = Field(sa_type=Instant, index=True)
    story: str = Field(sa_type=Text, description="the Trace as JSON")


class TraceMemberRow(SQLModel, table=True):
    """Whom a trace is about: who did it, whose words it rests on, whom it acts on."""

    __tablename__ = "trace_member"
    trace_id: str = Field(foreign_key="trace.id", primary_key=True)
    member: str = Field(primary_key=True, index=True, description="a member's reference")


class ActRow(SQLModel, table=True):
    """One action on its way: stored as intended before it is tried, then with what came of it.

    A crash in between leaves it `unknown`. `undone_by` is the act that took it back.
    """

    __tablename__ = "act"
    __table_args__ = (
        UniqueConstraint("trace_id", "position"),
        Index("ix_act_state", "state"),
        Index("ix_act_channel", "channel", "id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    trace_id: str = Field(foreign_key="trace.id", index=True)
    position: int
    skill: str
    channel: str = ""
    made: str = Field(default="", index=True, description="reference of what it made")
    action: str = Field(sa_type=Text, description="the Action as JSON")
    state: str = Field(description="intended, done, failed, unknown")
    error: str = ""
    waited: float = Field(default=0.0, description="seconds, where it waited for longer than half of one")
    waited_for: str = Field(default="", description="chat, route, all, paused, away")
    dropped: int = Field(default=0, description="edits in between that were left out")
    intended_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    undone_by: int | None = Field(default=None, sa_type=Id)


class ButtonRow(SQLModel, table=True):
    """A button that the bot sent: what it means, who may press it, and whether it was."""

    __tablename__ = "button"
    token: str = Field(primary_key=True)
    act_id: int = Field(foreign_key="act.id", sa_type=Id, index=True)
    press: str
    data: dict[str, str] = Field(sa_type=JSON)
    only: str = Field(default="", index=True, description="reference of the one member who may press it")
    choice: str = Field(default="", description="pressing one button of a choice settles the others of its act")
    expires_at: datetime = Field(sa_type=Instant)
    pressed_at: datetime | None = Field(default=None, sa_type=Instant)


class PolicyRow(SQLModel, table=True):
    """What staff set: a field of the policy or `mode.SKILL`, for the community or (`channel` not empty) one channel."""

    __tablename__ = "policy"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    channel: str = Field(default="", primary_key=True)
    name: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class FeedbackRow(SQLModel, table=True):
    """What a member thinks of a suggested channel: joined or declined."""

    __tablename__ = "feedback"
    __personal__: ClassVar = Personal(by="member_id", shows=("opinion", "at"), room="channel_id")
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id, primary_key=True)
    opinion: str
    at: datetime = Field(sa_type=Instant)


class InterestRow(SQLModel, table=True):
    """What a member said they like, in their own words."""

    __tablename__ = "interest"
    __personal__: ClassVar = Personal(by="member_id", shows=("text", "source", "at"))
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    member_id: int = Field(foreign_key="member.id", sa_type=Id, index=True)
    text: str = Field(sa_type=Text)
    source: str = Field(description="where they said it: welcome, match")
    at: datetime = Field(sa_type=Instant)


class NewcomerRow(SQLModel, table=True):
    """Who was welcomed when, and asked later whether they found their place."""

    __tablename__ = "newcomer"
    __personal__: ClassVar = Personal(by="member_id", shows=("welcomed_at", "followed_at", "waits"))
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    welcomed_at: datetime = Field(sa_type=Instant, index=True, description="when they came, of one whose welcome waits")
    followed_at: datetime | None = Field(default=None, sa_type=Instant)
    waits: bool = Field(default=False, description="they came at an hour at which nobody is written to")


class SuggestedRow(SQLModel, table=True):
    """A channel that was suggested to a member of the bot's own accord: how often, and when last."""

    __tablename__ = "suggested"
    __personal__: ClassVar = Personal(by="member_id", shows=("times", "at"), room="channel_id")
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id, primary_key=True)
    times: int
    at: datetime = Field(sa_type=Instant)


class WishRow(SQLModel, table=True):
    """What a member opted in for, or said no to; without a row, they were never asked and it is no."""

    __tablename__ = "wish"
    __personal__: ClassVar = Personal(by="member_id", shows=("wish", "wanted", "at"))
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    wish: str = Field(primary_key=True, description="people, across")
    wanted: bool
    at: datetime = Field(sa_type=Instant)


class SubscriptionRow(SQLModel, table=True):
    """What a member wants to be sent in private, and when by the clock where they are; a no stays."""

    __tablename__ = "subscription"
    __personal__: ClassVar = Personal(
        by="member_id", shows=("about", "wanted", "weekday", "hour", "zone", "at", "last_at")
    )
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    about: str = Field(primary_key=True, description="digest, suggestions")
    wanted: bool
    weekday: int | None = Field(default=None, description="Monday is 0; none for every day")
    hour: int
    zone: str = Field(description="the name of a time zone in the IANA database")
    at: datetime = Field(sa_type=Instant, description="when they said so")
    last_at: datetime | None = Field(default=None, sa_type=Instant, description="the instant they had it for last")
    next_at: datetime | None = Field(default=None, sa_type=Instant, index=True)


class MeetingRow(SQLModel, table=True):
    """Two members: the other was shown to the first, who may ask to be introduced; each side's last word of it.

    Neither is ever told what the other said but for a yes.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        Index("ix_meeting_first", "first_id", "shown_at"),
        Index("ix_meeting_other", "other_id", "shown_at"),
    )
    id: str = Field(primary_key=True, description="made by whoever proposed it")
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    first_id: int = Field(foreign_key="member.id", sa_type=Id, description="to whom the other was shown")
    other_id: int = Field(foreign_key="member.id", sa_type=Id)
    said: str = Field(description="by the first: shown, asked, withdrawn, not_now, never")
    answer: str = Field(default="", description="by the other, once asked: yes, no, never; empty for nothing yet")
    shown_at: datetime = Field(sa_type=Instant)
    said_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)


class TasteRow(SQLModel, table=True):
    """A conversation that was shown to a member as missed, and what they think of it."""

    __tablename__ = "taste"
    __personal__: ClassVar = Personal(by="member_id", shows=("taste", "at"), room="channel_id")
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True)
    conversation: int = Field(sa_type=Id, primary_key=True, description="what it is called: storage/conversations.py")
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id, index=True)
    taste: str = Field(description="shown, more, less")
    at: datetime = Field(sa_type=Instant)


class ReactionRow(SQLModel, table=True):
    """An emoji that a member put under a message."""

    __tablename__ = "reaction"
    message_id: int = Field(foreign_key="message.id", sa_type=Id, primary_key=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True, index=True)
    emoji: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)


class RefusalRow(SQLModel, table=True):
    """Somebody who was forgotten and wants nothing held: a keyed hash, which names nobody and recognises them."""

    __tablename__ = "refusal"
    key: bytes = Field(sa_column=Column(LargeBinary(16), primary_key=True))


class BackfillRow(SQLModel, table=True):
    """How far back a channel or a thread was read; the row of the space itself holds what tells its staff."""

    __tablename__ = "backfill"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    room: str = Field(primary_key=True, description="reference of the channel, the thread or the space")
    before: str = Field(default="", description="the platform's mark: everything from there on is stored")
    done: bool = Field(default=False, description="its beginning was reached")
    messages: int = Field(default=0, description="how many were new")
    notice: str = Field(default="", description="reference of the message that tells the staff how far it is")
    updated_at: datetime = Field(sa_type=Instant)


class EvidenceRow(SQLModel, table=True):
    """A message that a case rests on, as it was then: who wrote it and what, whatever becomes of it on the platform.

    Kept for `evidence_days` of the community's policy.
    """

    __tablename__ = "evidence"
    __personal__: ClassVar = Personal(by="member_id", shows=("message", "text", "sent_at"), case="case_id")
    case_id: str = Field(foreign_key="moderation_case.id", primary_key=True)
    message: str = Field(primary_key=True, index=True, description="reference of the message")
    member_id: int = Field(foreign_key="member.id", sa_type=Id, index=True, description="who wrote it then")
    channel: str = Field(description="reference of the channel")
    text: str = Field(sa_type=Text, description="empty where nothing is collected")
    sent_at: datetime = Field(sa_type=Instant)
    picture: str = Field(default="", description="perceptual hash of the picture that came with it")


class ReportRow(SQLModel, table=True):
    """That a member told the staff of what a case is about, and why."""

    __tablename__ = "report"
    __personal__: ClassVar = Personal(by="member_id", shows=("reason", "at"), case="case_id")
    case_id: str = Field(foreign_key="moderation_case.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True, index=True)
    reason: str = Field(default="", sa_type=Text)
    at: datetime = Field(sa_type=Instant)


class LessonRow(SQLModel, table=True):
    """What a verdict of the staff teaches one head about one message; gone when the verdict is taken back."""

    __tablename__ = "lesson"
    __personal__: ClassVar = Personal(by="member_id", shows=("head", "label", "text", "at"), case="case_id")
    __table_args__ = (UniqueConstraint("case_id", "message", "head"), {"sqlite_autoincrement": True})
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    case_id: str = Field(foreign_key="moderation_case.id", index=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, index=True, description="who wrote the message")
    message: str = Field(description="reference of the message")
    head: str = Field(description="spam, toxicity, hate, sexual, self_harm, picture")
    label: int = Field(description="1 for what it is, 0 for what it was taken for wrongly")
    text: str = Field(sa_type=Text, description="emptied once it is encoded")
    vector: bytes | None = Field(default=None, sa_type=LargeBinary, description="float16, of the text's plain form")
    signature: bytes | None = Field(default=None, sa_type=LargeBinary, description="MinHash of its trigrams")
    width: int = Field(default=0, description="letters and digits in it")
    logit: float | None = Field(default=None, description="what the shipped head said of it")
    made_by: str = Field(default="", description="the encoder and the heads that vector and logit are of")
    picture: str = ""
    at: datetime = Field(sa_type=Instant)
    matures_at: datetime = Field(sa_type=Instant, description="until then it only flags")


# After what hangs on it, since rows are erased in this order.
class CaseRow(SQLModel, table=True):
    """What a member did that staff should know of: who saw it, what was done, the verdict, the appeal."""

    __tablename__ = "moderation_case"
    __personal__: ClassVar = Personal(
        by="member_id",
        shows=(
            *("id", "kind", "opened_at", "reason", "detectors", "score", "step", "minutes", "points", "expires_at"),
            *("standing", "verdict", "verdict_at", "appeal", "appealed_at", "appeal_state"),
        ),
    )
    __table_args__ = (Index("ix_moderation_case_queue", "community_id", "standing", "opened_at"),)
    id: str = Field(primary_key=True, description="six letters and digits, made by whoever proposed it")
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, index=True, description="whose conduct")
    kind: str = Field(description="spam, scam, toxicity, hate, sexual, self_harm, flood, raid, rule, reported, hand")
    opened_at: datetime = Field(sa_type=Instant)
    space: str = Field(default="", description="reference of the space in which it was")
    trace_id: str = Field(default="", description="the trace that opened it, while that is kept")
    detectors: list[str] = Field(sa_type=JSON)
    reason: str = Field(sa_type=Text)
    score: float = Field(description="how sure the surest detector was, from 0 to 1")
    step: str = Field(default="", description="what was done to the member: note, warn, timeout, kick, ban; or nothing")
    minutes: int = Field(default=0, description="how long a timeout lasts")
    points: int = 0
    expires_at: datetime = Field(sa_type=Instant, description="when the points count no more")
    by: str = Field(default="", description="reference of the staff who opened it; empty for the bot and for reports")
    standing: str = Field(default="open", description="open, settled, withdrawn")
    verdict: str = Field(default="", description="spam, compromised, off_topic, rude, fine; empty while open")
    verdict_by: str = ""
    verdict_at: datetime | None = Field(default=None, sa_type=Instant)
    appeal: str = Field(default="", sa_type=Text)
    appealed_at: datetime | None = Field(default=None, sa_type=Instant)
    appeal_state: str = Field(default="", description="open, granted, refused; empty where there is none")


class LearnedRow(SQLModel, table=True):
    """What a community's verdicts taught its heads, as safetensors. Derived from lessons; dropped by a forget."""

    __tablename__ = "learned_heads"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    version: str = Field(description="names the state of the lessons it was learned from")
    fingerprint: str = Field(description="the encoder whose vectors it reads")
    built_at: datetime = Field(sa_type=Instant)
    data: bytes = Field(sa_type=LargeBinary)
    report: dict[str, object] = Field(sa_type=JSON, description="counts, errors before and after, promoted or why not")


class DocumentRow(SQLModel, table=True):
    """A file that staff gave for answers. It lies with a channel, and who may read that may read it."""

    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("community_id", "name"),)
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id)
    name: str
    digest: str = Field(description="SHA-256 of its bytes, in hexadecimal digits")
    path: str = Field(default="", description="where it lies on this machine, to be read again when it changes")
    url: str = Field(default="", description="where members find it")
    given_by: str = Field(default="", description="reference of the staff who gave it; empty for the command line")
    given_at: datetime = Field(sa_type=Instant)


class NoteRow(SQLModel, table=True):
    """What is known beside messages: a piece of a document, or an entry of the FAQ.

    It lies with one channel, whose readers may read it as long as they may read all its sources (`NoteSourceRow`).
    """

    __tablename__ = "note"
    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id, index=True)
    document_id: int | None = Field(default=None, foreign_key="document.id", sa_type=Id, index=True)
    point: UUID = Field(unique=True, description="its id in the vector store")
    kind: str = Field(description="file, faq")
    position: int = Field(default=0, description="of a piece, in its document")
    heading: str = Field(default="", sa_type=Text, description="the headings above a piece; the question of an entry")
    text: str = Field(sa_type=Text)
    owner: str = Field(default="", description="reference of the staff who answer for it")
    made_at: datetime = Field(sa_type=Instant)


class NoteSourceRow(SQLModel, table=True):
    """A message that an entry of the FAQ rests on; when it changes, the entry waits for the staff's word."""

    __tablename__ = "note_source"
    note_id: int = Field(foreign_key="note.id", sa_type=Id, primary_key=True)
    message: str = Field(primary_key=True, index=True, description="reference of the message")
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id)
    digest: bytes = Field(sa_type=LargeBinary, description="of its text when the entry was made")


class AnswerSourceRow(SQLModel, table=True):
    """What an answer cites: a message or a note as it read then, so that the answer follows it."""

    __tablename__ = "answer_source"
    answer_id: str = Field(foreign_key="answer.id", primary_key=True)
    source: str = Field(primary_key=True, index=True, description="reference of the message, or `note:NUMBER`")
    channel_id: int = Field(foreign_key="channel.id", sa_type=Id)
    digest: bytes = Field(sa_type=LargeBinary, description="of its text when it was cited")


class OpinionRow(SQLModel, table=True):
    """What a member thinks of an answer: it helped, or it was not this."""

    __tablename__ = "opinion"
    __personal__: ClassVar = Personal(by="member_id", shows=("helpful", "at"))
    answer_id: str = Field(foreign_key="answer.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", sa_type=Id, primary_key=True, index=True)
    helpful: bool
    at: datetime = Field(sa_type=Instant)


# After what hangs on it, since rows are erased in this order.
class AnswerRow(SQLModel, table=True):
    """An answer that the bot gave, or owes: what was asked, by whom, where, and how it stands.

    `made` is the bot's message, where one is known; `card` the question to the staff, who answer by replying to it.
    One that was given aloud outlives a forget of who asked, as nobody's and without the question, since it goes on
    following its sources.
    """

    __tablename__ = "answer"
    __personal__: ClassVar = Personal(by="member_id", shows=("question", "at", "standing"))
    id: str = Field(primary_key=True, description="made by whoever proposed it")
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    member_id: int | None = Field(foreign_key="member.id", sa_type=Id, index=True, description="who asked")
    channel: str = Field(description="reference of the channel in which it was said")
    thread: str = ""
    asked: str = Field(default="", index=True, description="reference of the message that asked, where one did")
    question: str = Field(sa_type=Text)
    trace_id: str = Field(default="", index=True, description="the trace that said it, while that is kept")
    made: str = Field(default="", index=True, description="reference of the bot's message")
    card: str = Field(default="", index=True, description="reference of the question to the staff")
    alone: bool = Field(default=False, description="said to the asker alone")
    confidence: float = 0.0
    standing: str = Field(default="given", description="given, abstained, asked_staff, answered, corrected, withdrawn")
    at: datetime = Field(sa_type=Instant)


class GrowthRow(SQLModel, table=True):
    """What was proposed to the staff about a community's channels, and what they said to it.

    `terms` are words that several members used, and `centre` the mean of what many said: neither is of one of them. A
    forget drops what is still open, and the centre of what is settled.
    """

    __tablename__ = "growth"
    id: str = Field(primary_key=True, description="made by whoever proposed it")
    community_id: int = Field(foreign_key="community.id", sa_type=Id, index=True)
    kind: str = Field(description="topic, merge, archive")
    name: str
    terms: str = Field(sa_type=Text, description="with spaces between, the most telling first")
    fingerprint: str = Field(description="of the encoder of the centre")
    centre: bytes = Field(sa_type=LargeBinary, description="float16; empty where there is none")
    channels: list[str] = Field(sa_type=JSON, description="references of the channels that it rests on or is about")
    made: str = Field(default="", description="reference of the channel that was made")
    standing: str = Field(description="proposed, later, never, done")
    at: datetime = Field(sa_type=Instant)


class ScheduleRow(SQLModel, table=True):
    """What the staff set of a schedule in a community, and what became of its instants."""

    __tablename__ = "schedule"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    name: str = Field(primary_key=True)
    value: str = Field(default="", description="when it comes, off, or off and when; empty for its default")
    set_by: str = Field(default="", description="reference of the staff member who set it")
    settled_at: datetime = Field(sa_type=Instant, description="all instants up to here are dealt with")
    asked_at: datetime | None = Field(default=None, sa_type=Instant, description="wanted out of turn since")
    planned_at: datetime | None = Field(default=None, sa_type=Instant, description="the last instant")
    outcome: str = Field(default="", description="what became of it: came, nobody, missed")
    missed: int = Field(default=0, description="instants that were missed")
    missed_at: datetime | None = Field(default=None, sa_type=Instant, description="the last one that was missed")


class LeaseRow(SQLModel, table=True):
    """Which process does what only one should do, and until when it need not say so again."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)


class AlertRow(SQLModel, table=True):
    """That the staff was told of a spike or of a word that they watch, and how that stands: nothing is told twice.

    A term that an alert is about was used by several members.
    """

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_lately", "community_id", "at"),)
    id: str = Field(primary_key=True, description="made by whoever proposed it")
    community_id: int = Field(foreign_key="community.id", sa_type=Id)
    subject: str = Field(description="channel or mood with a reference, term or word with the word")
    began: datetime = Field(sa_type=Instant)
    at: datetime = Field(sa_type=Instant, description="when it was told, or closed")
    count: int = Field(description="messages")
    standing: str = Field(description="open, over, withdrawn")


class AlertMuteRow(SQLModel, table=True):
    """Of what the staff wants to hear nothing, and until when."""

    __tablename__ = "alert_mute"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    subject: str = Field(primary_key=True)
    until: datetime = Field(sa_type=Instant)
    muted_by: str = Field(default="", description="reference of the staff who muted it")


class WatchwordRow(SQLModel, table=True):
    """A word that the staff wants to hear of."""

    __tablename__ = "watchword"
    community_id: int = Field(foreign_key="community.id", sa_type=Id, primary_key=True)
    word: str = Field(primary_key=True)
    added_at: datetime = Field(sa_type=Instant)
    added_by: str = Field(default="", description="reference of the staff who added it")


PERSONAL: dict[type[SQLModel], Personal] = {
    model: model.__personal__ for model in SQLModel.__subclasses__() if hasattr(model, "__personal__")
}
"""The tables that say themselves whose their rows are."""

metadata = SQLModel.metadata
"""What the schema must be; `storage/migrations` is held equal to it by a test."""
