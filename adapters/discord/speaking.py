"""Says things on Discord: aloud, aside to whoever asked, or directly; in pieces where a text is too long for one."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import discord
from discord.http import Route

from adapters import markup
from adapters.discord import names
from adapters.discord.body import Body
from adapters.discord.needs import label
from bot.core import wording
from bot.core.actions import AskStaff, CreatePoll, Edit, OpenDirect, Say, Warn
from bot.core.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from adapters.discord.client import Client
    from adapters.discord.interactions import Interactions, Opened
    from adapters.markup import Dialect
    from bot.core.actions import Attachment, Button
    from bot.core.things import Ref

LIMIT = 2000
"""Characters of one message."""
PIECES = 5
"""Messages that one text may become; a longer one is refused."""
FILES = 10
"""Files that one message takes."""
POLL_HOURS = 72
ANSWERS = 10
"""Answers that a poll may have."""
ACKNOWLEDGED = 5.0
"""Seconds after which an interaction is answered though Discord never heard that it arrived."""
ORIGINAL = "@original"
LOADING = 1 << 7
"""The flag of an answer that is still being thought about."""
REMEMBERED = 1000
"""Texts in pieces whose pieces are remembered; those of older ones are looked for."""

TAKES_NONE = frozenset({50007, 50278})
"""Discord's codes where somebody takes no direct messages from the bot."""

T = TypeVar("T")
U = TypeVar("U")
Spoken = Say | AskStaff | Edit | OpenDirect | CreatePoll | Warn


class Refused(Exception):
    """What Discord would not let happen; the text says why and what to do."""


@dataclass(slots=True, kw_only=True)
class Begun:
    """Something that is being said, and the messages that were sent of it already."""

    action: Spoken
    made: list[int] = field(default_factory=list)


