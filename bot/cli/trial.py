"""`kinfolk replay --rules`: what other rules would have done to the messages of the last days."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.cli.output import emit, open_app, out, progress, run
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from pathlib import Path

    from bot.core.settings import Settings
    from brains.moderation.trial import Trial

WIDTH = 100
"""Characters of a reason that are shown."""


def tried(
    rules: Path | None, strictness: str | None, *, days: float, vectors: bool, community: str | None, as_json: bool
) -> None:
    """Try rules and say what came of it. Raises Mistake for rules that cannot be read."""
    from bot.core import policies

    if strictness is not None:
        policies.check("strictness", strictness)

    async def verb(settings: Settings) -> Trial:
        from bot.core.i18n import translator
        from bot.trying import trial

        written = await asyncio.to_thread(_read, rules) if rules is not None else None
        async with open_app(settings) as app:
            whose = await app.community(community)
            fingerprint = (await app.encoder()).fingerprint if vectors else ""
            moderator = await (await app.moderators()).trial(whose, written=written, strictness=strictness)
            translate = await asyncio.to_thread(translator, settings.language)
            with progress("Playing") as show:
                return await trial(
                    app.database,
                    moderator,
                    whose,
                    since=app.clock.now() - timedelta(days=days),
                    translate=translate,
                    fingerprint=fingerprint,
                    progress=show,
                )

    found = run(verb)
    if as_json:
        emit(to_json(found))
    else:
        _show(found, days)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        raise Mistake(f"{path} cannot be read: {trouble}") from trouble


def to_json(found: Trial) -> dict[str, object]:
    """Return the document that `kinfolk replay --rules --json` prints."""
    return {
        "messages": found.messages,
        "flagged": found.flagged,
        "removed": found.removed,
        "detectors": {
            name: {
                "flagged": minded.flagged,
                "removed": minded.removed,
                "examples": [
                    {key: str(value) for key, value in asdict(one).items()}
                    | {"message": str(one.message) if one.message else None, "channel": str(one.channel)}
                    | {"author": str(one.author), "at": one.at.isoformat()}
                    for one in minded.examples
                ],
            }
            for name, minded in sorted(found.detectors.items())
        },
    }


def _show(found: Trial, days: float) -> None:
    would = f"{found.flagged:,} would be flagged, {found.removed:,} taken away"
    out.print(f"{found.messages:,} messages of {days:g} days: {would}.")
    for name, minded in sorted(found.detectors.items()):
        out.print(f"\n{name}: {minded.flagged:,} flagged, {minded.removed:,} taken away", style="bold", markup=False)
        for one in minded.examples:
            out.print(f"  {one.at:%Y-%m-%d %H:%M} {one.message} by {one.author}: {one.reason:.{WIDTH}}", markup=False)
