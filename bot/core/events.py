"""What happens on a platform, as dead data. The union is closed: a new member of it is a change of the design."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from bot.core.things import Audience, Rank, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A space, a channel, a thread or a member as the platform names it.

    `audience` is said of channels; `bot`, `language` (the platform's own setting), `roles` and `reads` of members, the
    last being the channels not open to everyone that they may read; a `guest` reads only the channels that they are in,
    open ones too. `rank` is what they may do here, and `registered_at` when their account was made. None and empty mean
    that the platform did not say.
    """

    ref: Ref
    name: str
    bot: bool = False
    audience: Audience | None = None
    language: str = ""
    roles: frozenset[Ref] = frozenset()
    reads: frozenset[Ref] | None = None
    guest: bool | None = None
    rank: Rank | None = None
    registered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that came with a message: what it is called, its media type, its length in bytes, where it lies.

    `url` is an address, or a platform's own word by which it finds the file. Whoever has it may have the file, so that
    it belongs into no log.
    """

    name: str
    kind: str
    size: int
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted:
    """Somebody wrote something. With `mentioned`, to the bot: it was named, replied to, or alone with them."""

    message: Ref
    channel: Named
    author: Named
    text: str
    at: datetime
    thread: Named | None = None
    reply_to: Ref | None = None
    source: str
    mentioned: bool = False
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """Somebody changed a message; `revision` grows with each change, and `files` are those that it has now."""

    message: Ref
    channel: Named
    author: Named
    text: str
    at: datetime
    revision: int
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message is gone."""

    message: Ref
    channel: Named
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined:
    """Somebody came into a channel, or into the whole space when no channel is named."""

    member: Named
    channel: Named | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft:
    """Somebody left a channel, or the whole space when no channel is named."""

    member: Named
    channel: Named | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """Somebody is called otherwise, has other roles, or may read other channels; `revision` grows."""

    member: Named
    at: datetime
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionAdded:
    """Somebody put an emoji under a message; `sequence` tells apart what was added, removed and added again."""

    message: Ref
    channel: Named
    member: Named
    emoji: str
    at: datetime
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRemoved:
    """Somebody took an emoji away again."""

    message: Ref
    channel: Named
    member: Named
    emoji: str
    at: datetime
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """A message that a member pointed to, so that they can read it: where it is and whose, and nothing of its words."""

    message: Ref
    channel: Named
    author: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandGiven:
    """A member used a command. `invocation` is what an answer belongs to on the platform.

    `pointed` is the message it is about, where the platform shows that the member can read it: a message of somebody
    who is not collected is known in no other way.

    `aside` says that the answer may be for them alone where the platform can that; a command that was given in the
    words of a message is not, and its `invocation` is that message. What stands after the command there is its `line`,
    which whoever asks the skills reads into arguments.
    """

    command: str
    arguments: dict[str, str] = field(default_factory=dict)
    line: str = ""
    member: Named
    rank: Rank
    channel: Named
    at: datetime
    invocation: Ref
    aside: bool = True
    pointed: Pointed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    """A member pressed a button; `button` is the token that was sent with it."""

    button: str
    message: Ref
    member: Named
    rank: Rank
    channel: Named
    at: datetime
    invocation: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelChanged:
    """A channel is new, or is called, described, opened, closed or archived otherwise; `revision` grows.

    With `unconfirmed`, other members than before may read it, and only what the platform says of each of them from now
    on (`Named.reads`) tells who: until then nobody may. With `gone` it was deleted, a thread too, and with it all that
    was said there. `formerly` is what it was called by until now, where the platform gave it another reference: a group
    that is the space as well takes that along.
    """

    channel: Named
    formerly: Ref | None = None
    description: str = ""
    archived: bool = False
    unconfirmed: bool = False
    gone: bool = False
    at: datetime
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BotAdded:
    """The bot came into a space."""

    by: Named | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A schedule's instant has come; it may be `about` one channel, by whose settings it goes."""

    schedule: str
    planned: datetime
    at: datetime
    about: Ref | None = None


Event = (
    MessagePosted
    | MessageEdited
    | MessageDeleted
    | MemberJoined
    | MemberLeft
    | MemberChanged
    | ReactionAdded
    | ReactionRemoved
    | CommandGiven
    | ButtonPressed
    | ChannelChanged
    | BotAdded
    | TimerFired
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event and the space it happened in: a Discord server, a Slack workspace, a Telegram group.

    `live` is false for what an adapter reads up on after an absence: stored and learned from, never answered.
    """

    space: Named
    event: Event
    live: bool = True


def key(event: Event) -> str:
    """Name an event so that a redelivery is recognised."""
    match event:
        case MessagePosted():
            return f"posted {event.message}"
        case MessageEdited():
            return f"edited {event.message} {event.revision}"
        case MessageDeleted():
            return f"deleted {event.message}"
        case MemberJoined() | MemberLeft():
            where = event.channel.ref if event.channel else ""
            return f"{type(event).__name__} {event.member.ref} {where} {event.at.timestamp()}"
        case MemberChanged():
            return f"member {event.member.ref} {event.revision}"
        case ReactionAdded() | ReactionRemoved():
            return f"{type(event).__name__} {event.message} {event.member.ref} {event.emoji} {event.sequence}"
        case CommandGiven() | ButtonPressed():
            return f"{type(event).__name__} {event.invocation}"
        case ChannelChanged():
            return f"channel {event.channel.ref} {event.revision}"
        case BotAdded():
            return f"added {event.at.timestamp()}"
        case TimerFired():
            where = f" {event.about}" if event.about else ""
            return f"timer {event.schedule} {event.planned.isoformat()}{where}"
    assert_never(event)


def lane(event: Event) -> str:
    """Name what events are handled in order within: the channel, or else the member or the schedule.

    A command has its member's own lane in the channel, and a button its message's: a long answer to one member must not
    hold up the channel, and two presses of one button must not meet.
    """
    match event:
        case CommandGiven():
            return f"{event.channel.ref} {event.member.ref}"
        case ButtonPressed():
            return f"{event.channel.ref} {event.message}"
        case MemberJoined() | MemberLeft():
            return str(event.channel.ref if event.channel else event.member.ref)
        case MemberChanged():
            return str(event.member.ref)
        case BotAdded():
            return "space"
        case TimerFired():
            return event.schedule
        case _:
            return str(event.channel.ref)


def actor(event: Event) -> Named | None:
    """Return who did it, where a member did."""
    match event:
        case MessagePosted() | MessageEdited():
            return event.author
        case MessageDeleted() | ChannelChanged() | TimerFired():
            return None
        case BotAdded():
            return event.by
        case _:
            return event.member


def place(event: Event) -> Named | None:
    """Return the channel it happened in, where there is one."""
    match event:
        case BotAdded() | TimerFired() | MemberChanged():
            return None
        case _:
            return event.channel


def ruled_by(event: Event) -> Ref | None:
    """Return the channel whose settings and modes hold for it: where it happened, or which it is about."""
    if isinstance(event, TimerFired):
        return event.about
    where = place(event)
    return where.ref if where else None


def is_spoken_to(event: Event) -> bool:
    """Say whether somebody turned to the bot without a command: wrote to it, or brought it into a space."""
    match event:
        case MessagePosted(mentioned=mentioned):
            return mentioned
        case BotAdded(by=by):
            return by is not None
        case _:
            return False


def is_asked(event: Event) -> bool:
    """Say whether a member asked for an answer by a command or a button, so that no mode governs it."""
    return isinstance(event, CommandGiven | ButtonPressed)
