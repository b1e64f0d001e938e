"""A community in which every store holds something about Colm, and something about others."""

from __future__ import annotations

import functools
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

import bot.core.companion  # noqa: F401 - what it imports reads from the disk, which no test may do in its loop
from bot.core.actions import (
    Button,
    Exhibit,
    KeepCase,
    KeepGrowth,
    KeepMeeting,
    KeepMute,
    KeepReport,
    KeepSubscription,
    KeepSuggested,
    KeepTaste,
    KeepWatchword,
    Say,
    SetSchedule,
    SettleCase,
    Subject,
    Timeout,
)
from bot.core.clock import SystemClock
from bot.core.decisions import Decision, Receipt, Ruling, Trace, Verdict
from bot.core.events import Arrival, CommandGiven, MessagePosted, Named, ReactionAdded
from bot.core.events import key as key_of
from bot.core.things import Audience, Community, Member, Rank, Ref
from bot.indexing import Index
from storage import (
    acts,
    alerts,
    casebook,
    channels,
    communities,
    feedback,
    growth,
    interests,
    ledger,
    meetings,
    members,
    newcomers,
    notes,
    profiles,
    proofs,
    schedules,
    spaces,
    subscriptions,
    suggested,
    tastes,
    traces,
    watchlists,
    wishes,
)
from storage.acts import Intent
from storage.db import Database
from storage.encodings import CachedEncoder
from storage.inbox import Inbox
from storage.intake import Intake
from storage.rows import insert_rows
from storage.tables import LearnedRow, MemberRow, MessageRow, ReactionRow, metadata
from storage.vectors import open_folder
from tests.hashing import HashingEncoder
from tests.words import MONDAY

SPACE = Named(ref=Ref("discord", "h"), name="harbour")
GENERAL = Named(ref=Ref("discord", "h/general"), name="general")
DIRECT = Named(ref=Ref("discord", "dm/77"), name="Colm Doherty", audience=Audience.DIRECT)
COLM = Named(ref=Ref("discord", "h/colm"), name="Colm Doherty")
ANA = Named(ref=Ref("discord", "h/ana"), name="Ana Ferreira")
BOT = Named(ref=Ref("discord", "h/bot"), name="Kinfolk", bot=True)
TITLE = Named(ref=Ref("discord", "h/t1"), name="Cormorant weathervanes")

RIVETS = "the copper rivets of my currach are turning green again"
TARRING = "tarring the hull takes two dry afternoons and a lot of patience"
WORKSHOP = "who has the key of the workshop"
MARMALADE = "my marmalade never sets before midnight"
INTERESTS = "hand-built boats, caulking, sea shanties in Irish"
CODE = "K7K7K7K7"
SECRETS = (CODE, "currach", "tarring", "patience", "caulking", "Colm", "h/colm", "dm/77", "m1", "m2", "weathervanes")
"""What nothing may hold when Colm is forgotten."""


def posted(key: str, by: Named, text: str, minute: int, **more) -> MessagePosted:
    at = MONDAY + timedelta(minutes=minute)
    ref = Ref("discord", f"h/{key}")
    return MessagePosted(message=ref, channel=GENERAL, author=by, text=text, at=at, source="discord", **more)


