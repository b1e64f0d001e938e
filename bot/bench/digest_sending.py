"""How long it takes to send every member of a large community the digest that they asked for, all at one hour."""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.bench import Figures
from bot.bench.traffic import Everywhere
from bot.core.actions import KeepSubscription, OpenDirect
from bot.core.events import Arrival, Named, TimerFired
from bot.core.ports import Delivery, Followed
from bot.core.rhythms import Rhythm
from bot.core.things import Ref
from brains.training.encoding import Progress, silent
from storage import members, policies, spaces, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.app import App
    from bot.core.things import Community, Member
    from bot.pipeline import Pipeline
    from storage.connection import Connection

SEED = 7
WEEK = timedelta(days=7)


class Taking(Everywhere):
    """A platform that takes what is written to its members in private."""

    can = Everywhere.can | {"OpenDirect"}

    def __init__(self, platform: str) -> None:
        super().__init__()
        self.platform = platform


async def send(app: App, community: Community, *, readers: int, days: int = 7, progress: Progress = silent) -> Figures:
    """Let the hour of members drawn by chance come at once, and send until nobody waits: decided, acted, kept."""
    everybody = await app.database.look(functools.partial(members.every, community=community))
    drawn = np.random.default_rng(SEED).permutation(len(everybody))[:readers]
    asked = [everybody[int(one)] for one in drawn]
    now = app.clock.now()
    await app.database.write(functools.partial(_subscribe, asked=asked, last=now - timedelta(days=days), now=now))
    platform = Taking(asked[0].ref.platform)
    space = Named(ref=Ref(platform.platform, "space"), name="bench")
    await app.database.write(functools.partial(spaces.belong, space=space, community=community))
    pipeline = await app.pipeline([platform])
    began, busy, goes = time.perf_counter(), time.process_time(), 0
    while await app.database.look(functools.partial(subscriptions.digests, community=community, now=app.clock.now())):
        await _fire(app, pipeline, community, space, number=goes)
        goes += 1
        progress(min(len(platform.done), len(asked)), len(asked))
    took, cpu = time.perf_counter() - began, time.process_time() - busy
    sent = sum(isinstance(one, OpenDirect) for one in platform.done)
    return Figures(
        figures={
            "sent": float(sent),
            "sending_goes": float(goes),
            "sending_s": took,
            "sending_cpu_s": cpu,
            "sending_each_ms": 1000 * took / len(asked),
        },
        ratios={},
    )


async def _subscribe(connection: Connection, *, asked: Sequence[Member], last: datetime, now: datetime) -> None:
    """Let members want a digest a week, of which the last came so long ago, and the next is due."""
    when, before = str(Rhythm(weekday=now.weekday(), hour=now.hour)), now - WEEK
    for one in asked:
        wish = KeepSubscription(member=one.ref, about="digest", when=when)
        for said in (wish, replace(wish, served=last)):
            await subscriptions.keep(connection, member=one.id, action=said, now=before)


async def _fire(app: App, pipeline: Pipeline, community: Community, space: Named, *, number: int) -> None:
    """Let the schedule come, as the jobs do."""
    now = app.clock.now()
    async with app.database.read() as connection:
        rules = await policies.load(connection, community)
    event = TimerFired(schedule="digest.personal", planned=now, at=now)
    delivery = Delivery(
        id=number,
        arrival=Arrival(space=space, event=event),
        received_at=now,
        attempts=0,
        followed=Followed(community=community, rules=rules, member=None),
    )
    nothing = asyncio.get_running_loop().create_future()
    nothing.set_result(None)
    await pipeline.handle(delivery, nothing)
