"""The simulated platform's state: one space with its channels, members and messages, and who may do what there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from adapters.playground.feed import Change
from adapters.playground.refusals import Refused
from bot.core.events import Named
from bot.core.things import Audience, Rank, Ref

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from adapters.playground.feed import Feed
    from adapters.playground.past import Past, PastChannel, PastMessage
    from bot.core.actions import Attachment, Button
    from bot.core.clock import Clock
    from bot.core.decisions import Trace

PLATFORM = "playground"
HARBOUR = Named(ref=Ref(PLATFORM, "harbour"), name="Harbour Makers")
KINFOLK = Named(ref=Ref(PLATFORM, "kinfolk"), name="Kinfolk", bot=True)
LONGEST = 4_000
"""Characters of a message, in the middle of what platforms allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member as the platform knows them."""

    named: Named
    rank: Rank = Rank.MEMBER
    state: Literal["here", "out", "banned"] = "here"
    quiet_until: datetime | None = None
    roles: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Return the platform's own name of the member."""
        return self.named.ref.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel or a direct conversation."""

    named: Named
    description: str = ""
    archived: bool = False
    members: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Return the platform's own name of the channel."""
        return self.named.ref.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A question with options; `votes` holds each voter's choice."""

    question: str
    options: tuple[str, ...]
    votes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event in the calendar."""

    title: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message; with `only`, nobody but that member sees it. `answers` is the command that was typed."""

    id: str
    room: str
    author: str
    text: str
    at: datetime
    thread: Named | None = None
    reply_to: str = ""
    only: str = ""
    answers: str = ""
    edited: bool = False
    deleted_by: str = ""
    reactions: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    files: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    entry: Entry | None = None

    @property
    def ref(self) -> Ref:
        """Return the message's reference."""
        return Ref(PLATFORM, self.id)


