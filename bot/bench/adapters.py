"""How long a message takes from a frame of Discord's gateway to the verdict on it, with the real library between."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
from aiohttp import WSMsgType, web
from pydantic import SecretStr

from bot.app import open_app
from bot.bench import Figures
from bot.bench.importing import scratch_settings
from bot.bench.traffic import CHANNELS, InstantEncoder, running
from bot.platforms import discord

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.bench.traffic import Traffic
    from bot.core.settings import Settings

PACE = 100.0
"""Messages a second."""
WARM = 200
"""Messages before those that count."""
GUILD, BOT, FIRST_CHANNEL, FIRST_MEMBER = 10**17, 2 * 10**17, 3 * 10**17, 4 * 10**17
MEMBERS = 97
EPOCH = 1_420_070_400_000
"""Milliseconds from 1970 to where Discord's numbers begin."""


async def bench_adapters(texts: Sequence[str], *, settings: Settings, seconds: float) -> Figures:
    """Measure in a home that is thrown away: frames of a gateway on loopback, and the same messages put directly.

    Everything runs as in the living bot but the encoder, which counts words and whose time is left out. From the frame
    being written to the gateway's socket to the verdict being reached.
    """
    many = list(itertools.islice(itertools.cycle(texts), int(PACE * seconds) + WARM))
    plain = settings.model_copy(update={"generator": "none"})
    async with _Gateway().open() as gateway:
        with tempfile.TemporaryDirectory(prefix="kf-") as folder:
            (Path(folder) / "discord").mkdir()
            scratch = scratch_settings(plain, Path(folder) / "discord").model_copy(update=gateway.settings())
            async with open_app(scratch) as app, running(app, InstantEncoder(), discord(app)) as traffic:
                await gateway.connected.wait()
                framed = await _framed(traffic, gateway, many)
            (Path(folder) / "direct").mkdir()
            scratch = scratch_settings(plain, Path(folder) / "direct")
            async with open_app(scratch) as app, running(app, InstantEncoder()) as traffic:
                await traffic.paced(many[:WARM], PACE)
                direct = [1000 * one for one in await traffic.paced(many[WARM:], PACE)]
    return Figures(
        figures={
            "frame_to_verdict_p50_ms": float(np.percentile(framed, 50)),
            "frame_to_verdict_p99_ms": float(np.percentile(framed, 99)),
            "put_to_verdict_p50_ms": float(np.percentile(direct, 50)),
            "put_to_verdict_p99_ms": float(np.percentile(direct, 99)),
            "messages": len(framed),
        },
        ratios={"put_p50": float(np.percentile(framed, 50) / np.percentile(direct, 50))},
    )


async def _framed(traffic: Traffic, gateway: _Gateway, texts: Sequence[str]) -> list[float]:
    """Send messages at the pace and return the milliseconds that each took."""
    names: list[str] = []
    for part in (texts[:WARM], texts[WARM:]):
        names, began = [], time.perf_counter()
        traffic.expect(len(part))
        for number, text in enumerate(part):
            await asyncio.sleep(max(0.0, began + number / PACE - time.perf_counter()))
            names.append(await gateway.post(text, traffic.times.put))
        await traffic.finish()
    return [1000 * traffic.times.own(name) for name in names]


