"""A workspace: people, channels, what was said. Everything that changes in it is told to whoever listens."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.platforms import Refused

TEAM, APP, BOT, BOT_ID = "T0000HARB", "A0000KINF", "U0000KINF", "B0000KINF"
DOMAIN = "https://harbour.slack.com/"


@dataclass(kw_only=True)
class User:
    id: str
    name: str
    locale: str = "en-US"
    rank: int = 0
    bot: bool = False
    deleted: bool = False
    guest: bool = False

    def shown(self) -> dict:
        return {
            "id": self.id,
            "team_id": TEAM,
            "name": self.name.lower(),
            "real_name": self.name,
            "deleted": self.deleted,
            "locale": self.locale,
            "is_bot": self.bot,
            "is_admin": self.rank > 0,
            "is_owner": self.rank > 1,
            "is_primary_owner": self.rank > 1,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "updated": 1_700_000_000,
            "profile": {"display_name": self.name, "real_name": self.name},
        }


@dataclass(kw_only=True)
class Message:
    ts: str
    user: str
    text: str
    subtype: str = ""
    thread: str = ""
    edited: str = ""
    blocks: list = field(default_factory=list)
    files: list = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    only: str = ""
    metadata: dict = field(default_factory=dict)
    more: dict = field(default_factory=dict)

    def shown(self, replies: list[Message] = ()) -> dict:
        told = {"type": "message", "user": self.user, "text": self.text, "ts": self.ts, "team": TEAM, **self.more}
        if self.user == BOT:
            told |= {"bot_id": BOT_ID, "app_id": APP, "bot_profile": {"id": BOT_ID, "name": "Kinfolk", "team_id": TEAM}}
        if self.subtype:
            told["subtype"] = self.subtype
        if self.blocks:
            told["blocks"] = self.blocks
        if self.thread:
            told["thread_ts"] = self.thread
        if replies:
            told |= {"thread_ts": self.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
        if self.metadata:
            told["metadata"] = self.metadata
        if self.edited:
            told["edited"] = {"user": self.user, "ts": self.edited}
        if self.files:
            told["files"] = self.files
        if self.reactions:
            told["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items() if users
            ]
        return told


@dataclass(kw_only=True)
class Channel:
    id: str
    name: str
    private: bool = False
    im: str = ""
    general: bool = False
    joined_by_all: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)
    topic: str = ""
    purpose: str = ""
    creator: str = ""
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "im" if self.im else "group" if self.private else "channel"

    def shown(self, viewer: str) -> dict:
        if self.im:
            return {"id": self.id, "created": 1_700_000_000, "is_im": True, "user": self.im, "is_archived": False}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.private,
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_archived": self.archived,
            "is_general": self.general,
            "is_member": viewer in self.members,
            "created": 1_700_000_000,
            "creator": self.creator,
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }

    def replies(self, ts: str) -> list[Message]:
        return [
            one for one in sorted(self.messages.values(), key=lambda one: one.ts) if one.thread == ts and not one.only
        ]


class World:
    """The workspace; `tell` is called with each event that Slack would send, and whether the bot may hear it."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, dict] = {}
        self.unshared = 0
        self.bytes: dict[str, bytes] = {}
        self.homes: dict[str, dict] = {}
        self.tell: Callable[[dict], None] = lambda _event: None
        self._numbers = itertools.count(1)
        self._ago = 0.0
        self._last = 0
        self.users[BOT] = User(id=BOT, name="Kinfolk", bot=True)

    def turn_back(self, seconds: float) -> None:
        """Let it be so many seconds ago from now on."""
        self._ago, self._last = seconds, 0

    def stamp(self) -> str:
        """Return an instant that no other has."""
        self._last = max(int((time.time() - self._ago) * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06}"

    def name(self, letter: str) -> str:
        return f"{letter}{next(self._numbers):08}"

    # Setting up, of which nothing is told

    def user(self, name: str, *, rank: int = 0, locale: str = "en-US") -> str:
        made = User(id=self.name("U"), name=name, rank=rank, locale=locale)
        self.users[made.id] = made
        return made.id

    def channel(
        self, name: str, members: set[str] = frozenset(), *, private: bool = False, joined_by_all: bool = False
    ) -> str:
        made = Channel(id=self.name("C"), name=name, private=private, joined_by_all=joined_by_all, members=set(members))
        self.channels[made.id] = made
        return made.id

    def direct(self, user: str) -> Channel:
        """Return the conversation of somebody with the bot."""
        found = next((one for one in self.channels.values() if one.im == user), None)
        if found is None:
            found = Channel(id=self.name("D"), name="", im=user, members={user, BOT})
            self.channels[found.id] = found
        return found

    def seed(self, channel: str, user: str, text: str, *, thread: str = "", ts: str = "") -> str:
        """Put a message there that was said before."""
        made = Message(ts=ts or self.stamp(), user=user, text=text, thread=thread)
        self.channels[channel].messages[made.ts] = made
        return made.ts

    # What happens

    def heard_in(self, channel: Channel, event: dict) -> None:
        """Tell of something in a channel, if the bot is in it."""
        if BOT in channel.members:
            self.tell(event)

    def post(self, user: str, channel: Channel, text: str, **more: object) -> Message:
        made = Message(ts=self.stamp(), user=user, text=text, **more)  # type: ignore[arg-type]
        channel.messages[made.ts] = made
        parent = channel.messages.get(made.thread)
        told = {**made.shown(), "channel": channel.id, "channel_type": channel.kind, "event_ts": made.ts}
        if parent:
            told["parent_user_id"] = parent.user
        self.heard_in(channel, told)
        return made

    def edit(self, channel: Channel, message: Message, text: str, blocks: list | None = None) -> None:
        before, message.text, message.edited = message.shown(), text, self.stamp()
        if blocks is not None:
            message.blocks = blocks
        self.heard_in(
            channel,
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "channel": channel.id,
                "channel_type": channel.kind,
                "ts": message.edited,
                "event_ts": message.edited,
                "message": message.shown(channel.replies(message.ts)),
                "previous_message": before,
            },
        )

    def delete(self, channel: Channel, message: Message) -> None:
        """Take a message away; of one that has answers a tombstone stays."""
        at = self.stamp()
        common = {"type": "message", "channel": channel.id, "channel_type": channel.kind, "ts": at, "event_ts": at}
        common |= {"hidden": True, "previous_message": message.shown()}
        if channel.replies(message.ts):
            message.subtype, message.text, message.blocks, message.user = (
                "tombstone",
                "This message was deleted.",
                [],
                "USLACKBOT",
            )
            self.heard_in(channel, {**common, "subtype": "message_changed", "message": message.shown()})
            return
        del channel.messages[message.ts]
        self.heard_in(channel, {**common, "subtype": "message_deleted", "deleted_ts": message.ts})

    def react(self, user: str, channel: Channel, message: Message, name: str, *, on: bool) -> bool:
        users = message.reactions.setdefault(name, [])
        if on == (user in users):
            return False
        (users.append if on else users.remove)(user)
        event = {
            "type": "reaction_added" if on else "reaction_removed",
            "user": user,
            "reaction": name,
            "item_user": message.user,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "event_ts": self.stamp(),
        }
        self.heard_in(channel, event)
        return True

    def join(self, user: str, channel: Channel, inviter: str = "") -> None:
        channel.members.add(user)
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "team": TEAM}
        event |= {"channel_type": "G" if channel.private else "C", "event_ts": self.stamp()}
        self.heard_in(channel, event | ({"inviter": inviter} if inviter else {}))

    def leave(self, user: str, channel: Channel) -> None:
        event = {"type": "member_left_channel", "user": user, "channel": channel.id, "team": TEAM}
        event |= {"channel_type": "G" if channel.private else "C", "event_ts": self.stamp()}
        if user == BOT:
            kind = "group_left" if channel.private else "channel_left"
            event = {"type": kind, "channel": channel.id, "actor_id": "", "event_ts": self.stamp()}
        self.heard_in(channel, event)
        channel.members.discard(user)

    def user_changed(self, user: User, kind: str = "user_change") -> None:
        self.tell({"type": kind, "user": user.shown(), "cache_ts": 1, "event_ts": self.stamp()})

    def describe(self, user: str, channel: Channel, field: str, words: str) -> None:
        setattr(channel, field, words)
        told = f"set the channel {field}: {words}"
        subtype = f"{'group' if channel.private else 'channel'}_{field}"
        ts = self.stamp()
        event = {"type": "message", "subtype": subtype, "user": user, "text": told, field: words, "ts": ts}
        self.heard_in(channel, event | {"channel": channel.id, "channel_type": channel.kind, "event_ts": ts})

    def archive(self, user: str, channel: Channel, *, on: bool) -> None:
        """Put a channel away, after which an app is in it no more, or take it back."""
        channel.archived = on
        kind = f"{'group' if channel.private else 'channel'}_{'archive' if on else 'unarchive'}"
        self.tell({"type": kind, "channel": channel.id, "user": user, "event_ts": self.stamp()})
        if on:
            channel.members.discard(BOT)

    def find(self, channel: str, ts: str) -> tuple[Channel, Message]:
        room = self.channels.get(channel)
        if room is None or ts not in room.messages:
            raise Refused("There is no such message.")
        return room, room.messages[ts]
