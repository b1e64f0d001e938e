"""`kinfolk why`, `undo` and `replay`: what the bot did, taken back, and what it would do by today's rules."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import trial
from bot.cli.output import CommunityOption, JsonOption, emit, open_app, out, progress, run
from bot.core.errors import Mistake, Unavailable

if TYPE_CHECKING:
    from bot.app import App
    from bot.core.decisions import Trace
    from bot.core.events import Arrival
    from bot.core.settings import Settings
    from bot.core.things import Community, Ref
    from bot.replay import Difference, Played
    from storage.acts import Act

PATIENCE = 30.0
"""Seconds that a running bot has for a command from here."""
LOOKED_AT = 200
"""Traces looked through for the last thing that can be undone."""

WhatArgument = Annotated[
    str | None, typer.Argument(metavar="MESSAGE", help="A message's reference, or a trace's id; without, the latest.")
]


def why(what: WhatArgument = None, community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Say why the bot did something, or did not: what each skill saw, what was ruled, what came of it."""
    run(lambda settings: _why(settings, what, name=community, as_json=as_json))


async def _why(settings: Settings, what: str | None, *, name: str | None, as_json: bool) -> None:
    from adapters.markup import plain
    from bot.core.i18n import translator
    from brains.skills.telling import tell

    async with open_app(settings) as app:
        community = await app.community(name)
        found = await _traces(app, community, what)
        done = [await _acts(app, trace) for trace in found]
    if as_json:
        emit([_trace_json(trace, its) for trace, its in zip(found, done, strict=True)])
        return
    translate = await asyncio.to_thread(translator, settings.language)
    stories = [tell(trace, its, translate) for trace, its in zip(found, done, strict=True)]
    out.print(plain("\n\n".join(stories)), markup=False)


async def _traces(app: App, community: Community, what: str | None) -> list[Trace]:
    """Find the traces in question; raises Mistake when there are none."""
    from storage import traces

    async with app.database.read() as connection:
        if what is None:
            found = await traces.latest(connection, community)
        elif by_id := await traces.by_id(connection, community, what):
            found = [by_id]
        else:
            found = await traces.about(connection, community, _ref(what))
    if not found:
        raise Mistake(f"Nothing was decided about {what}." if what else "Nothing was decided here yet.")
    return found


def _ref(what: str) -> Ref:
    from bot.core.things import Ref

    try:
        return Ref.parse(what)
    except ValueError:
        raise Mistake(f"{what!r} is neither a trace nor a message's reference such as discord:20/900.") from None


async def _acts(app: App, trace: Trace) -> list[Act]:
    from storage import acts

    async with app.database.read() as connection:
        return await acts.of_trace(connection, trace.id)


def _trace_json(trace: Trace, done: list[Act]) -> dict[str, object]:
    from bot.core.i18n import translator
    from bot.core.wording import describe
    from brains.skills.telling import discreet

    decisions = trace.verdict.decisions
    translate = translator("en")
    return {
        "trace": trace.id,
        "event": trace.event,
        "kind": trace.kind,
        "at": trace.at.isoformat(),
        "milliseconds": round(trace.milliseconds, 1),
        "steps": [asdict(step) for step in trace.steps],
        "decisions": [
            {
                "skill": one.skill,
                "reason": one.reason,
                "confidence": one.confidence,
                "evidence": list(map(str, one.evidence)),
            }
            for one in decisions
        ],
        "declined": [
            {
                "skill": decisions[one.decision].skill,
                "action": describe(discreet(one.action), translate),
                "why": one.why,
            }
            for one in trace.verdict.rulings
            if not one.kept
        ],
        "acts": [
            {
                "act": one.id,
                "skill": one.skill,
                "action": describe(discreet(one.action), translate),
                "state": one.state,
                "error": one.receipt.error,
                "made": str(one.receipt.made) if one.receipt.made else None,
                "undone_by": one.undone_by,
            }
            for one in done
        ],
    }


