"""Who and what is in the workspace, as far as Slack told: looked up when it is needed, and remembered."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from adapters.slack import names, told
from adapters.slack.reading import readable
from adapters.slack.web import Refused
from bot.core.errors import Unavailable
from bot.core.events import Named
from bot.core.things import Audience, Rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.things import Ref

T = TypeVar("T")
log = logging.getLogger(__name__)

LONGEST_NAME, LONGEST_WORDS = 100, 1000
"""Characters that are kept of a name, and of what a channel is for."""
PATIENCE = 0.8
"""Seconds that a name may take: an event is to be acknowledged within three."""
PEOPLE = 20_000
"""Members that are remembered; a larger workspace has the others looked up again."""
EVERYWHERE = ""
"""What stands for every channel at once."""
ALONE = "direct"
"""What a direct conversation is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of the workspace, as Slack tells of them."""

    id: str
    name: str
    bot: bool = False
    language: str = ""
    rank: Rank = Rank.MEMBER
    gone: bool = False
    guest: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel or a direct conversation. `mine` says that the bot is in it."""

    id: str
    name: str
    purpose: str = ""
    topic: str = ""
    audience: Audience = Audience.MEMBERS
    archived: bool = False
    mine: bool = False

    @property
    def description(self) -> str:
        """Return what it is for and what it is about, as far as somebody said so."""
        return "\n".join(dict.fromkeys(one for one in (self.purpose, self.topic) if one))

    @property
    def named(self) -> Named:
        """Return it as events name it."""
        return Named(ref=names.ref(self.id), name=self.name, audience=self.audience)


def person_of(user: Told, *, team: str = "") -> Person:
    """Read a member of a workspace from Slack's own object.

    Somebody of another organisation who shares a channel is a guest, whatever they are at home.
    """
    foreign = bool(team) and told.text(user, "team_id") not in {"", team}
    profile = told.part(user, "profile")
    own = told.text(user, "id")
    shown = told.text(profile, "display_name") or told.text(profile, "real_name")
    rank = Rank.STAFF if told.is_set(user, "is_admin") else Rank.MEMBER
    if told.is_set(user, "is_owner", "is_primary_owner"):
        rank = Rank.OWNER
    return Person(
        id=own,
        name=_cut(shown or told.text(user, "real_name") or told.text(user, "name") or own),
        bot=told.is_set(user, "is_bot") or own == "USLACKBOT",
        language=told.text(user, "locale").replace("-", "_")[:10],
        rank=Rank.MEMBER if foreign else rank,
        gone=told.is_set(user, "deleted"),
        guest=foreign or told.is_set(user, "is_restricted", "is_ultra_restricted", "is_stranger"),
    )


def room_of(channel: Told, *, mine: bool | None = None) -> Room:
    """Read a channel from Slack's own object; what does not say who may read it is taken to be closed."""
    own = told.text(channel, "id")
    return Room(
        id=own,
        name=_cut(told.text(channel, "name") or (ALONE if own.startswith("D") else own)),
        purpose=described(told.text(channel, "purpose", "value")),
        topic=described(told.text(channel, "topic", "value")),
        audience=_audience(channel, own),
        archived=told.is_set(channel, "is_archived"),
        mine=told.is_set(channel, "is_member", "is_im") if mine is None else mine,
    )


def described(written: str) -> str:
    """Return what a channel is for as people see it; Slack gives it with its own marks, and no names are told here."""
    return readable(written, person=lambda _user: None, room=lambda _channel: None)[:LONGEST_WORDS]


def _audience(channel: Told, own: str) -> Audience:
    if told.is_set(channel, "is_im") or own.startswith("D"):
        return Audience.DIRECT
    if told.is_set(channel, "is_private", "is_mpim", "is_group"):
        return Audience.MEMBERS
    is_open = channel.get("is_private") is False or channel.get("is_channel") is True
    return Audience.EVERYONE if is_open else Audience.MEMBERS


