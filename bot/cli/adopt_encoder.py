"""`kinfolk train encoder --adopt | --drop`: let matching go by a tuned encoder, or by the base again."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.cli.output import note, open_app, progress
from bot.core.errors import Misconfigured, Mistake
from bot.home_lock import is_running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.app import App
    from bot.core.settings import Settings
    from bot.core.things import Community

LOOK = 0.25
"""Seconds between looks whether the worker is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What the card of an encoder says: what it was made from, and the measure that an adoption is decided by."""

    base: str
    before: float
    after: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Say whether the whole interval lies above zero."""
        return self.low > 0

    def __str__(self) -> str:
        change = f"{self.low:+.3f} to {self.high:+.3f}"
        return f"channel top1 {self.before:.3f} -> {self.after:.3f}, 95 % interval of the difference {change}"


def read_worth(folder: Path) -> Worth:
    """Read the card of an encoder. Raises Mistake where there is none."""
    from brains.training.encoder_judging import ADOPTS
    from storage.tuned import CARD

    try:
        facts = json.loads((folder / CARD).read_text("utf-8"))
        told = next(one for one in facts["figures"] if one["name"] == ADOPTS)
        return Worth(base=facts["base"], **{name: told[name] for name in ("before", "after", "low", "high")})
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        words = f"{folder} is no encoder that `kinfolk train encoder` wrote: it has no {CARD} with its figures."
        raise Mistake(words) from None


async def adopt(settings: Settings, community: str | None, folder: Path, *, anyway: bool) -> Mapping[str, object]:
    """Let a community's matching go by the encoder of a folder, once its vectors are there. Raises Mistake."""
    from brains.engines.encoders import parse_local
    from storage import tuned

    worth = await asyncio.to_thread(read_worth, folder)
    model = await asyncio.to_thread(parse_local, f"path:{folder}")
    async with open_app(settings) as app:
        whose = await app.community(community)
        await _refuse(app, whose, model.fingerprint, worth, anyway=anyway)
        name = f"adopted-{model.fingerprint}"
        if not await app.adoptions.of(model.fingerprint):
            await asyncio.to_thread(tuned.take_in, settings.home, folder, name)
        await _look_who(app, whose, name, anyway=anyway)
        await _begin(app, whose, name)
        running = await is_running(settings.home)
        if not running:
            with progress("Writing vectors") as show:
                await (await app.index()).catch_up(show)
        serves = await app.adoptions.serving(whose) is not None
    if running:
        note("The running bot writes every message's second vector now; the base serves matching until they are there.")
    return {"community": whose.name, "adopted": model.fingerprint, "better": worth.better, "serves": serves}


async def drop(settings: Settings, community: str | None) -> Mapping[str, object]:
    """Let a community's matching go by the base again, and remove what the other encoder made. Raises Mistake."""
    async with open_app(settings) as app:
        whose = await app.community(community)
        if not await app.adoptions.drop(whose):
            raise Mistake(f"No encoder is adopted for {whose.name}: its matching goes by the base already.")
        if not await is_running(settings.home):
            await app.adoptions.settle()
    return {"community": whose.name, "dropped": True}


async def _refuse(app: App, community: Community, fingerprint: str, worth: Worth, *, anyway: bool) -> None:
    base = (await app.encoder()).fingerprint
    if fingerprint == base:
        raise Mistake("KINFOLK_ENCODER names this encoder: it serves everything already.")
    there = await app.adoptions.of(fingerprint)
    if any(one.state == "leaving" for one in there):
        raise Mistake("It was dropped just now, and what it made is being removed: try again in a minute.")
    if any(one.community == community.id for one in there):
        raise Mistake(f"It is adopted for {community.name} already; `kinfolk doctor` tells how far it is.")
    doubts = [] if worth.better else [f"It does not place texts better than its base beyond doubt ({worth})."]
    if worth.base != base:
        doubts.append(f"It was made from {worth.base} and judged beside that, while {base} serves here.")
    _weigh(doubts, anyway=anyway)


def _weigh(doubts: list[str], *, anyway: bool) -> None:
    if doubts and not anyway:
        raise Mistake(f"{' '.join(doubts)} --anyway adopts it all the same.")
    for doubt in doubts:
        note(f"{doubt} It is adopted since you said --anyway.")


async def _look_who(app: App, community: Community, name: str, *, anyway: bool) -> None:
    """Look whose words are in it, once it lies in the home, where a forget finds it from then on.

    Raises Mistake where somebody is among them who is not here any more: a forget may have come before.
    """
    from storage import members, tuned

    here = app.settings.home / tuned.FOLDER / name
    async with app.database.read() as connection:
        known = {str(one.id) for one in await members.every(connection, community)}
    try:
        authors, strangers = await asyncio.to_thread(tuned.strangers, here / tuned.CARD, known)
        if 0 < strangers < authors:
            raise Mistake("Somebody whom it learned from is not here any more, and weights forget nobody. Train anew.")
        if strangers:
            doubt = (
                f"It learned from a file and not from {community.name}, so that no forget finds whose words it holds."
            )
            _weigh([doubt], anyway=anyway)
    except BaseException:
        if not any(one.folder == name for one in await app.adoptions.every()):
            await asyncio.to_thread(shutil.rmtree, here, ignore_errors=True)
        raise


async def _begin(app: App, community: Community, name: str) -> None:
    """See that it works, which prepares it on its first start, and let its vectors be written."""
    from storage import tuned

    async with app.open_tuned(app.settings.home / tuned.FOLDER / name) as encoder:
        told = ""
        while (health := await encoder.health()).get("status") == "preparing":
            if (step := str(health.get("step", ""))) not in {told, "", "starting", "ready"}:
                note(f"Preparing the tuned encoder, once: {step}")
                told = step
            await app.clock.sleep(LOOK)
        vectors = await encoder.encode(["Is anybody there?"])
        if vectors.shape != (1, encoder.size):
            raise Misconfigured(f"The tuned encoder gives vectors of shape {vectors.shape}.")
        await app.adoptions.begin(community, folder=name, encoder=encoder)
