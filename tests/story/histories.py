"""Random histories: what happens in a community, told to the bot, and looked at as whoever sees what it says.

A history is a list of deeds; each is done in the simple model of the world and, in the same breath, told to the bot.
"""

# ruff: noqa: FBT001 - deeds come as tuples

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from hypothesis import strategies as st
from sqlalchemy import text

from bot.core.actions import AskStaff, Delete, Edit, OpenDirect, Say, SetConsent
from bot.core.events import (
    ChannelChanged,
    Event,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    Named,
)
from bot.core.things import Audience, Rank, Ref
from storage import channels, erasure, members, notes, persons, retention
from tests.recording import PLATFORM
from tests.story.wirings import STAFF_ROOM, Bot
from tests.story.worlds import BEGIN, GUEST, PEOPLE, ROOMS, Text, World

QUESTION = "where is the bicycle pump?"
DIRECT = "alone-with-"
"""What a direct conversation is called, before the name of whoever is in it."""
LATER = timedelta(days=2)
"""When what is kept for a day is gone."""


def ref(name: str) -> Ref:
    return Ref(PLATFORM, name)


OURSELVES = Named(ref=ref("bot"), name="bot", bot=True)

WHO, WHERE, WHICH = st.sampled_from(PEOPLE), st.sampled_from(ROOMS), st.integers(0, 5)
POST = st.tuples(st.just("post"), WHO, WHERE)
HOW = st.sampled_from(("aloud", "aloud", "command", "reply", "direct"))
ASK = st.tuples(st.just("ask"), WHO, WHERE, HOW, st.booleans())
ENTRY = st.tuples(st.just("entry"), WHERE, WHICH)
HAPPENING = st.one_of(
    POST,
    POST,
    st.tuples(st.just("edit"), WHICH),
    st.tuples(st.just("delete"), WHICH),
    st.tuples(st.just("join"), WHO, WHERE),
    st.tuples(st.just("leave"), WHO, WHERE),
    st.tuples(st.just("roles"), WHO, st.frozensets(WHERE)),
    st.tuples(st.just("open"), WHERE, st.booleans()),
    st.tuples(st.just("archive"), WHERE, st.booleans()),
    st.tuples(st.just("read"), WHERE, st.booleans()),
    st.tuples(st.just("consent"), WHO, st.booleans()),
    st.tuples(st.just("forget"), WHO),
    st.tuples(st.just("link"), WHO, WHO),
    ENTRY,
    ENTRY,
    ASK,
    ASK,
    st.tuples(st.just("search"), WHO, WHERE),
    st.tuples(st.just("why"), WHERE),
    st.tuples(st.just("staff"), WHICH),
    st.tuples(st.just("retain")),
    st.tuples(st.just("look")),
)
POSTS, HAPPENINGS = st.lists(POST, min_size=3, max_size=4), st.lists(HAPPENING, min_size=2, max_size=4)
HISTORY = st.tuples(POSTS, ASK, HAPPENINGS, ASK, ASK).map(lambda parts: [*parts[0], parts[1], *parts[2], *parts[3:]])
"""Something is said and asked, something happens, and it is asked again by others."""


@dataclass(kw_only=True)
class Shown:
    """What the platform shows of the bot: in a room for all, or to one member alone."""

    text: str
    room: str
    only: str


@dataclass(kw_only=True)
class Asking:
    """A button that asks the staff, where it stands, and who was answered there."""

    token: str
    room: Named
    who: str


