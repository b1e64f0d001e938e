"""What happens on a platform, followed in the tables: messages, edits, deletions, who is where, reactions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlmodel import col

from bot.core.events import (
    BotAdded,
    ButtonPressed,
    ChannelChanged,
    CommandGiven,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
    ReactionRemoved,
    TimerFired,
    actor,
    is_asked,
    place,
)
from bot.core.policies import Rules
from bot.core.ports import Followed
from bot.core.things import Audience
from storage import (
    linking,
    members,
    messages,
    newcomers,
    notes,
    outbox,
    policies,
    readers,
    renaming,
    spaces,
    subscriptions,
    wishes,
)
from storage.intake import Intake
from storage.readers import Readers
from storage.rows import columns, insert_new, portions
from storage.tables import ChannelRow, InboxRow, MemberRow, MembershipRow, MessageRow, ReactionRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from bot.core.clock import Clock
    from bot.core.events import Arrival, Event, Named
    from bot.core.things import Community, Member, Ref
    from storage.connection import Connection
    from storage.refusals import Refusals


class Followings:
    """Follows every community that events come from, inside of others' transactions."""

    def __init__(self, clock: Clock, refusals: Refusals) -> None:
        self._clock = clock
        self._refusals = refusals
        self._communities: dict[Ref, Community] = {}
        self._following: dict[int, Following] = {}
        self._linked = 0

    async def store(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Followed]:
        """Store what happened, in order, and return what held for each arrival."""
        connection.if_undone(self._forget)
        if (linked := await linking.count(connection)) != self._linked:
            # Another process may have linked them: numbers of rows that it took away must not be used any more.
            self._forget()
            self._linked = linked
        await self._move_spaces(connection, arrivals)
        whose = [await self._community(connection, arrival.space) for arrival in arrivals]
        followed: dict[int, Followed] = {}
        for community in dict.fromkeys(whose):
            mine = [number for number, one in enumerate(whose) if one == community]
            following = await self._follow(connection, community)
            known = await following.follow(
                connection,
                [arrivals[number].event for number in mine],
                spaces=[arrivals[number].space.ref for number in mine],
            )
            followed |= dict(zip(mine, known, strict=True))
        return [followed[number] for number in range(len(arrivals))]

    async def store_late(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Followed]:
        """Store what waited in the table; a message whose deletion came by memory, and overtook it, goes again."""
        followed = await self.store(connection, arrivals)
        said = {
            one.event.message: number for number, one in enumerate(arrivals) if isinstance(one.event, MessagePosted)
        }
        keys = {f"deleted {message}": message for message in said}
        here = col(InboxRow.space).in_({str(one.space.ref) for one in arrivals})
        for some in portions(sorted(keys)):
            for gone in await connection.scalars(select(col(InboxRow.key)).where(here, col(InboxRow.key).in_(some))):
                number = said[keys[gone]]
                mine = col(MessageRow.community_id) == followed[number].community.id
                await messages.erase(connection, mine & (col(MessageRow.ref) == str(keys[gone])))
                followed[number] = replace(followed[number], collected=False)
        return followed

    async def _move_spaces(self, connection: Connection, arrivals: Sequence[Arrival]) -> None:
        """Let a space that is called otherwise now stay in its community."""
        for event in (one.event for one in arrivals):
            if isinstance(event, ChannelChanged) and event.formerly:
                space = replace(event.channel, audience=None)
                now = self._clock.now()
                if await renaming.space(connection, event.formerly, space, now, refusals=self._refusals):
                    self._forget()

    async def _follow(self, connection: Connection, community: Community) -> Following:
        if community.id not in self._following:
            following = Following(community, self._clock.now(), self._refusals)
            await following.begin(connection)
            self._following[community.id] = following
        return self._following[community.id]

    def _forget(self) -> None:
        """Forget the numbers of rows, which were taken back."""
        self._communities.clear()
        self._following.clear()

    async def _community(self, connection: Connection, space: Named) -> Community:
        if space.ref not in self._communities:
            self._communities[space.ref] = await spaces.settle(connection, space, self._clock.now())
        return self._communities[space.ref]