TALK = (
    posted("m1", COLM, RIVETS, 0),
    posted("m2", COLM, TARRING, 1, thread=TITLE),
    posted("m3", COLM, WORKSHOP, 2),
    posted("a1", ANA, WORKSHOP, 3),
    posted("a2", ANA, MARMALADE, 4, reply_to=Ref("discord", "h/m1")),
    posted("a3", ANA, "linseed oil helps too", 5, thread=TITLE),
    posted("b1", BOT, f"Somebody there said: {RIVETS}", 6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harbour:
    """The community, and what answers questions about it."""

    database: Database
    community: Community
    index: Index
    home: Path

    async def member(self, who: Named) -> Member | None:
        async with self.database.read() as connection:
            return await members.by_ref(connection, self.community, who.ref)

    async def everything(self) -> str:
        """Return every row of every table as text."""
        async with self.database.read() as connection:
            found = [await connection.execute(select(table)) for table in metadata.tables.values()]
            # A row's own repr cuts long texts short.
            return "\n".join(str([tuple(row) for row in rows]) for rows in found)

    async def count(self, model) -> int:
        async with self.database.read() as connection:
            return len((await connection.execute(select(model.__table__))).all())


async def harbour(database: Database, home: Path, *, indexed: bool = True) -> Harbour:
    """Fill every store."""

    async def begin(connection) -> Community:
        community = await communities.find_or_make(connection, "harbour", MONDAY)
        await spaces.belong(connection, SPACE, community)
        intake = Intake(community, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, TALK)
        await intake.meet_channels(connection, [DIRECT])
        return community

    community = await database.write(begin)
    inner = HashingEncoder()
    vectors = open_folder(home / "vectors", inner.fingerprint, inner.size, idle=0.5)
    town = Harbour(
        database=database,
        community=community,
        home=home,
        index=Index(database=database, encoder=CachedEncoder(inner, database), vectors=vectors),
    )
    await _note(town)
    if indexed:
        await town.index.catch_up()
    await _agree(town)
    await _judge(town)
    await _happen(town)
    await _decide(town)
    return town


PROPOSED = KeepGrowth(
    growth="1" * 32, about="topic", name="currach", terms=("currach", "tarring"), centre=b64encode(b"currachs").decode()
)
REFUSED = replace(PROPOSED, growth="2" * 32, name="sails", terms=("sail", "mast"), standing="never")
"""What rests on Colm's words too: a proposal goes with them, and of what was refused the terms of many stay."""


WATCHED = KeepWatchword(word="regatta", by=COLM.ref)
MUTED = KeepMute(subject=Subject(kind="term", name="regatta"), until=MONDAY + timedelta(days=7), by=COLM.ref)
"""What staff set for all stays, and nobody is named there any more."""


async def _agree(town: Harbour) -> None:
    colm, ana = await town.member(COLM), await town.member(ANA)

    async def work(connection) -> None:
        await members.set_consent(connection, colm.id, collected=True, now=MONDAY)
        await members.set_consent(connection, ana.id, collected=True, now=MONDAY)
        await feedback.keep(connection, member=colm.id, channel=1, opinion="declined", now=MONDAY)
        await interests.keep(connection, member=colm.id, text=INTERESTS, source="match", now=MONDAY)
        await newcomers.keep(connection, member=colm.id, met="welcomed", now=MONDAY)
        await wishes.keep(connection, member=colm.id, wish="people", on=True, now=MONDAY)
        wish = KeepSubscription(member=COLM.ref, about="digest", when="daily 8 UTC")
        await subscriptions.keep(connection, member=colm.id, action=wish, now=MONDAY)
        shown = KeepSuggested(member=COLM.ref, channels=(GENERAL.ref,), at=MONDAY)
        await suggested.keep(connection, town.community, colm.id, shown)
        await _meet(connection, town, colm, ana)
        await proofs.make(connection, colm, CODE, "person", MONDAY)
        await watchlists.keep(connection, community=town.community, action=WATCHED, now=MONDAY)
        await alerts.mute(connection, community=town.community, action=MUTED)
        for proposal in (PROPOSED, REFUSED):
            await growth.keep(connection, community=town.community, action=proposal, now=MONDAY)
        rests = SetSchedule(name="growing.weekly", value="off", by=COLM.ref)
        await schedules.keep(connection, town.community, rests, now=MONDAY)
        label = profiles.Label(fingerprint="hashing-words", version="1", built_at=MONDAY)
        await profiles.save(connection, 1, label, b"currach")
        for actor, details in ((str(COLM.ref), {}), ("staff", {"member": str(COLM.ref)}), ("staff", {"messages": 3})):
            await ledger.note(connection, town.community.id, at=MONDAY, actor=actor, act="warn", details=details)
        numbers = {row.ref: row.id for row in await connection.execute(select(MessageRow.__table__))}
        for message, member in (("m1", ana.id), ("a2", colm.id), ("a2", ana.id)):
            row = {"message_id": numbers[f"discord:h/{message}"], "member_id": member, "emoji": "⚓", "at": MONDAY}
            await insert_rows(connection, ReactionRow, [row], "emoji")

    await town.database.write(work)


async def _meet(connection, town: Harbour, colm: Member, ana: Member) -> None:
    """Each was shown to the other, and what they missed is theirs alone."""
    for one, other, number in ((colm, ana, "c" * 32), (ana, colm, "a" * 32)):
        meeting = KeepMeeting(meeting=number, member=one.ref, other=other.ref, said="shown")
        assert await meetings.keep(connection, town.community, one, meeting, now=MONDAY) == ""
    await connection.execute(MessageRow.__table__.update().values(conversation=1))
    taste = KeepTaste(member=colm.ref, conversations=(1,), taste="less")
    await tastes.keep(connection, town.community, colm.id, taste, now=MONDAY)


def _exhibit(key: str, by: Named, text: str) -> Exhibit:
    return Exhibit(message=Ref("discord", f"h/{key}"), channel=GENERAL.ref, text=text, at=MONDAY, author=by.ref)


async def _judge(town: Harbour) -> None:
    """Two cases: one about Colm that rests on Ana's words too and that she reported and settled, one the other way."""
    colm, ana = await town.member(COLM), await town.member(ANA)
    theirs = KeepCase(
        case="CCCCC2",
        member=COLM.ref,
        about="spam",
        reason="looks like spam",
        exhibits=(_exhibit("m1", COLM, RIVETS), _exhibit("a1", ANA, WORKSHOP)),
    )
    hers = replace(theirs, case="AAAAA2", member=ANA.ref, exhibits=(_exhibit("a2", ANA, MARMALADE),))

    async def work(connection) -> None:
        here, now = town.community, MONDAY
        settle = functools.partial(casebook.settle, quarantine=timedelta(hours=24), now=now)
        for whose, case, by in ((colm, theirs, ana), (ana, hers, colm)):
            await casebook.keep(connection, here, whose, case, quarantine=timedelta(0), trace="", now=now)
            report = KeepReport(case=case.case, member=by.ref, reason="no patience with it")
            await casebook.report(connection, here, by, report, now=now)
            await settle(connection, here, SettleCase(case=case.case, verdict="spam", by=by.ref))
        learned = {"version": "1", "fingerprint": "hashing-words", "data": b"currach", "report": {}, "built_at": now}
        await insert_rows(connection, LearnedRow, [{"community_id": here.id, **learned}], "community_id")

    await town.database.write(work)


ASKED = CommandGiven(
    command="match",
    arguments={"interests": INTERESTS},
    member=COLM,
    rank=Rank.MEMBER,
    channel=DIRECT,
    at=MONDAY,
    invocation=Ref("discord", "i1"),
)
THANKED = ReactionAdded(message=Ref("discord", "h/m2"), channel=GENERAL, member=ANA, emoji="👍", at=MONDAY, sequence=1)
ANA_ASKED = replace(ASKED, arguments={}, member=ANA, channel=GENERAL, invocation=Ref("discord", "i2"))


async def _happen(town: Harbour) -> None:
    stream = Inbox(town.database, clock=SystemClock(), holder="test")
    events = (*TALK, ASKED, THANKED, ANA_ASKED)
    for event in events:
        await stream.put(Arrival(space=SPACE, event=event))
    handled = 0
    while handled < len(events):
        for delivery in await stream.claim(100):
            await stream.done(delivery)
            handled += 1


def _trace(number: str, event: CommandGiven, *actions, about: tuple[Ref, ...] = ()) -> Trace:
    decision = Decision(skill="match", actions=actions, reason="they asked", about=about)
    return Trace(
        id=number,
        event=key_of(event),
        kind="CommandGiven",
        at=MONDAY,
        channel=event.channel.ref,
        member=event.member.ref,
        verdict=Verdict(
            decisions=(decision,), rulings=tuple(Ruling(decision=0, action=one, kept=True) for one in actions)
        ),
    )


async def _decide(town: Harbour) -> None:
    """Colm asks in private; Ana's answer quotes him in public though nobody noted it; Ana is timed out; so is Colm."""
    more = Button(label="More", press="match.more", only=COLM.ref, token="t1")
    private = Say(to=DIRECT.ref, text="general fits", only=COLM.ref, buttons=(more,))
    quoting = Say(to=GENERAL.ref, text=f"Somebody there said:\n{RIVETS}")
    kept = (
        (_trace("colm-asked", ASKED, private), None),
        (_trace("ana-asked", ANA_ASKED, quoting), Ref("discord", "h/b1")),
        (
            _trace(
                "ana-again", replace(ANA_ASKED, invocation=Ref("discord", "i3")), Timeout(member=ANA.ref, minutes=1)
            ),
            None,
        ),
        (
            _trace("about", replace(ANA_ASKED, invocation=Ref("discord", "i4")), Timeout(member=COLM.ref, minutes=1)),
            None,
        ),
    )

    async def work(connection) -> None:
        for trace, made in kept:
            [action] = [ruling.action for ruling in trace.verdict.rulings]
            await traces.record(connection, town.community, trace, message=None)
            [number] = await acts.intend(
                connection,
                town.community,
                trace.id,
                [Intent(position=0, skill="match", action=action)],
                now=MONDAY,
                expires_at=MONDAY + timedelta(days=30),
            )
            await acts.record_outcome(connection, number, action, Receipt(state="done", made=made), now=MONDAY)

    await town.database.write(work)


async def _note(town: Harbour) -> None:
    """Ana keeps an entry of the FAQ that rests on what Colm said."""
    async with town.database.read() as connection:
        general = (await channels.by_ref(connection, town.community, GENERAL.ref)).id
        [message] = await connection.scalars(select(MessageRow.ref).where(MessageRow.text == TARRING))
    keep = functools.partial(
        notes.keep,
        community=town.community,
        point=UUID(int=7),
        channel=general,
        question="How long does tarring take?",
        text=TARRING,
        owner=ANA.ref,
        sources=(Ref.parse(message),),
        now=MONDAY,
    )
    assert await town.database.write(keep) == ""


async def make_one_person(town: Harbour) -> None:
    """Let Ana's and Colm's accounts be one human's."""
    colm, ana = await town.member(COLM), await town.member(ANA)
    person = MemberRow.__table__.update().where(MemberRow.id == ana.id).values(person_id=colm.person)
    await town.database.write(lambda connection: connection.execute(person))
