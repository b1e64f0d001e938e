"""How people use a bot on Discord: commands, the message menu, autocomplete, buttons, menus, forms, and its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simcord import actors, interactions
from simcord._modal import _submit_modal
from simcord.backend import serializers
from simcord.backend.models import Interaction
from simcord.enums import AppCommandType, InteractionType, OptionType
from simcord.results import InteractionResult

from tests.platforms import Refused
from tests.platforms.discord.acting import Acting
from tests.platforms.discord.rest import Rest
from tests.platforms.discord.town import Town

Option = str | int | float | bool
SLASH, MESSAGE = AppCommandType.CHAT_INPUT, AppCommandType.MESSAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a bot answered so far to a command, a button or a form. `kind` is empty while it did not."""

    interaction: int
    token: str
    kind: str
    ephemeral: bool
    messages: tuple[dict, ...]
    modal: dict | None
    choices: tuple[dict, ...]

    @property
    def text(self) -> str:
        """Return everything that it said, answer by answer."""
        return "\n".join(one["content"] for one in self.messages)


class Uses:
    """What members do with the bot; each returns the number of the interaction."""

    def __init__(self, town: Town, rest: Rest) -> None:
        self.town = town
        self.backend = town.backend
        self.rest = rest
        self.acting = Acting(town)

    async def command(self, user: int, channel: int, name: str, options: Mapping[str, Option] | None = None) -> int:
        """Use a slash command (`name`, or `name sub`). Members, channels and roles are given by their numbers."""
        with self.acting.refusing(user, channel):
            actor = self._actor(user, channel)
            typed = self._typed(user, channel, name, options or {})
            return _number(await actors._slash(actor, self.acting.room(channel), name, typed))

    async def menu(self, user: int, channel: int, name: str, message: int) -> int:
        """Use a command of the message menu."""
        with self.acting.refusing(user, channel):
            actor = self._actor(user, channel)
            root = actors._resolve_visible_command(actor, channel, name, MESSAGE)
            shown = self._shown(user, channel, message)
            data = {
                "id": root["id"],
                "name": root["name"],
                "type": MESSAGE,
                "target_id": str(message),
                "resolved": {"messages": {str(message): shown}},
            }
            kind = InteractionType.APPLICATION_COMMAND
            room = self.acting.room(channel)
            return _number(await actors._dispatch_actor_interaction(actor, kind, room, data))

    async def complete(
        self, user: int, channel: int, name: str, option: str, value: str, *, filled: Mapping[str, Option] | None = None
    ) -> int:
        """Type into an option of a command."""
        with self.acting.refusing(user, channel):
            actor, room = self._actor(user, channel), self.acting.room(channel)
            typed = self._typed(user, channel, name, filled or {})
            return _number(await actors._autocomplete_result(actor, room, name, option, value, typed))

    async def press(self, user: int, channel: int, message: int, *, label: str = "", custom_id: str = "") -> int:
        """Press a button that is there, by what is written on it or by what it carries."""
        with self.acting.refusing(user, channel):
            actor, shown = self._actor(user, channel), self.acting.message(channel, message)
            how = {"label": label or None, "custom_id": custom_id or None}
            return _number(await actors._component_click(actor, shown, **how))

    async def forge(self, user: int, channel: int, message: int, custom_id: str) -> int:
        """Press a button that is not there, as a changed client can."""
        with self.acting.refusing(user, channel):
            actor, stored = self._actor(user, channel), self.backend.get_message(channel, message)
            data = {"custom_id": custom_id, "component_type": 2}
            return _number(await actors._component_interaction(actor, stored, data))

    async def submit(self, user: int, interaction: int, values: Mapping[str, str]) -> int:
        """Fill in the form that an interaction opened; fields by what they carry, or by what is written over them."""
        opened = self.backend.interactions[interaction]
        with self.acting.refusing(user, opened.channel_id):
            actor = self._actor(user, opened.channel_id)
            named = _named(opened.modal or {}, values)
            return _number(await _submit_modal(actor, InteractionResult(self.acting.stage, opened), named))

    # What came of it

    async def answer(self, interaction: int) -> Answer:
        """Return what the bot answered so far."""
        found = self.backend.interactions[interaction]
        numbers = ([found.message_id] if found.message_id else []) + found.followup_ids
        stored = self.backend.messages.get(found.channel_id, {})
        return Answer(
            interaction=found.id,
            token=found.token,
            kind=str(found.response_kind or ""),
            ephemeral=found.ephemeral,
            messages=tuple(_payload(self.backend, stored[one]) for one in numbers if one in stored),
            modal=found.modal,
            choices=tuple(found.autocomplete_choices or ()),
        )

    async def answered(self, interaction: int, seconds: float = 30) -> Answer:
        """Wait until the bot has answered with more than that it is thinking."""
        found = self.backend.interactions[interaction]
        await self.rest.until(lambda: found.responded and not found.loading, seconds)
        return await self.answer(interaction)

    async def acknowledged(self, interaction: int, seconds: float = 30) -> Answer:
        """Wait until the bot has said at least that it heard."""
        found = self.backend.interactions[interaction]
        await self.rest.until(lambda: found.responded, seconds)
        return await self.answer(interaction)

    async def commands(self, guild: int = 0) -> list[dict]:
        """Return what the bot has registered, everywhere or on one server."""
        return list(self.backend.commands.get(guild or None, {}).values())

    def interaction(self, number: int) -> Interaction:
        """Return an interaction as the model holds it."""
        return self.backend.interactions[number]

    def _actor(self, user: int, channel: int):
        return self.acting.actor(user, channel)

    def _shown(self, user: int, channel: int, message: int) -> dict:
        return _payload(
            self.backend, actors._visible_message(self._actor(user, channel), self.acting.message(channel, message))
        )

    def _typed(self, user: int, channel: int, name: str, options: Mapping[str, Option]) -> dict[str, object]:
        words = name.split()
        root = actors._resolve_visible_command(self._actor(user, channel), channel, words[0], SLASH)
        leaf, _path = interactions.walk_to_subcommand(root, words[1:])
        types = {one["name"]: one["type"] for one in leaf.get("options") or []}
        guild = self.backend.get_channel(channel).guild_id or 0
        return {key: self._value(types.get(key, 0), value, guild) for key, value in options.items()}

    def _value(self, kind: int, value: Option, guild: int) -> object:
        match kind:
            case OptionType.USER | OptionType.MENTIONABLE:
                return self.acting.member(int(value), guild)
            case OptionType.CHANNEL:
                return self.acting.room(int(value))
            case OptionType.ROLE:
                return self.acting.role(int(value), guild)
            case OptionType.INTEGER:
                return int(value)
            case OptionType.NUMBER:
                return float(value)
            case _:
                return value


def _number(result: InteractionResult) -> int:
    return result._interaction.id


def _payload(backend: object, message: object) -> dict:
    return dict(serializers.message_payload(backend, message))  # type: ignore[arg-type]


def _named(modal: dict, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values by what their fields carry."""
    carried = {}
    for row in modal.get("components") or []:
        field = row.get("component") or (row.get("components") or [{}])[0]
        carried[row.get("label") or field.get("label")] = field.get("custom_id")
    unknown = set(values) - set(carried) - set(carried.values())
    if unknown:
        raise Refused(f"The form has no {sorted(unknown)[0]!r}.")
    return {carried.get(key) or key: value for key, value in values.items()}
