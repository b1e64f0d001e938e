"""A session of the gateway: what a client identified as, and everything that it was told."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Protocol

import discord
import orjson
from simcord import intents as gates

DISPATCH = 0
KEPT = 20_000
"""Frames that a session can be told again when it resumes."""


class Sends(Protocol):
    """What a session writes to."""

    def put_nowait(self, frame: str) -> None: ...


class Session:
    """What one client identified as, everything it was told, and the socket it listens on, if any."""

    def __init__(self, name: str, asked: Mapping[str, object]) -> None:
        self.name = name
        self.intents = discord.Intents._from_value(int(str(asked["intents"])))
        self.shard, self.shards = asked.get("shard") or (0, 1)  # type: ignore[misc]
        self.sequence = 0
        self.heard = 0
        """The last frame that the client said it had read."""
        self.told: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self.outbox: Sends | None = None

    def wants(self, event: str, payload: Mapping[str, object]) -> bool:
        """Say whether this event concerns its shard and its intents."""
        gate = gates.required_intent(event, payload)
        if gate and not getattr(self.intents, gate):
            return False
        guild = payload.get("id") if event.startswith("GUILD_") and "guild_id" not in payload else None
        guild = payload.get("guild_id") or guild or 0
        return (int(str(guild)) >> 22) % self.shards == self.shard

    def tell(self, event: str, payload: object) -> None:
        """Send an event, now or when the client comes back."""
        self.sequence += 1
        frame = orjson.dumps({"op": DISPATCH, "t": event, "s": self.sequence, "d": payload}, default=str).decode()
        self.told.append((self.sequence, frame))
        self.send(frame)

    def send(self, frame: str) -> None:
        """Send a frame that is no event."""
        if self.outbox:
            self.outbox.put_nowait(frame)
