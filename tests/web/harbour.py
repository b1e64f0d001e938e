"""Harbour Makers on the playground, with a small scripted brain: enough to try the page without the whole bot."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from adapters.playground import Past, PastChannel, PastMember, PastMessage, Playground
from bot.core.actions import Button, Delete, Edit, Say
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.decisions import Decision, Mode, Receipt, Ruling, Step, Trace, Verdict
from bot.core.events import Arrival, ButtonPressed, CommandGiven, MemberJoined, MessagePosted, Named
from bot.core.things import Audience, Rank, Ref

SAMPLE = Path(__file__).parents[2] / "bot" / "sample"
BAIT = "free crypto"
Row = dict[str, str]


def ref(name: str) -> Ref:
    return Ref("playground", name)


def lines(name: str) -> list[Row]:
    return [json.loads(line) for line in (SAMPLE / name).read_text().splitlines()]


def sample() -> Past:
    """Read the sample community as what was there before."""
    channels, rows = lines("channels.jsonl"), lines("messages.jsonl")
    writers: dict[str, set[Ref]] = defaultdict(set)
    for row in rows:
        writers[row["channel"]].add(ref(row["user"]))
    names = {row["user"]: row["name"] for row in rows}
    staff = {one.id for one in writers["staff-room"]}
    return Past(
        channels=tuple(_channel(one, writers[one["channel"]]) for one in channels),
        members=tuple(_member(user, name, staff) for user, name in names.items()),
        messages=tuple(_message(row) for row in rows),
    )


def _channel(one: Row, writers: set[Ref]) -> PastChannel:
    audience = Audience.MEMBERS if one.get("private") else Audience.EVERYONE
    named = Named(ref=ref(one["channel"]), name=one["channel"], audience=audience)
    return PastChannel(channel=named, description=one["description"], members=frozenset(writers))


def _member(user: str, name: str, staff: set[str]) -> PastMember:
    rank = Rank.OWNER if user == "ana" else Rank.STAFF if user in staff else Rank.MEMBER
    return PastMember(member=Named(ref=ref(user), name=name), rank=rank)


def _message(row: Row) -> PastMessage:
    channel, topic = row["channel"], row.get("topic")
    return PastMessage(
        message=ref(f"{channel}/{row['id']}"),
        channel=ref(channel),
        author=Named(ref=ref(row["user"]), name=row["name"]),
        text=row["text"],
        at=datetime.fromisoformat(row["ts"]),
        thread=Named(ref=ref(f"{channel}/{topic}"), name=topic) if topic else None,
        reply_to=ref(f"{channel}/{row['reply_to']}") if "reply_to" in row else None,
    )


@dataclass
class Brain:
    """Answers `/match`, newcomers, buttons, its own name and some bait; remembers what arrived and what it thought."""

    arrivals: list[Arrival] = field(default_factory=list)
    traces: list[tuple[Ref | None, Trace]] = field(default_factory=list)
    queue: asyncio.Queue[Arrival] = field(default_factory=asyncio.Queue)
    banner: str = ""
    greets: bool = True

    async def put(self, arrival: Arrival) -> bool:
        self.arrivals.append(arrival)
        self.queue.put_nowait(arrival)
        return True

    async def why(self, message: Ref) -> Sequence[Trace]:
        return [trace for made, trace in self.traces if message == made or str(message) in trace.event]

    async def live(self, playground: Playground) -> None:
        while True:
            event = (await self.queue.get()).event
            match event:
                case CommandGiven(command="match"):
                    await self._suggest(playground, event)
                case ButtonPressed():
                    await self._thank(playground, event)
                case MemberJoined(channel=None, member=member) if self.greets:
                    await playground.act(Say(to=ref("introductions"), text=f"Welcome, {member.name}!"))
                case MessagePosted(text=text) if BAIT in text:
                    self._hold_back(playground, event)
                case MessagePosted(text=text, author=author) if "kinfolk" in text.lower() and not author.bot:
                    await self._answer(playground, event)
                case _:
                    pass

    async def _suggest(self, playground: Playground, event: CommandGiven) -> None:
        text = (
            "You may feel at home in **#bread-and-ferments**:\n"
            "- three people there talk about *rye starters*, as you do\n"
            "- Priya asked last week what you answered in #general"
        )
        button = Button(label="Bring me there", press="match.join", only=event.member.ref, token="t1")
        say = Say(
            to=event.channel.ref, text=text, only=event.member.ref, invocation=event.invocation, buttons=(button,)
        )
        await self._do(playground, event, say, "asked for with /match", Mode.ACT)

    async def _thank(self, playground: Playground, event: ButtonPressed) -> None:
        edit = Edit(
            message=event.message, channel=event.channel.ref, text="Done: see you there.", only=event.member.ref
        )
        await self._do(playground, event, edit, "the button was pressed", Mode.ACT)

    async def _answer(self, playground: Playground, event: MessagePosted) -> None:
        text = (
            "Cyanoacrylate for small, clean breaks; *two-part epoxy* for anything under load, and leave it overnight. "
            "Tobias described both in #3d-printing, and nobody there had luck with hot glue."
        )
        say = Say(to=event.channel.ref, text=text[:24], reply_to=event.message)
        receipt = await self._do(playground, event, say, "a question that members answered before", Mode.ACT)
        if receipt.made:
            for end in range(48, len(text) + 24, 24):
                await asyncio.sleep(0.02)
                await playground.act(Edit(message=receipt.made, channel=event.channel.ref, text=text[:end]))

    def _hold_back(self, playground: Playground, event: MessagePosted) -> None:
        action = Delete(message=event.message, channel=event.channel.ref)
        reason = "Reads like an offer of easy money, posted by an account without history here."
        self.traces.append((None, self._trace(event, action, reason, Mode.WATCH, kept=False)))
        playground.watched(self.traces[-1][1])

    async def _do(
        self,
        playground: Playground,
        event: MessagePosted | CommandGiven | ButtonPressed,
        act: Say | Edit,
        why: str,
        mode: Mode,
    ) -> Receipt:
        receipt = await playground.act(act)
        trace = self._trace(event, act, why, mode, kept=True, receipt=receipt)
        self.traces.append((receipt.made, trace))
        playground.watched(trace)
        return receipt

    def _trace(
        self,
        event: MessagePosted | CommandGiven | ButtonPressed,
        action: Say | Edit | Delete,
        reason: str,
        mode: Mode,
        *,
        kept: bool,
        receipt: Receipt | None = None,
    ) -> Trace:
        about = event.message if isinstance(event, MessagePosted) else event.invocation
        ruling = Ruling(
            decision=0,
            action=action,
            kept=kept,
            why="" if kept else "guard only watches here; /mode guard act lets it act",
        )
        evidence = (ref("3d-printing/s0034"),) if kept else ()
        decision = Decision(
            skill="guide" if kept else "guard", actions=(action,), reason=reason, evidence=evidence, confidence=0.93
        )
        return Trace(
            id=f"t{len(self.traces):04d}",
            event=f"{type(event).__name__} {about}",
            kind=type(event).__name__,
            at=event.at,
            channel=event.channel.ref,
            member=(event.author if isinstance(event, MessagePosted) else event.member).ref,
            steps=(
                Step(skill=decision.skill, mode=mode, outcome="one proposal", milliseconds=11.4),
                Step(skill="welcome", mode=Mode.WATCH, outcome="not a newcomer", milliseconds=0.2),
            ),
            verdict=Verdict(decisions=(decision,), rulings=(ruling,)),
            receipts=(receipt,) if receipt else (),
            milliseconds=14.8,
        )


@contextlib.asynccontextmanager
async def harbour(*, port: int = 0) -> AsyncIterator[tuple[Playground, Brain]]:
    """Open the playground with the sample community and the scripted brain."""
    past, brain = await asyncio.to_thread(sample), Brain()

    async def remember() -> Past:
        return past

    playground = Playground(port=port, past=remember, why=brain.why, ready=lambda: brain.banner, clock=SystemClock())
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(playground.run(brain.put, COMMANDS)), group.create_task(brain.live(playground))]
        try:
            await playground.open.wait()
            yield playground, brain
        finally:
            for task in tasks:
                task.cancel()


async def main() -> None:
    async with harbour(port=8088) as (playground, _brain):
        print(playground.url)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
