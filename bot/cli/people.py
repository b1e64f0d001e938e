"""`kinfolk people` and `kinfolk foryou`: whom a member may like to meet and what they missed, as they would see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.find import warn_of_waiting
from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community, Member
    from brains.matching.circle import Common
    from brains.matching.unread import Told

MemberOption = Annotated[str, typer.Option(help="A member: name, imported id or reference.")]
KOption = Annotated[int, typer.Option("--k", min=1, max=20, help="How many to show.")]


def people(
    member: MemberOption,
    text: Annotated[str, typer.Option(help="Interests in place of those that their messages show.")] = "",
    k: KOption = 3,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whom a member may like to meet, of those who opted in, and why."""
    run(lambda settings: _people(settings, member, text, k, community, as_json=as_json))


def foryou(
    member: MemberOption,
    at: Annotated[datetime | None, typer.Option(help="As it was then, in UTC; now, if nothing is said.")] = None,
    k: KOption = 5,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which conversations a member missed and may care about, and why."""
    run(lambda settings: _foryou(settings, member, at, k, community, as_json=as_json))


async def _people(settings: Settings, member: str, text: str, k: int, name: str | None, *, as_json: bool) -> None:
    from storage import wishes

    async with open_app(settings) as app:
        community, who = await _who(app, name, member)
        async with app.database.read() as connection:
            opted = await wishes.wishing(connection, community, "people", among=[who.id])
        if not opted:
            raise Mistake(f"{who.name} has not opted in to be introduced. Only they can: /people on")
        found = await (await app.circle(community)).suggest(community, who, text=text, k=k)
        if as_json:
            emit({"people": [_common_json(one) for one in found]})
            return
        for one in found:
            rooms = ", ".join(f"#{room.name}" for room in one.rooms)
            out.print(f"\n{one.member.name}", style="bold", markup=False)
            out.print(f"  shared words: {', '.join(one.terms) or '-'}; channels: {rooms or '-'}", markup=False)


async def _foryou(
    settings: Settings, member: str, at: datetime | None, k: int, name: str | None, *, as_json: bool
) -> None:
    from brains.matching.unread import Unread

    async with open_app(settings) as app:
        community, who = await _who(app, name, member)
        now = at.replace(tzinfo=at.tzinfo or UTC) if at else app.clock.now()
        place = await app.embedding(community)
        unread = Unread(database=app.database, vectors=place.vectors, encoder=place.encoder)
        found = await unread.look(community, who, now=now, k=k)
        if as_json:
            since = found.since.isoformat()
            emit({"since": since, "known": found.known, "conversations": [_told_json(one) for one in found.told]})
            return
        for one in found.told:
            why = f"; words of theirs: {', '.join(one.terms)}" if one.terms else ""
            out.print(f"\n{one.sentence}", style="bold", markup=False)
            out.print(f"  #{one.channel.name}, {', '.join(one.people)}: {one.messages} messages{why}", markup=False)


async def _who(app: App, name: str | None, member: str) -> tuple[Community, Member]:
    """Find the member, and refuse where nothing of theirs may be used. Raises Mistake."""
    from storage import members

    community = await app.community(name)
    await warn_of_waiting(app, community)
    async with app.database.read() as connection:
        who = await members.find(connection, community, member)
        withheld = await members.withheld(connection, community, among=[who.id])
    if withheld:
        raise Mistake(f"{who.name} has not agreed to be collected, so nothing of theirs is used.")
    return community, who


def _common_json(one: Common) -> dict[str, object]:
    from adapters.history.jsonl import imported_id

    example = {"message": imported_id(one.example.ref), "text": one.example.text} if one.example else None
    return {
        "member": imported_id(one.member.ref),
        "name": one.member.name,
        "terms": list(one.terms),
        "channels": [room.name for room in one.rooms],
        "example": example,
    }


def _told_json(one: Told) -> dict[str, object]:
    from adapters.history.jsonl import imported_id

    return {
        "title": one.sentence,
        "channel": one.channel.name,
        "people": list(one.people),
        "messages": one.messages,
        "terms": list(one.terms),
        "first": imported_id(one.first.ref),
    }


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(people)
    app.command()(foryou)
