"""Discord, through what people do in its client: our server for the tests, the real discord.py, the adapter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr
from simcord.backend.models import EPHEMERAL_FLAG

from adapters.discord import Discord
from bot.core.actions import Button
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.counts import Counts
from bot.core.ports import KnownChannel
from bot.core.things import Ref
from tests.contract.platform import (
    JOINING,
    LANGUAGE,
    OWN_BUTTONS,
    REFUSING,
    Platform,
    Recorder,
    Refused,
    Seen,
    SeenChannel,
    SeenMember,
    no_appeals,
)
from tests.platforms.discord import DiscordServer, Harbour, discord_server, harbour
from tests.platforms.discord.people import Sent

LACKS = {
    JOINING: "Discord's channels are not joined: who may read one is in it",
    LANGUAGE: "Discord does not say the language of who comes in, only of who uses a command",
    REFUSING: "Discord tells of what happened and asks nobody's leave; the adapter keeps it until it can be stored",
    OWN_BUTTONS: "Discord's buttons are for everybody; whose a press is, is judged by whoever answers it",
}
TEXT = 3
"""The kind of an option that takes words."""
PICKED = (6, 7, 8)
"""Those of options whose value is picked from a list."""
ARCHIVE = "archive"
ARRIVE_AT_ONCE = 0.05
"""Seconds that the library waits for more servers before it says that it is ready."""


def ref(*parts: object) -> Ref:
    return Ref("discord", "/".join(str(part) for part in parts))


class OnDiscord:
    """The small community on the server for the tests."""

    lacks: Mapping[str, str] = LACKS

    def __init__(self, adapter: Discord, heard: Recorder, counts: Counts, server: DiscordServer, town: Harbour) -> None:
        self.adapter = adapter
        self.counts = counts
        self.heard = heard
        self.server = server
        self.town = town
        self.known: dict[Ref, KnownChannel] | None = {}
        self.gone: dict[Ref, list[Seen]] = {}
        self.bot = ref(town.guild, server.town.bot)
        self.space = ref(town.guild)
        self.owner, self.member = ref(town.guild, town.anna), ref(town.guild, town.ben)
        self.public, self.private = ref(town.pier), ref(town.office)
        self.message = ref(town.pier, town.hello)
        self.greeter = ref(town.guild, f"&{town.greeter}")

    async def what_is_known(self, _space: Ref) -> dict[Ref, KnownChannel] | None:
        """Answer the adapter as if everything was seen before, but for a server that the bot was just brought to."""
        return self.known

    async def settle(self) -> None:
        """Wait until the library has read every frame, and the adapter has done all that they gave it to do."""
        while True:
            await self.server.gateway.settled()
            busy = self._busy()
            if not busy:
                return
            await asyncio.wait(busy)

    def _busy(self) -> set[asyncio.Task[None]]:
        client = self.adapter.client
        tasks = asyncio.all_tasks()
        handlers = {one for one in tasks if one.get_name().startswith("discord.py: on_")}
        fetching = {one for one in tasks if "_chunk_and_dispatch" in str(one.get_coro())}
        return handlers | fetching | (client._tasks if client else set())

    # What people do

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref:
        answered = _last(reply_to) if reply_to else 0
        try:
            made = await self.server.people.post(_last(who), _last(channel), text, reply_to=answered)
        except Refused as refused:
            raise Refused("The channel is archived.") if self._is_archived(_last(channel)) else refused from refused
        return ref(channel.id, made)

    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref:
        made = await self.server.people.post(_last(who), _last(channel), text, files=[Sent(name=name, data=data)])
        return ref(channel.id, made)

    def lose_files(self) -> None:
        self.server.town.files.lose()

    def to_bot(self, text: str) -> str:
        return f"<@{_last(self.bot)}> {text}"

    async def edit(self, who: Ref, message: Ref, text: str) -> None:
        await self.server.people.edit(_last(who), *_pair(message), text)

    async def delete(self, who: Ref, message: Ref) -> None:
        await self.server.people.delete(_last(who), *_pair(message))

    async def react(self, who: Ref, message: Ref, emoji: str, *, on: bool) -> None:
        await self.server.people.react(_last(who), *_pair(message), emoji, on=on)

    async def join(self, who: Ref, channel: Ref | None) -> None:
        if channel:
            raise Refused(LACKS[JOINING])
        await self.server.people.join(_last(who), self.town.guild)

    async def leave(self, who: Ref, channel: Ref | None) -> None:
        if channel:
            raise Refused(LACKS[JOINING])
        await self.server.people.leave(_last(who), self.town.guild)

    async def arrive(self, name: str, language: str) -> Ref:
        user = await self.server.people.arrive(self.town.guild, name, language.replace("_", "-"))
        return ref(self.town.guild, user)

    async def command(self, who: Ref, channel: Ref, line: str) -> None:
        name, *words = line.removeprefix("/").split()
        registered = await self.server.uses.commands()
        options = next((one["options"] for one in registered if one["name"] == name), [])
        given = _filled(name, options, words)
        await self.server.uses.command(_last(who), _last(channel), name, given)
        await self.settle()

    async def press(self, who: Ref, message: Ref, button: Button) -> None:
        place = self._shown_in(message)
        await self.server.uses.press(_last(who), *place, custom_id=self._carried(*place, button.token))
        await self.settle()

    def _carried(self, channel: int, message: int, token: str) -> str:
        """Return what a button carries: in a direct conversation its server too, behind its token."""
        rows = self.server.uses.acting.message(channel, message).components
        carried = [one.get("custom_id", "") for row in rows for one in row["components"]]
        return next((one for one in carried if one.partition("@")[0] == token), token)

    def _shown_in(self, message: Ref) -> tuple[int, int]:
        """Return the channel and the number of a message, also of one that one member alone sees."""
        if not message.id.startswith("i/"):
            return _pair(message)
        _i, asked, _token, number = message.id.split("/")
        return int(self.server.uses.interaction(int(asked)).channel_id), int(number)

    async def describe(self, who: Ref, channel: Ref, description: str) -> None:
        await self.server.staff.change_channel(_last(who), _last(channel), topic=description)
        await self.settle()  # the library's channels are what they are now, not what they were in a frame

    async def bring_bot(self, who: Ref) -> None:
        await self.server.people.take_bot(_last(who), self.town.guild)
        await self.settle()
        self.heard.arrivals.clear()
        self.known = None
        await self.server.people.bring_bot(_last(who), self.town.guild)

    # What people see

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]:
        shown = await self.server.views.sees(_last(who), _last(channel))
        return [await self._seen(one) for one in shown]

    async def _seen(self, one: dict) -> Seen:
        alone = bool(one["flags"] & EPHEMERAL_FLAG)
        answered = one.get("message_reference")
        return Seen(
            message=self._named(one, alone=alone),
            author=ref(self.town.guild, one["author"]["id"]),
            text=one["content"],
            deleted=False,
            edited=bool(one["edited_timestamp"]),
            only_me=alone or "guild_id" not in one,
            reply_to=ref(answered["channel_id"], answered["message_id"]) if answered else None,
            reactions=self._reactions(one),
            buttons=[button["label"] for row in one["components"] for button in row["components"]],
            files={file["filename"]: await _fetched(file["url"]) for file in one["attachments"]},
            options=[answer["poll_media"]["text"] for answer in one["poll"]["answers"]] if "poll" in one else [],
            event="",
        )

    def _named(self, one: dict, *, alone: bool) -> Ref:
        if not alone:
            return ref(one["channel_id"], one["id"])
        asked = self.server.uses.interaction(int(one["interaction_metadata"]["id"]))
        return ref("i", asked.id, asked.token, one["id"])

    def _reactions(self, one: dict) -> dict[str, set[Ref]]:
        stored = self.server.town.backend.get_message(int(one["channel_id"]), int(one["id"]))
        return {each.emoji: {ref(self.town.guild, user) for user in each.user_ids} for each in stored.reactions}

    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]:
        shown = await self.server.views.channels(_last(who), self.town.guild)
        seen = [self._channel(one) for one in shown]
        direct = await self.server.views.direct_channel(_last(who))
        if direct:
            seen.append(_direct(ref(direct), {who, self.bot}))
        return {one.ref: one for one in seen}

    def _channel(self, one: dict) -> SeenChannel:
        return SeenChannel(
            ref=ref(one["id"]),
            name=one["name"],
            description=one["topic"] or "",
            archived=self._is_archived(int(one["id"])),
            private=any(wall["id"] == str(self.town.guild) for wall in one["permission_overwrites"]),
            direct=False,
            members=set(),
        )

    def _is_archived(self, channel: int) -> bool:
        """Say whether a channel stands under the archive, where members may not write."""
        channels = self.server.town.backend.channels
        above = channels.get(channels[channel].parent_id or 0)
        return above is not None and (above.name or "").lower() == ARCHIVE

    async def who_is(self, member: Ref) -> SeenMember:
        views, guild, user = self.server.views, self.town.guild, _last(member)
        found = await views.member(user, guild)
        until = found["communication_disabled_until"] if found else None
        return SeenMember(
            here=found is not None,
            banned=await views.is_banned(user, guild),
            quiet=bool(until and datetime.fromisoformat(until) > datetime.now(UTC)),
            roles=set(await views.role_names(user, guild)),
        )

    async def planned(self, _who: Ref, made: Ref) -> str:
        events = await self.server.views.events(self.town.guild)
        return next((one["name"] for one in events if ref(self.town.guild, f"@{one['id']}") == made), "")


def _filled(name: str, options: list[dict], words: list[str]) -> dict[str, str]:
    """Fill the options of a command as somebody does who types: `name:value`, else in order, a lone text the whole."""
    given, places = {}, [one for one in options if one["type"] == TEXT and not one.get("choices")]
    if len(options) == len(places) == 1 and words:
        return {options[0]["name"]: " ".join(words)}
    for word in words:
        named, _colon, value = word.partition(":")
        free = [one for one in options if one["name"] not in given]
        if not free:
            raise Refused(f"/{name} has no place for {word!r}.")
        option = next((one for one in free if value and one["name"] == named), None)
        given[(option or free[0])["name"]] = _picked(option or free[0], value if option else word)
    return given


def _picked(option: dict, value: str) -> str:
    """Return what a client sends for what somebody picked: a channel, a member or a role by its number."""
    return value.rpartition(":")[2].rpartition("/")[2] if option["type"] in PICKED else value


def _last(named: Ref) -> int:
    return int(named.id.rpartition("/")[2])


def _pair(message: Ref) -> tuple[int, int]:
    channel, _slash, number = message.id.partition("/")
    return int(channel), int(number)


def _direct(channel: Ref, members: set[Ref]) -> SeenChannel:
    return SeenChannel(
        ref=channel, name="direct", description="", archived=False, private=False, direct=True, members=members
    )


async def _fetched(url: str) -> bytes:
    # Without certificates, which take a quarter of a second to read.
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        return (await client.get(url)).content


@contextlib.asynccontextmanager
async def on_discord() -> AsyncIterator[Platform]:
    """Open Discord with the adapter connected, which has looked over the server and handed that over already."""
    async with discord_server() as server:
        heard, clock = Recorder(), SystemClock()
        counts = Counts(clock)
        adapter = Discord(
            token=SecretStr(server.token),
            clock=clock,
            counts=counts,
            known=lambda space: driver.what_is_known(space),
            appeals=no_appeals,
            api=server.api,
            gateway=server.gateway_url,
        )
        driver = OnDiscord(adapter, heard, counts, server, harbour(server.town))
        running = asyncio.create_task(adapter.run(heard.put, COMMANDS))
        try:
            await _connected(adapter, running)
            await driver.settle()
            heard.arrivals.clear()
            yield driver
            heard.full = False
            await driver.settle()
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert server.faults.gaps == []


async def _connected(adapter: Discord, running: asyncio.Task[None]) -> None:
    """Wait until the servers are there, without the two seconds in which the library waits for more of them."""
    async with asyncio.timeout(20):
        while adapter.client is None and not running.done():
            await asyncio.wait([running], timeout=0.005)
        if adapter.client:
            adapter.client._connection.guild_ready_timeout = ARRIVE_AT_ONCE
        ready = asyncio.create_task(adapter.ready.wait())
        await asyncio.wait([ready, running], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
