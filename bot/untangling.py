"""Finds out in the background in which conversation each message is: its thread's, its reply's, or by reading."""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Unavailable
from brains.knowledge.untangle import Said, load
from brains.knowledge.untangle_features import WINDOW
from storage import conversations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.core.clock import Clock
    from brains.knowledge.untangle import Untangler
    from storage.connection import Connection
    from storage.conversations import Labelled, Line, Untold
    from storage.db import Database

log = logging.getLogger(__name__)

GLANCE = 1.0
"""Seconds between looks for what was said since."""
PORTION = 200
"""Messages untangled in one go, in a thread: more of them share the reading of those before them."""
AT_ONCE = 20_000
"""Messages looked for in one go, which are put in order before any is untangled."""
MOST = 1_000
"""Messages read at most for one portion, where new ones lie far between old ones."""
RESTS = 9.0
"""So many times as long as it worked does a running bot rest: a tenth of a core at most, since members come first."""
BACK = timedelta(days=3)
"""What was said longer before answers nothing, so that a quiet channel need not be read far back."""
AGAIN = 20
"""Messages after those that came late that are asked again whether they begin anything."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Untangling:
    """What untangles all channels of one database; nothing is remembered between two looks."""

    database: Database
    clock: Clock
    untangler: Callable[[], Untangler] = load
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Untangle what is said until cancelled."""
        while True:
            try:
                await self._pass_over(rests=RESTS)
            except Unavailable as error:
                log.warning("conversations wait to be told apart: %s", error)
            await self.clock.sleep(GLANCE)

    async def catch_up(self, progress: Progress = lambda _done, _all: None) -> int:
        """Untangle everything that waits, without a rest; returns how many messages that were."""
        done = 0
        while some := await self._pass_over(rests=0, progress=functools.partial(_further, progress, done)):
            done += some
        return done

    async def _pass_over(self, *, rests: float, progress: Progress = lambda _done, _all: None) -> int:
        """Untangle what waits now; while one rests, whoever is in a hurry goes ahead."""
        waiting = await self.database.look(functools.partial(conversations.untold, limit=AT_ONCE))
        done = 0
        for some in _portions(waiting):
            async with self._one_at_a_time:
                began = time.perf_counter()
                done += await self._untangle(some)
                took = time.perf_counter() - began
            progress(done, len(waiting))
            if rests:
                await self.clock.sleep(rests * took)
        return done

    async def _untangle(self, some: Sequence[Untold]) -> int:
        """Untangle messages of one channel, in order of time; returns how many of them waited still."""
        numbers = [one.number for one in some]
        still = await self.database.look(functools.partial(conversations.still_untold, numbers=numbers))
        if not (some := [one for one in some if one.number in still]):
            return 0
        lines, away, roots = await self.database.look(functools.partial(_read, some=some))
        wanted = frozenset(one.number for one in some)
        untangler = await asyncio.to_thread(self.untangler)
        told = await asyncio.to_thread(tell_apart, lines, wanted, untangler, away=away, roots=roots)
        # What was not read stands alone, so that it waits no longer: too much was said at that very moment.
        labels = {number: number for number in wanted} | dict(told.labels)
        await self.database.write(functools.partial(conversations.tell, labels=labels, moves=told.moves), durable=False)
        return len(wanted)


def _further(progress: Progress, before: int, done: int, everything: int) -> None:
    progress(before + done, before + everything)


def _portions(waiting: Sequence[Untold]) -> Iterator[Sequence[Untold]]:
    """Yield messages of one channel each, in order of time, that lie near each other."""
    rooms: dict[int, list[Untold]] = defaultdict(list)
    for one in waiting:
        rooms[one.channel].append(one)
    for room in rooms.values():
        room.sort(key=lambda one: (one.at, one.number))
        begins = [at for at in range(1, len(room)) if room[at].at - room[at - 1].at > BACK]
        for low, high in itertools.pairwise([0, *begins, len(room)]):
            for start in range(low, high, PORTION):
                yield room[start : min(high, start + PORTION)]


