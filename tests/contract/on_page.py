"""The playground, through the requests that its page makes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from adapters.playground import Past, PastChannel, PastMember, PastMessage, Playground
from bot.core.actions import Button
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.events import Named
from bot.core.ports import Adapter
from bot.core.things import Audience, Rank, Ref
from tests.contract.platform import Platform, Recorder, Refused, Seen, SeenChannel, SeenMember


def ref(name: str) -> Ref:
    return Ref("playground", name)


class OnPage:
    """The playground, through the requests that its page makes."""

    bot = ref("kinfolk")
    space = ref("harbour")
    owner = ref("anna")
    member = ref("ben")
    public = ref("pier")
    private = ref("office")
    message = ref("pier/1")
    greeter = ref("greeter")
    lacks: Mapping[str, str] = {}

    def __init__(self, adapter: Adapter, heard: Recorder, client: httpx.AsyncClient) -> None:
        self.adapter = adapter
        self.heard = heard
        self.client = client

    async def do(self, deed: str, who: Ref | None, **details: object) -> str:
        by = {"by": who.id} if who else {}
        answer = await self.client.post("/api/do", json={"deed": deed, **by, **details}, headers={"x-kinfolk": "test"})
        if answer.status_code != httpx.codes.OK:
            raise Refused(answer.json()["error"])
        return str(answer.json()["made"])

    async def get(self, path: str, who: Ref, **details: str) -> dict[str, object]:
        answer = await self.client.get(f"/api/{path}", params={"as": who.id, **details})
        if answer.status_code != httpx.codes.OK:
            raise Refused(answer.json()["error"])
        found: dict[str, object] = answer.json()
        return found

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref:
        return ref(await self.do("write", who, room=channel.id, text=text, reply_to=reply_to.id if reply_to else ""))

    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref:
        picture = {"name": name, "data": base64.b64encode(data).decode()}
        return ref(await self.do("write", who, room=channel.id, text=text, picture=picture))

    def lose_files(self) -> None:
        for post in list(self.adapter._space.posts.values()):
            self.adapter._space.keep(replace(post, files=()))

    def to_bot(self, text: str) -> str:
        return f"@Kinfolk {text}"

    async def edit(self, who: Ref, message: Ref, text: str) -> None:
        await self.do("change", who, message=message.id, text=text)

    async def delete(self, who: Ref, message: Ref) -> None:
        await self.do("remove", who, message=message.id)

    async def react(self, who: Ref, message: Ref, emoji: str, *, on: bool) -> None:
        await self.do("mark", who, message=message.id, emoji=emoji, on=on)

    async def join(self, who: Ref, channel: Ref | None) -> None:
        await self.do("join", who, room=channel.id if channel else "")

    async def leave(self, who: Ref, channel: Ref | None) -> None:
        await self.do("leave", who, room=channel.id if channel else "")

    async def arrive(self, name: str, language: str) -> Ref:
        return ref(await self.do("arrive", None, name=name, language=language))

    async def command(self, who: Ref, channel: Ref, line: str) -> None:
        await self.do("use", who, room=channel.id, line=line)

    async def press(self, who: Ref, message: Ref, button: Button) -> None:
        await self.do("press", who, message=message.id, token=button.token)

    async def describe(self, who: Ref, channel: Ref, description: str) -> None:
        await self.do("arrange", who, room=channel.id, name=channel.id, description=description)

    async def bring_bot(self, who: Ref) -> None:
        await self.do("fetch", who)

    async def settle(self) -> None:
        """Everything is handed over before the page is answered."""

    async def planned(self, who: Ref, made: Ref) -> str:
        return next(one.event for one in await self.sees(who, self.public) if one.message == made)

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]:
        found = await self.get("messages", who, room=channel.id)
        return [await self._seen(who, one) for one in found["messages"]]  # type: ignore[attr-defined]

    async def _seen(self, who: Ref, one: dict) -> Seen:
        files = {}
        for number, file in enumerate(one["files"]):
            asked = {"as": who.id, "message": one["id"], "number": str(number)}
            files[file["name"]] = (await self.client.get("/api/attachment", params=asked)).content
        return Seen(
            message=ref(one["id"]),
            author=ref(one["author"]),
            text=one["text"],
            deleted=bool(one["deleted_by"]),
            edited=one["edited"],
            only_me=one["only"] == who.id,
            reply_to=ref(one["reply_to"]) if one["reply_to"] else None,
            reactions={each["emoji"]: {ref(member) for member in each["members"]} for each in one["reactions"]},
            buttons=[each["label"] for each in one["buttons"]],
            files=files,
            options=one["poll"]["options"] if one["poll"] else [],
            event=one["entry"]["title"] if one["entry"] else "",
        )

    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]:
        rooms = (await self.get("state", who))["rooms"]
        return {ref(one["id"]): _channel(one) for one in rooms}  # type: ignore[attr-defined]

    async def who_is(self, member: Ref) -> SeenMember:
        members = (await self.get("state", self.owner))["members"]
        one = next(each for each in members if each["id"] == member.id)  # type: ignore[attr-defined]
        return SeenMember(
            here=one["state"] == "here",
            banned=one["state"] == "banned",
            quiet=bool(one["quiet_until"]),
            roles=set(one["roles"]),
        )


def _channel(one: dict) -> SeenChannel:
    return SeenChannel(
        ref=ref(one["id"]),
        name=one["name"],
        description=one["description"],
        archived=one["archived"],
        private=one["audience"] == Audience.MEMBERS,
        direct=one["audience"] == Audience.DIRECT,
        members={ref(member) for member in one["members"]},
    )


def small_past() -> Past:
    """Return the community that waits on the playground."""
    anna, ben = Named(ref=ref("anna"), name="Anna"), Named(ref=ref("ben"), name="Ben", language="zh_CN")
    pier = Named(ref=ref("pier"), name="pier", audience=Audience.EVERYONE)
    office = Named(ref=ref("office"), name="office", audience=Audience.MEMBERS)
    hello = PastMessage(
        message=ref("pier/1"), channel=pier.ref, author=ben, text="Hello.", at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    return Past(
        channels=(
            PastChannel(channel=pier, members=frozenset({anna.ref, ben.ref})),
            PastChannel(channel=office, members=frozenset({anna.ref})),
        ),
        members=(PastMember(member=anna, rank=Rank.OWNER), PastMember(member=ben)),
        messages=(hello,),
    )


@contextlib.asynccontextmanager
async def on_page() -> AsyncIterator[Platform]:
    """Open the playground."""

    async def past() -> Past:
        return small_past()

    async def why(_message: Ref) -> list[object]:
        return []

    heard = Recorder()
    adapter = Playground(port=0, past=past, why=why, ready=str, clock=SystemClock())  # type: ignore[arg-type]
    running = asyncio.create_task(adapter.run(heard.put, COMMANDS))
    try:
        await adapter.open.wait()
        # Without certificates, which take a quarter of a second to read.
        async with httpx.AsyncClient(base_url=adapter.url, verify=False, trust_env=False) as client:
            yield OnPage(adapter, heard, client)
    finally:
        running.cancel()
        await asyncio.wait([running])
