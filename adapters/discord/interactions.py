"""Commands, menus, forms and buttons: what members ask for by the client's own means, and how it is answered in time.

It is on disk before Discord hears that it arrived; that must be within three seconds, the answer within 15 minutes.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import discord

from adapters.discord import names, rights
from adapters.discord.body import HOME
from adapters.discord.incoming import place
from adapters.hearing import APPEAL
from bot.core.commands import suggest
from bot.core.errors import Unavailable
from bot.core.events import Arrival, ButtonPressed, CommandGiven, Named, Pointed
from bot.core.i18n import _
from bot.core.things import Rank

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from adapters.discord.incoming import Incoming, Person, Where
    from bot.core.commands import Argument, Command
    from bot.core.i18n import Translate
    from bot.core.things import Ref

log = logging.getLogger(__name__)

REMEMBERED = 1000
"""Open interactions that are remembered; beyond, the oldest are answered as after a restart."""
STRANGERS = _("I do not know this place, or share no server with you.")
FORM = "form"
MENTIONS = re.compile(r"\s*(?:<(?:#|@&|@!?)\d{1,20}>\s*,?\s*)+")
MENTION = re.compile(r"<(#|@&|@!?)(\d{1,20})>")
LINK = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/channels/(?:\d+|@me)/(\d{1,20})/(\d{1,20})/?")

Options = list[dict[str, object]]
_User, _Channel = discord.AppCommandOptionType.user.value, discord.AppCommandOptionType.channel.value


@dataclass(slots=True, kw_only=True)
class Opened:
    """One interaction that this process took in. `thinking` says that its member sees the bot think until answered,
    `direct` that they are alone with it."""

    thinking: bool
    direct: bool = False
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)


class Interactions:
    """Takes in what members ask for, and remembers what is open."""

    def __init__(
        self,
        *,
        incoming: Incoming,
        commands: Sequence[Command],
        put: Callable[[Arrival], Awaitable[bool]],
        home: Callable[[int], discord.Guild | None],
        home_of_appeal: Callable[[int, str], Awaitable[discord.Guild | None]],
        translate: Callable[[str], Translate],
        space: Callable[[discord.Guild], Named],
    ) -> None:
        self._incoming = incoming
        self._commands = {command.name: command for command in commands}
        self._menu = {command.menu: command for command in commands if command.menu}
        self._put = put
        self._home = home
        self._home_of_appeal = home_of_appeal
        self._translate = translate
        self._space = space
        self._opened: OrderedDict[int, Opened] = OrderedDict()

    def opened(self, number: int) -> Opened | None:
        """Return an interaction that this process took in."""
        return self._opened.get(number)

    async def take(self, asked: discord.Interaction) -> None:
        """Take in whatever a member did."""
        data: Mapping[str, object] = asked.data or {}
        match asked.type:
            case discord.InteractionType.autocomplete:
                await self._suggest(asked, data)
            case discord.InteractionType.application_command if (
                data.get("type") == discord.AppCommandType.message.value
            ):
                await self._from_menu(asked, data)
            case discord.InteractionType.application_command:
                command = self._commands.get(str(data.get("name")))
                given = {name: self._value(asked, one) for name, one in _options(data).items()}
                await self._command(asked, str(data.get("name")), _read(command, given, asked))
            case discord.InteractionType.modal_submit:
                await self._from_form(asked, data)
            case discord.InteractionType.component:
                await self._pressed(asked, data)
            case _:
                pass

    async def _suggest(self, asked: discord.Interaction, data: Mapping[str, object]) -> None:
        """Offer what an argument may become, while it is typed."""
        command = self._commands.get(str(data.get("name")))
        options = _options(data)
        typing = next((name for name, one in options.items() if one.get("focused")), None)
        if command is None or typing is None:
            return
        given = {name: str(one.get("value", "")) for name, one in options.items()}
        found = suggest(command, typing, given[typing], given)
        await asked.response.autocomplete(
            [discord.app_commands.Choice(name=one[:100], value=one[:100]) for one in found]
        )

    async def _from_menu(self, asked: discord.Interaction, data: Mapping[str, object]) -> None:
        """Give a command about a message; what it asks for besides comes from a form."""
        command = self._menu.get(str(data.get("name")))
        if command is None or asked.channel_id is None:
            await self._command(asked, str(data.get("name")), {})
            return
        about = f"{asked.channel_id}/{data.get('target_id')}/{_author(data)}"
        if wanted := [one for one in command.arguments if one.type == "text"]:
            await asked.response.send_modal(self._form(command, about, wanted, str(asked.locale)))
            return
        await self._command(asked, command.name, {}, about=about)

    def _form(self, command: Command, about: str, wanted: Sequence[Argument], language: str) -> discord.ui.Modal:
        translate = self._translate(language)
        form = discord.ui.Modal(
            title=translate(command.menu)[:45], custom_id=f"{FORM}/{command.name}/{about}", timeout=900
        )
        for one in wanted[:5]:
            entry: discord.ui.TextInput[discord.ui.Modal] = discord.ui.TextInput(
                custom_id=one.name,
                style=discord.TextStyle.paragraph,
                required=one.required,
                max_length=1000,
            )
            form.add_item(discord.ui.Label(text=translate(one.help)[:45], component=entry))
        return form

    async def _from_form(self, asked: discord.Interaction, data: Mapping[str, object]) -> None:
        """Give the command that a form was opened for."""
        kind, _slash, rest = str(data.get("custom_id")).partition("/")
        name, _slash, about = rest.partition("/")
        if not about.startswith(f"{asked.channel_id}/"):
            about = ""  # a client that was changed names a message of a channel that its member may not read
        filled = {key: value for key, value in _filled(data.get("components")) if value}
        await self._command(asked, name if kind == FORM else "", filled, about=about)

    async def _command(
        self, asked: discord.Interaction, name: str, arguments: dict[str, str], *, about: str = ""
    ) -> None:
        """Hand over a command, and the message that it was given about from a menu."""
        try:
            found = await self._belonging(asked, name, arguments)
        except Unavailable as away:
            await self._excuse(asked, away)
            return
        if found is None:
            return
        guild, member, where = found
        pointed = _pointed(about, where, guild)
        command = self._commands.get(name)
        event = CommandGiven(
            command=name,
            arguments={**(_about(command, pointed) if command and pointed else {}), **arguments},
            pointed=pointed,
            member=self._named(asked, member, guild),
            rank=rights.rank(member) if isinstance(member, discord.Member) else Rank.MEMBER,
            channel=where.channel,
            at=asked.created_at,
            invocation=_invocation(asked),
        )
        opened = self._open(asked, thinking=True)
        try:
            await self._put(Arrival(space=self._space(guild), event=event))
            await asked.response.defer(ephemeral=asked.guild_id is not None, thinking=True)
        except Unavailable as full:
            await self._excuse(asked, full)
        finally:
            opened.acknowledged.set()

    async def _pressed(self, asked: discord.Interaction, data: Mapping[str, object]) -> None:
        found = await self._where(asked)
        if found is None or asked.message is None or asked.channel_id is None:
            return
        guild, member, where = found
        chosen: Sequence[object] = data.get("values") or []  # type: ignore[assignment]
        button, _at, home = str(chosen[0] if chosen else data.get("custom_id")).partition(HOME)
        if asked.guild_id is None and home.isdecimal():
            spoken_for = asked.client.get_guild(int(home))
            there = spoken_for.get_member(member.id) if spoken_for else None
            if spoken_for is None or there is None:
                await self._refuse(asked)
                return
            guild, member = spoken_for, there
        event = ButtonPressed(
            button=button,
            message=names.ref(asked.channel_id, asked.message.id),
            member=self._named(asked, member, guild),
            rank=rights.rank(member),
            channel=where.channel,
            at=asked.created_at,
            invocation=_invocation(asked),
        )
        opened = self._open(asked, thinking=False)
        try:
            await self._put(Arrival(space=self._space(guild), event=event))
            await asked.response.defer()
        except Unavailable as full:
            await self._excuse(asked, full)
        finally:
            opened.acknowledged.set()

    async def _belonging(
        self, asked: discord.Interaction, name: str, arguments: Mapping[str, str]
    ) -> tuple[discord.Guild, Person, Where] | None:
        """Return the server, the member and the channel of a command; who is refused is told so. Raises Unavailable.

        An appeal in a direct conversation belongs to the server of its case and to no other, also for who was sent out.
        """
        if name != APPEAL or asked.guild_id is not None:
            return await self._where(asked)
        guild, where = await self._home_of_appeal(asked.user.id, " ".join(arguments.values())), place(asked.channel)
        if guild is None or guild.unavailable or where is None:
            await self._refuse(asked)
            return None
        return guild, guild.get_member(asked.user.id) or asked.user, where

    async def _where(self, asked: discord.Interaction) -> tuple[discord.Guild, discord.Member, Where] | None:
        """Return the server, the member and the channel; who shares none with the bot is told so."""
        guild = self._guild(asked)
        if guild is not None and not guild.unavailable:
            known = guild.get_member(asked.user.id)
            member, where = asked.user if isinstance(asked.user, discord.Member) else known, place(asked.channel)
            if member is not None and where is not None:
                return guild, member, where
        await self._refuse(asked)
        return None

    def _guild(self, asked: discord.Interaction) -> discord.Guild | None:
        """Return the server that was asked on, if the bot is there; of a direct conversation the one it belongs to."""
        return self._home(asked.user.id) if asked.guild_id is None else asked.client.get_guild(asked.guild_id)

    async def _refuse(self, asked: discord.Interaction) -> None:
        if not asked.response.is_done():
            words = self._translate(str(asked.locale))(STRANGERS)
            await asked.response.send_message(words, ephemeral=True)

    async def _excuse(self, asked: discord.Interaction, away: Unavailable) -> None:
        await asked.response.send_message(away.say(self._translate(str(asked.locale))), ephemeral=True)

    def _named(self, asked: discord.Interaction, member: Person, guild: discord.Guild) -> Named:
        return replace(self._incoming.member(member, guild), language=str(asked.locale))

    def _open(self, asked: discord.Interaction, *, thinking: bool) -> Opened:
        opened = self._opened[asked.id] = Opened(thinking=thinking, direct=asked.guild_id is None)
        while len(self._opened) > REMEMBERED:
            self._opened.popitem(last=False)
        return opened

    def _value(self, asked: discord.Interaction, option: Mapping[str, object]) -> str:
        """Return what was given as an argument, things of Discord as references."""
        value, guild = option.get("value", ""), self._guild(asked)
        if option.get("type") == _Channel:
            return str(names.ref(value))
        if option.get("type") == _User and guild:
            return str(names.ref(guild.id, value))
        return refs_in(str(value), guild.id if guild else 0)


def refs_in(text: str, guild: int) -> str:
    """Return a text of nothing but mentions as references with commas between, and any other as it is."""
    if not MENTIONS.fullmatch(text):
        return text
    return ",".join(str(_mentioned(sign, number, guild)) for sign, number in MENTION.findall(text))


def _mentioned(sign: str, number: str, guild: int) -> Ref:
    match sign:
        case "#":
            return names.ref(number)
        case "@&":
            return names.ref(guild, f"&{number}")
        case _:
            return names.ref(guild, number)


def message_in(text: str, channel: int) -> str:
    """Return the reference of a message that is given by its link or its number, and any other text as it is."""
    if found := LINK.fullmatch(text.strip()):
        return str(names.ref(found[1], found[2]))
    bare = text.strip()
    return str(names.ref(channel, bare)) if bare.isascii() and bare.isdecimal() else text


def _read(command: Command | None, given: dict[str, str], asked: discord.Interaction) -> dict[str, str]:
    kinds = {one.name: one.type for one in command.arguments} if command else {}
    channel = asked.channel_id or 0
    return {
        name: message_in(value, channel) if kinds.get(name) == "message" else value for name, value in given.items()
    }


def _about(command: Command, pointed: Pointed) -> dict[str, str]:
    return {one.name: str(pointed.message) for one in command.arguments if one.type == "message"}


def _pointed(about: str, where: Where, guild: discord.Guild) -> Pointed | None:
    """Return the message that a menu stood under, which whoever used it can read: `20/900/2`, the last its author."""
    channel, _slash, rest = about.partition("/")
    message, _slash, author = rest.partition("/")
    if not (channel and message and author.isdecimal()):
        return None
    known = guild.get_member(int(author))
    named = Named(ref=names.member(guild.id, int(author)), name=known.display_name if known else author)
    return Pointed(message=names.ref(channel, message), channel=where.channel, author=named)


def _author(data: Mapping[str, object]) -> str:
    resolved: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]] = data.get("resolved") or {}  # type: ignore[assignment]
    messages = resolved.get("messages") or {}
    return next((one["author"]["id"] for one in messages.values()), "")


def _options(data: Mapping[str, object]) -> dict[str, dict[str, object]]:
    options: Options = data.get("options") or []  # type: ignore[assignment]
    return {str(one.get("name")): one for one in options}


def _filled(parts: object) -> list[tuple[str, str]]:
    """Return what was entered in a form, field by field, however it is laid out."""
    found: list[tuple[str, str]] = []
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, dict):
            if isinstance(part.get("value"), str):
                found.append((str(part.get("custom_id")), part["value"]))
            found += [one for inside in ("components", "component") if inside in part for one in _filled(part[inside])]
    return found


def _invocation(asked: discord.Interaction) -> Ref:
    return names.ref("i", asked.id, asked.token)
