"""The only hands: what is intended is stored first, then tried within the chat's budget, then the receipt is stored.

Speech happens once at most: a crash between intent and receipt leaves it `unknown`, for everybody to see. What can be
repeated without harm (deleting, a time-out, a setting) is repeated.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.budget import Budget, Urgency
from bot.core.actions import (
    AskStaff,
    Ban,
    Delete,
    Edit,
    Forget,
    Kept,
    Kick,
    Say,
    Spoken,
    Timeout,
    Unban,
    Warn,
    target,
)
from bot.core.decisions import Receipt, Ruling
from bot.core.errors import Gone, Overloaded, Unavailable
from bot.core.log import trail
from storage import acts, members, traces
from storage.acts import Intent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.decisions import Trace
    from bot.core.ports import Adapter
    from bot.core.things import Member, Ref
    from bot.keeping import Keeper
    from storage.acts import Pressable
    from storage.communities import Community
    from storage.db import Database

log = logging.getLogger(__name__)

MODERATION = (Delete, Timeout, Kick, Ban, Unban, Warn)
TRIES = 4
"""How often an act is tried that a platform was too busy for, or that may be repeated."""
LONGEST = 60.0
"""Seconds that a streamed reply may take."""
NOT_TRIED = "not tried, since an act before it failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A verdict to carry out, and all that belongs to it; `member` is who set it off, where one did."""

    community: Community
    trace: Trace
    member: Member | None = None
    message: Ref | None = None
    pressed: Pressable | None = None
    keep: timedelta = timedelta(days=30)
    sorry: Say | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """Acts through the adapters, and through the keeper for what Kinfolk itself keeps."""

    database: Database
    adapters: Mapping[str, Adapter]
    keeper: Keeper
    clock: Clock
    budgets: dict[str, Budget] = field(default_factory=dict)
    streams: dict[str, AsyncIterator[str]] = field(default_factory=dict)

    def stream(self, pieces: AsyncIterator[str]) -> str:
        """Give pieces of text a handle, for a Say to name."""
        handle = secrets.token_urlsafe(6)
        self.streams[handle] = pieces
        return handle

    async def carry_out(self, case: Case) -> Trace | None:
        """Carry out what was kept and return the trace with its receipts; None for somebody forgotten meanwhile."""
        rulings = tuple(_armed(ruling) for ruling in case.trace.verdict.rulings)
        trace = replace(case.trace, verdict=replace(case.trace.verdict, rulings=rulings))
        case = replace(case, trace=trace)
        kept = [ruling for ruling in rulings if ruling.kept]
        intend = functools.partial(self._intend, case=case, kept=kept)
        numbers = await self.database.write(intend, durable=bool(kept))
        if numbers is None:
            self._let_go(rulings)
            return None
        receipts = await self._try_all(case, kept, numbers)
        if case.sorry and any(receipt.state == "failed" for receipt in receipts):
            await self._say_sorry(case, len(kept), next((one.error for one in receipts if one.state == "failed"), ""))
        self._let_go(rulings)
        done = replace(trace, receipts=tuple(receipts))
        if kept:
            await self.database.write(functools.partial(traces.complete, trace=done), durable=False)
        return done

    def _let_go(self, rulings: Sequence[Ruling]) -> None:
        """Drop the streams of what was not said."""
        for ruling in rulings:
            if isinstance(ruling.action, Say):
                self.streams.pop(ruling.action.stream, None)

    async def resume(self, community: Community, trace: Trace) -> None:
        """Finish what a crash interrupted: repeat what may be repeated, and let the rest be unknown."""
        async with self.database.read() as connection:
            every = await acts.of_trace(connection, trace.id)
        # Acts are in the order of what was kept; an apology, the last of them, takes nothing back.
        undoes = [ruling.undoes for ruling in trace.verdict.rulings if ruling.kept]
        for act, undone in itertools.zip_longest(every, undoes[: len(every)]):
            if act.state != "intended":
                continue
            if isinstance(act.action, Spoken):
                receipt = Receipt(state="unknown", error="interrupted by a crash; it may or may not have happened")
            else:
                receipt = await self._try(community, act.action)
            await self._end(act.id, act.action, receipt, undoes=undone)

    async def _intend(self, connection: AsyncConnection, case: Case, kept: Sequence[Ruling]) -> list[int] | None:
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

    async def _try_all(self, case: Case, kept: Sequence[Ruling], numbers: Sequence[int]) -> list[Receipt]:
        receipts: list[Receipt] = []
        failed: set[int] = set()
        for ruling, number in zip(kept, numbers, strict=True):
            action = ruling.action
            if ruling.decision in failed:
                receipt = Receipt(state="failed", error=NOT_TRIED)
            else:
                action, receipt = await self._carry_out(case.community, action)
            if receipt.state == "failed":
                failed.add(ruling.decision)
            await self._end(number, action, receipt, undoes=ruling.undoes)
            receipts.append(receipt)
        return receipts

    async def _carry_out(self, community: Community, action: Action) -> tuple[Action, Receipt]:
        """Try an action; a streamed one comes back with the text that was said in the end."""
        if isinstance(action, Say) and (pieces := self.streams.pop(action.stream, None)):
            return await self._say_in_pieces(community, action, pieces)
        return action, await self._try(community, action)

    async def _say_in_pieces(
        self, community: Community, action: Say, pieces: AsyncIterator[str]
    ) -> tuple[Action, Receipt]:
        """Say what comes as it comes; edits in between use what the budget has to spare."""
        said, shown, receipt = "", "", None
        async for piece in _bounded(pieces):
            said += piece
            if not said.strip():
                continue
            if receipt is None:
                receipt, shown = await self._try(community, replace(action, text=said)), said
                if receipt.state != "done" or receipt.made is None:
                    return replace(action, text=said), receipt
            elif self._budget(action.to).take_spare(str(action.to)):
                shown = said if (await self._edit(action, receipt, said)).state == "done" else shown
        if receipt is None:
            return action, await self._try(community, action)
        if shown != said:
            last = await self._try(community, _edit(action, receipt, said))
            shown = said if last.state == "done" else shown
        return replace(action, text=shown), replace(receipt, text=shown)

    async def _edit(self, action: Say, receipt: Receipt, text: str) -> Receipt:
        try:
            return await self.adapters[action.to.platform].act(_edit(action, receipt, text))
        except Overloaded as busy:
            self._budget(action.to).pause(str(action.to), busy.after)
            return Receipt(state="failed", error=str(busy))
        except Gone as gone:
            return Receipt(state="failed", error=str(gone))

    async def _try(self, community: Community, action: Action) -> Receipt:
        """Try an action; whatever comes of it is a receipt."""
        try:
            if isinstance(action, Kept):
                return await self.keeper.act(community, action)
            return await self._try_there(action)
        except Unavailable as away:
            return Receipt(state="failed", error=str(away))
        except Exception as error:  # noqa: BLE001 - belongs to the pipeline's door: an adapter's bug ends one act alone
            log.error("%s ended in a bug: %s", type(action).__name__, trail(error))
            bug = f"a bug came in between: {type(error).__name__}"
            return Receipt(state="failed" if isinstance(action, Kept) else "unknown", error=bug)

    async def _try_there(self, action: Action) -> Receipt:
        """Try until the platform took or refused it. A platform that says to wait is waited for."""
        where = target(action)
        assert where is not None  # noqa: S101 - whatever is not kept here is done to something
        if where.platform not in self.adapters:
            return Receipt(state="failed", error=f"{where.platform} is not connected")
        error: Exception = Gone("it was never tried")
        for _ in range(TRIES):
            await self._budget(where).take(str(where), _urgency(action))
            try:
                return await self.adapters[where.platform].act(action)
            except Overloaded as busy:
                error = busy
                self._budget(where).pause(str(where), busy.after)
            except Gone as gone:
                error = gone
                if isinstance(action, Spoken):
                    return Receipt(state="unknown", error=str(gone))
                await self.clock.sleep(1)
        return Receipt(state="failed", error=str(error))

    async def _end(self, number: int, action: Action, receipt: Receipt, *, undoes: int | None = None) -> None:
        now = self.clock.now()

        async def note(connection: AsyncConnection) -> None:
            await acts.ended(connection, number, action, receipt, now=now)
            if undoes is not None and receipt.state == "done":
                await acts.undone(connection, undoes, by=number)

        await self.database.write(note)

    async def _say_sorry(self, case: Case, position: int, error: str) -> None:
        """Tell whoever asked what did not work, so that no answer is ever silently lost."""
        assert case.sorry is not None  # noqa: S101 - the caller looked
        action = replace(case.sorry, text=case.sorry.text.format(error=error))
        if any(isinstance(ruling.action, Forget) for ruling in case.trace.verdict.rulings):
            # The trace went with everything else about them, and nothing may be written of it any more.
            await self._try(case.community, action)
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
        await self._end(number, action, await self._try(case.community, action))

    def _budget(self, where: Ref) -> Budget:
        if where.platform not in self.budgets:
            self.budgets[where.platform] = Budget(self.adapters[where.platform].limits, self.clock)
        return self.budgets[where.platform]


def _armed(ruling: Ruling) -> Ruling:
    """Give the buttons of an action the tokens they travel with."""
    action = ruling.action
    if not ruling.kept or not isinstance(action, Say | Edit | AskStaff) or not action.buttons:
        return ruling
    buttons = tuple(replace(button, token=secrets.token_urlsafe(12)) for button in action.buttons)
    return replace(ruling, action=replace(action, buttons=buttons))


def _edit(action: Say, receipt: Receipt, text: str) -> Edit:
    assert receipt.made is not None  # noqa: S101 - the caller looked
    return Edit(
        message=receipt.made,
        channel=action.to,
        text=text,
        only=action.only,
        invocation=action.invocation,
        buttons=action.buttons,
    )


def _urgency(action: Action) -> Urgency:
    return Urgency.MODERATION if isinstance(action, MODERATION) else Urgency.REPLY


async def _bounded(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield pieces until they end, fail or take too long; what was said so far stays."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + LONGEST
    try:
        while True:
            async with asyncio.timeout_at(ends):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece
    except Exception as error:  # noqa: BLE001 - belongs to the pipeline's door: a skill's own text may fail
        log.warning("a streamed reply broke off: %s", type(error).__name__)