class Space:
    """Everything there is on the playground. What is kept is published to those who watch."""

    def __init__(self, *, feed: Feed, clock: Clock) -> None:
        self.feed = feed
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.rooms: dict[str, Room] = {}
        self.posts: dict[str, Post] = {}
        self.threads: dict[str, Named] = {}
        self.thoughts: dict[str, Trace] = {}
        self.typed: dict[str, str] = {}
        self._rows: dict[str, list[str]] = {}
        self._last = 0
        self.keep_account(Account(named=KINFOLK))

    def fill(self, past: Past) -> None:
        """Take over what was there before."""
        for one in past.members:
            self.keep_account(Account(named=one.member, rank=one.rank))
        for channel in past.channels:
            self.keep_room(_room(channel))
        for message in past.messages:
            if message.author.ref.id not in self.accounts:
                self.keep_account(Account(named=message.author, state="here" if message.author.bot else "out"))
            self.keep(_post(message))

    def number(self) -> int:
        """Give a number that no restart gives again: milliseconds, one more each time at least."""
        self._last = max(self._last + 1, int(self.clock.now().timestamp() * 1000))
        return self._last

    def keep(self, post: Post) -> Post:
        """Store a message, new or changed."""
        if post.id not in self.posts:
            self._rows.setdefault(post.room, []).append(post.id)
        self.posts[post.id] = post
        if post.thread:
            self.threads[post.thread.ref.id] = post.thread
        self.feed.publish(Change("message", post.id))
        return post

    def think(self, post: str, trace: Trace) -> None:
        """Store what the bot made of a message, in place of what it made of it before."""
        self.thoughts[post] = trace
        self.feed.publish(Change("message", post))

    def note(self, room: Room) -> Post:
        """Make a message without words, for what the bot held back where nobody had said anything."""
        name = f"{room.id}/{self.number()}"
        return self.keep(Post(id=name, room=room.id, author=KINFOLK.ref.id, text="", at=self.clock.now()))

    def keep_room(self, room: Room) -> Room:
        """Store a channel, new or changed."""
        self.rooms[room.id] = room
        self.feed.publish(Change("space"))
        return room

    def keep_account(self, account: Account) -> Account:
        """Store a member, new or changed."""
        self.accounts[account.id] = account
        self.feed.publish(Change("space"))
        return account

    def account(self, name: str) -> Account:
        """Return a member; raises Refused for an unknown one."""
        if name not in self.accounts:
            raise Refused("no_member", name=name)
        return self.accounts[name]

    def room(self, name: str) -> Room:
        """Return a channel; raises Refused for an unknown one."""
        if name not in self.rooms:
            raise Refused("no_channel", name=name)
        return self.rooms[name]

    def post(self, name: str) -> Post:
        """Return a message that is there; raises Refused for an unknown or deleted one."""
        post = self.posts.get(name)
        if post is None:
            raise Refused("no_message", name=name)
        if post.deleted_by:
            raise Refused("deleted")
        return post

    def rows(self, room: str) -> list[str]:
        """Return the names of a channel's messages, oldest first."""
        return self._rows.get(room, [])

    def rooms_of(self, member: str) -> Iterator[Room]:
        """Yield the channels that a member sees."""
        account = self.account(member)
        if account.state == "here" and not account.named.bot:
            self.direct(account)
        return (room for room in self.rooms.values() if sees(account, room))

    def direct(self, account: Account) -> Room:
        """Return the conversation of a member with the bot, opened when there is none yet."""
        name = f"direct-{account.id}"
        if name not in self.rooms:
            named = Named(ref=Ref(PLATFORM, name), name=account.named.name, audience=Audience.DIRECT)
            self.keep_room(Room(named=named, members=frozenset({account.id, KINFOLK.ref.id})))
        return self.rooms[name]

    def lobbies(self) -> list[Room]:
        """Return the channels where newcomers find themselves: those that a third of the members have joined."""
        third = sum(one.state == "here" and not one.named.bot for one in self.accounts.values()) / 3
        public = [
            room for room in self.rooms.values() if room.named.audience == Audience.EVERYONE and not room.archived
        ]
        return [room for room in public if len(room.members) >= third] or public[:1]

    def enter(self, room: Room, member: str) -> None:
        """Make somebody a member of a channel."""
        self.keep_room(replace(room, members=room.members | {member}))

    def leave(self, room: Room, member: str) -> None:
        """End somebody's membership of a channel."""
        self.keep_room(replace(room, members=room.members - {member}))

    def send_out(self, account: Account, state: Literal["out", "banned"]) -> None:
        """End somebody's membership of the space and of its channels."""
        self.keep_account(replace(account, state=state))
        for room in [room for room in self.rooms.values() if account.id in room.members]:
            if room.named.audience != Audience.DIRECT:
                self.leave(room, account.id)

    def check_writes(self, account: Account, room: Room) -> None:
        """Raise Refused unless this member may write in this channel now."""
        self.check_sees(account, room)
        if room.archived:
            raise Refused("archived", name=room.named.name)
        if account.quiet_until and account.quiet_until > self.clock.now():
            raise Refused("quiet", name=account.named.name, until=f"{account.quiet_until:%H:%M}")
        if account.id not in room.members:
            raise Refused("join_first", name=room.named.name)

    def check_sees(self, account: Account, room: Room) -> None:
        """Raise Refused unless this member may read this channel."""
        if account.state != "here":
            raise Refused(account.state, name=account.named.name)
        if not sees(account, room):
            raise Refused("private", name=account.named.name)


def sees(account: Account, room: Room) -> bool:
    """Say whether a member may read a channel."""
    public = room.named.audience in {Audience.EVERYONE, None}
    return account.state == "here" and (public or account.id in room.members)


def sees_post(account: Account, room: Room, post: Post) -> bool:
    """Say whether a member may read a message."""
    return sees(account, room) and post.only in {"", account.id}


def _room(past: PastChannel) -> Room:
    members = frozenset(member.id for member in past.members)
    return Room(named=past.channel, description=past.description, archived=past.archived, members=members)


def _post(past: PastMessage) -> Post:
    return Post(
        id=past.message.id,
        room=past.channel.id,
        author=past.author.ref.id,
        text=past.text,
        at=past.at,
        thread=past.thread,
        reply_to=past.reply_to.id if past.reply_to else "",
        edited=past.edited,
    )