class Directory:
    """The people and the rooms of one workspace. `me` is the bot's own member, `team` the workspace at `address`."""

    def __init__(self, api: Api, *, me: str, team: Named, address: str = "") -> None:
        self.me = me
        self.team = team
        self._address = address
        self._api = api
        self._people: OrderedDict[str, Person] = OrderedDict()
        self._rooms: dict[str, Room] = {}
        self._closed: dict[str, set[str]] = {}
        self._moves: Counter[str] = Counter()
        self._asking: dict[str, asyncio.Task[object]] = {}
        self.counted = False
        """Whether it is known who is in every closed channel that the bot is in."""

    def address_of(self, channel: str, ts: str) -> str | None:
        """Return the address of a message, which Slack's clients open."""
        if not self._address.startswith("https://"):
            return None
        return f"{self._address.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"

    # People

    def known_person(self, user: str) -> Person | None:
        """Return a member of whom Slack told already."""
        return self._people.get(user)

    def learn_person(self, user: Told) -> Person:
        """Remember a member as Slack tells of them now."""
        person = person_of(user, team=self.team.ref.id)
        known = self._people.get(person.id)
        if known and not person.language:
            person = replace(person, language=known.language)
        if person.id:
            self._people[person.id] = person
            self._people.move_to_end(person.id)
            while len(self._people) > PEOPLE:
                self._people.popitem(last=False)
        return person

    async def person(self, user: str) -> Person:
        """Return a member; one of whom Slack does not tell in time goes by their id. Raises ValueError for no id."""
        known = self._people.get(names.check(user))
        found = known or await self._asked(f"@{user}", lambda: self._ask_person(user))
        return found or Person(id=user, name=_cut(user))

    async def _ask_person(self, user: str) -> Person | None:
        answer = await self._api.call("users.info", user=user, include_locale=True)
        return self.learn_person(told.part(answer, "user"))

    def named(self, person: Person) -> Named:
        """Name a member as events do: with the closed channels that they may read, once those are counted."""
        return Named(
            ref=names.ref(person.id),
            name=person.name,
            bot=person.bot,
            language=person.language,
            reads=None if person.bot else self.reads(person.id),
            guest=person.guest,
            rank=person.rank,
        )

    # Rooms

    @property
    def rooms(self) -> list[Room]:
        """Return every room of which Slack told already."""
        return list(self._rooms.values())

    def known_room(self, channel: str) -> Room | None:
        """Return a room of which Slack told already."""
        return self._rooms.get(channel)

    def learn_room(self, room: Room) -> Room:
        """Remember a room as it is now."""
        self._rooms[room.id] = room
        return room

    def forget_room(self, channel: str) -> None:
        """Forget a room that is no more, or that the bot does not see any more."""
        self._rooms.pop(channel, None)
        self._closed.pop(channel, None)

    async def room(self, channel: str, kind: str = "") -> Room:
        """Return a room; of one of which Slack does not tell in time only what its kind says, and that is closed.

        Raises ValueError for no id.
        """
        known = self._rooms.get(names.check(channel))
        return known or await self._asked(f"#{channel}", lambda: self._ask_room(channel)) or _guessed(channel, kind)

    async def room_asked_in(self, channel: str) -> Room:
        """Return a room in which somebody asked for something, which may be one that the bot is not in, and closed."""
        known = self._rooms.get(names.check(channel))
        known = known or await self._asked(f"#{channel}", lambda: self._ask_room(channel))
        return known or Room(id=channel, name=ALONE if channel.startswith("D") else _cut(channel))

    def is_alone(self, channel: str) -> bool:
        """Say whether a room is a conversation of one member with the bot."""
        known = self._rooms.get(channel)
        return known is not None and known.audience is Audience.DIRECT

    async def refreshed(self, channel: str) -> Room:
        """Return a room as it is now."""
        self._rooms.pop(channel, None)
        return await self.room(channel)

    async def _ask_room(self, channel: str) -> Room | None:
        answer = await self._api.call("conversations.info", channel=channel)
        found = room_of(told.part(answer, "channel"))
        return self.learn_room(found) if found.id == channel else None

    async def _asked(self, what: str, asking: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what Slack tells within the time there is; what comes later is remembered for the next time."""
        task = self._asking.get(what)
        if task is None:
            task = self._asking[what] = asyncio.create_task(_told(what, asking))
            task.add_done_callback(lambda _done: self._asking.pop(what, None))
        await asyncio.wait([task], timeout=PATIENCE)
        return cast("T | None", task.result()) if task.done() and not task.cancelled() else None

    def close(self) -> None:
        """Let go of what is still being asked."""
        for task in list(self._asking.values()):
            task.cancel()

    # Who is in what

    def count(self, channel: str, users: set[str]) -> None:
        """Note who is in a closed channel: these, and nobody else."""
        self._closed[channel] = set(users)

    def moves(self, channel: str) -> int:
        """Return how often somebody came into a closed channel or left it: who is in it may not be as it was read."""
        return self._moves[channel] + self._moves[EVERYWHERE]

    def uncount(self) -> None:
        """Forget who is in what, since nothing was heard for a while."""
        self._closed.clear()
        self.counted = False

    def enter(self, channel: str, user: str) -> None:
        """Note that somebody is in a closed channel."""
        self._moves[channel] += 1
        self._closed.setdefault(channel, set()).add(user)

    def leave(self, channel: str, user: str) -> None:
        """Note that somebody is not in a channel any more."""
        self._moves[channel] += 1
        self._closed.get(channel, set()).discard(user)

    def leave_all(self, user: str) -> None:
        """Note that somebody left the workspace."""
        self._moves[EVERYWHERE] += 1
        for users in self._closed.values():
            users.discard(user)

    def inside(self, channel: str) -> frozenset[str]:
        """Return who is in a closed channel."""
        return frozenset(self._closed.get(channel, ()))

    def reads(self, user: str) -> frozenset[Ref] | None:
        """Return the closed channels that a member may read; None while that is not known."""
        if not self.counted:
            return None
        return frozenset(names.ref(channel) for channel, users in self._closed.items() if user in users)


async def _told(what: str, asking: Callable[[], Awaitable[object]]) -> object:
    try:
        return await asking()
    except (Refused, Unavailable) as error:
        log.info("%s is not known: %s", what, error)
        return None


def _guessed(channel: str, kind: str) -> Room:
    direct = kind == "im" or channel.startswith("D")
    audience = Audience.DIRECT if direct else Audience.MEMBERS
    return Room(id=channel, name=ALONE if direct else _cut(channel), audience=audience, mine=True)


def _cut(name: str) -> str:
    return name[:LONGEST_NAME]
