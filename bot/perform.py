"""The only hands: what is intended is stored first, then tried within the chat's budget, then the receipt is stored.

Speech happens once at most: a crash between intent and receipt leaves it `unknown`, for everybody to see. What can be
repeated without harm (deleting, a timeout, a setting) is repeated.
"""

from __future__ import annotations

import functools
import itertools
import logging
import secrets
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.budget import Urgency
from bot.core.actions import (
    AskStaff,
    Ban,
    CreateChannel,
    Delete,
    Edit,
    Forget,
    Inward,
    KeepAppeal,
    KeepCase,
    Kick,
    Moderation,
    OpenDirect,
    Say,
    SettleCase,
    Spoken,
    Timeout,
    following,
    placed,
    target,
)
from bot.core.decisions import Receipt, Ruling
from bot.core.errors import Unavailable
from bot.core.events import TimerFired
from bot.core.log import trail
from bot.policy import regret
from bot.sending import Sender
from bot.streaming import say_in_pieces
from storage import acts, members, spaces, traces
from storage.acts import Intent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.decisions import Trace
    from bot.core.ports import Adapter
    from bot.core.things import Community, Member, Ref
    from bot.keeping import Keeper
    from bot.metrics import Figures
    from bot.policy import Facts
    from storage.acts import Pressable
    from storage.connection import Connection
    from storage.db import Database

log = logging.getLogger(__name__)