class Following:
    """Follows one community. After a write that failed, make a new one: it remembers numbers of rows, and who may read.

    Decision 15 says how the platform's word on who may read a channel is followed.
    """

    def __init__(self, community: Community, now: datetime, refusals: Refusals) -> None:
        self.community = community
        self._refusals = refusals
        self._intake = Intake(community, now, refusals=refusals)
        self._readers = Readers(community)
        self._rules = Rules()

    async def begin(self, connection: Connection) -> None:
        """Read what is known already."""
        await self._intake.begin(connection)

    async def follow(
        self, connection: Connection, events: Sequence[Event], *, spaces: Sequence[Ref] = ()
    ) -> list[Followed]:
        """Store what happened, in order, and return what held for each; what was stored already changes nothing.

        `spaces` are those in which it happened, one for each event.
        """
        self._rules = await policies.load(connection, self.community)
        await self._let_new_ones_take_over(connection, events, spaces)
        followed: list[Followed] = []
        for posted, some in itertools.groupby(events, key=lambda event: isinstance(event, MessagePosted)):
            if posted:
                followed += await self._store(connection, [one for one in some if isinstance(one, MessagePosted)])
            else:
                followed += [await self._follow(connection, event) for event in some]
        return followed

    async def _let_new_ones_take_over(
        self, connection: Connection, events: Sequence[Event], spaces: Sequence[Ref]
    ) -> None:
        """Let a channel that is new be read and spoken in as its space is, where that is set for a space by itself."""
        if not any(channel for _name, channel in (*self._rules.overrides, *self._rules.modes)):
            return
        for event, space in zip(events, spaces, strict=False):
            where = place(event)
            if where and await self._intake.take_over(connection, [where], space=space):
                self._rules = await policies.load(connection, self.community)

    def _known(self, who: Named | None, met: Mapping[Ref, Member], *, collected: bool = False) -> Followed:
        member = met.get(who.ref) if who and not who.bot else None
        return Followed(community=self.community, rules=self._rules, member=member, collected=collected)

    async def _store(self, connection: Connection, events: Sequence[MessagePosted]) -> list[Followed]:
        """Store messages; of a direct conversation nothing is kept, but who turned to the bot is met."""
        open_ones = [event for event in events if not _is_direct(event)]
        stored = await self._intake.store_by(self._rules, connection, open_ones)
        met, collected = self._intake.met, self._intake.collected
        unheard = [event for event in events if _is_direct(event) or not self._is_read(event.channel)]
        new = await self._meet_those_who_turned(connection, unheard) if unheard else 0
        self._intake.met = met | self._intake.met
        if stored.channels:
            self._readers.forget()
        elif stored.members or new:
            self._readers.forget(event.author.ref for event in events)
        for who, at in {event.author.ref: (event.author, event.at) for event in events}.values():
            if self._intake.knows(who.ref):
                await self._note_guest(connection, who)
                await self._readers.confirm(connection, who, self._intake.member(who.ref), at)
        kept = [event not in unheard and event.author.ref in collected for event in events]
        return [self._known(one.author, self._intake.met, collected=may) for one, may in zip(events, kept, strict=True)]

    async def _meet_those_who_turned(self, connection: Connection, events: Sequence[MessagePosted]) -> int:
        """Meet who wrote to the bot where it keeps nothing, so that they can be answered; return how many are new."""
        refused = await self._intake.refused(connection, {event.author.ref for event in events})
        turned = {event.author for event in events if event.mentioned and event.author.ref not in refused}
        return await self._intake.meet_members(connection, turned)

    def _is_read(self, channel: Named) -> bool:
        return self._rules.reads(channel.ref)

    async def _follow(self, connection: Connection, event: Event) -> Followed:
        # Of what is gone nothing new is met.
        if isinstance(event, ChannelChanged) and event.formerly:
            await renaming.channel(connection, self.community, event.formerly, event.channel.ref)
            self._intake.let_go(event.formerly, event.channel.ref)
        if isinstance(event, ChannelChanged) and event.gone:
            await self._lose(connection, event.channel.ref, at=event.at)
        elif isinstance(event, MessageDeleted):
            await self._delete(connection, event.message)
        elif await self._meet(connection, event):
            collected = await self._keep(connection, event)
            return self._known(actor(event), self._intake.met, collected=collected)
        return self._known(None, {})

    async def _keep(self, connection: Connection, event: Event) -> bool:
        """Store what is not a message's first words; say whether the words that came may be kept."""
        match event:
            case MessageEdited():
                return await self._edit(connection, event)
            case MemberJoined():
                await self._join(connection, event)
            case MemberLeft():
                await self._leave(connection, event)
            case MemberChanged(member=member):
                await members.rename(connection, self._intake.member(member.ref), member.name)
            case ReactionAdded() | ReactionRemoved():
                await self._react(connection, event)
            case ChannelChanged():
                await self._change(connection, event)
            case MessagePosted() | MessageDeleted():
                pass  # what was said is stored with others, and of what is gone nothing is met
            case CommandGiven(aside=False, invocation=said):
                await messages.turn_to_bot(connection, self.community, said)
            case CommandGiven() | ButtonPressed() | BotAdded() | TimerFired():
                pass
        return False

    async def _meet(self, connection: Connection, event: Event) -> bool:
        """Store who did it and where, if they are new; False for somebody of whom nothing may be held."""
        who, where = actor(event), place(event)
        refused = who is not None and bool(await self._intake.refused(connection, [who.ref]))
        if who and refused and not is_asked(event):
            return False
        if who and await self._intake.meet_members(connection, [who]):
            self._readers.forget([who.ref])
        if where and await self._intake.meet_channels(connection, [where]):
            self._readers.forget()
        if who and refused:
            # Who asks for something is answered, and what they write stays uncollected.
            number = self._intake.member(who.ref)
            await members.set_consent(connection, number, collected=False, now=event.at)
        if who and who.language and self._intake.met[who.ref].language != who.language:
            mine = col(MemberRow.id) == self._intake.member(who.ref)
            await connection.execute(update(MemberRow).where(mine).values(language=who.language))
        if who:
            await self._note_guest(connection, who)
            await self._readers.confirm(connection, who, self._intake.member(who.ref), event.at)
        return True

    async def _note_guest(self, connection: Connection, who: Named) -> None:
        """Note whether somebody is a guest, where the platform says otherwise than before."""
        known = self._intake.met.get(who.ref)
        if known is None or who.guest is None or who.guest == known.guest:
            return
        await connection.execute(update(MemberRow).where(col(MemberRow.id) == known.id).values(guest=who.guest))
        self._intake.met[who.ref] = replace(known, guest=who.guest)

    async def _edit(self, connection: Connection, event: MessageEdited) -> bool:
        """Change what is stored; say whether what the author writes now may be kept."""
        found = await self._message(connection, event.message)
        withheld = await self._is_withheld(connection, event.author.ref)
        collected = not withheld and self._is_read(event.channel)
        if found is None or found.text == event.text:
            return collected
        if not collected:
            # What they write now is not collected, and what they wrote then is not there any more.
            await messages.erase(connection, col(MessageRow.id) == found.id)
            return False
        await connection.execute(
            update(MessageRow).where(col(MessageRow.id) == found.id).values(text=event.text, edited_at=event.at)
        )
        await outbox.put_again(connection, found.id)
        await messages.forget_texts(connection, [found.text])
        await messages.forget_questions(connection, [str(event.message)])
        return True

    async def _is_withheld(self, connection: Connection, author: Ref) -> bool:
        """Say whether what somebody writes now is not collected."""
        mine, asked = [self._intake.member(author)], self._rules.policy.consent
        return bool(await members.withheld(connection, self.community, among=mine, consent=asked))

    async def _delete(self, connection: Connection, message: Ref) -> None:
        await messages.erase(connection, self._called(message))

    async def _join(self, connection: Connection, event: MemberJoined) -> None:
        if event.channel is None:
            return
        key = self._membership(event.channel.ref, event.member.ref)
        if not await insert_new(connection, MembershipRow, [{**key, "joined_at": event.at}], "channel_id"):
            await connection.execute(update(MembershipRow).filter_by(**key).values(left_at=None))

    async def _leave(self, connection: Connection, event: MemberLeft) -> None:
        statement = update(MembershipRow).where(
            col(MembershipRow.member_id) == self._intake.member(event.member.ref), col(MembershipRow.left_at).is_(None)
        )
        if event.channel is not None:
            statement = statement.where(col(MembershipRow.channel_id) == self._intake.channel(event.channel.ref))
        await connection.execute(statement.values(left_at=event.at))
        if event.channel is None:
            await wishes.end(connection, self._intake.member(event.member.ref))
            await subscriptions.end(connection, self._intake.member(event.member.ref))
            await newcomers.left(connection, self._intake.member(event.member.ref), at=event.at)
        self._readers.forget([event.member.ref])

    def _membership(self, channel: Ref, member: Ref) -> dict[str, int]:
        return {"channel_id": self._intake.channel(channel), "member_id": self._intake.member(member)}

    async def _react(self, connection: Connection, event: ReactionAdded | ReactionRemoved) -> None:
        found = await self._message(connection, event.message)
        if found is None or (isinstance(event, ReactionAdded) and not self._is_read(event.channel)):
            return
        key = {
            "message_id": found.id,
            "member_id": self._intake.member(event.member.ref),
            "emoji": event.emoji,
        }
        if isinstance(event, ReactionAdded):
            await insert_new(connection, ReactionRow, [{**key, "at": event.at}])
        else:
            await connection.execute(delete(ReactionRow).filter_by(**key))

    async def _change(self, connection: Connection, event: ChannelChanged) -> None:
        values: dict[str, object] = {
            "name": event.channel.name,
            "description": event.description,
            "archived": event.archived,
        }
        if event.channel.audience:
            values["audience"] = event.channel.audience
        number = self._intake.channel(event.channel.ref)
        await connection.execute(update(ChannelRow).where(col(ChannelRow.id) == number).values(values))
        if event.unconfirmed and event.channel.audience is not Audience.EVERYONE:
            await readers.doubt(connection, number, at=event.at)
        self._readers.forget()

    async def _lose(self, connection: Connection, ref: Ref, *, at: datetime) -> None:
        """Erase what was said in a channel or a thread that is deleted; a channel itself stays, as archived.

        What staff gave for its readers goes too.
        """
        mine = (col(ChannelRow.community_id) == self.community.id) & (col(ChannelRow.ref) == str(ref))
        await connection.execute(update(ChannelRow).where(mine).values(archived=True))
        thread = select(col(ThreadRow.id)).join(ChannelRow, col(ChannelRow.id) == col(ThreadRow.channel_id))
        inside = thread.where(col(ChannelRow.community_id) == self.community.id, col(ThreadRow.ref) == str(ref))
        said = col(MessageRow.channel_id).in_(select(col(ChannelRow.id)).where(mine)) | col(MessageRow.thread_id).in_(
            inside
        )
        await messages.erase(connection, said)
        for number in (await connection.scalars(select(col(ChannelRow.id)).where(mine))).all():
            await notes.erase_in(connection, number, now=at)

    async def _message(self, connection: Connection, message: Ref) -> Row[*tuple[object, ...]] | None:
        found = await connection.execute(select(*columns(MessageRow, "id", "text")).where(self._called(message)))
        return found.first()

    def _called(self, message: Ref) -> ColumnElement[bool]:
        return (col(MessageRow.community_id) == self.community.id) & (col(MessageRow.ref) == str(message))


def _is_direct(event: MessagePosted) -> bool:
    return event.channel.audience is Audience.DIRECT
