"""The moderator of each community, kept until its rules, its lessons or what was learned from them change."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.core.errors import Mistake
from bot.core.policies import at
from brains.moderation import rules
from brains.moderation.learned import Learned, from_bytes
from brains.moderation.memory import SpamMemory
from brains.moderation.moderator import Moderator
from brains.moderation.pictures import PictureWatch
from brains.moderation.raids import RaidWatch
from brains.moderation.remembering import album, remember
from brains.moderation.rulebook import Rulebooks, figures
from brains.moderation.windows import Windows
from storage import lessons, policies

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.policies import Policy
    from bot.core.policies import Rules as Policies
    from bot.core.things import Community
    from brains.moderation.heads import Heads
    from brains.moderation.presets import Preset
    from storage.connection import Connection
    from storage.db import Database
    from storage.lessons import Kept, Lesson

log = structlog.get_logger(__name__)
FRESH = timedelta(seconds=1)
"""For so long nobody looks whether a community's rules or lessons changed; what this process changes holds at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a moderator depends on: the lessons, what was learned, and what staff set."""

    lessons: str
    learned: str
    encoder: str
    policies: Policies


@dataclass(slots=True, kw_only=True)
class Known:
    """A moderator, what it was made of, and when that was last looked at."""

    moderator: Moderator
    state: State
    looked_at: datetime


class Moderators:
    """Makes moderators. `encoder` is the fingerprint of the encoder, empty until it is there."""

    def __init__(
        self, database: Database, clock: Clock, *, heads: Callable[[], Heads | None], encoder: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self.heads = heads
        self._encoder = encoder
        self._known: dict[int, Known] = {}
        self._making = asyncio.Lock()

    def changed(self) -> None:
        """Look anew at what every moderator is made of, before it is used again."""
        for known in self._known.values():
            known.looked_at -= 2 * FRESH

    async def of(self, community: Community) -> Moderator:
        """Return a community's moderator as its rules and lessons are now."""
        known = self._known.get(community.id)
        if known is not None and self._clock.now() - known.looked_at <= FRESH:
            return known.moderator
        async with self._making:
            return await self._look(community)

    async def _look(self, community: Community) -> Moderator:
        now = self._clock.now()
        known = self._known.get(community.id)
        if known is not None and now - known.looked_at <= FRESH:
            return known.moderator
        state = await self._database.look(functools.partial(self._state, community=community, now=now))
        if known is not None and known.state == state:
            known.looked_at = now
            return known.moderator
        moderator = await self._make(community, state, known.moderator if known else None)
        self._known[community.id] = Known(moderator=moderator, state=state, looked_at=now)
        return moderator

    async def _state(self, connection: Connection, community: Community, now: datetime) -> State:
        made_by = self.made_by()
        return State(
            lessons=await lessons.version(connection, community, now, made_by),
            learned=await lessons.learned_version(connection, community),
            encoder=self._encoder(),
            policies=await policies.load(connection, community),
        )

    async def trial(self, community: Community, *, written: str | None, strictness: str | None) -> Moderator:
        """Return a moderator with other rules than the community has, which sees nothing of what is said meanwhile.

        Raises Mistake for rules that cannot be read.
        """
        if written is not None:
            await asyncio.to_thread(rules.read, written)
        now = self._clock.now()
        state = await self._database.look(functools.partial(self._state, community=community, now=now))
        change = {name: one for name, one in (("rules", written), ("strictness", strictness)) if one is not None}
        policy = state.policies.policy.model_copy(update=change)
        overrides = {} if strictness is not None else state.policies.overrides
        wanted = replace(state.policies, policy=policy, overrides=overrides)
        return await self._make(community, replace(state, policies=wanted), None)

    def made_by(self) -> str:
        """Name the encoder and the shipped heads."""
        heads = self.heads()
        return made_by(self._encoder(), heads)

    async def _make(self, community: Community, state: State, before: Moderator | None) -> Moderator:
        async def read(connection: Connection) -> tuple[list[Lesson], Kept | None]:
            taught = await lessons.of(connection, community)
            return taught, await lessons.learned(connection, community, self.made_by())

        taught, kept = await self._database.look(read)
        memory = await asyncio.to_thread(_memory, taught, self.made_by())
        rules, raids = await asyncio.to_thread(_rules, state.policies, before)
        return Moderator(
            rules=rules,
            raids=raids,
            album=album(taught),
            watch=before.watch if before else PictureWatch(),
            heads=self.heads(),
            encoder=state.encoder,
            memory=memory,
            learned=_learned(kept),
        )


def _rules(policies: Policies, before: Moderator | None) -> tuple[Rulebooks, RaidWatch]:
    """Compile what staff set; the windows, and a raid that is on, go on as they were."""
    written = _written(policies.policy.rules)
    books = Rulebooks(
        rules=written,
        preset=_strictness(policies.policy),
        presets=lambda channel: _strictness(at(policies.policy, policies.overrides, str(channel))),
        windows=before.rules.windows if before and before.rules else Windows(),
    )
    tuned = figures(written, _strictness(policies.policy))
    if before is not None and before.raids is not None:
        before.raids.tuned(tuned)
        return books, before.raids
    return books, RaidWatch(joins=tuned.raid_joins, alike=tuned.raid_alike, quiet=tuned.raid_quiet)


def _written(text: str) -> rules.Rules:
    """Read the rules that staff set; those that cannot be read any more, by another version, leave the preset alone."""
    try:
        return rules.read(text)
    except Mistake as mistake:
        log.warning("rules_unread", reason=str(mistake))
        return rules.Rules()


def _strictness(policy: Policy) -> Preset:
    return policy.strictness


def load_heads() -> Heads | None:
    """Read the heads that come with Kinfolk, and what undoing disguise needs; None where there are none."""
    from brains.moderation import undisguise

    undisguise.ready()
    try:
        from brains.moderation.heads import shipped

        return shipped()
    except (ImportError, FileNotFoundError):
        return None


def made_by(encoder: str, heads: Heads | None) -> str:
    """Name an encoder and heads: what they made of lessons is compared with nothing else."""
    return f"{encoder} {heads.made if heads else ''}".strip() or "nothing"


def _memory(taught: list[Lesson], made: str) -> SpamMemory:
    return SpamMemory([remember(one, made) for one in taught if one.head == "spam" and (one.text or one.signature)])


def _learned(kept: Kept | None) -> Learned:
    """Read what was learned; what an older Kinfolk wrote waits for being learned anew."""
    try:
        return from_bytes(kept.data) if kept else Learned()
    except ValueError:
        return Learned()
