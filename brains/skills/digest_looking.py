"""Looks for what a digest tells: within what its readers may read, by what one of them cares for, by their clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core import rhythms
from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.matching.terms import substances, words
from storage import members, subscriptions, talks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.core.things import Channel, Member
    from brains.matching.corpus import Floats
    from brains.rhythm.digest import Digest
    from brains.skills.skill import Context
    from storage.channels import Reach

NAME = "digest"
YEAR = timedelta(days=365)
NEWEST, TELLING = 120, 24
"""Of somebody's newest messages, the most telling ones say what they care for."""


async def look(
    context: Context,
    reach: Reach,
    since: datetime,
    *,
    until: datetime | None = None,
    reader: Member | None = None,
    rooms: Sequence[Channel] | None = None,
    most: int,
) -> Digest:
    """Return what happened within reach; for a `reader`, by what they care for. Raises Mistake where nothing looks."""
    if context.faculties.digester is None:
        raise Mistake(_("I am not set up for this yet. The staff finds the reason with /why."))
    digester = await context.faculties.digester()
    return await digester.look(
        context.community,
        reach,
        since,
        until or context.now,
        channels=None if rooms is None else [one.id for one in rooms],
        interests=await _interests(context, reach, reader) if reader and rooms is None else None,
        language=context.language,
        most=most,
    )


async def _interests(context: Context, reach: Reach, reader: Member) -> Floats | None:
    """Return what somebody cares for, as vectors (k, d) of their most telling messages; None where there are none."""
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, reader)
        if await members.withheld(connection, context.community, among=mine):
            return None
        scope = replace(reach.scope, authors=mine, since=context.now - YEAR)
        own = await talks.newest(connection, scope, NEWEST)
    if not own:
        return None
    weights = substances([words(one.text) for one in own])
    telling = [own[at] for at in np.argsort(-weights, kind="stable")[:TELLING] if weights[at] > 0]
    if not telling:
        return None
    vectors = await context.faculties.vectors()
    page = await vectors.scroll(replace(scope, since=min(one.at for one in telling)))
    placed = dict(zip(page.ids, page.vectors, strict=True))
    found = [placed[one.point] for one in telling if one.point in placed]
    return np.array(found, dtype=np.float32) if found else None


async def zone_of(context: Context, member: Member | None = None) -> str:
    """Return by whose clock somebody is told the time: by that of their subscription, else by the community's."""
    if member is not None:
        async with context.faculties.database.read() as connection:
            held = await subscriptions.of(connection, "digest", member.id)
        if held is not None and (rhythm := rhythms.stored(held.when)) is not None:
            return rhythm.zone
    return context.policy.time_zone
