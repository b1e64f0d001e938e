"""The raid that is on, of which the staff was told when it began: it is named, and not told of again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.i18n import _
from bot.core.wording import escape
from storage import cases, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.i18n import Translate
    from brains.moderation.raids import Raid
    from brains.skills.skill import Context
    from storage.lately import Said

SHOWN = 3
"""Cases that are named."""
HALF = 0.5
"""Share of the messages from which on a raid is all there is to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raiders:
    """Who takes part in the raid that is on, by number, and the cases that it opened; nobody where there is none."""

    raid: Raid | None = None
    members: frozenset[int] = frozenset()
    cases: tuple[str, ...] = ()

    def wrote(self, said: Sequence[Said]) -> bool:
        """Say whether most of what was said is theirs."""
        theirs = sum(one.author in self.members for one in said)
        return theirs > 0 and theirs >= HALF * len(said)

    def lines(self, translate: Translate) -> list[str]:
        """Name the raid and its cases in a line, where one is on."""
        if self.raid is None:
            return []
        named = ", ".join(self.cases) or "-"
        sentence = translate(_("A raid is on, of which you were told: {what}. Its cases: {cases}."))
        return [sentence.format(what=escape(self.raid.reason(translate)), cases=named)]


async def of(context: Context) -> Raiders:
    """Return the raid that is on in the community."""
    moderator = await context.faculties.moderator(context.community)
    raid = moderator.raids.state(context.now) if moderator.raids is not None else None
    if raid is None:
        return Raiders()
    async with context.faculties.database.read() as connection:
        known = await members.by_refs(connection, context.community, raid.members)
        opened = [one for one in await cases.queue(connection, context.community) if one.kind == "raid"]
    numbers = frozenset(one.id for one in known.values())
    named = tuple(one.id for one in opened if one.opened_at >= raid.began)
    return Raiders(raid=raid, members=numbers, cases=named[:SHOWN])