OURSELVES = "kinfolk"
"""The platform of what Kinfolk itself keeps, in the figures."""
NOT_TRIED = "not tried, since an act before it failed"
Tried = tuple["Action", Receipt]
"""An act and what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A verdict to carry out, and all that belongs to it: what it rests on, where, and who set it off, if anybody."""

    community: Community
    trace: Trace
    member: Member | None = None
    message: Ref | None = None
    pressed: Pressable | None = None
    keep: timedelta = timedelta(days=30)
    space: Ref | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Acts through the adapters, and through the keeper for what Kinfolk itself keeps."""

    database: Database
    adapters: Mapping[str, Adapter]
    keeper: Keeper
    clock: Clock
    figures: Figures
    sender: Sender = field(init=False)
    streams: dict[str, dict[str, AsyncIterator[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sender = Sender(adapters=self.adapters, clock=self.clock, figures=self.figures)
        object.__setattr__(self, "sender", sender)

    def stream(self, trace: str, pieces: AsyncIterator[str]) -> str:
        """Give pieces of text a handle, for a Say of this trace to name; whoever asks lets go of the trace."""
        handle = secrets.token_urlsafe(6)
        self.streams.setdefault(trace, {})[handle] = pieces
        return handle

    def let_go(self, trace: str) -> None:
        """Drop the streams of a trace that were never said, whatever came of it."""
        self.streams.pop(trace, None)

    async def carry_out(self, case: Case) -> Trace | None:
        """Carry out what was kept and return the trace with its receipts; None for somebody forgotten meanwhile."""
        rulings = tuple(_armed(ruling, case.space) for ruling in case.trace.verdict.rulings)
        trace = replace(case.trace, verdict=replace(case.trace.verdict, rulings=rulings))
        case = replace(case, trace=trace)
        kept = [ruling for ruling in rulings if ruling.kept]
        intend = functools.partial(self._intend, case=case, kept=kept)
        numbers = await self.database.write(intend, durable=bool(kept))
        if numbers is None:
            return None
        done = await self._try_all(case, kept, numbers)
        if sorry := await self._sorry(case, done):
            await self._say_sorry(case, len(kept), sorry)
        return trace.ended(done)

    async def resume(self, community: Community, trace: Trace) -> None:
        """Finish what a crash interrupted: repeat what may be repeated, and let the rest be unknown."""
        async with self.database.read() as connection:
            every = await acts.of_trace(connection, trace.id)
        # Acts are in the order of what was kept; an apology, the last of them, takes nothing back.
        kept = [ruling for ruling in trace.verdict.rulings if ruling.kept]
        tried: defaultdict[int | None, list[Tried]] = defaultdict(list)
        stopped: set[int] = set()
        made: dict[int, Ref] = {}
        for act, ruling in itertools.zip_longest(every, kept[: len(every)]):
            receipt, decision = act.receipt, ruling.decision if ruling else None
            if act.state == "intended":
                action = following(act.action, made[decision]) if decision in made else act.action
                ended = decision in stopped or _waits_in_vain(action, tried[decision], trace)
                receipt = await self._resumed(community, trace, action, ended=ended)
                await self._end(act.id, action, receipt, undoes=ruling.undoes if ruling else None)
            if decision is not None:
                tried[decision].append((act.action, receipt))
            if decision is not None and _ends_all(act.action, receipt):
                stopped.add(decision)
            if decision is not None and isinstance(act.action, CreateChannel) and receipt.made is not None:
                made[decision] = receipt.made

    async def _resumed(self, community: Community, trace: Trace, action: Action, *, ended: bool) -> Receipt:
        """Repeat an act that a crash interrupted, where that does no harm and its decision was not refused."""
        if ended:
            return Receipt(state="failed", error=NOT_TRIED)
        if isinstance(action, Spoken) and not _mends(action):
            return Receipt(state="unknown", error="interrupted by a crash; it may or may not have happened")
        return await self._try(community, action, _urgency(action, trace), trace=trace.id)

    async def _intend(self, connection: Connection, case: Case, kept: Sequence[Ruling]) -> list[int] | None:
        if case.member and not await members.is_known(connection, case.member):
            return None
        await traces.record(connection, case.community, case.trace, message=case.message)
        now = self.clock.now()
        if case.pressed:
            await acts.press(connection, case.pressed, now=now)
        intents = [
            Intent(
                position=position,
                skill=case.trace.verdict.decisions[ruling.decision].skill,
                action=ruling.action,
            )
            for position, ruling in enumerate(kept)
        ]
        return await acts.intend(
            connection, case.community, case.trace.id, intents, now=now, expires_at=now + case.keep
        )

    async def _try_all(self, case: Case, kept: Sequence[Ruling], numbers: Sequence[int]) -> list[Tried]:
        """Try what was kept, one after the other, and return each act as it was in the end, with its receipt."""
        done: list[Tried] = []
        tried: defaultdict[int, list[Tried]] = defaultdict(list)
        stopped: set[int] = set()
        made: dict[int, Ref] = {}
        for ruling, number in zip(kept, numbers, strict=True):
            action = following(ruling.action, made[ruling.decision]) if ruling.decision in made else ruling.action
            if ruling.decision in stopped or _waits_in_vain(action, tried[ruling.decision], case.trace):
                receipt = Receipt(state="failed", error=NOT_TRIED)
            else:
                action, receipt = await self._carry_out(case, action)
            tried[ruling.decision].append((action, receipt))
            if _ends_all(action, receipt):
                stopped.add(ruling.decision)
            if isinstance(action, CreateChannel) and receipt.made is not None:
                made[ruling.decision] = receipt.made
            await self._end(number, action, receipt, undoes=ruling.undoes)
            done.append((action, receipt))
        return done

    async def _carry_out(self, case: Case, action: Action) -> tuple[Action, Receipt]:
        """Try an action; a streamed one comes back with the text that was said in the end."""
        attempt = functools.partial(
            self._try, case.community, urgency=_urgency(action, case.trace), trace=case.trace.id
        )
        streams = self.streams.get(case.trace.id, {})
        if isinstance(action, Say | OpenDirect) and (pieces := streams.pop(action.stream, None)):
            return await say_in_pieces(action, pieces, sender=self.sender, attempt=attempt)
        return action, await attempt(action)

    async def _try(self, community: Community, action: Action, urgency: Urgency, *, trace: str = "") -> Receipt:
        """Try an action; whatever comes of it is a receipt."""
        try:
            if isinstance(action, Inward):
                return await self.keeper.act(community, action, trace=trace)
            return await self.sender.send(action, urgency)
        except Unavailable as away:
            return Receipt(state="failed", error=str(away))
        except Exception as error:  # noqa: BLE001 - belongs to the pipeline's door: an adapter's bug ends one act alone
            log.error("%s ended in a bug: %s", type(action).__name__, trail(error))
            bug = f"a bug came in between: {type(error).__name__}"
            return Receipt(state="failed" if isinstance(action, Inward) else "unknown", error=bug)

    async def _end(self, number: int, action: Action, receipt: Receipt, *, undoes: int | None = None) -> None:
        now, where = self.clock.now(), target(action)
        self.figures.acted(where.platform if where else OURSELVES, type(action).__name__, receipt)

        async def note(connection: Connection) -> None:
            await acts.record_outcome(connection, number, action, receipt, now=now)
            if undoes is not None and receipt.state == "done":
                await acts.record_undo(connection, undoes, by=number)

        await self.database.write(note)

    async def _sorry(self, case: Case, done: Sequence[Tried]) -> Say | OpenDirect | None:
        """Return what to tell whoever asked when something did not work, and where, if it did elsewhere."""
        failed = _gravest(done)
        if failed is None or case.facts is None:
            return None
        action, receipt = failed
        missed = _missed(action, done)
        if missed:
            receipt = replace(receipt, error="; ".join(dict.fromkeys(one.error for one in missed.values())))
        named = await self._named(case.community, list(missed))
        return regret(action, receipt, case.trace.verdict.decisions, case.facts, named)

    async def _named(self, community: Community, some: Sequence[Ref]) -> str:
        """Return how spaces are called."""
        if not some:
            return ""
        async with self.database.read() as connection:
            return await spaces.called(connection, community, some)

    async def _say_sorry(self, case: Case, position: int, action: Say | OpenDirect) -> None:
        """Tell whoever asked what did not work, so that no answer is ever silently lost."""
        if any(isinstance(ruling.action, Forget) for ruling in case.trace.verdict.rulings):
            # The trace went with everything else about them, and nothing may be written of it any more.
            await self._try(case.community, action, Urgency.REPLY)
            return
        intent = Intent(position=position, skill=case.trace.verdict.decisions[0].skill, action=action)
        intend = functools.partial(
            acts.intend,
            community=case.community,
            trace=case.trace.id,
            intents=[intent],
            now=self.clock.now(),
            expires_at=self.clock.now(),
        )
        [number] = await self.database.write(intend)
        await self._end(number, action, await self._try(case.community, action, Urgency.REPLY))


def _ends_all(action: Action, receipt: Receipt) -> bool:
    """Say whether nothing of a decision is done any more: of two who decide the same, the second is refused."""
    return receipt.state == "failed" and isinstance(action, SettleCase | KeepAppeal)


def _is_by_the_way(action: Action, trace: Trace) -> bool:
    """Say whether what comes after an act does not wait upon it: an old message of the bot, a word to somebody else.

    So it is with each of several answers that nobody asked for, such as digests of several channels, and with what
    the staff has told to everybody who waits for it.
    """
    asked = any(one.asked and one.approved is None for one in trace.verdict.decisions)
    if isinstance(action, Say) and action.answer and not asked:
        return True
    if isinstance(action, OpenDirect):
        return action.member != trace.member and not _is_warning(action, trace)
    return isinstance(action, Edit)


def _is_warning(letter: OpenDirect, trace: Trace) -> bool:
    """Say whether a letter is all that is done to a member: a case of a warning that nobody heard is none."""
    every = (one for decision in trace.verdict.decisions for one in decision.actions)
    return any(isinstance(one, KeepCase) and one.step == "warn" and one.member == letter.member for one in every)


def _waits_in_vain(action: Action, tried: Sequence[Tried], trace: Trace) -> bool:
    """Say whether an act waits upon one of its decision that failed, neither by the way nor done in another space.

    What keeps the place safe is tried whatever became of the rest: a message that is gone saves nobody.
    """
    return not isinstance(action, Delete | Moderation) and any(
        receipt.state == "failed" and not _is_by_the_way(one, trace) and not _is_done_elsewhere(one, tried)
        for one, receipt in tried
    )


def _is_done_elsewhere(failed: Action, tried: Sequence[Tried]) -> bool:
    """Say whether what failed in one space was done to the same member in another."""
    return any(receipt.state == "done" and _is_alike(failed, one) for one, receipt in tried)


def _is_alike(action: Action, other: Action) -> bool:
    """Say whether two acts send out or silence the same member, each in a space."""
    if not isinstance(action, Ban | Kick | Timeout) or not isinstance(other, Ban | Kick | Timeout):
        return False
    return replace(action, space=None) == replace(other, space=None)


def _missed(failed: Action, done: Sequence[Tried]) -> dict[Ref, Receipt]:
    """Return the spaces in which something did not work that did in another one."""
    if not _is_done_elsewhere(failed, done):
        return {}
    alike = [(one, receipt) for one, receipt in done if receipt.state == "failed" and _is_alike(failed, one)]
    return {one.space: receipt for one, receipt in alike if isinstance(one, Ban | Kick | Timeout) and one.space}


def _gravest(done: Sequence[Tried]) -> Tried | None:
    """Return what to tell of all that failed: what should keep the place safe if it was tried, else the first."""
    failed = [(action, receipt) for action, receipt in done if receipt.state == "failed"]
    grave = (one for one in failed if isinstance(one[0], Delete | Moderation) and one[1].error != NOT_TRIED)
    return next(grave, next(iter(failed), None))


def _armed(ruling: Ruling, space: Ref | None) -> Ruling:
    """Give an action what it travels with: the space in which it is done, and the tokens of its buttons."""
    if not ruling.kept:
        return ruling
    action = placed(ruling.action, space) if space else ruling.action
    ruling = replace(ruling, action=action)
    if not isinstance(action, Say | Edit | AskStaff | OpenDirect) or not action.buttons:
        return ruling
    buttons = tuple(replace(button, token=secrets.token_urlsafe(12)) for button in action.buttons)
    return replace(ruling, action=replace(action, buttons=buttons))


def _mends(action: Action) -> bool:
    """Say whether an act takes back words that must not stand: it may be repeated, and goes first."""
    return isinstance(action, Edit) and action.mends


def _urgency(action: Action, trace: Trace) -> Urgency:
    """Return who goes first: what keeps the place safe, then answers, then what a timer set off."""
    if isinstance(action, Moderation | Delete) or _mends(action):
        return Urgency.MODERATION
    return Urgency.DIGEST if trace.kind == TimerFired.__name__ else Urgency.REPLY
