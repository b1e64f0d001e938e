"""What Slack writes down of members, channels and messages, the same in an export and by its Web API, as our events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.history import exports
from adapters.slack import names, reading
from bot.core.events import ChannelChanged, File, MessagePosted, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

SAID = frozenset({"", "me_message", "thread_broadcast", "file_share", "bot_message", "slackbot_response"})
"""The kinds of messages in which somebody says something; joins, pins and topics are told by Slack itself."""
MACHINES = "bot_message"
"""What comes from outside; of old ones nothing tells whose they are."""
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of a workspace, or a machine in it."""

    name: str
    bot: bool
    team: str

    @classmethod
    def of(cls, told: Mapping[str, object]) -> User:
        """Read what Slack writes of a member: the name that they chose to be shown, or else their own."""
        profile = exports.inner(told, "profile")
        name = exports.name(
            profile.get("display_name"), profile.get("real_name"), told.get("real_name"), told.get("name")
        )
        return cls(name=name, bot=told.get("is_bot") is True, team=exports.name(told.get("team_id")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel, and of an export who was in it."""

    id: str
    name: str
    description: str
    archived: bool
    closed: bool
    members: tuple[str, ...]

    @classmethod
    def of(cls, told: Mapping[str, object], *, closed: bool = False) -> Channel:
        """Read what Slack writes of a channel; `closed` is what its place in an export says, if that is more."""
        own, members = str(told.get("id")), told.get("members")
        purpose, topic = (exports.words(exports.inner(told, one).get("value")) for one in ("purpose", "topic"))
        return cls(
            id=own,
            name=exports.name(told.get("name"), own),
            description=purpose or topic,
            archived=told.get("is_archived") is True,
            closed=closed or told.get("is_private") is True,
            members=tuple(one for one in members if names.is_own(one)) if isinstance(members, list) else (),
        )

    @property
    def named(self) -> Named:
        """Name it."""
        audience = Audience.MEMBERS if self.closed else Audience.EVERYONE
        return Named(ref=names.ref(self.id), name=self.name, audience=audience)

    def told(self, at: datetime) -> ChannelChanged:
        """Tell how it is."""
        return ChannelChanged(
            channel=self.named,
            description=self.description,
            archived=self.archived,
            unconfirmed=self.closed,
            at=at,
            revision=0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Reads messages. `called` is what may be called by name in any of them, `me` who is left out: the bot itself."""

    users: Mapping[str, User]
    called: Mapping[str, str]
    source: str
    me: frozenset[str] = field(default=frozenset())

    def message(self, channel: Channel, told: Mapping[str, object]) -> MessagePosted | None:
        """Tell of a message; None for what Slack itself tells, and for what is deleted. Raises ValueError."""
        if told.get("type", "message") != "message" or (told.get("subtype") or "") not in SAID or told.get("hidden"):
            return None
        if not (told.get("user") or told.get("bot_id")) and told.get("subtype") == MACHINES:
            return None
        if self.me and not self.me.isdisjoint({str(told.get("user")), str(told.get("bot_id"))}):
            return None
        ts, first = timestamp(told.get("ts")), told.get("thread_ts")
        in_thread = first is not None and first != ts
        return MessagePosted(
            message=names.message(channel.id, ts),
            channel=channel.named,
            author=self._author(channel, told),
            text=exports.text(self._said(told)),
            at=exports.possible(names.instant(ts)),
            thread=Named(ref=names.message(channel.id, timestamp(first)), name="") if in_thread else None,
            source=self.source,
            files=tuple(_files(told)),
        )

    def member(self, own: str, name: str = "", *, bot: bool = False) -> Named:
        """Name a member, or a machine."""
        known = self.users.get(own)
        machine = bot or own == SLACKBOT or (known is not None and known.bot)
        return Named(ref=names.ref(own), name=exports.name(known.name if known else "", name, own), bot=machine)

    def _author(self, channel: Channel, told: Mapping[str, object]) -> Named:
        """Name who wrote a message. That somebody wrote in a closed channel does not prove that they may read it."""
        user, machine = told.get("user"), told.get("bot_id")
        own = user if names.is_own(user) else machine
        if not isinstance(own, str) or not names.is_own(own):
            raise ValueError("it has no author")
        profile = exports.inner(told, "user_profile")
        name = exports.name(profile.get("display_name"), profile.get("real_name"), told.get("username"))
        # What an app posts in a member's name is theirs: the list of members knows who is a machine.
        author = self.member(own, name, bot=machine is not None and own not in self.users)
        return replace(author, reads=frozenset()) if channel.closed else author

    def _said(self, told: Mapping[str, object]) -> str:
        """Return what a message says; a machine may say it in what is attached alone."""
        said = told.get("text")
        if not (isinstance(said, str) and said.strip()):
            attached = exports.rows(told.get("attachments"))
            said = "\n".join(exports.words(one.get("text")) or exports.words(one.get("fallback")) for one in attached)
        return reading.readable(said, person=self.called.get, room=self.called.get)


def timestamp(found: object) -> str:
    """Return a timestamp of Slack's. Raises ValueError for what is none."""
    if not isinstance(found, str):
        raise ValueError(f"its timestamp is none: {str(found)[:40]}")
    try:
        names.instant(found)
    except ValueError:
        raise ValueError(f"its timestamp is none: {found[:40]!r}") from None
    return found


def _files(told: Mapping[str, object]) -> Iterator[File]:
    """Tell of a message's files; their addresses without the secret that lets whoever has it download them."""
    for one in exports.rows(told.get("files")):
        size, url = one.get("size"), exports.words(one.get("url_private"))
        if one.get("mode") == "tombstone":
            continue
        yield File(
            name=exports.name(one.get("name"), one.get("title"), one.get("id")),
            kind=exports.name(one.get("mimetype"), one.get("filetype")),
            size=size if isinstance(size, int) and size > 0 else 0,
            url=_without_secret(url),
        )


def _without_secret(url: str) -> str:
    try:
        return urlsplit(url)._replace(query="", fragment="").geturl()
    except ValueError:
        return ""
