"""Time zones by their IANA names: which one somebody means, and its rules, read from the disk beside the loop."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from importlib.resources import files
from zoneinfo import ZoneInfo

from bot.core.errors import Mistake
from bot.core.i18n import _

NAMES = frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())
"""Every zone of the package `tzdata`, which is there whatever the machine has."""
NEAR = 3
"""Names that a wrong one may stand for, at most."""
SHOWN = 40
"""Characters of a wrong name that are worth repeating."""

_FOLDED = {name.casefold(): name for name in NAMES}
_OPENED: dict[str, ZoneInfo] = {}


def named(wanted: str) -> str:
    """Return the name of a zone, written in any case, or by its city. Raises Mistake that names near ones."""
    folded = "_".join(wanted.split()).casefold()
    if folded in _FOLDED:
        return _FOLDED[folded]
    cities = sorted(name for name in NAMES if _city(name) == folded)
    if len(cities) == 1:
        return cities[0]
    if near := cities[:NEAR] or _near(folded):
        sentence = _("There is no time zone {name!r}. Did you mean {near}?")
        raise Mistake(sentence, name=wanted[:SHOWN], near=", ".join(near))
    raise Mistake(
        _("There is no time zone {name!r}. They are called like Europe/Berlin or Asia/Shanghai."), name=wanted[:SHOWN]
    )


async def opened(name: str) -> ZoneInfo:
    """Return a zone by its name."""
    if name not in _OPENED:
        _OPENED[name] = await asyncio.to_thread(ZoneInfo, name)
    return _OPENED[name]


def _city(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _near(folded: str) -> list[str]:
    """Return zones whose names, or whose cities' names, are written nearly so."""
    cities = {_city(name): name for name in sorted(NAMES, reverse=True)}
    close = get_close_matches(folded, [*_FOLDED, *cities], n=NEAR)
    return list(dict.fromkeys(_FOLDED.get(one) or cities[one] for one in close))