@dataclass(kw_only=True)
class Play:
    """One history: every deed is done in the world and told to the bot, and what is shown is looked at."""

    bot: Bot
    world: World = field(default_factory=World)
    shown: dict[Ref, Shown] = field(default_factory=dict)
    seen: int = 0
    numbers: dict[int, Ref] = field(default_factory=dict)
    asking: list[Asking] = field(default_factory=list)
    revisions: itertools.count = field(default_factory=lambda: itertools.count(1))
    waiting: list[Event] = field(default_factory=list)

    async def run(self, history: Sequence[tuple]) -> None:
        """Let all of it happen, one deed after the other. Raises AssertionError for a leak."""
        for deed, *how in history:
            if deed not in TOLD:
                await self.tell()
            await getattr(self, f"_{deed}")(*how)
        await self._look()
        await self.check_held()

    async def settle(self) -> None:
        """Let the rooms be known, and who is in them."""
        at = self.bot.small.clock.now()
        self.waiting += [self.changed(room) for room in ROOMS]
        self.waiting += [MemberJoined(member=self.named(who), channel=None, at=at) for who in PEOPLE]
        self.waiting += [
            MemberJoined(member=self.named(who), channel=self.room(room), at=at)
            for room, inside in BEGIN.items()
            for who in sorted(inside)
        ]
        await self.tell()

    def named(self, who: str) -> Named:
        return Named(ref=ref(who), name=who, guest=who == GUEST)

    def room(self, name: str) -> Named:
        audience = Audience.EVERYONE if self.world.open[name] else Audience.MEMBERS
        return Named(ref=ref(name), name=name, audience=audience)

    def changed(self, room: str, *, archived: bool = False) -> ChannelChanged:
        at = self.bot.small.clock.now()
        return ChannelChanged(channel=self.room(room), archived=archived, at=at, revision=next(self.revisions))

    async def tell(self) -> None:
        """Tell the bot of what happened since; the engine finds what was there for ever."""
        if self.waiting:
            await self.bot.small.follow(*self.waiting)
            self.waiting.clear()
            await self.bot.index()

    # Deeds

    async def _post(self, who: str, room: str) -> None:
        if not self.world.may_enter(who, room):
            who = min(self.world.audience(room), default="")
        if not who or who in self.world.gone:
            return
        word = self.world.word()
        posted = self.bot.small.posted(f"the bicycle pump {word} is here", by=self.named(who))
        self.waiting.append(replace(posted, channel=self.room(room)))
        self.world.inside[room].add(who)
        if self.world.read[room] and who not in self.world.refuses:
            self.world.texts[self.world.words] = Text(word=word, by=who, room=room)
            self.numbers[self.world.words] = posted.message
        else:
            self.world.spent.add(word)

    def pick(self, which: int) -> int | None:
        """Choose a message that stands."""
        standing = [number for number in self.numbers if number in self.world.texts]
        return standing[which % len(standing)] if standing else None

    async def _edit(self, which: int) -> None:
        if (number := self.pick(which)) is None:
            return
        was, word = self.world.texts[number], self.world.word()
        now = self.bot.small.clock.now()
        author, room = self.named(was.by), self.room(was.room)
        change = MessageEdited(
            message=self.numbers[number],
            channel=room,
            author=author,
            text=f"the bicycle pump {word} was there",
            at=now,
            revision=next(self.revisions),
        )
        self.waiting.append(change)
        self.world.spent.add(was.word)
        if was.by in self.world.refuses or not self.world.read[was.room]:
            del self.world.texts[number]
        else:
            self.world.texts[number] = replace(was, word=word)

    async def _delete(self, which: int) -> None:
        if (number := self.pick(which)) is None:
            return
        was = self.world.texts.pop(number)
        now = self.bot.small.clock.now()
        self.waiting.append(MessageDeleted(message=self.numbers[number], channel=self.room(was.room), at=now))
        self.world.spent.add(was.word)

    async def _join(self, who: str, room: str) -> None:
        if who not in self.world.gone:
            now = self.bot.small.clock.now()
            self.waiting.append(MemberJoined(member=self.named(who), channel=self.room(room), at=now))
            self.world.inside[room].add(who)

    async def _leave(self, who: str, room: str) -> None:
        if who not in self.world.gone:
            now = self.bot.small.clock.now()
            self.waiting.append(MemberLeft(member=self.named(who), channel=self.room(room), at=now))
            self.world.inside[room].discard(who)

    async def _roles(self, who: str, rooms: frozenset[str]) -> None:
        """Let the platform say which closed rooms somebody reads, as Discord does by roles."""
        if who in self.world.gone:
            return
        reads = frozenset(ref(room) for room in rooms if not self.world.open[room])
        named = replace(self.named(who), reads=reads)
        self.waiting.append(MemberJoined(member=named, channel=None, at=self.bot.small.clock.now()))
        for room in ROOMS:
            if not self.world.open[room]:
                (self.world.inside[room].add if room in rooms else self.world.inside[room].discard)(who)

    async def _open(self, room: str, is_open: bool) -> None:
        self.world.open[room] = is_open
        self.waiting.append(self.changed(room))

    async def _archive(self, room: str, archived: bool) -> None:
        self.waiting.append(self.changed(room, archived=archived))

    async def _read(self, room: str, is_read: bool) -> None:
        self.world.read[room] = is_read
        await self.bot.small.tune("read", "yes" if is_read else "no", channel=str(ref(room)))

    async def _consent(self, who: str, may: bool) -> None:
        if who in self.world.gone:
            return
        await self.bot.small.performer.keeper.act(self.bot.small.community, SetConsent(member=ref(who), collected=may))
        for one in self.world.persons[who]:
            (self.world.refuses.discard if may else self.world.refuses.add)(one)

    async def _forget(self, who: str) -> None:
        if who in self.world.gone:
            return
        small = self.bot.small
        async with small.database.read() as connection:
            member = await members.by_ref(connection, small.community, ref(who))
        assert member is not None
        home = Path(small.database.engine.url.database or "").parent
        await erasure.forget(small.database, None, None, small.community, member, home=home, now=small.clock.now())
        for one in self.world.persons[who]:
            self.world.gone.add(one)
            for number in [number for number, was in self.world.texts.items() if was.by == one]:
                self.world.spent.add(self.world.texts.pop(number).word)
            for inside in self.world.inside.values():
                inside.discard(one)

    async def _link(self, one: str, other: str) -> None:
        if one == other or {one, other} & self.world.gone:
            return
        small = self.bot.small

        async def work(connection) -> None:
            found = [await members.by_ref(connection, small.community, ref(who)) for who in (one, other)]
            assert found[0] is not None
            assert found[1] is not None
            await persons.link(connection, found[0], found[1], small.clock.now())

        await small.database.write(work)
        both = self.world.persons[one] | self.world.persons[other]
        self.world.persons |= dict.fromkeys(both, both)
        if both & self.world.refuses:
            self.world.refuses |= both

    async def _entry(self, room: str, which: int) -> None:
        """Let the staff keep an entry that rests on a message, to lie with a room."""
        if (number := self.pick(which)) is None:
            return
        small, source, word = self.bot.small, self.world.texts[number], self.world.word()

        async def work(connection) -> str:
            found = await channels.every(connection, small.community)
            home = next((one for one, channel in found.items() if channel.ref == ref(room)), None)
            if home is None:
                return "archived"
            return await notes.keep(
                connection,
                small.community,
                point=uuid4(),
                channel=home,
                question=QUESTION,
                text=f"the bicycle pump {word} as the staff says",
                owner=None,
                sources=self.bot.resting([self.numbers[number]]),
                now=small.clock.now(),
            )

        if not await small.database.write(work):
            entry = Text(word=word, by="", room=room, rests_on=((number, source.word),))
            self.world.texts[self.world.words] = entry
            await self.bot.index()

    async def _ask(self, who: str, room: str, how: str, abstains: bool) -> None:
        if who in self.world.gone or not self.world.may_enter(who, room):
            return
        self.bot.answerer.abstains, self.bot.asker = abstains, who
        where = Named(ref=ref(DIRECT + who), name=who, audience=Audience.DIRECT) if how == "direct" else self.room(room)
        small, by = self.bot.small, self.named(who)
        if how == "command":
            event = replace(small.command("ask", by=by, question=QUESTION), channel=where)
        else:
            before = self.last_in(room) if how == "reply" else None
            posted = small.posted(f"@bot {QUESTION}", by=by, mentioned=True, reply_to=before)
            event = replace(posted, channel=where)
        if how in {"aloud", "reply"}:
            self.world.inside[room].add(who)
        await small.happens(event)
        self.watch(asked=(where, who))

    def last_in(self, room: str) -> Ref | None:
        """Return the newest answer that stands in a room for all to see."""
        return next((made for made, one in reversed(self.shown.items()) if one.room == room and not one.only), None)

    async def _search(self, who: str, room: str) -> None:
        if who in self.world.gone or not self.world.may_enter(who, room):
            return
        # What the bot said is found too: like what stands, it may be a few seconds behind.
        await self._look()
        asked = self.bot.small.command("search", by=self.named(who), words="bicycle pump")
        await self.bot.small.happens(replace(asked, channel=self.room(room)))
        self.watch()

    async def _why(self, room: str) -> None:
        """Let somebody of the staff ask why, wherever they may read."""
        if "ana" in self.world.gone or not self.world.may_enter("ana", room):
            return
        await self._look()
        asked = self.bot.small.command("why", by=self.named("ana"), rank=Rank.STAFF)
        await self.bot.small.happens(replace(asked, channel=self.room(room)))
        self.watch()

    async def _staff(self, which: int) -> None:
        """Let somebody who was answered bring the question to the staff."""
        there = [one for one in self.asking if one.who not in self.world.gone]
        if not there:
            return
        pressed = there[which % len(there)]
        self.asking.remove(pressed)
        await self.bot.small.happens(
            replace(self.bot.small.press(pressed.token, by=self.named(pressed.who)), channel=pressed.room)
        )
        self.watch()

    async def _retain(self) -> None:
        """Let the time be up of all that was said, where a community keeps it for a day."""
        small = self.bot.small
        await small.tune("retention_days", "1")
        await small.database.write(lambda c: retention.purge(c, small.community, small.clock.now() + LATER))
        for number in [number for number in self.numbers if number in self.world.texts]:
            self.world.spent.add(self.world.texts.pop(number).word)

    async def _look(self) -> None:
        """Let the bot look after what it said, and look at what stands then; the platform tells it what it did."""
        await self.tell()
        await self.bot.attend()
        self.watch()
        await self.tell()
        self.check_standing()

    # What is seen of it

    def watch(self, *, asked: tuple[Named, str] | None = None) -> None:
        """Look at what the bot did since, as whoever sees it; what was `asked` is answered and goes on standing."""
        plaza = self.bot.small.plaza
        for made, action in plaza.deeds[self.seen :]:
            match action:
                case Say(to=where, only=only, text=said):
                    alone = where.id.removeprefix(DIRECT) if where.id.startswith(DIRECT) else only.id if only else ""
                    self.see(made, Shown(text=said, room=where.id, only=alone), asked)
                    self.asking += [
                        Asking(token=button.token, room=asked[0], who=asked[1])
                        for button in action.buttons
                        if asked and button.press == "answer.staff"
                    ]
                case AskStaff(text=said):
                    self.see(made, Shown(text=said, room=STAFF_ROOM, only=""), asked)
                case Edit(message=message, text=said) if message in self.shown:
                    self.shown[message].text = said
                    self.echo(message, self.shown[message], again=True)
                case Delete(message=message):
                    self.shown.pop(message, None)
                case OpenDirect():
                    raise AssertionError("everybody can be told aside here")
                case _:
                    pass
        self.seen = len(plaza.deeds)

    def see(self, made: Ref, shown: Shown, asked: tuple[Named, str] | None) -> None:
        """Look at what was said; an answer goes on standing, and the platform tells the bot of what all see."""
        assert self.leaks(shown) == set(), (shown, self.world)
        if asked:
            self.shown[made] = shown
            self.echo(made, shown)

    def echo(self, message: Ref, shown: Shown, *, again: bool = False) -> None:
        """Let the platform tell the bot what it wrote itself."""
        if shown.only:
            return
        now, where = self.bot.small.clock.now(), self.room(shown.room)
        if again:
            told: Event = MessageEdited(
                message=message,
                channel=where,
                author=OURSELVES,
                text=shown.text,
                at=now,
                revision=next(self.revisions),
            )
        else:
            posted = self.bot.small.posted(shown.text, by=OURSELVES)
            told = replace(posted, message=message, channel=where)
        self.waiting.append(told)

    def leaks(self, shown: Shown) -> set[str]:
        if shown.only:
            return self.world.leaks(shown.text, to=shown.only)
        return self.world.leaks_aloud(shown.text, shown.room)

    def check_standing(self) -> None:
        """Nothing that stands is anybody's who may not read what it was made of; who was forgotten sees nothing."""
        for shown in self.shown.values():
            if shown.only not in self.world.gone:
                assert self.leaks(shown) == set(), (shown, self.world)

    async def check_held(self) -> None:
        """No word that was changed or taken away is in what is kept of answers."""
        async with self.bot.small.database.read() as connection:
            held = []
            for statement in HELD:
                held += [str(row[0]) for row in await connection.execute(text(statement))]
        everything = "\n".join(held)
        assert {word for word in self.world.spent if word in everything} == set(), self.world


TOLD = {"post", "edit", "delete", "join", "leave", "roles", "open", "archive"}
"""What platforms tell, several at once; the rest is done by somebody in between."""
HELD = (
    "SELECT action FROM act WHERE skill IN ('answer', 'standing')",
    "SELECT story FROM trace WHERE id IN (SELECT trace_id FROM act WHERE skill IN ('answer', 'standing'))",
    "SELECT text FROM message",
    "SELECT question FROM answer",
)
"""Where words of answers might be kept."""
