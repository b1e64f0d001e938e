"""`kinfolk pulse`: how a community is doing: how much is said, in what mood, and about what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.find import warn_of_waiting
from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, run
from bot.core.errors import Mistake
from bot.core.things import Ref
from brains.rhythm.trends import FEWEST_DAYS, MOST_DAYS, USUAL_DAYS

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community
    from brains.rhythm.pulse import Part, Pulse
    from storage.alerts import Alert
    from storage.channels import Reach


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for: a channel or all of them, how far back, for whom, and as it was when."""

    channel: str | None
    days: int
    reader: str | None
    at: datetime | None


def pulse(
    channel: Annotated[str | None, typer.Option(help="Only this channel; else all of them.")] = None,
    days: Annotated[int, typer.Option(min=FEWEST_DAYS, max=MOST_DAYS, help="How far back.")] = USUAL_DAYS,
    reader: Annotated[str | None, typer.Option("--as", help="A member; without one, what everyone may read.")] = None,
    at: Annotated[datetime | None, typer.Option(help="As it was then, in UTC; now, if nothing is said.")] = None,
    png: Annotated[Path | None, typer.Option(help="Draw it there, as PNG.")] = None,
    community: CommunityOption = None,
    language: Annotated[Literal["en", "zh_CN"], typer.Option(help="Language of the sentences and the picture.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Say how much is said, in what mood, and which topics rise and fall; draw it with --png."""
    if png is not None and png.suffix != ".png":
        raise Mistake(f"{png}: a picture ends in .png.")
    run(lambda settings: _pulse(settings, _Asked(channel, days, reader, at), png, community, language, as_json=as_json))


async def _pulse(
    settings: Settings,
    asked: _Asked,
    png: Path | None,
    name: str | None,
    language: str,
    *,
    as_json: bool,
) -> None:
    from bot.core.i18n import catalogue
    from bot.core.wording import unmarked
    from brains.rhythm.telling import told

    translate = await catalogue(language)
    async with open_app(settings) as app:
        community = await app.community(name)
        await warn_of_waiting(app, community)
        taken, alerts = await _take(app, community, asked)
    part = taken.channels[0] if asked.channel else taken.whole
    if png is not None:
        await _draw(taken, part, png, community.name, language)
    if as_json:
        emit({**_document(taken), "alerts": alerts})
        return
    for sentence in told(taken, part, translate):
        out.print(unmarked(sentence), markup=False)
    if png is not None:
        note(f"Drawn: {png}")


async def _take(app: App, community: Community, asked: _Asked) -> tuple[Pulse, list[dict[str, object]]]:
    """Take the pulse, and what the staff was told of in its time, as JSON."""
    from bot.core import zones
    from brains.rhythm.looking import only, take
    from storage import alerts, channels, members, policies

    async with app.database.read() as connection:
        member = await members.find(connection, community, asked.reader) if asked.reader else None
        reach = await channels.reach(connection, community, member)
        policy = (await policies.load(connection, community)).policy
    within = only(reach, asked.channel) if asked.channel else reach
    taken = await take(
        app.database,
        await app.vectors(),
        community,
        within,
        fingerprint=(await app.encoder()).fingerprint,
        now=asked.at.replace(tzinfo=asked.at.tzinfo or UTC) if asked.at else app.clock.now(),
        days=asked.days,
        zone=await zones.opened(policy.time_zone),
    )
    async with app.database.read() as connection:
        known = await alerts.since(connection, community, taken.window.since.astimezone(UTC))
    staff = any(str(one.ref) == policy.staff_channel for one in reach.channels.values())
    told = (_alert(one, within, staff=staff) for one in known if one.began <= taken.window.until)
    return taken, [one for one in told if one]


def _alert(one: Alert, reach: Reach, *, staff: bool) -> dict[str, object]:
    """Write an alert as JSON; nothing of a channel out of reach, nor of words, to who does not read the staff's."""
    about: dict[str, object]
    if one.subject.kind in {"channel", "mood"}:
        room = reach.channel(Ref.parse(one.subject.name))
        if room is None:
            return {}
        about = {"channel": room.name}
    elif staff:
        about = {"words": one.subject.name}
    else:
        return {}
    times = {"began": one.began.isoformat(), "at": one.at.isoformat()}
    return {"kind": one.subject.kind, **about, **times, "messages": one.count, "standing": one.standing}


async def _draw(taken: Pulse, part: Part, png: Path, community: str, language: str) -> None:
    import asyncio

    from bot.core.i18n import catalogue
    from brains.rhythm.chart import draw

    title = f"#{part.channel.name}" if part.channel else community
    made = await asyncio.to_thread(draw, taken, part, title, await catalogue(language))
    try:
        await asyncio.to_thread(png.write_bytes, made)
    except OSError as trouble:
        raise Mistake(f"{png} cannot be written: {trouble}") from trouble


def _document(taken: Pulse) -> dict[str, object]:
    from adapters.history.jsonl import imported_id
    from brains.rhythm.document import document

    return document(taken, lambda message: imported_id(message.ref))


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(pulse)