class Speech:
    """Speaks for one bot."""

    def __init__(self, client: Client, interactions: Interactions, dialect: Dialect) -> None:
        self._client = client
        self._dialect = dialect
        self._http = client.http
        self._interactions = interactions
        self._answered: OrderedDict[int, None] = OrderedDict()
        self._pieces: OrderedDict[Ref, list[int]] = OrderedDict()
        self._directs: dict[int, int] = {}
        self._begun: OrderedDict[int, Begun] = OrderedDict()

    async def speak(self, action: Spoken) -> Ref | None:
        """Say or change something and return the message. Raises Refused, names.Unknown and Overloaded.

        The same act, tried again after Overloaded, goes on where it was: nothing is said twice.
        """
        begun = self._begun.pop(id(action), None) or Begun(action=action)
        try:
            return await self._speak(action, begun.made)
        except Overloaded:
            self._begun[id(action)] = begun
            _trim(self._begun)
            raise

    async def _speak(self, action: Spoken, made: list[int]) -> Ref | None:
        match action:
            case Say() if action.only is not None or self._is_direct(action):
                return await self._answer(action, made)
            case Say():
                return await self._say_aloud(action, made)
            case AskStaff(to=to):
                return await self._say(names.number(to), action.text, action.buttons, made=made)
            case OpenDirect(member=member):
                direct, home = await self._direct(member, outside=True), names.pair(member).of
                return await self._say(direct, action.text, action.buttons, action.attachments, home=home, made=made)
            case Warn():
                return await self._warn(action, made)
            case CreatePoll():
                return await self._ask_all(action)
            case Edit():
                return await self._change(action)

    async def take_back(self, message: Ref) -> None:
        """Take a message away, and with one of the bot's own, which goes last, those that went on with it."""
        asked = names.asked(message)
        channel, number = (0, asked.message) if asked else names.pair(message)
        for one in [*await self._rest(message), number]:
            await self._take_away(channel, asked, one)

    def check(self, channel: int, *rights: str) -> None:
        """Raise Refused where the bot lacks a right in a channel; of one it does not see, Discord itself tells."""
        place = self._client.get_channel(channel)
        if not isinstance(place, discord.abc.GuildChannel | discord.Thread):
            return
        if isinstance(place, discord.Thread) and place.parent is None:
            return
        held = place.permissions_for(place.guild.me)
        missing = [one for one in ("view_channel", *rights) if not getattr(held, one)]
        if missing:
            wanted = ", ".join(label(one) for one in missing)
            raise Refused(f"I lack {wanted} in #{place.name}. Give it to my role there: Edit Channel > Permissions")

    def _is_direct(self, action: Say) -> bool:
        """Say whether somebody asked by a command in a direct conversation, where an answer ends the thinking too."""
        asked = names.asked(action.invocation)
        opened = self._interactions.opened(asked.id) if asked else None
        return opened is not None and opened.direct and opened.thinking

    async def _say_aloud(self, action: Say, made: list[int]) -> Ref:
        channel = names.number(action.thread or action.to)
        said = await self._say(
            channel, action.text, action.buttons, action.attachments, reply_to=action.reply_to, made=made
        )
        asked = names.asked(action.invocation)
        if asked is not None and await self._waits(asked):
            await gone_already(self._http.request(_route("DELETE", self._app, asked, ORIGINAL)))
            self._answered[asked.id] = None
        return said

    async def _say(
        self,
        channel: int,
        text: str,
        buttons: Sequence[Button] = (),
        files: Sequence[Attachment] = (),
        *,
        made: list[int],
        reply_to: Ref | None = None,
        home: int = 0,
    ) -> Ref:
        """Say in a channel what is not `made` yet; pieces after the first answer it, so that they are found again."""
        self._check_speech(channel, files)
        pieces = self._split(text, files)
        answered = names.pair(reply_to) if reply_to else None
        first = answered.id if answered and answered.of == channel else 0
        for piece in pieces[len(made) :]:
            last = len(made) == len(pieces) - 1
            body = Body(
                text=piece,
                buttons=buttons if last else (),
                files=files if last else (),
                reply_to=made[0] if made else first,
                home=home,
            )
            made.append(int((await self._http.send_message(channel, params=body.new()))["id"]))
        return self._remember(names.ref(channel, made[0]), made[1:])

    def _check_speech(self, channel: int, files: Sequence[Attachment]) -> None:
        place = self._client.get_channel(channel)
        if isinstance(place, discord.ForumChannel):
            raise Refused(f"#{place.name} is a forum. I begin no posts, I answer in those there are")
        sends = "send_messages_in_threads" if isinstance(place, discord.Thread) else "send_messages"
        self.check(channel, sends, *(["attach_files"] if files else []))

    async def _answer(self, action: Say, made: list[int]) -> Ref:
        """Answer an interaction so that its member alone sees it: the first answer ends the thinking.

        In a direct conversation nobody else is there, and what is said is a message like any other.
        """
        asked, aside = names.asked(action.invocation), action.only is not None
        if asked is None:
            raise Refused("Discord shows a message to one member alone only where they used a command or a button")
        pieces = self._split(action.text, action.attachments)
        for piece in pieces[len(made) :]:
            last = len(made) == len(pieces) - 1
            files = action.attachments if last else ()
            body = Body(text=piece, buttons=action.buttons if last else (), files=files, aside=aside)
            made.append(await self._send_aside(asked, body))
        first = names.ref("i", asked.id, asked.token, made[0]) if aside else names.ref(action.to.id, made[0])
        return self._remember(first, made[1:])

    async def _send_aside(self, asked: names.Asked, body: Body) -> int:
        if await self._waits(asked):
            route, params = _route("PATCH", self._app, asked, ORIGINAL), body.changed()
        else:
            route, params = _more(self._app, asked), body.new()
        content = {"form": params.multipart, "files": params.files} if params.files else {"json": params.payload}
        told = await self._http.request(route, **content)
        self._answered[asked.id] = None
        _trim(self._answered)
        return int(told["id"])

    async def _waits(self, asked: names.Asked) -> bool:
        """Say whether a member still sees the bot think; after a restart Discord knows."""
        opened: Opened | None = self._interactions.opened(asked.id)
        if asked.id in self._answered:
            return False
        if opened is None:
            return await self._is_loading(asked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGED):
                await opened.acknowledged.wait()
        return opened.thinking

    async def _is_loading(self, asked: names.Asked) -> bool:
        try:
            told = await self._http.request(_route("GET", self._app, asked, ORIGINAL))
        except discord.NotFound:
            return False
        return bool(int(told.get("flags", 0)) & LOADING)

    async def _change(self, action: Edit) -> Ref:
        """Change one of the bot's own messages; where it grew too long for one, go on in others."""
        pieces = self._split(action.text, ())
        asked = names.asked(action.message)
        channel, number = (0, asked.message) if asked else names.pair(action.message)
        known = [number, *await self._rest(action.message)]
        for place, piece in enumerate(pieces):
            body = Body(
                text=piece,
                buttons=action.buttons if place == len(pieces) - 1 else (),
                reply_to=0 if asked else number,
                aside=asked is not None,
            )
            if place == len(known):
                known.append(await self._more(channel, asked, body))
                self._remember(action.message, known[1:])
            elif asked:
                await self._http.request(_route("PATCH", self._app, asked, known[place]), json=body.changed().payload)
            else:
                await self._http.edit_message(channel, known[place], params=body.changed())
        for one in known[len(pieces) :]:
            await self._take_away(channel, asked, one)
        return self._remember(action.message, known[1 : len(pieces)])

    async def _more(self, channel: int, asked: names.Asked | None, body: Body) -> int:
        if asked:
            return await self._send_aside(asked, body)
        return int((await self._http.send_message(channel, params=body.new()))["id"])

    async def _take_away(self, channel: int, asked: names.Asked | None, message: int) -> None:
        if asked:
            await gone_already(self._http.request(_route("DELETE", self._app, asked, message)))
        else:
            await gone_already(self._http.delete_message(channel, message))

    async def _warn(self, action: Warn, made: list[int]) -> Ref:
        """Warn in a direct conversation, and where a member takes none, in the channel."""
        try:
            return await self._say(await self._direct(action.member), action.text, made=made)
        except discord.Forbidden as refused:
            if refused.code not in TAKES_NONE:
                raise
        named = f"{wording.member(action.member, '…')} {action.text}"
        return await self._say(names.number(action.channel), named, made=made)

    async def _direct(self, member: Ref, *, outside: bool = False) -> int:
        """Open a direct conversation and return its number. Raises Refused where somebody is not there any more.

        `outside` is for what those may be told too who are not on the server, if they were written to or share another.
        """
        guild, user = names.pair(member)
        found = await self._client.member(self._client.server(guild), user)
        reached = user in self._directs or self._client.home(user) is not None
        if found is None and not (outside and reached):
            raise Refused("they are not on this server any more")
        if user not in self._directs:
            self._directs[user] = int((await self._http.start_private_message(user))["id"])
        return self._directs[user]

    async def _ask_all(self, action: CreatePoll) -> Ref:
        channel = names.number(action.channel)
        self.check(channel, "send_messages", "send_polls")
        if not 0 < len(action.options) <= ANSWERS:
            raise Refused(f"a poll has 1 to {ANSWERS} answers, not {len(action.options)}")
        poll = {
            "question": {"text": action.question[:300]},
            "answers": [{"poll_media": {"text": one[:55]}} for one in action.options],
            "duration": POLL_HOURS,
            "allow_multiselect": False,
            "layout_type": 1,
        }
        told = await self._http.send_message(channel, params=Body(more={"poll": poll}).new())
        return names.ref(channel, told["id"])

    def _split(self, text: str, files: Sequence[Attachment]) -> list[str]:
        if len(files) > FILES:
            raise Refused(f"one message takes {FILES} files, not {len(files)}")
        if len(text) > LIMIT * PIECES:
            raise Refused(f"the text is {len(text):,} characters long; I say {LIMIT * PIECES:,} at once at most")
        pieces = markup.split(text, self._dialect, LIMIT)
        if not any(piece.strip() for piece in pieces) and not files:
            raise Refused("there is nothing to say")
        return pieces or [""]

    async def _rest(self, message: Ref) -> list[int]:
        """Return the messages that go on with one of the bot's: remembered, or those right after that answer it."""
        if message in self._pieces or names.asked(message):
            return self._pieces.get(message, [])
        channel, number = names.pair(message)
        try:
            mine = await self._http.get_message(channel, number)
        except discord.NotFound:
            return []
        if int(mine["author"]["id"]) != self._client.me or len(mine["content"]) < LIMIT // 2:
            return []
        after = await self._http.logs_from(channel, PIECES * 2, after=number)
        return sorted(int(one["id"]) for one in after if _goes_on(one, number, self._client.me))

    def _remember(self, made: Ref, rest: list[int]) -> Ref:
        self._pieces[made] = rest
        _trim(self._pieces)
        return made

    @property
    def _app(self) -> int:
        return self._client.application_id or self._client.me


def _goes_on(message: object, first: int, me: int) -> bool:
    assert isinstance(message, dict)  # noqa: S101 - it is JSON
    reference = message.get("message_reference") or {}
    return int(message["author"]["id"]) == me and str(reference.get("message_id")) == str(first)


async def gone_already(request: Awaitable[object]) -> None:
    """Make a request that takes something away; that it is not there is what was wanted."""
    with contextlib.suppress(discord.NotFound):
        await request


def _trim(known: OrderedDict[T, U]) -> None:
    while len(known) > REMEMBERED:
        known.popitem(last=False)


def _route(method: str, app: int, asked: names.Asked, message: int | str) -> Route:
    path = f"/webhooks/{{webhook_id}}/{{webhook_token}}/messages/{message}"
    return Route(method, path, webhook_id=app, webhook_token=asked.token)


def _more(app: int, asked: names.Asked) -> Route:
    return Route("POST", "/webhooks/{webhook_id}/{webhook_token}", webhook_id=app, webhook_token=asked.token)
