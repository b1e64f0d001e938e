"""One event in: skills propose, policy rules, one module acts, the trace remembers."""

from __future__ import annotations

import asyncio
import functools
import logging
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.asking import Asking
from bot.core.actions import Inward, KeepAnswer, LinkCommunities, SetPolicy
from bot.core.decisions import Mode, Trace, Verdict
from bot.core.errors import Mistake
from bot.core.events import (
    ButtonPressed,
    CommandGiven,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
    ReactionRemoved,
    TimerFired,
    actor,
    is_asked,
    is_spoken_to,
    key,
    place,
    ruled_by,
)
from bot.core.i18n import catalogue, spoken, written
from bot.core.policies import mode_of, speaking
from bot.core.ports import Followed
from bot.core.things import Audience, Rank
from bot.perform import Case
from bot.policy import Facts, judge, occasion, reached
from brains.skills.skill import Context
from storage import acts, channels, communities, members, messages, outreach, policies, traces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.core.clock import Clock
    from bot.core.decisions import Decision
    from bot.core.events import Event
    from bot.core.outreach import Outreach
    from bot.core.policies import Policy
    from bot.core.ports import Delivery, Vector
    from bot.core.things import Community, Ref
    from bot.perform import Performer
    from brains.skills.skill import Faculties, Skill
    from storage.acts import Pressable
    from storage.connection import Connection
    from storage.db import Database

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=1)
"""For so long what staff had set when an event came is not read again; what this process changes holds at once."""
LAST_WORDS = 5
"""Messages that tell which language somebody writes."""
STALE = timedelta(minutes=10)
"""An event older than this when it is handled is learned from, never answered: nobody waits for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Handles events of one process. `watchers` hear every trace in which something was decided."""

    database: Database
    performer: Performer
    skills: Sequence[Skill]
    faculties: Faculties
    clock: Clock
    language: str
    watchers: list[Callable[[Trace], None]] = field(default_factory=list)
    _changed: dict[int, datetime] = field(default_factory=dict)

    async def handle(self, delivery: Delivery, vector: asyncio.Future[Vector | None]) -> None:
        """Decide about one event and act. A redelivery is finished, never decided again. Raises Unavailable."""
        followed = delivery.followed
        if followed is None:
            raise ValueError(f"event {delivery.id} is not in the tables yet")
        if not self._holds(followed, delivery.received_at):
            followed = await self._now(delivery.arrival.event, followed.community)
        if delivery.attempts and await self._was_decided(delivery, followed.community):
            return
        trace_id = secrets.token_hex(6)
        with structlog.contextvars.bound_contextvars(trace=trace_id):
            try:
                context = await self._context(delivery, followed, vector, trace_id)
                trace, pressed, facts = await self._decide(context, trace_id, live=self._is_live(delivery))
                self._note_time(delivery)
                if trace.verdict.decisions or any(step.failed for step in trace.steps) or _owes_reason(context):
                    await self._carry_out(trace, context, pressed, facts)
            finally:
                self.performer.let_go(trace_id)

    def _note_time(self, delivery: Delivery) -> None:
        took = self.clock.now() - delivery.received_at
        self.performer.figures.decided(delivery.arrival.space.ref.platform, took.total_seconds())

    async def rehearse(self, delivery: Delivery, community: Community, vector: asyncio.Future[Vector | None]) -> Trace:
        """Say what would be decided about an event if it came now, by today's rules, and do nothing."""
        followed = await self._now(delivery.arrival.event, community)
        context = await self._context(delivery, followed, vector, "rehearsal")
        context = replace(context, stream=lambda _pieces: "")
        trace, _pressed, _facts = await self._decide(context, "rehearsal", live=True)
        return trace

    async def _was_decided(self, delivery: Delivery, community: Community) -> bool:
        """Finish what a crash interrupted, if this event was decided about before it."""
        async with self.database.read() as connection:
            trace = await traces.of_event(connection, community, key(delivery.arrival.event))
        if trace is not None:
            await self.performer.resume(community, trace)
        return trace is not None

    async def _decide(
        self, context: Context, trace_id: str, *, live: bool
    ) -> tuple[Trace, Pressable | None, Facts | None]:
        """Ask the skills and rule on what they propose."""
        started = time.perf_counter()
        event = context.event
        pressed, modes = None, self._modes(context)
        if isinstance(event, ButtonPressed):
            async with self.database.read() as connection:
                pressed = await acts.button(connection, context.community, event.button)
        asked = await Asking(skills=self.skills).ask(context, pressed, modes)
        decisions = [decision for _, decision in asked if decision and (decision.actions or _accounts(decision, event))]
        facts = await self._facts(context, decisions, live=live) if decisions else None
        where, who = place(event), actor(event)
        trace = Trace(
            id=trace_id,
            event=key(event),
            kind=type(event).__name__,
            at=event.at,
            channel=where.ref if where else None,
            member=who.ref if who and (who.bot or context.member) else None,
            live=live,
            steps=tuple(step for step, _ in asked),
            verdict=judge(decisions, facts, modes) if facts else Verdict(),
            milliseconds=(time.perf_counter() - started) * 1000,
        )
        return trace, pressed, facts

    async def _facts(self, context: Context, decisions: Sequence[Decision], *, live: bool) -> Facts:
        event, where = context.event, place(context.event)
        staff = await self._staff_channel(context)
        return Facts(
            live=live,
            can={name: adapter.can for name, adapter in self.performer.adapters.items()},
            confidence=context.policy.confidence,
            staff_channel=staff,
            translate=await catalogue(context.policy.language or self.language),
            occasion=occasion(event),
            speak=context.policy.speak,
            speak_in=speaking(context.overrides),
            direct=where.ref if where and where.audience is Audience.DIRECT else None,
            asker=context.member.ref if context.member else None,
            answer=context.answer("") if where and context.member else None,
            command=event.command if isinstance(event, CommandGiven) else "",
            theirs=context.translate,
            ask_first=context.here.asked_first,
            outreach=await self._outreach(context, decisions),
            most_a_week=context.policy.most_a_week,
            secret=await self._secret(context, decisions, staff),
        )

    async def _secret(self, context: Context, decisions: Sequence[Decision], staff: Ref | None) -> frozenset[str]:
        """Return which answers the `staff` may not read: those to one member, and in channels that not everyone reads.

        What is said in a channel rests on nothing that is not read there (`storage.channels.aloud`).
        """
        every = (action for decision in decisions for action in decision.actions)
        answers = [one for one in every if isinstance(one, KeepAnswer) and (one.alone or one.channel != staff)]
        if not answers:
            return frozenset()
        async with self.database.read() as connection:
            audiences = await channels.audiences(connection, context.community)
        return frozenset(
            one.answer for one in answers if one.alone or audiences.get(one.channel) is not Audience.EVERYONE
        )

    async def _outreach(self, context: Context, decisions: Sequence[Decision]) -> dict[Ref, Outreach]:
        """Return how it stands with whoever is to be written to and did not ask for it."""
        every = (reached(action, context.can) for decision in decisions for action in decision.actions)
        members_ = {member for member in every if member is not None}
        if not members_:
            return {}
        async with self.database.read() as connection:
            return await outreach.of(connection, context.community, context.policy, members_, context.now)

    def _is_live(self, delivery: Delivery) -> bool:
        return delivery.arrival.live and self.clock.now() - delivery.arrival.event.at < STALE

    async def _staff_channel(self, context: Context) -> Ref | None:
        if not context.policy.staff_channel:
            return None
        try:
            async with self.database.read() as connection:
                return (await channels.find(connection, context.community, context.policy.staff_channel)).ref
        except Mistake:
            return None

    async def _carry_out(self, trace: Trace, context: Context, pressed: Pressable | None, facts: Facts | None) -> None:
        # A button under which nothing may happen (it came late) is not spent.
        settled = all(decision.settles for decision in trace.verdict.decisions) and any(
            ruling.kept for ruling in trace.verdict.rulings
        )
        case = Case(
            community=context.community,
            trace=trace,
            member=context.member,
            message=_message(context.event),
            pressed=pressed if settled else None,
            keep=timedelta(days=context.policy.trace_days),
            space=context.space,
            facts=facts,
        )
        done = await self.performer.carry_out(case)
        if done is None:
            log.info("%s: who it was about was forgotten meanwhile", trace.kind)
            return
        if any(ruling.kept and isinstance(ruling.action, Inward) for ruling in done.verdict.rulings):
            self.faculties.changed()
        for ruling in done.verdict.rulings:
            if ruling.kept and isinstance(ruling.action, SetPolicy | LinkCommunities):
                self._changed[context.community.id] = self.clock.now()
            if ruling.kept and isinstance(ruling.action, LinkCommunities):
                self._changed[ruling.action.other] = self.clock.now()
        log.info("%s: %d acts in %.0f ms", trace.kind, len(done.receipts), trace.milliseconds)
        for watch in self.watchers:
            watch(done)

    def _holds(self, followed: Followed, since: datetime) -> bool:
        """Say whether what staff had set when an event came is what they have set now."""
        changed = self._changed.get(followed.community.id)
        return self.clock.now() - since <= FRESH and (changed is None or changed < since)

    async def _now(self, event: Event, community: Community) -> Followed:
        """Return what holds for an event now."""
        who = actor(event)

        async def look(connection: Connection) -> Followed:
            whose = await communities.now(connection, community)
            member = await members.by_ref(connection, whose, who.ref) if who and not who.bot else None
            return Followed(community=whose, rules=await policies.load(connection, whose), member=member)

        return await self.database.look(look)

    async def _context(
        self, delivery: Delivery, followed: Followed, vector: asyncio.Future[Vector | None], trace_id: str
    ) -> Context:
        event, policy, member = delivery.arrival.event, followed.rules.policy, followed.member
        who = actor(event)
        said = spoken(who.language if who else "") or spoken(member.language if member else "")
        language = said or await self._written(event, followed) or policy.language or self.language
        return Context(
            event=event,
            space=delivery.arrival.space.ref,
            community=followed.community,
            policy=policy,
            modes=followed.rules.modes,
            overrides=followed.rules.overrides,
            member=member,
            rank=_rank(event, policy),
            language=language,
            common=self.language,
            can={name: adapter.can for name, adapter in self.performer.adapters.items()},
            translate=await catalogue(language),
            now=self.clock.now(),
            faculties=self.faculties,
            vector=functools.partial(asyncio.shield, vector),
            stream=functools.partial(self.performer.stream, trace_id),
        )

    async def _written(self, event: Event, followed: Followed) -> str:
        """Return the language that whoever asks writes in, where the platform does not say."""
        if isinstance(event, MessagePosted):
            return written([event.text])
        if followed.member is None or not is_asked(event):
            return ""
        async with self.database.read() as connection:
            return written(await messages.latest_words(connection, followed.community, followed.member.id, LAST_WORDS))

    def _modes(self, context: Context) -> dict[str, Mode]:
        channel = str(ruled_by(context.event) or "")
        return {skill.name: mode_of(context.modes, skill.name, channel) for skill in self.skills}


def _rank(event: Event, policy: Policy) -> Rank:
    """Return what somebody may do here: what the platform says, or staff by the roles that the owner named."""
    who = actor(event)
    said: Rank | None = getattr(event, "rank", who.rank if who else None)
    rank = said or Rank.MEMBER
    return max(rank, Rank.STAFF) if who is not None and who.roles & policy.staff else rank


def _owes_reason(context: Context) -> bool:
    """Say whether somebody turned to the bot, so that its silence wants a reason; of strangers nothing is held."""
    who = actor(context.event)
    return is_spoken_to(context.event) and who is not None and (who.bot or context.member is not None)


def _accounts(decision: Decision, event: Event) -> bool:
    """Say whether the reason for doing nothing is kept: whoever asks what came of a schedule is told."""
    return isinstance(event, TimerFired) and not decision.owed


def _message(event: Event) -> Ref | None:
    """Return the message that an event is about."""
    match event:
        case MessagePosted() | MessageEdited() | MessageDeleted() | ReactionAdded() | ReactionRemoved():
            return event.message
        case CommandGiven() | ButtonPressed():
            return event.invocation
        case _:
            return None
