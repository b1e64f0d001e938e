"""Surveys one server: what the bot may do there, beside what its staff want, and the one step that mends each lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.discord import names, rights
from adapters.discord.examining.place import Place, told
from adapters.discord.examining.posts import named
from adapters.discord.examining.rooms import look
from adapters.discord.needs import NEEDS
from bot.core.policies import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import discord

    from bot.core.policies import Rules
    from bot.core.ports import Finding

TRUSTED = rights.STAFF.value | rights.OWNER.value
"""Who has one of these rights moderates, and need not be moderated by a bot."""


async def survey(
    client: discord.Client, guild: discord.Guild, me: discord.Member, rules: Rules | None
) -> list[Finding]:
    """Return what is well on a server and what is not; without rules it was never met by a running bot."""
    here = Place(guild=guild, me=me)
    found = [_rights(here), _ranks(here, rules), *look(here, rules.reads if rules else lambda _: True)]
    found += _uses(here)
    if rules is None:
        words = "I have not met this server yet. Once I run, I write to whoever brought me how to begin: kinfolk run"
        return [*found, here.find("staff", "warn", words)]
    for setting in CHANNELS:
        found += await named(client, here, setting, getattr(rules.policy, setting))
    return found


def _rights(here: Place) -> Finding:
    held = here.me.guild_permissions
    lacking = [need for need in NEEDS if not getattr(held, need.right)]
    if lacking:
        missing = "; ".join(f"{need.label}, {need.why}" for need in lacking)
        give = f"Switch them on: Server Settings > Roles > {here.role.name} > Permissions"
        return here.find("rights", "warn", f"I lack {missing}. {give}")
    more = "; Administrator is more than I need" if held.administrator else ""
    return here.find("rights", "ok", f"I have every right that I need{more}")


def _ranks(here: Place, rules: Rules | None) -> Finding:
    """Name the roles above the bot's whose members it may have to moderate: neither staff's nor other bots'."""
    staff = rules.policy.staff if rules else frozenset()
    above = [one for one in here.guild.roles if one > here.me.top_role and not one.managed]
    members = [
        one for one in above if not one.permissions.value & TRUSTED and names.role(here.guild.id, one.id) not in staff
    ]
    mine = here.me.top_role.name
    if members:
        words = (
            f"above my role {mine}: {told(one.name for one in members)}. I can neither time out nor send out whoever "
            f"has such a role, nor give it. Drag {mine} above: Server Settings > Roles"
        )
        return here.find("roles", "warn", words)
    more = f"; above it are staff alone: {told(one.name for one in above)}" if above else ""
    return here.find("roles", "ok", f"my role {mine} is above those of members{more}")


def _uses(here: Place) -> Iterator[Finding]:
    """Tell where nobody may use commands; the owner may, always."""
    if not any(one.permissions.use_application_commands for one in here.guild.roles if not one.managed):
        words = (
            "members may use no commands. Allow Use Application Commands: Server Settings > Roles > Default Permissions"
        )
        yield here.find("commands", "warn", words)
