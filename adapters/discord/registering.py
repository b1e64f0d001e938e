"""Registers the commands with Discord: from the table to its form, sent only when something changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord

from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.commands import Argument, Command
    from bot.core.i18n import Translate

log = logging.getLogger(__name__)

Payload = dict[str, object]
KINDS = {"text": 3, "message": 3, "choice": 3, "number": 4, "member": 6, "channel": 7}
"""Discord's number for each type of argument."""
LANGUAGES = {"zh-CN": "zh_CN"}
"""Discord's name of each language besides English, and ours."""
RIGHTS = {Rank.STAFF: discord.Permissions(moderate_members=True), Rank.OWNER: discord.Permissions(manage_guild=True)}
"""Who sees a command before the owner decides otherwise (Server Settings > Integrations)."""
LONGEST = 100
SLASH, MENU = 1, 3
EVERYWHERE = [0, 1]
"""On servers, and alone with the bot."""
TOLD = frozenset(
    {
        "name",
        "name_localizations",
        "type",
        "description",
        "description_localizations",
        "options",
        "required",
        "choices",
        "value",
        "min_value",
        "max_value",
        "min_length",
        "max_length",
        "autocomplete",
        "default_member_permissions",
        "contexts",
    }
)
"""What Discord tells of a command that is ours to say; the rest is its own."""


async def register(client: discord.Client, commands: Sequence[Command], translator: Callable[[str], Translate]) -> bool:
    """Let Discord know the commands; says whether anything was sent."""
    wanted = payloads(commands, translator)
    if same(await registered(client), wanted):
        return False
    await client.http.bulk_upsert_global_commands(client.application_id or 0, payload=wanted)
    log.info("%d commands are registered with Discord", len(wanted))
    return True


async def registered(client: discord.Client) -> Sequence[object]:
    """Return the commands that Discord knows, in its form."""
    app = client.application_id or 0
    route = discord.http.Route("GET", "/applications/{application_id}/commands", application_id=app)
    there: Sequence[object] = await client.http.request(route, params={"with_localizations": "true"})
    return there


def same(there: Sequence[object], wanted: Sequence[Payload]) -> bool:
    """Say whether what Discord knows is what is wanted, in whatever order."""
    return sorted(map(repr, map(told, there))) == sorted(map(repr, map(told, wanted)))


def payloads(commands: Sequence[Command], translator: Callable[[str], Translate]) -> list[Payload]:
    """Put the table into Discord's form: slash commands, and those that stand in the menu of a message."""
    others = {theirs: translator(ours) for theirs, ours in LANGUAGES.items()}
    slashes = [_slash(one, translator("en"), others) for one in commands]
    return slashes + [_menu(one, translator("en"), others) for one in commands if one.menu]


def told(payload: object) -> object:
    """Return what is ours of a command as Discord tells it, so that two of them compare."""
    match payload:
        case dict():
            inside = {key: told(value) for key, value in sorted(payload.items()) if key in TOLD}
            return {key: value for key, value in inside.items() if value not in (None, False, [], {}, "")}
        case list():
            return [told(one) if isinstance(one, dict) else one for one in payload]
        case _:
            return payload


def _slash(command: Command, english: Translate, others: dict[str, Translate]) -> Payload:
    options = sorted(command.arguments, key=lambda one: not one.required)  # Discord wants what is required first
    return {
        "name": command.name,
        "type": SLASH,
        **_described(command.help, english, others),
        "options": [_option(one, english, others) for one in options],
        **_for(command),
    }


def _menu(command: Command, english: Translate, others: dict[str, Translate]) -> Payload:
    label = {theirs: other(command.menu)[:32] for theirs, other in others.items()}
    return {"name": english(command.menu)[:32], "name_localizations": label, "type": MENU, **_for(command)}


def _for(command: Command) -> Payload:
    right = RIGHTS.get(command.rank)
    return {"default_member_permissions": str(right.value) if right else None, "contexts": EVERYWHERE}


def _option(one: Argument, english: Translate, others: dict[str, Translate]) -> Payload:
    option: Payload = {
        "name": one.name,
        "type": KINDS[one.type],
        "required": one.required,
        **_described(one.help, english, others),
    }
    if one.type == "choice":
        option["choices"] = [{"name": choice, "value": choice} for choice in one.choices]
    if one.type == "number":
        option["min_value"], option["max_value"] = one.bounds
    if one.length:
        option["min_length"] = option["max_length"] = one.length
    if one.type == "text" and (one.suggestions or one.name == "value"):
        option["autocomplete"] = True
    return option


def _described(words: str, english: Translate, others: dict[str, Translate]) -> Payload:
    return {
        "description": english(words)[:LONGEST],
        "description_localizations": {theirs: other(words)[:LONGEST] for theirs, other in others.items()},
    }
