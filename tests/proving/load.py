"""People who use the playground while its processes are killed, and a record of what they were told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.proving.bot import HEADERS

PEOPLE = {
    "ana": "general",
    "colm": "general",
    "petra": "garden",
    "wei.l": "中文茶馆",
    "mei.c": "bread-and-ferments",
    "dmitri": "electronics",
    "keiran": "board-games",
    "rory": "music-jam",
}
"""Members of the sample and where they talk; the first is its owner."""
INTERESTS = ("soldering irons and synth kits", "sourdough and rye", "在港口拍照", "folk tunes on a fiddle")
TALK = ("the tide comes in at", "has anybody a spare rope for", "明天一起喝茶吗", "I fixed the lamp with")
MODES = ("off", "watch", "ask", "act")
ROOMS_READ = (*sorted(set(PEOPLE.values())), "introductions", "staff-room")

Said = dict[str, Any]


@dataclass(slots=True)
class Tried:
    """How often something was asked for: told that it is done, or cut off before anything was told."""

    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    perhaps: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, what: tuple[str, str], *, told: bool) -> None:
        """Count one attempt."""
        (self.done if told else self.perhaps)[what] += 1

    def most(self, what: tuple[str, str]) -> int:
        """Return how often it may have happened."""
        return self.done[what] + self.perhaps[what]


@dataclass(slots=True)
class Record:
    """What people did, and all that they saw the bot say, by the name of the message."""

    messages: Tried = field(default_factory=Tried)
    commands: Tried = field(default_factory=Tried)
    newcomers: Tried = field(default_factory=Tried)
    presses: Tried = field(default_factory=Tried)
    refs: dict[str, str] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)

    @property
    def acknowledged(self) -> int:
        """Count what was told to be done."""
        every = (self.messages, self.commands, self.newcomers, self.presses)
        return sum(sum(one.done.values()) for one in every)

    def asked(self, who: str) -> int:
        """Return how often somebody may have asked for an answer."""
        every = (one for tried in (self.commands, self.presses) for one in (tried.done + tried.perhaps).items())
        return sum(times for (asker, _), times in every if asker == who)

    def see(self, message: Said) -> None:
        """Keep what the bot said; a message that grows is one."""
        if message["author"] == "kinfolk" and not message["deleted_by"]:
            self.said[message["id"]] = message


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Everybody at once. They stop when the bot is gone, and go on when it is back."""

    url: str
    record: Record
    chance: random.Random
    numbers: itertools.count[int]

    async def use(self, until: asyncio.Event) -> None:
        """Do things, and watch what is said, until told to stop or cut off."""
        async with httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=30) as client:
            watching = [asyncio.create_task(self._watch(client, one)) for one in PEOPLE]
            await asyncio.gather(*(self._live(client, one, until) for one in PEOPLE))
            with contextlib.suppress(httpx.HTTPError):
                await self._look_around(client)
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def look_around(self) -> None:
        """Read what everybody is shown now."""
        async with httpx.AsyncClient(base_url=self.url, headers=HEADERS, timeout=30) as client:
            await self._look_around(client)

    async def _look_around(self, client: httpx.AsyncClient) -> None:
        for one in PEOPLE:
            for room in ROOMS_READ:
                seen = (await client.get("/api/messages", params={"as": one, "room": room})).json()
                for message in seen.get("messages", ()):
                    self.record.see(message)

    async def _watch(self, client: httpx.AsyncClient, one: str) -> None:
        """See everything as it is said, so that what a crash wipes from the page was seen nevertheless."""
        with contextlib.suppress(httpx.HTTPError):
            state = (await client.get("/api/state", params={"as": one})).json()
            params = {"as": one, "after": state["position"]}
            async with client.stream("GET", "/api/stream", params=params) as stream:
                async for message in _messages(stream.aiter_lines()):
                    self.record.see(message)

    async def _live(self, client: httpx.AsyncClient, one: str, until: asyncio.Event) -> None:
        deeds: list[Callable[[httpx.AsyncClient, str], Coroutine[Any, Any, None]]] = [
            self._write,
            self._write,
            self._help,
            self._match,
            self._press,
            self._steer if one == "ana" else self._write,
            self._arrive if one == "colm" else self._help,
        ]
        with contextlib.suppress(httpx.HTTPError):
            while not until.is_set():
                await self.chance.choice(deeds)(client, one)
                await asyncio.sleep(self.chance.uniform(0.1, 0.7))

    async def _write(self, client: httpx.AsyncClient, one: str) -> None:
        text = f"{self.chance.choice(TALK)} {next(self.numbers)}"
        what = {"deed": "write", "by": one, "room": PEOPLE[one], "text": text}
        if made := await self._do(client, self.record.messages, (one, text), what):
            self.record.refs[text] = f"playground:{made}"

    async def _help(self, client: httpx.AsyncClient, one: str) -> None:
        await self._command(client, one, f"/help x{next(self.numbers)}")

    async def _match(self, client: httpx.AsyncClient, one: str) -> None:
        await self._command(client, one, f"/match {self.chance.choice(INTERESTS)} {next(self.numbers)}")

    async def _steer(self, client: httpx.AsyncClient, one: str) -> None:
        await self._command(client, one, f"/mode match {self.chance.choice(MODES)}")

    async def _command(self, client: httpx.AsyncClient, one: str, line: str) -> None:
        what = {"deed": "use", "by": one, "room": PEOPLE[one], "line": line}
        await self._do(client, self.record.commands, (one, line), what)

    async def _arrive(self, client: httpx.AsyncClient, one: str) -> None:
        name = f"New {next(self.numbers)}"
        await self._do(client, self.record.newcomers, ("", name), {"deed": "arrive", "name": name, "language": "en"})

    async def _press(self, client: httpx.AsyncClient, one: str) -> None:
        """Press a button of an answer that is still shown."""
        shown = (await client.get("/api/messages", params={"as": one, "room": PEOPLE[one]})).json()["messages"]
        mine = [(message, button) for message in shown for button in message["buttons"] if button["only"] == one]
        if mine:
            message, button = self.chance.choice(mine)
            what = {"deed": "press", "by": one, "message": message["id"], "token": button["token"]}
            await self._do(client, self.record.presses, (one, button["token"]), what)

    async def _do(
        self, client: httpx.AsyncClient, tried: Tried, what: tuple[str, str], deed: dict[str, str]
    ) -> str | None:
        """Do one thing and count it: as done, as cut off, or, where the platform refused, not at all."""
        try:
            answer = await client.post("/api/do", json=deed)
        except httpx.HTTPError:
            tried.note(what, told=False)
            raise
        if answer.status_code == 200:
            tried.note(what, told=True)
            return answer.json()["made"]
        if answer.status_code >= 500:
            tried.note(what, told=False)
        return None


async def _messages(lines: AsyncIterator[str]) -> AsyncIterator[Said]:
    """Read the messages out of a stream of server-sent events."""
    event = ""
    async for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: ") and event == "message":
            yield json.loads(line.removeprefix("data: "))