def undo(what: WhatArgument = None, community: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Let the running bot take back what it did: of a message, of a trace, or the latest that can be."""
    run(lambda settings: _undo(settings, what, name=community, as_json=as_json))


async def _undo(settings: Settings, what: str | None, *, name: str | None, as_json: bool) -> None:
    from bot.home_lock import is_running

    async with open_app(settings) as app:
        community = await app.community(name)
        if not await is_running(settings.home):
            raise Unavailable(
                f"No Kinfolk runs in {settings.home}, so nothing can be taken back. Start it: kinfolk run"
            )
        trace = (await _traces(app, community, what))[0] if what else await _last_undoable(app, community)
        said = await _give(app, community, "undo", {"message": trace.id})
    if as_json:
        emit({"undone": trace.id, "said": said})
    else:
        out.print(said, markup=False)


async def _last_undoable(app: App, community: Community) -> Trace:
    from bot.core.actions import undoing
    from storage import acts, traces

    async with app.database.read() as connection:
        for trace in await traces.latest(connection, community, limit=LOOKED_AT):
            done = await acts.of_trace(connection, trace.id)
            open_ones = [act for act in done if act.state == "done" and act.undone_by is None]
            aside = [act for act in open_ones if getattr(act.action, "only", None) is not None]
            if not trace.takes_back and any(
                undoing(act.action, act.receipt, by=None) for act in open_ones if act not in aside
            ):
                return trace
    raise Mistake("There is nothing that can be taken back.")


async def _give(app: App, community: Community, name: str, arguments: dict[str, str]) -> str:
    """Give the running bot a command, and return its answer."""
    from adapters.console import command
    from storage import spaces
    from storage.inbox import Inbox

    async with app.database.read() as connection:
        places = await spaces.of(connection, community)
    if not places:
        raise Mistake(f"{community.name} was imported and is on no platform: there is nobody to act there.")
    arrival = command(places[0], name, arguments, at=app.clock.now())
    await Inbox(app.database, clock=app.clock, holder="").put(arrival)
    try:
        async with asyncio.timeout(PATIENCE):
            return await _answer(app, community, arrival)
    except TimeoutError:
        raise Unavailable(f"The running bot did not answer within {PATIENCE:.0f} s; it will still do it.") from None


async def _answer(app: App, community: Community, arrival: Arrival) -> str:
    from adapters.markup import plain
    from bot.core.events import key
    from storage import acts, inbox, traces

    while True:
        async with app.database.read() as connection:
            if await inbox.is_handled(connection, arrival):
                trace = await traces.of_event(connection, community, key(arrival.event))
                done = await acts.of_trace(connection, trace.id) if trace else []
                return "\n".join(plain(text) for act in done if (text := getattr(act.action, "text", "")))
        await app.clock.sleep(0.1)


def replay(
    days: Annotated[float, typer.Option(min=0.01, max=36500, help="How far back.")] = 7,
    rules: Annotated[Path | None, typer.Option(help="Rules to try on the messages, in place of those set.")] = None,
    strictness: Annotated[str | None, typer.Option(help="Try gentle, standard or strict, in all channels.")] = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="Try with the vectors that are kept.")] = False,
    community: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play what happened lately through today's rules, do nothing, and say what would be otherwise.

    With rules or a strictness to try, say how many messages each detector would have flagged and taken away.
    """
    if rules is None and strictness is None and not vectors:
        run(lambda settings: _replay(settings, days, name=community, as_json=as_json))
    else:
        trial.tried(rules, strictness, days=days, vectors=vectors, community=community, as_json=as_json)


async def _replay(settings: Settings, days: float, *, name: str | None, as_json: bool) -> None:
    from bot.platforms import EVERY
    from bot.replay import replay as play

    async with open_app(settings) as app:
        community = await app.community(name)
        pipeline = await app.pipeline([one.open(app) for one in EVERY])
        with progress("Playing") as show:
            since = app.clock.now() - timedelta(days=days)
            played = await play(app.database, pipeline, community, since=since, progress=show)
    if as_json:
        emit(_played_json(played))
    else:
        _show(played, days)


def _played_json(played: Played) -> dict[str, object]:
    from bot.core.i18n import translator
    from bot.core.wording import describe

    translate = translator("en")
    return {
        "events": played.events,
        "acted_then": dict(played.then),
        "would_act_now": dict(played.now),
        "declined_now": dict(played.declined),
        "differences": [
            {
                "event": one.event,
                "at": one.at.isoformat(),
                "skill": one.skill,
                "then": [describe(action, translate) for action in one.then],
                "now": [describe(action, translate) for action in one.now],
                "reason": one.reason,
            }
            for one in played.differences
        ],
    }


def _show(played: Played, days: float) -> None:
    out.print(f"{played.events:,} events of {days:g} days, that nobody asked an answer for.")
    for skill in sorted({*played.then, *played.now, *played.declined}):
        counts = f"acted {played.then[skill]}x, would act {played.now[skill]}x"
        out.print(f"  {skill}: {counts}, would only watch {played.declined[skill]}x")
    if not played.differences:
        out.print("Today's rules would do the same.")
    for one in played.differences:
        _show_difference(one)


def _show_difference(one: Difference) -> None:
    from bot.core.i18n import translator
    from bot.core.wording import describe

    translate = translator("en")
    out.print(f"\n{one.at:%Y-%m-%d %H:%M} {one.skill}: {one.reason}", style="bold", markup=False)
    for mark, actions in (("then", one.then), ("now ", one.now)):
        words = "; ".join(describe(action, translate) for action in actions) or "nothing"
        out.print(f"  {mark}  {words}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(why)
    app.command()(undo)
    app.command()(replay)
