"""Digests that quote somebody who is forgotten, among others: they lose what is that member's, and stay the others'."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select, update
from sqlmodel import col

from bot.core.things import Ref
from storage.mending import linked, without
from storage.rows import columns, portions
from storage.tables import ActRow, TraceRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from storage.connection import Connection
    from storage.probes import Probes

SKILL = "digest"
"""The skill whose messages hold the words of many, each line of them for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """A trace without a member: its story, its acts by number, and the numbers of the acts that go with them."""

    trace: str
    story: str
    acts: Mapping[int, str]
    gone: tuple[int, ...]


async def find(connection: Connection, probes: Probes, traces: Sequence[str]) -> tuple[Spared, ...]:
    """Return which of a member's traces are of digests that are the others' too, as they read without the member."""
    done: defaultdict[str, list[Row[*tuple[object, ...]]]] = defaultdict(list)
    stories: dict[str, str] = {}
    for some in portions(traces):
        told = select(col(ActRow.trace_id)).where(col(ActRow.trace_id).in_(some), col(ActRow.skill) == SKILL)
        acts = select(*columns(ActRow, "id", "trace_id", "state", "action")).where(col(ActRow.trace_id).in_(told))
        for row in await connection.execute(acts):
            done[row.trace_id].append(row)
        rows = await connection.execute(select(*columns(TraceRow, "id", "story")).where(col(TraceRow.id).in_(told)))
        stories.update((row.id, row.story) for row in rows)
    found = (_spared(probes, trace, stories[trace], acts) for trace, acts in done.items())
    return tuple(one for one in found if one is not None)


def _spared(probes: Probes, trace: str, story: str, acts: Sequence[Row[*tuple[object, ...]]]) -> Spared | None:
    """Return a trace without a member; None where it is theirs, or what is on its way would bring their words back."""
    if any(row.state == "intended" for row in acts) or probes.shows(told := _redacted(story, probes)):
        return None
    left = {row.id: _redacted(row.action, probes) for row in acts}
    kept = {number: action for number, action in left.items() if not probes.shows(action)}
    gone = tuple(number for number in left if number not in kept)
    return Spared(trace=trace, story=told, acts=kept, gone=gone) if kept else None


def _redacted(document: str, probes: Probes) -> str:
    return orjson.dumps(_left(orjson.loads(document), probes)).decode()


def _left(value: object, probes: Probes) -> object:
    """Return what is left of a value: texts lose the lines that link to the member, lists what shows them still."""
    match value:
        case str():
            theirs = {Ref.parse(one) for one in linked(value) & probes.messages}
            return (without(value, theirs) or "") if theirs else value
        case list():
            some = [_left(one, probes) for one in value]
            return [one for one in some if not probes.shows(orjson.dumps(one).decode())]
        case dict():
            return {name: _left(one, probes) for name, one in value.items()}
        case _:
            return value


async def keep(connection: Connection, spared: Sequence[Spared]) -> None:
    """Let traces and acts read without the member."""
    for one in spared:
        await connection.execute(update(TraceRow).where(col(TraceRow.id) == one.trace).values(story=one.story))
        for number, action in one.acts.items():
            await connection.execute(update(ActRow).where(col(ActRow.id) == number).values(action=action))
