"""Commands, shortcuts, forms, buttons and the home tab: what members ask for by the client's own means.

It is on disk before Slack hears that it arrived. What cannot be stored is refused to whoever asked, in words.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING

from adapters.slack import home, names, told
from adapters.slack.reading import MARK
from adapters.slack.web import Refused
from bot.core.errors import Unavailable
from bot.core.events import Arrival, ButtonPressed, CommandGiven, Pointed
from bot.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.slack.directory import Directory, Person
    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.clock import Clock
    from bot.core.commands import Argument, Command
    from bot.core.events import Named
    from bot.core.i18n import Translate
    from bot.core.things import Ref

log = logging.getLogger(__name__)

PREFIX = "kinfolk"
"""`/kinfolk match` and `/kinfolk-match` say the same as `/match`, where another app or Slack itself has that name."""
LONGEST_LINE = 4000
LONGEST_TITLE = 24
LINK = re.compile(r"https://[\w.-]+/archives/([A-Z0-9]{2,40})/p(\d{1,12})(\d{6})(?:\?[^\s<>|]*)?")
SEND = _("Send")
BACK = _("Never mind")


class Interactions:
    """Takes in what members ask for in one workspace."""

    def __init__(
        self,
        *,
        api: Api,
        directory: Directory,
        commands: Sequence[Command],
        put: Callable[[Arrival], Awaitable[bool]],
        clock: Clock,
        translate: Callable[[str], Translate],
    ) -> None:
        self._api = api
        self._directory = directory
        self._commands = {command.name: command for command in commands}
        self._put = put
        self._clock = clock
        self._translate = translate
        self._directs: dict[str, str] = {}

    async def command(self, payload: Told) -> Told | None:
        """Take in a slash command."""
        user, channel = told.text(payload, "user_id"), told.text(payload, "channel_id")
        name, line = _called(told.text(payload, "command"), told.text(payload, "text")[:LONGEST_LINE])
        if not (user and channel and name):
            return None
        who, room = await self._directory.person(user), await self._directory.room_asked_in(channel)
        asked = names.invocation(told.text(payload, "response_url"))
        event = self._given(name, who, room.named, asked, line=refs_in(line))
        return await self._store(event, who, _spoken)

    async def shortcut(self, payload: Told) -> Told | None:
        """Take in a command from the menu of a message; what it asks for besides comes from a form."""
        command = self._commands.get(told.text(payload, "callback_id"))
        channel, ts = told.text(payload, "channel", "id"), told.text(payload, "message", "ts")
        user = told.text(payload, "user", "id")
        if command is None or not (channel and ts and user):
            return None
        who = await self._directory.person(user)
        author = told.text(payload, "message", "user") or told.text(payload, "message", "bot_id")
        about: Told = {"channel": channel, "ts": ts, "author": author, "asked": told.text(payload, "response_url")}
        wanted = [one for one in command.arguments if one.type == "text"]
        if not wanted:
            return await self._about(command, about, who, {}, _nothing)
        form = self._form(command, about, wanted, self._translate(who.language))
        try:
            await self._api.call("views.open", trigger_id=told.text(payload, "trigger_id"), view=form)
        except (Refused, Unavailable) as error:
            log.warning("a form could not be shown: %s", error)
        return None

    def _form(self, command: Command, about: Told, wanted: Sequence[Argument], translate: Translate) -> Told:
        return {
            "type": "modal",
            "callback_id": command.name,
            "private_metadata": json.dumps(about),
            "title": _plain(translate(command.menu)[:LONGEST_TITLE]),
            "submit": _plain(translate(SEND)[:LONGEST_TITLE]),
            "close": _plain(translate(BACK)[:LONGEST_TITLE]),
            "blocks": [_entry(one, translate) for one in wanted],
        }

    async def form(self, payload: Told) -> Told | None:
        """Take in a form that was filled in: the command that it was opened for."""
        command = self._commands.get(told.text(payload, "view", "callback_id"))
        try:
            about = json.loads(told.text(payload, "view", "private_metadata"))
        except ValueError:
            return None
        user = told.text(payload, "user", "id")
        if command is None or not isinstance(about, dict) or not user:
            return None
        who = await self._directory.person(user)
        filled = {
            name: told.text(field, name, "value")[:LONGEST_LINE]
            for name, field in told.part(payload, "view", "state", "values").items()
        }
        first = next(iter(filled), "")
        given = {name: value for name, value in filled.items() if value}
        return await self._about(command, about, who, given, lambda words: _wrong(first, words))

    async def pressed(self, payload: Told) -> Told | None:
        """Take in a button: of the home tab a command, under a message what it was given to carry."""
        action, user = next(iter(told.parts(payload, "actions")), {}), told.text(payload, "user", "id")
        if not user:
            return None
        who = await self._directory.person(user)
        if told.text(action, "action_id").startswith(home.HOME):
            return await self._at_home(who, action)
        channel, ts = told.text(payload, "container", "channel_id"), told.text(payload, "container", "message_ts")
        token = told.text(action, "value") or told.text(action, "selected_option", "value")
        if not (channel and ts and token):
            return None
        room = await self._directory.room_asked_in(channel)
        event = ButtonPressed(
            button=token,
            message=names.message(channel, ts),
            member=self._directory.named(who),
            rank=who.rank,
            channel=room.named,
            at=self._clock.now(),
            invocation=names.invocation(told.text(payload, "response_url")),
        )
        return await self._store(event, who, _nothing)

    async def _at_home(self, who: Person, action: Told) -> Told | None:
        """Give the command of a button of the home tab; the answer goes where they are alone with the bot."""
        line = told.text(action, "value")
        name, _space, rest = line.removeprefix("/").partition(" ")
        if name not in self._commands:
            return None
        try:
            room = await self._directory.room(await self.direct(who.id), "im")
        except (Refused, Unavailable) as error:
            log.warning("a press at home could not be answered: %s", error)
            return None
        asked = names.pressed(who.id, told.text(action, "action_ts"))
        return await self._store(self._given(name, who, room.named, asked, line=rest), who, _nothing)

    async def direct(self, user: str) -> str:
        """Return the conversation in which somebody is alone with the bot. Raises Refused, Overloaded and Gone."""
        if user not in self._directs:
            answer = await self._api.call("conversations.open", users=user)
            self._directs[user] = told.text(answer, "channel", "id")
        return self._directs[user]

    async def show_home(self, user: str) -> None:
        """Show somebody the home tab in their language."""
        who = await self._directory.person(user)
        shown = home.view(list(self._commands.values()), self._translate(who.language))
        try:
            await self._api.call("views.publish", user_id=user, view=shown)
        except (Refused, Unavailable) as error:
            log.warning("the home tab could not be shown: %s", error)

    async def _about(
        self,
        command: Command,
        about: Told,
        who: Person,
        given: dict[str, str],
        refusing: Callable[[str], Told | None],
    ) -> Told | None:
        """Give a command about a message, which whoever asks can read: they chose it from its menu."""
        channel, ts = told.text(about, "channel"), told.text(about, "ts")
        room = await self._directory.room_asked_in(channel)
        message = names.message(channel, ts)
        author = self._directory.named(await self._directory.person(told.text(about, "author")))
        event = self._given(
            command.name,
            who,
            room.named,
            names.invocation(told.text(about, "asked")),
            arguments={
                **{one.name: str(message) for one in command.arguments if one.type == "message"},
                **given,
            },
            pointed=Pointed(message=message, channel=room.named, author=author),
        )
        return await self._store(event, who, refusing)

    def _given(
        self,
        name: str,
        who: Person,
        channel: Named,
        invocation: Ref,
        *,
        line: str = "",
        arguments: dict[str, str] | None = None,
        pointed: Pointed | None = None,
    ) -> CommandGiven:
        return CommandGiven(
            command=name,
            line=line,
            arguments=arguments or {},
            pointed=pointed,
            member=self._directory.named(who),
            rank=who.rank,
            channel=channel,
            at=self._clock.now(),
            invocation=invocation,
        )

    async def _store(
        self, event: CommandGiven | ButtonPressed, who: Person, refusing: Callable[[str], Told | None]
    ) -> Told | None:
        """Store what was asked for; what cannot be is refused, and has not happened."""
        try:
            await self._put(Arrival(space=self._directory.team, event=event))
        except Unavailable as full:
            words = full.say(self._translate(who.language))
            if (answer := refusing(words)) is None:
                await self._tell(names.address(event.invocation), words)
            return answer
        return None

    async def _tell(self, address: str, words: str) -> None:
        """Tell whoever pressed a button, or chose from a menu, which no acknowledgement does."""
        if not address:
            return
        try:
            await self._api.send(address, {**_spoken(words), "replace_original": False})
        except (Refused, Unavailable) as error:
            log.info("a refusal could not be told: %s", error)


def _called(command: str, line: str) -> tuple[str, str]:
    """Return the name of a command and what stands after it."""
    name = command.removeprefix("/").lower()[:80]
    if name == PREFIX:
        name, _space, line = line.strip().partition(" ")
        return name.removeprefix("/").lower() or "help", line.strip()
    return name.removeprefix(f"{PREFIX}-"), line.strip()


def refs_in(line: str) -> str:
    """Return a line with references in the place of Slack's marks for members, channels and messages."""

    def ref(found: re.Match[str]) -> str:
        sign, inner, label = found[1], found[2], found[3] or ""
        if sign in {"@", "#"} and inner:
            return str(names.ref(inner))
        return inner if not sign else label or inner

    plain = MARK.sub(ref, line).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return LINK.sub(lambda found: str(names.message(found[1], f"{found[2]}.{found[3]}")), plain)


def _plain(words: str) -> Told:
    return {"type": "plain_text", "text": words or "…"}


def _entry(one: Argument, translate: Translate) -> Told:
    entry: Told = {"type": "plain_text_input", "action_id": one.name, "multiline": True, "max_length": 3000}
    return {
        "type": "input",
        "block_id": one.name,
        "optional": not one.required,
        "label": _plain(translate(one.help)[:2000]),
        "element": entry,
    }


def _spoken(words: str) -> Told:
    return {"response_type": "ephemeral", "text": words}


def _wrong(field: str, words: str) -> Told:
    return {"response_action": "errors", "errors": {field: words}}


def _nothing(_words: str) -> None:
    return None
