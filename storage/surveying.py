"""Surveying a member: what gives them away, and from there everything that is held about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from bot.core import commands
from bot.core.codec import load
from bot.core.events import Arrival, CommandGiven, MessageEdited, MessagePosted
from bot.core.sentences import parts
from storage import adopted
from storage.encodings import key
from storage.outbox import serving
from storage.probes import Probes
from storage.rows import columns
from storage.tables import InboxRow, MessageRow
from storage.trail import Survey, Trail, events_of, follow, titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.core.things import Community, Member
    from storage.connection import Connection

PHRASE = 20
"""Characters up to which what a command is given, or a thread is called, may be anybody's words: a day, a hobby."""


async def survey(
    connection: Connection, community: Community, member: Member, *, fingerprint: str | None = None
) -> Survey:
    """Find everything that is held about a member. `fingerprint` names an encoder beside the one that serves."""
    said = await _said(connection, member)
    told = await _told(connection, community, member)
    own = {*said.values(), *told} - await _said_by_others(connection, member)
    titled = {one for one in await titles(connection, member) if len(one) > PHRASE}
    bare = Survey(
        community=community,
        member=member,
        probes=Probes.of(member=str(member.ref), messages=said, words={*own, *titled, member.name}),
        said=said,
        cached=await _keys(connection, own, fingerprint),
        trail=Trail(),
    )
    return await follow(connection, bare)


async def brought_up_to_date(connection: Connection, known: Survey) -> Survey:
    """Add what they said since: a bot that runs beside stores and encodes until the very moment of a forget."""
    said = await _said(connection, known.member)
    new = {ref: text for ref, text in said.items() if known.said.get(ref) != text}
    if not new:
        return known
    probes = Probes.of(member=known.probes.member, messages=new, words=new.values())
    cached = (*known.cached, *await _keys(connection, set(new.values()), None))
    return replace(known, probes=known.probes | probes, said={**known.said, **said}, cached=cached)


async def _said(connection: Connection, member: Member) -> dict[str, str]:
    mine = select(*columns(MessageRow, "ref", "text")).where(col(MessageRow.author_id) == member.id)
    return {row.ref: row.text for row in await connection.execute(mine)}


async def _told(connection: Connection, community: Community, member: Member) -> set[str]:
    """Return what they told the bot and earlier wordings of what they said, as far as their events are kept."""
    events = await connection.scalars(select(col(InboxRow.event)).where(events_of(community, member)))
    return {text for event in events if event for text in _words(load(Arrival, event))}


def _words(arrival: Arrival) -> Iterable[str]:
    """Return the prose of an event: who gave a command the same date or hobby quotes nobody."""
    match arrival.event:
        case MessagePosted(text=text) | MessageEdited(text=text):
            return [text]
        case CommandGiven(command=name, arguments=given):
            return _free(name, given)
        case _:
            return []


def _free(name: str, given: Mapping[str, str]) -> Iterable[str]:
    """Return what a command was given as free text longer than a phrase."""
    command = commands.find(name)
    fixed = {one.name for one in command.arguments if not one.is_free} if command else set()
    return [text for name, text in given.items() if name not in fixed and len(text) > PHRASE]


async def _said_by_others(connection: Connection, member: Member) -> set[str]:
    """Return which of their texts somebody else wrote too, in any community: the cached vector serves both."""
    mine = select(col(MessageRow.text)).where(col(MessageRow.author_id) == member.id)
    statement = select(col(MessageRow.text)).where(
        col(MessageRow.author_id) != member.id, col(MessageRow.text).in_(mine)
    )
    return set(await connection.scalars(statement.distinct()))


async def _keys(connection: Connection, texts: Iterable[str], fingerprint: str | None) -> tuple[bytes, ...]:
    fingerprints = {one for one in (fingerprint, await serving(connection)) if one}
    fingerprints |= await adopted.fingerprints(connection)
    return tuple(
        key(one, said) for one in sorted(fingerprints) for text in sorted(texts) for said in (text, *parts(text))
    )
