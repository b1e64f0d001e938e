"""Storing new messages with all they need, members, channels, threads and the outbox, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import exists, update
from sqlmodel import col, select

from bot.core.things import Audience, point_id
from storage import channels, members, outbox, policies
from storage.rows import insert_new, insert_rows, portions
from storage.tables import ChannelRow, MemberRow, MembershipRow, MessageRow, PersonRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from bot.core.events import MessagePosted, Named
    from bot.core.policies import Rules
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.refusals import Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How much was new.

    `withheld` counts messages whose authors did not agree to be collected, `unread` those written where the bot does
    not read.
    """

    messages: int = 0
    members: int = 0
    channels: int = 0
    withheld: int = 0
    unread: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            messages=self.messages + other.messages,
            members=self.members + other.members,
            channels=self.channels + other.channels,
            withheld=self.withheld + other.withheld,
            unread=self.unread + other.unread,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the owner says of a channel. It holds from the moment the channel is stored, not from some time after."""

    description: str
    private: bool


class Intake:
    """Stores messages of one community. Keeps the numbers of what it met, so that a bulk import asks only once.

    `described` says what is known of channels by their names, `refusals` who was forgotten and wants nothing held.
    """

    def __init__(
        self,
        community: Community,
        now: datetime,
        *,
        described: Mapping[str, Described] = MappingProxyType({}),
        refusals: Refusals | None = None,
    ) -> None:
        self.community = community
        self.now = now
        self._described = described
        self._refusals = refusals
        self._members: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._names: set[str] = set()
        self._threads: dict[str, int] = {}
        self._inside: dict[int, set[int]] = {}
        self.met: dict[Ref, Member] = {}
        """Those who were looked up last, as they are in the tables."""
        self.collected: set[Ref] = set()
        """Those of the authors stored last whose words may be kept."""

    async def begin(self, connection: Connection) -> None:
        """Read what is known already, and describe the channels that are there."""
        await self._describe(connection)
        mine = self.community.id
        self._members = await _numbers(connection, MemberRow, col(MemberRow.community_id) == mine)
        self._channels = await _numbers(connection, ChannelRow, col(ChannelRow.community_id) == mine)
        self._threads = await _numbers(
            connection, ThreadRow, col(ThreadRow.channel_id).in_(list(self._channels.values()))
        )

    @property
    def channels(self) -> frozenset[str]:
        """Return the names of the channels met."""
        return frozenset(self._names)

    async def store(self, connection: Connection, events: Sequence[MessagePosted]) -> Stored:
        """Store the messages that are not there yet, where the bot reads now, and return how much was new."""
        return await self.store_by(await policies.load(connection, self.community), connection, events)

    async def store_by(self, rules: Rules, connection: Connection, events: Sequence[MessagePosted]) -> Stored:
        """Store by these rules."""
        self.met, self.collected = {}, set()
        read = [event for event in events if rules.reads(event.channel.ref)]
        stored = await self._store(rules, connection, read) if read else Stored()
        return stored + Stored(unread=len(events) - len(read))

    async def _store(self, rules: Rules, connection: Connection, events: Sequence[MessagePosted]) -> Stored:
        refused = await self.refused(connection, {event.author.ref for event in events})
        welcome = [event for event in events if event.author.ref not in refused]
        new_members = await self.meet_members(connection, {event.author for event in welcome})
        new_channels = await self.meet_channels(connection, {event.channel for event in events})
        await self._add_threads(connection, events)
        authors = {self._members[str(event.author.ref)] for event in welcome}
        asked = rules.policy.consent
        withheld = await members.withheld(connection, self.community, among=authors, consent=asked)
        wanted = [event for event in welcome if self._members[str(event.author.ref)] not in withheld]
        self.collected = {event.author.ref for event in wanted}
        messages = await self._add_messages(connection, wanted)
        await self._untitle(connection, [event for event in events if event.author.ref not in self.collected])
        await self._add_memberships(connection, wanted)
        return Stored(messages=messages, members=new_members, channels=new_channels, withheld=len(events) - len(wanted))

    def knows(self, ref: Ref) -> bool:
        """Say whether a member was met."""
        return str(ref) in self._members

    def member(self, ref: Ref) -> int:
        """Return the number of a member that was met."""
        return self._members[str(ref)]

    async def take_over(self, connection: Connection, met: Iterable[Named], *, space: Ref) -> bool:
        """Let channels that are new be read and spoken in as was set for their space; say whether anything was.

        What is said to the bot alone is nobody's channel.
        """
        new = [one.ref for one in met if one.audience is not Audience.DIRECT and str(one.ref) not in self._channels]
        return bool(new) and await policies.take_over(connection, self.community, new, space=space)

    def let_go(self, *channels: Ref) -> None:
        """Look channels up anew: they are called otherwise now, or two of them became one."""
        for channel in channels:
            self._channels.pop(str(channel), None)
        # The number of one that is gone may be given again.
        self._inside.clear()

    def channel(self, ref: Ref) -> int:
        """Return the number of a channel that was met."""
        return self._channels[str(ref)]

    async def refused(self, connection: Connection, authors: Iterable[Ref]) -> set[Ref]:
        """Return those who are not members here because they were forgotten: of them nothing may be stored."""
        authors = set(authors)
        await self._look_up(connection, authors)
        strangers = {ref for ref in authors if str(ref) not in self._members}
        if self._refusals is None or not strangers:
            return set()
        return await self._refusals.refused(connection, self.community, strangers)

    async def _look_up(self, connection: Connection, authors: set[Ref]) -> None:
        """Learn who is there now. Numbers of members who were forgotten since are let go: they may be given again."""
        self.met = await members.by_refs(connection, self.community, authors)
        for gone in authors - self.met.keys():
            self._members.pop(str(gone), None)
        self._members.update({str(ref): member.id for ref, member in self.met.items()})

    async def meet_members(self, connection: Connection, authors: Iterable[Named]) -> int:
        """Store the members that are new and return how many they were."""
        new = _unknown(authors, self._members)
        if not new:
            return 0
        people = await insert_rows(connection, PersonRow, [{"created_at": self.now}] * len(new), "id")
        rows = [
            {
                "community_id": self.community.id,
                "person_id": person.id,
                "ref": ref,
                "name": author.name,
                "bot": author.bot,
                "language": author.language,
                "guest": bool(author.guest),
            }
            for person, (ref, author) in zip(people, new.items(), strict=True)
        ]
        for made in await insert_rows(connection, MemberRow, rows, *members.FIELDS):
            member = members.read(made)
            self._members[made.ref], self.met[member.ref] = made.id, member
            # The number may have been somebody else's, who was forgotten.
            self._inside.pop(made.id, None)
        return len(new)

    async def meet_channels(self, connection: Connection, met: Iterable[Named]) -> int:
        """Store the channels that are new and return how many they were."""
        met = list(met)
        self._names.update(one.name for one in met)
        mine = col(ChannelRow.community_id) == self.community.id
        await _recall(connection, ChannelRow, mine, self._channels, _unknown(met, self._channels).keys())
        new = _unknown(met, self._channels)
        if not new:
            return 0
        rows = [self._channel(one) for one in new.values()]
        for made in await insert_rows(connection, ChannelRow, rows, "id", "ref"):
            self._channels[made.ref] = made.id
        return len(new)

    def _channel(self, channel: Named) -> dict[str, object]:
        known = self._described.get(channel.name, Described(description="", private=False))
        audience = Audience.MEMBERS if known.private else channel.audience or Audience.EVERYONE
        return {
            "community_id": self.community.id,
            "ref": str(channel.ref),
            "name": channel.name,
            "description": known.description,
            "audience": audience,
        }

    async def _describe(self, connection: Connection) -> None:
        """Describe channels that are there already. A description closes a channel, and never opens a private one."""
        for channel in (await channels.every(connection, self.community)).values():
            if known := self._described.get(channel.name):
                audience = Audience.MEMBERS if known.private else channel.audience
                await channels.describe(connection, channel.id, description=known.description, audience=audience)

    async def _add_threads(self, connection: Connection, events: Sequence[MessagePosted]) -> None:
        homes = {str(event.thread.ref): event.channel.ref for event in events if event.thread}
        # A thread in which a member wrote alone goes when they are forgotten, and its number may be given again.
        ours = col(ThreadRow.channel_id).in_({self._channels[str(where)] for where in homes.values()})
        await _recall(connection, ThreadRow, ours, self._threads, homes.keys())
        new = _unknown((event.thread for event in events if event.thread), self._threads)
        if not new:
            return
        rows = [
            {"channel_id": self._channels[str(homes[ref])], "ref": ref, "title": one.name} for ref, one in new.items()
        ]
        for made in await insert_rows(connection, ThreadRow, rows, "id", "ref"):
            self._threads[made.ref] = made.id

    async def _untitle(self, connection: Connection, withheld: Sequence[MessagePosted]) -> None:
        """Keep no title of a thread that was begun by somebody whose words are not kept, as far as is known."""
        begun: dict[int, datetime] = {}
        for event in withheld:
            if event.thread:
                number = self._threads[str(event.thread.ref)]
                begun[number] = min(begun.get(number, event.at), event.at)
        for number, at in begun.items():
            before = exists().where(col(MessageRow.thread_id) == number, col(MessageRow.sent_at) < at)
            titled = (col(ThreadRow.id) == number) & (col(ThreadRow.title) != "")
            await connection.execute(update(ThreadRow).where(titled, ~before).values(title=""))

    async def _add_messages(self, connection: Connection, events: Sequence[MessagePosted]) -> int:
        rows = [self._row(event) for event in events]
        made = await insert_new(connection, MessageRow, rows, "id", "point", "sent_at", "author_id", "text")
        bots = {self._members[str(event.author.ref)] for event in events if event.author.bot}
        await outbox.put(connection, made, bots=bots)
        return len(made)

    def _row(self, event: MessagePosted) -> dict[str, object]:
        return {
            "community_id": self.community.id,
            "channel_id": self._channels[str(event.channel.ref)],
            "author_id": self._members[str(event.author.ref)],
            "thread_id": self._threads[str(event.thread.ref)] if event.thread else None,
            "ref": str(event.message),
            "point": point_id(self.community.id, event.message),
            "reply_to": str(event.reply_to) if event.reply_to else None,
            "text": event.text,
            "sent_at": event.at,
            "source": event.source,
            "to_bot": event.mentioned,
        }

    async def _add_memberships(self, connection: Connection, events: Sequence[MessagePosted]) -> None:
        """Who writes in a channel is in it, since the first message at the latest.

        Not so where the platform itself says who may read a channel: having written there proves nothing for now.
        """
        first: dict[tuple[int, int], datetime] = {}
        for event in events:
            if event.author.reads is not None and event.channel.audience is not Audience.EVERYONE:
                continue
            key = self._channels[str(event.channel.ref)], self._members[str(event.author.ref)]
            if key[0] not in self._inside.get(key[1], ()):
                first[key] = min(first.get(key, event.at), event.at)
        rows = [
            {"channel_id": channel, "member_id": member, "joined_at": at} for (channel, member), at in first.items()
        ]
        await insert_new(connection, MembershipRow, rows)
        for channel, member in first:
            self._inside.setdefault(member, set()).add(channel)


async def _recall(
    connection: Connection,
    model: type[ChannelRow | ThreadRow],
    mine: ColumnElement[bool],
    numbers: dict[str, int],
    wanted: AbstractSet[str],
) -> None:
    """Hold what is wanted against the table: let go of what is gone, and learn what another process stored."""
    for some in portions(sorted(wanted)):
        still = await _numbers(connection, model, mine & col(model.ref).in_(some))
        for gone in set(some) - still.keys():
            numbers.pop(gone, None)
        numbers.update(still)


async def _numbers(
    connection: Connection, model: type[MemberRow | ChannelRow | ThreadRow], condition: object
) -> dict[str, int]:
    rows = await connection.execute(select(model.ref, model.id).where(condition))  # type: ignore[arg-type]
    return {ref: number for ref, number in rows if number is not None}


def _unknown(named: Iterable[Named], known: dict[str, int]) -> dict[str, Named]:
    """Return the things not met before, each once, in a stable order."""
    return {
        str(one.ref): one for one in sorted(named, key=lambda one: (one.ref, one.name)) if str(one.ref) not in known
    }