@dataclass(kw_only=True)
class _Gateway:
    """As much of Discord as a bot needs to hear what is written: one server, channels, members."""

    connected: asyncio.Event = field(default_factory=asyncio.Event)
    _base: str = ""
    _socket: web.WebSocketResponse | None = None
    _frames: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[_Gateway]:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_get("/gw/", self._gateway)
        app.router.add_route("*", "/api/{tail:.*}", self._rest)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._base = f"127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def settings(self) -> dict[str, object]:
        """Return the settings that point a bot here."""
        return {
            "discord_token": SecretStr("bench"),
            "discord_api": f"http://{self._base}/api",
            "discord_gateway": f"ws://{self._base}/gw/",
        }

    async def post(self, text: str, put: dict[str, float]) -> str:
        """Write the frame of a message, note when, and return the message's name."""
        number = next(self._numbers)
        channel, member = FIRST_CHANNEL + number % CHANNELS, FIRST_MEMBER + number % MEMBERS
        message = ((int(time.time() * 1000) - EPOCH) << 22) + number % 4096
        name = f"{channel}/{message}"
        frame = self._frame("MESSAGE_CREATE", _message(message, channel, member, f"{name} {text}"))
        assert self._socket is not None  # noqa: S101 - a client is connected
        put[name] = time.perf_counter()
        await self._socket.send_str(frame)
        return name

    def _frame(self, event: str, data: object) -> str:
        return orjson.dumps({"op": 0, "t": event, "s": next(self._frames), "d": data}).decode()

    async def _rest(self, request: web.Request) -> web.Response:
        path = request.match_info["tail"]
        answers: dict[str, object] = {
            "users/@me": _user(BOT, "kinfolk", bot=True),
            "oauth2/applications/@me": _application(),
            "applications/@me": _application(),
            "gateway/bot": {
                "url": f"ws://{self._base}/gw/",
                "shards": 1,
                "session_start_limit": {"total": 1, "remaining": 1, "reset_after": 1, "max_concurrency": 1},
            },
        }
        return web.Response(body=orjson.dumps(answers.get(path, [])), headers={"Content-Type": "application/json"})

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 45_000}, "s": None, "t": None})
        async for told in socket:
            if told.type == WSMsgType.TEXT and orjson.loads(told.data)["op"] == 2:  # noqa: PLR2004 - it identifies itself
                await socket.send_str(self._frame("READY", _ready(self._base)))
                await socket.send_str(self._frame("GUILD_CREATE", _guild()))
                self.connected.set()
        return socket


def _user(number: int, name: str, *, bot: bool = False) -> dict[str, object]:
    return {"id": str(number), "username": name, "discriminator": "0", "avatar": None, "bot": bot, "global_name": name}


def _application() -> dict[str, object]:
    names = ("name", "description", "summary", "verify_key")
    return {
        "id": str(BOT),
        **dict.fromkeys(names, ""),
        "icon": None,
        "team": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "flags": 0,
        "owner": _user(FIRST_MEMBER, "owner"),
    }


def _ready(base: str) -> dict[str, object]:
    return {
        "v": 10,
        "user": _user(BOT, "kinfolk", bot=True),
        "guilds": [{"id": str(GUILD), "unavailable": True}],
        "session_id": "bench",
        "resume_gateway_url": f"ws://{base}/gw/",
        "application": {"id": str(BOT), "flags": 0},
        "private_channels": [],
        "shard": [0, 1],
    }


def _guild() -> dict[str, object]:
    everyone = {"id": str(GUILD), "name": "@everyone", "permissions": str(0x10C00), "position": 0, "color": 0}
    role = everyone | {"hoist": False, "managed": False, "mentionable": False, "flags": 0}
    colours = {"colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}}
    rooms = [
        {"id": str(FIRST_CHANNEL + number), "type": 0, "name": f"room-{number}", "position": number}
        | {"permission_overwrites": [], "nsfw": False, "parent_id": None, "topic": None, "last_message_id": None}
        for number in range(CHANNELS)
    ]
    people = [_member(FIRST_MEMBER + number) for number in range(MEMBERS)]
    me = _member(BOT) | {"user": _user(BOT, "kinfolk", bot=True)}
    empty = ("emojis", "features", "threads", "presences", "voice_states", "stage_instances", "stickers")
    zero = ("verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level", "nsfw_level")
    return {
        "id": str(GUILD),
        "name": "bench",
        "owner_id": str(FIRST_MEMBER),
        "roles": [role | colours],
        "channels": rooms,
        "members": [me, *people],
        "member_count": MEMBERS + 1,
        "large": False,
        "unavailable": False,
        **{name: [] for name in (*empty, "guild_scheduled_events", "soundboard_sounds")},
        **dict.fromkeys((*zero, "premium_tier", "system_channel_flags", "afk_timeout"), 0),
        "preferred_locale": "en-US",
        "premium_progress_bar_enabled": False,
        "joined_at": "2026-01-01T00:00:00+00:00",
    }


def _member(number: int) -> dict[str, object]:
    person = _user(number, f"member-{number - FIRST_MEMBER}")
    return {
        "user": person,
        "roles": [],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def _message(number: int, channel: int, member: int, text: str) -> dict[str, object]:
    author = _member(member)
    none = ("mentions", "mention_roles", "attachments", "embeds", "components")
    return {
        "id": str(number),
        "channel_id": str(channel),
        "guild_id": str(GUILD),
        "author": author.pop("user"),
        "member": author,
        "content": text[:2000],
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        **{name: [] for name in none},
        "pinned": False,
        "type": 0,
        "flags": 0,
    }
