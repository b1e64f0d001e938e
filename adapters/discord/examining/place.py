"""A server as the bot finds it there, and the words that findings about it share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.core.ports import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    import discord

NAMED = 6
"""Channels or roles that one finding names; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server, and the bot as its member."""

    guild: discord.Guild
    me: discord.Member

    @property
    def role(self) -> discord.Role:
        """Return the bot's own role, by which it is given rights."""
        own = (one for one in self.me.roles if one.tags and one.tags.bot_id == self.me.id)
        return next(own, self.me.top_role)

    def find(self, check: str, state: Literal["ok", "warn", "bad"], words: str) -> Finding:
        """Make a finding about this server."""
        return Finding(name=f"discord {check}", state=state, words=f"{self.guild.name}: {words}")


def step(here: Place, lacks: Iterable[str]) -> str:
    """Say where rights in a channel are given."""
    if "view_channel" in lacks:
        return f"Let my role in: Edit Channel > Permissions > Add members or roles > {here.role.name}"
    return f"Allow it for my role: Edit Channel > Permissions > Advanced permissions > {here.role.name}"


def told(named: Iterable[str]) -> str:
    """Name the first of many, and count the rest."""
    every = list(named)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
