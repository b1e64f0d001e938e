"""Telegram as a platform among others: what happens in the bot's groups comes in, and what it wants is done there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from adapters import fetching
from adapters.hearing import Handover
from adapters.telegram import names, registering
from adapters.telegram.asking import Asked
from adapters.telegram.chats import Chats
from adapters.telegram.client import OFFICIAL, client, told
from adapters.telegram.echo import Echo
from adapters.telegram.greeting import Greeting
from adapters.telegram.hearing import Ears
from adapters.telegram.homes import Homes
from adapters.telegram.incoming import Incoming
from adapters.telegram.moderating import Discipline
from adapters.telegram.outgoing import CAN, Hands
from adapters.telegram.polling import WAIT, Polling
from adapters.telegram.speaking import Speech
from adapters.telegram.trouble import Refused, in_words
from bot.core.actions import Ban, Kick, Timeout, Unban
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Mistake, Overloaded
from bot.core.i18n import translator
from bot.core.ports import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from adapters.hearing import Appeals
    from adapters.telegram.client import Client
    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.counts import Counts
    from bot.core.events import Arrival, File, Named
    from bot.core.i18n import Translate
    from bot.core.ports import KnownChannel, Windows
    from bot.core.things import Ref

log = logging.getLogger(__name__)

CONNECTS = 5.0
"""Seconds that an act waits for the connection before it is to be tried again later."""
UNREADY = 2.0
ONE_A_SECOND = (1, 1.0)
IN_A_GROUP: Windows = (ONE_A_SECOND, (18, 60.0))
"""Telegram lets a bot make 20 calls a minute in a group, edits and typing among them; two are kept in hand."""
ALONE: Windows = (ONE_A_SECOND,)
KEPT = timedelta(hours=24)
"""For so long Telegram keeps what happened for a bot that is away."""


class Telegram:
    """One bot on Telegram.

    `known` tells what is stored of a space, `spaces` which there are, those first where a member was active last,
    `appeals` what somebody can appeal, and `latest` when the newest message was said that is stored.
    """

    def __init__(
        self,
        *,
        token: SecretStr,
        clock: Clock,
        counts: Counts,
        known: Callable[[Ref], Awaitable[Mapping[Ref, KnownChannel] | None]],
        spaces: Callable[[Ref], Awaitable[Sequence[Named]]],
        appeals: Appeals,
        latest: Callable[[], Awaitable[datetime | None]],
        api: str = "",
        wait: int = WAIT,
    ) -> None:
        self._token = token
        self._clock = clock
        self._counts = counts
        self._known = known
        self._spaces = spaces
        self._appeals = appeals
        self._latest = latest
        self._api = api
        self._wait = wait
        self._hands: Hands | None = None
        self.ears: Ears | None = None
        self.ready = asyncio.Event()
        """Set once Telegram answered, until the connection is given up."""

    @property
    def platform(self) -> str:
        """Return the first part of every reference of Telegram."""
        return names.PLATFORM

    @property
    def can(self) -> frozenset[str]:
        """Return what it does; what is for one member alone is said in a conversation with them."""
        return frozenset(kind.__name__ for kind in CAN) | {"opened", "outsiders", "buttons", "files", "fetch"}

    @property
    def limits(self) -> Limits:
        """Return what a bot may send: 30 calls a second in all, one in a chat, in a group fewer than 20 a minute."""
        return Limits(chat=IN_A_GROUP, overall=(30, 1.0), chat_of=_chat_of, chats=_in_chat, drafts=_is_alone)

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Connect, register the commands, and hand over what happens until cancelled. Raises Gone or Misconfigured."""
        translate = {language: await asyncio.to_thread(translator, language) for language in ("en", "zh_CN")}
        bot = client(self._token, api=self._api)
        try:
            async with bot:
                await self._register(bot, commands, translate)
                await self._tell_of_gap(bot)
                await self._live(bot, put, commands, translate)
        except TelegramError as error:
            raise told(error, self._api) from None
        finally:
            self._hands = self.ears = None
            self.ready.clear()

    async def _register(self, bot: Client, commands: Sequence[Command], translate: dict[str, Translate]) -> None:
        """Register the commands; without its menus the bot answers them all the same."""
        try:
            await registering.register(bot, commands, translate)
        except InvalidToken:
            raise
        except TelegramError as error:
            log.warning("the menus of commands are as they were: %s", error)

    async def _live(
        self,
        bot: Client,
        put: Callable[[Arrival], Awaitable[bool]],
        commands: Sequence[Command],
        translate: dict[str, Translate],
    ) -> None:
        chats = Chats(client=bot, clock=self._clock, known=self._known)
        homes = Homes(client=bot, clock=self._clock, spaces=self._spaces, appeals=self._appeals)
        hears_all = bool(bot.bot.can_read_all_group_messages)
        ears = self.ears = Ears(
            client=bot,
            clock=self._clock,
            chats=chats,
            homes=homes,
            incoming=Incoming(me=bot.id, username=bot.username, commands={one.name for one in commands}),
            handover=Handover(put, clock=self._clock),
            greeting=Greeting(client=bot, chats=chats, hears_all=hears_all, translate=translate),
            asked=Asked(username=bot.username, commands=commands),
            commands=commands,
            translate=translate,
        )
        echo = Echo(ears=ears, clock=self._clock)
        self._hands = Hands(
            client=bot,
            chats=chats,
            speech=Speech(bot, chats, homes, echo),
            discipline=Discipline(client=bot, chats=chats, homes=homes, clock=self._clock),
            echo=echo,
            clock=self._clock,
        )
        try:
            await Polling(
                client=bot, clock=self._clock, hear=ears.hear, connected=self._connected_now, wait=self._wait
            ).run()
        finally:
            await _end({*ears.tasks, *ears.presses.waiting})

    def _connected_now(self, now: bool) -> None:  # noqa: FBT001 - it is the state itself
        self._counts.connected(names.PLATFORM, now)
        if now:
            self.ready.set()  # until the end: acts need not wait for a question that failed

    async def _tell_of_gap(self, bot: Client) -> None:
        """Say in the log when more may have happened than Telegram kept."""
        latest = await self._latest()
        if latest is None or self._clock.now() - latest < KEPT:
            return
        waiting = (await bot.get_webhook_info()).pending_update_count
        if waiting:
            log.warning(
                "the newest message of Telegram that is stored is of %s, and Telegram keeps what happens for 24 hours: "
                "what was said between then and a day ago does not come any more. An export of the group has it.",
                latest.isoformat(timespec="minutes"),
            )

    async def act(self, action: Action) -> Receipt:
        """Carry out an action. Raises Overloaded while Telegram says to wait, or is not connected, and Gone."""
        hands = await self._connected()
        try:
            return Receipt(state="done", made=await hands.perform(action))
        except Refused as refused:
            return Receipt(state="failed", error=str(refused), opens=refused.opens)
        except names.Unknown as unknown:
            return Receipt(state="failed", error=str(unknown))
        except RetryAfter as busy:
            self._counts.limited(names.PLATFORM, type(action).__name__)
            raise Overloaded("Telegram asks me to wait.", after=_seconds(busy), scope="chat") from None
        except ChatMigrated as moved:
            await self._follow(hands, action, moved.new_chat_id)
            raise Overloaded("The group became a supergroup.", after=0.0, scope="route") from None
        except (BadRequest, Forbidden) as refused:
            return Receipt(state="failed", error=in_words(refused))
        except InvalidToken:
            raise Gone("Telegram refuses the token.") from None
        except TelegramError as error:
            raise Gone(f"Telegram cannot be reached: {error}") from None

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Return a file that Telegram finds by its id; it gives a bot none above 20 MB. Raises Mistake and Gone."""
        if file.size > limit:
            raise fetching.too_large(limit)
        hands = await self._connected()
        try:
            found = await hands.client.get_file(file.url)
        except RetryAfter as busy:
            raise Overloaded("Telegram asks me to wait.", after=_seconds(busy), scope="all") from None
        except (BadRequest, Forbidden):
            raise Mistake(fetching.AWAY) from None
        except TelegramError as error:
            raise Gone(f"Telegram cannot be reached: {type(error).__name__}") from None
        source = fetching.Source(address=self._api or OFFICIAL)
        return await fetching.fetch(source, found.file_path or "", limit=limit)

    async def _follow(self, hands: Hands, action: Action, number: int) -> None:
        """Keep the new number of a group that Telegram names instead of doing what was wanted."""
        space = getattr(action, "space", None) or getattr(action, "to", None) or getattr(action, "channel", None)
        if space is not None:
            before = names.place(space).chat
            name = hands.chats.spaces[before].name if before in hands.chats.spaces else str(number)
            hands.echo.moved(before, number, name)

    async def _connected(self) -> Hands:
        if not self.ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECTS):
                    await self.ready.wait()
        if self._hands is None or not self.ready.is_set():
            raise Overloaded("Telegram is not connected.", after=UNREADY, scope="all")
        return self._hands


def _seconds(busy: RetryAfter) -> float:
    return max(busy._retry_after.total_seconds(), 1.0)  # noqa: SLF001 - the other is on its way out


def _chat_of(action: Action, where: Ref) -> str:
    """Name the chat whose turns something takes: a topic's are its group's, and acts on a member the group's too."""
    space = action.space if isinstance(action, Timeout | Kick | Ban | Unban) else None
    try:
        return str(names.group_of(space or where))
    except names.Unknown:
        return str(where)


def _is_alone(where: Ref) -> bool:
    """Say whether a place is a conversation with one member."""
    return where.id.isdecimal()


def _in_chat(name: str) -> Windows:
    return IN_A_GROUP if name.startswith(f"{names.PLATFORM}:-") else ALONE


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """End what went on beside the updates."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
