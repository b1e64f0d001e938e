"""Plays what happened lately through today's rules, does nothing, and says what would be otherwise."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.events import Arrival, MessagePosted, Named, actor, is_asked, key
from bot.core.ports import Delivery
from storage import channels, inbox, members, messages, spaces, traces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.core.actions import Action
    from bot.core.decisions import Trace
    from bot.core.ports import Vector
    from bot.core.things import Community
    from bot.pipeline import Pipeline
    from storage.connection import Connection
    from storage.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An event about which today's rules decide otherwise: what was done then, and what would be done now."""

    event: str
    at: datetime
    skill: str
    then: tuple[Action, ...]
    now: tuple[Action, ...]
    reason: str


@dataclass(slots=True, kw_only=True)
class Played:
    """What a replay found, by skill: how often it acted then, would act now, and would only watch."""

    events: int = 0
    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    declined: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


async def replay(
    database: Database,
    pipeline: Pipeline,
    community: Community,
    *,
    since: datetime,
    progress: Callable[[int, int], None],
) -> Played:
    """Play every event since a moment that nobody asked an answer for: a command always has one."""
    async with database.read() as connection:
        arrivals = await _arrivals(connection, community, since)
    played = Played(events=len(arrivals))
    for number, arrival in enumerate(arrivals, start=1):
        nothing: asyncio.Future[Vector | None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        delivery = Delivery(id=0, arrival=arrival, received_at=arrival.event.at)
        trace = await pipeline.rehearse(delivery, community, nothing)
        async with database.read() as connection:
            _compare(played, arrival, await traces.of_event(connection, community, key(arrival.event)), trace)
        progress(number, len(arrivals))
    return played


async def _arrivals(connection: Connection, community: Community, since: datetime) -> list[Arrival]:
    """Return what happened, in order: messages from their table, everything else from the inbox."""
    places = await spaces.of(connection, community)
    kept = await inbox.since(connection, [str(place.ref) for place in places], since)
    said = await messages.since(connection, community, since)
    people = {one.id: one for one in await members.every(connection, community)}
    withheld = await members.withheld(connection, community)
    rooms = await channels.every(connection, community)
    found = [arrival for arrival in kept if not is_asked(arrival.event) and _is_human(arrival)]
    for one in said if places else []:
        room, author = rooms.get(one.message.channel), people[one.message.author]
        if room is not None and one.message.author not in withheld:
            event = MessagePosted(
                message=one.message.ref,
                channel=Named(ref=room.ref, name=room.name, audience=room.audience),
                author=Named(ref=author.ref, name=author.name, language=author.language),
                text=one.message.text,
                at=one.message.sent_at,
                reply_to=one.reply_to,
                source="replay",
            )
            found.append(Arrival(space=places[0], event=event))
    return sorted(found, key=lambda arrival: arrival.event.at)


def _is_human(arrival: Arrival) -> bool:
    who = actor(arrival.event)
    return who is None or not who.bot


def _compare(played: Played, arrival: Arrival, before: Trace | None, after: Trace) -> None:
    """Count what each skill did then and would do now, and note where that differs in kind."""
    then, now = _done(before), _done(after)
    for ruling in after.verdict.rulings:
        if not ruling.kept:
            played.declined[after.verdict.decisions[ruling.decision].skill] += 1
    for skill in sorted({*then, *now}):
        played.then[skill] += bool(then.get(skill))
        played.now[skill] += bool(now.get(skill))
        if [type(action) for action in then.get(skill, ())] != [type(action) for action in now.get(skill, ())]:
            played.differences.append(
                Difference(
                    event=key(arrival.event),
                    at=arrival.event.at,
                    skill=skill,
                    then=tuple(then.get(skill, ())),
                    now=tuple(now.get(skill, ())),
                    reason=_reason(before if skill not in now and before else after, skill),
                )
            )


def _done(trace: Trace | None) -> dict[str, Sequence[Action]]:
    found: dict[str, list[Action]] = {}
    for ruling in trace.verdict.rulings if trace else ():
        if trace and ruling.kept:
            found.setdefault(trace.verdict.decisions[ruling.decision].skill, []).append(ruling.action)
    return dict(found)


def _reason(trace: Trace, skill: str) -> str:
    return next((one.reason for one in trace.verdict.decisions if one.skill == skill), "")
