"""What Slack writes down of members, channels and messages, the same in an export and by its Web API, as our events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adapters.history import exports
from adapters.slack import names, reading, saying
from bot.core.events import ChannelChanged, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.core.events import MessagePosted

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
            description="\n".join(dict.fromkeys(one for one in (purpose, topic) if one)),
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
        if told.get("type", "message") != "message" or not saying.is_said(told):
            return None
        if not (told.get("user") or told.get("bot_id")) and told.get("subtype") == MACHINES:
            return None
        if self.me and not self.me.isdisjoint({str(told.get("user")), str(told.get("bot_id"))}):
            return None
        for one in ("ts", "thread_ts") if told.get("thread_ts") is not None else ("ts",):
            timestamp(told.get(one))
        said = reading.readable(reading.written(told), person=self.called.get, room=self.called.get, me=self.me)
        author, text = self._author(channel, told), exports.text(said)
        posted = saying.posted(told, channel.named, author=author, text=text, source=self.source)
        exports.possible(posted.at)
        return posted

    def member(self, own: str, name: str = "", *, bot: bool = False) -> Named:
        """Name a member, or a machine."""
        known = self.users.get(own)
        machine = bot or own == SLACKBOT or (known is not None and known.bot)
        return Named(ref=names.ref(own), name=exports.name(known.name if known else "", name, own), bot=machine)

    def _author(self, channel: Channel, told: Mapping[str, object]) -> Named:
        """Name who wrote a message. That somebody wrote in a closed channel does not prove that they may read it."""
        user = told.get("user")
        if isinstance(user, str) and names.is_own(user):
            profile = exports.inner(told, "user_profile")
            name = exports.name(profile.get("display_name"), profile.get("real_name"), told.get("username"))
            # What an app posts in a member's name is theirs: the list of members knows who is a machine.
            author = self.member(user, name, bot=told.get("bot_id") is not None and user not in self.users)
        elif machine := saying.machine(told):
            author = self.member(machine.ref.id, machine.name, bot=True)
        else:
            raise ValueError("it has no author")
        return replace(author, reads=frozenset()) if channel.closed else author


def timestamp(found: object) -> str:
    """Return a timestamp of Slack's. Raises ValueError for what is none."""
    if not isinstance(found, str):
        raise ValueError(f"its timestamp is none: {str(found)[:40]}")
    try:
        names.instant(found)
    except ValueError:
        raise ValueError(f"its timestamp is none: {found[:40]!r}") from None
    return found