async def _read(
    connection: Connection, some: Sequence[Untold]
) -> tuple[list[Line], dict[str, Labelled], dict[str, int]]:
    first, last = some[0], some[-1]
    lines = await conversations.stretch(
        connection,
        first.channel,
        first.at,
        last.at,
        limit=MOST,
        earlier=WINDOW,
        since=first.at - BACK,
        later=AGAIN,
    )
    wanted = {one.number for one in some}
    threads = {one.thread for one in lines if one.thread is not None and one.number in wanted}
    roots = await conversations.roots(connection, sorted(threads))
    refs = {one.reply_to for one in lines if one.reply_to} | roots.keys()
    away = await conversations.labelled(connection, first.channel, sorted(refs - {one.ref for one in lines}))
    return lines, away, roots


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Messages by number and their conversations, and conversations that became part of others."""

    labels: Mapping[int, int]
    moves: Mapping[int, int]


def tell_apart(
    lines: Sequence[Line],
    wanted: frozenset[int],
    untangler: Untangler,
    *,
    away: Mapping[str, Labelled],
    roots: Mapping[str, int],
) -> Told:
    """Find the conversations of the lines wanted; `lines` are of one channel, in order of time.

    What begins something, and comes soon after one that was not there before, is asked again. `away` are messages that
    are replied to elsewhere in the channel, `roots` the threads that began at a message, both by its reference.
    """
    late = _late(lines, wanted)
    asked = [at for at, line in enumerate(lines) if line.number in wanted or at in late]
    read = _reading(lines, asked, untangler)
    label = {ref: one.label for ref, one in away.items()}
    label |= {line.ref: line.conversation for line in lines if line.conversation is not None}
    labels: dict[int, int] = {}
    moves: dict[int, int] = {}
    for at in asked:
        line = lines[at]
        found = _found(line, lines[read.get(at, at)], label, roots)
        found = moves.get(found, found)
        labels[line.number] = label[line.ref] = found
        if found != line.number:
            moves[line.number] = found
            label.update({ref: found for ref, one in label.items() if one == line.number})
    numbers = {ref: one.number for ref, one in away.items()} | {line.ref: line.number for line in lines}
    return Told(labels=labels | {numbers[ref]: -thread for ref, thread in roots.items() if ref in numbers}, moves=moves)


def _found(line: Line, answered: Line, label: Mapping[str, int], roots: Mapping[str, int]) -> int:
    """Return the conversation of a line, where it answers that one or itself as far as one can read."""
    if line.ref in roots:
        return -roots[line.ref]
    if line.thread is not None:
        return -line.thread
    if line.reply_to is not None and line.reply_to in label:
        return label[line.reply_to]
    return line.number if answered is line else label.get(answered.ref, answered.number)


def _late(lines: Sequence[Line], wanted: frozenset[int]) -> frozenset[int]:
    """Return the places of those that began something before what stands in front of them was there."""
    fresh = [at for at, line in enumerate(lines) if line.number in wanted]
    soon = {at for place in fresh for at in range(place + 1, min(len(lines), place + 1 + AGAIN))}
    return frozenset(at for at in soon if lines[at].conversation == lines[at].number)


def _reading(lines: Sequence[Line], asked: Sequence[int], untangler: Untangler) -> dict[int, int]:
    """Return for those asked about, by place, the place of what they answer; what humans said outside of threads."""
    stream = [at for at, line in enumerate(lines) if not line.bot and line.thread is None]
    place = {at: number for number, at in enumerate(stream)}
    said = [Said(author=lines[at].author, at=lines[at].at.timestamp(), text=lines[at].text) for at in stream]
    names = {line.author: line.name for line in lines}
    which = [at for at in asked if at in place]
    answers = untangler.answers(said, names, [place[at] for at in which])
    return {at: stream[answer] for at, answer in zip(which, answers, strict=True)}
