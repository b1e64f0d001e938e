"""Slack as a platform among others: what happens in the bot's workspace comes in, and what it wants is done there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from adapters import fetching, markup
from adapters.slack import names, told
from adapters.slack.arriving import Arriving
from adapters.slack.directory import Directory
from adapters.slack.ears import Ears
from adapters.slack.incoming import Incoming
from adapters.slack.interactions import Interactions
from adapters.slack.link import PAGE, Link
from adapters.slack.outgoing import OTHERS, OWN, Hands
from adapters.slack.speaking import Speech
from adapters.slack.web import REJECTED, Api, Refused
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Misconfigured, Overloaded
from bot.core.events import Named
from bot.core.i18n import translator
from bot.core.log import trail
from bot.core.ports import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic import SecretStr

    from bot.core.actions import Action
    from bot.core.clock import Clock
    from bot.core.commands import Command
    from bot.core.counts import Counts
    from bot.core.events import Arrival, File
    from bot.core.i18n import Translate
    from bot.core.ports import KnownChannel
    from bot.core.things import Ref

log = logging.getLogger(__name__)

WRONG = (
    "KINFOLK_SLACK_BOT_TOKEN: Slack refuses it ({code}). Copy the Bot User OAuth Token, which begins with xoxb-: "
    "{page}, your app, OAuth & Permissions; install the app there if it says so. Put it into .env, and start again."
)
BOTH = (
    "{missing} is not set, and Slack takes both tokens: KINFOLK_SLACK_BOT_TOKEN (xoxb-) to act, and "
    "KINFOLK_SLACK_APP_TOKEN (xapp-) to hear. docs/platforms/slack.md says where to get them."
)
CONNECTS = 5.0
"""Seconds that an act waits for the connection before it is to be tried again later."""
HOSTS = frozenset({"files.slack.com"})
"""Where Slack keeps files; nothing else is told the token."""
UNREADY = 2.0
"""Seconds until something is tried again for which the connection is not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What Slack takes: to act, to hear, and of an admin to do what a bot may not."""

    bot: SecretStr
    app: SecretStr
    admin: SecretStr

    def check(self) -> None:
        """Raise Misconfigured where one of the two is missing that a bot cannot do without."""
        for value, name in ((self.bot, "KINFOLK_SLACK_BOT_TOKEN"), (self.app, "KINFOLK_SLACK_APP_TOKEN")):
            if not value.get_secret_value():
                raise Misconfigured(BOTH.format(missing=name))

    def api(self, session: aiohttp.ClientSession, counts: Counts, address: str) -> Api:
        """Return the Web API with these tokens."""
        tokens = {"bot": self.bot, "app": self.app, "admin": self.admin}
        given = {who: token.get_secret_value() for who, token in tokens.items()}
        return Api(tokens=given, counts=counts, session=session, address=address)  # type: ignore[arg-type]


class Slack:
    """One bot in one workspace. `known` tells what is stored of it: its channels and the newest message of each."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        clock: Clock,
        counts: Counts,
        known: Callable[[Ref], Awaitable[Mapping[Ref, KnownChannel] | None]],
        api: str = "",
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._counts = counts
        self._known = known
        self._address = api
        self._hands: Hands | None = None
        self.ears: Ears | None = None
        self.looking: asyncio.Task[None] | None = None
        """What looks the workspace over, beside everything else."""
        self.ready = asyncio.Event()
        """Set while there is a connection."""

    @property
    def platform(self) -> str:
        """Return the first part of every reference of Slack."""
        return names.PLATFORM

    @property
    def can(self) -> frozenset[str]:
        """Return what Slack lets a bot do, and with an admin's token a little more."""
        abilities = {"only", "enters", "only-plain", "buttons", "files", "fetch"}
        return OWN | abilities | (OTHERS if self._tokens.admin.get_secret_value() else {"Delete-own"})

    @property
    def limits(self) -> Limits:
        """Return what a bot may send: about a message a second in a channel; the rest is counted by method."""
        minute = 60.0
        routes = {
            "Edit": ((50, minute),),
            "Delete": ((50, minute),),
            "React": ((50, minute),),
            "Invite": ((50, minute),),
            "CreateChannel": ((20, minute),),
            "ArchiveChannel": ((20, minute),),
        }
        return Limits(chat=((3, 3.0),), overall=(10, 1.0), routes=routes, answers_apart=True)

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Connect and hand over what happens until cancelled. Raises Gone or Misconfigured."""
        self._tokens.check()
        async with aiohttp.ClientSession(trust_env=True) as session:
            api = self._tokens.api(session, self._counts, self._address)
            directory = await self._who(api)
            try:
                await self._live(api, session, directory, put, commands)
            except Overloaded as busy:
                await self._clock.sleep(busy.after)
                raise Gone("Slack asked me to wait before I connect.") from None
            except Refused as refused:
                raise Gone(f"Slack refuses: {refused}") from None
            finally:
                self.ready.clear()
                self._hands = None
                await self._let_go(directory)

    async def _live(
        self,
        api: Api,
        session: aiohttp.ClientSession,
        directory: Directory,
        put: Callable[[Arrival], Awaitable[bool]],
        commands: Sequence[Command],
    ) -> None:
        translates = {language: await asyncio.to_thread(translator, language) for language in ("en", "zh_CN")}

        def translate(language: str) -> Translate:
            return translates["zh_CN" if language.lower().startswith("zh") else "en"]

        incoming = Incoming(directory=directory, clock=self._clock)
        interactions = Interactions(
            api=api, directory=directory, commands=commands, put=put, clock=self._clock, translate=translate
        )
        ears = self.ears = Ears(
            incoming=incoming,
            interactions=interactions,
            arriving=await self._arriving(api, incoming),
            put=put,
            clock=self._clock,
            commands=commands,
            is_new=lambda: self._is_new(directory),
        )
        speech = Speech(
            api=api, incoming=incoming, dialect=markup.slack(directory.address_of), direct=interactions.direct
        )
        hands = Hands(api=api, speech=speech, me=directory.me)

        def connected(now: bool) -> None:  # noqa: FBT001 - it is the state itself
            self._counts.connected(names.PLATFORM, now)
            if now:
                self._hands = hands
                self.ready.set()
                if self.looking is None:
                    self._look_over(ears)
            else:
                self.ready.clear()

        async def hole() -> None:
            await self._stop_looking()
            directory.uncount()
            ears.arriving = await self._arriving(api, incoming)

        await Link(api=api, session=session, clock=self._clock, take=ears.take).run(connected, hole)

    async def _arriving(self, api: Api, incoming: Incoming) -> Arriving:
        then = await self._known(incoming.directory.team.ref)
        return Arriving(api=api, incoming=incoming, clock=self._clock, then=then)

    def _look_over(self, ears: Ears) -> None:
        self.looking = asyncio.create_task(ears.arriving.look_over(ears.late))
        self.looking.add_done_callback(_noted)

    async def _stop_looking(self) -> None:
        if self.looking is not None:
            self.looking.cancel()
            await asyncio.wait([self.looking])
            self.looking = None

    async def _let_go(self, directory: Directory) -> None:
        await self._stop_looking()
        if self.ears is not None:
            await self.ears.close()
            self.ears = None
        directory.close()

    async def _is_new(self, directory: Directory) -> bool:
        return await self._known(directory.team.ref) is None

    async def _who(self, api: Api) -> Directory:
        """Return the workspace that the bot is in. Raises Gone and Misconfigured."""
        try:
            answer = await api.call("auth.test")
        except Refused as refused:
            if refused.code in REJECTED:
                raise Misconfigured(WRONG.format(code=refused.code, page=PAGE)) from None
            raise Gone(f"Slack refuses: {refused}") from None
        except Overloaded as busy:
            await self._clock.sleep(busy.after)
            raise Gone("Slack asked me to wait before I connect.") from None
        team = Named(ref=names.ref(told.text(answer, "team_id")), name=told.text(answer, "team")[:100] or "Slack")
        return Directory(api, me=told.text(answer, "user_id"), team=team, address=told.text(answer, "url"))

    async def act(self, action: Action) -> Receipt:
        """Carry out an action. Raises Overloaded while Slack says to wait, or is not connected, and Gone."""
        kind = type(action).__name__
        if kind not in self.can and not (kind == "Delete" and "Delete-own" in self.can):
            return Receipt(state="failed", error=f"Slack does not let a bot do this: {kind}")
        hands = await self._connected()
        try:
            return Receipt(state="done", made=await hands.perform(action))
        except (Refused, names.Unknown) as refused:
            return Receipt(state="failed", error=str(refused))

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Return a file from Slack's own host, which is told the bot's token. Raises Mistake, Overloaded and Gone."""
        if file.size > limit:
            raise fetching.too_large(limit)
        # Where another server is set to be Slack, the token is that server's, and Slack itself is not told it.
        source = fetching.Source(
            hosts=frozenset() if self._address else HOSTS,
            address=self._address,
            headers={"Authorization": f"Bearer {self._tokens.bot.get_secret_value()}"},
        )
        return await fetching.fetch(source, file.url, limit=limit)

    async def _connected(self) -> Hands:
        if not self.ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECTS):
                    await self.ready.wait()
        if self._hands is None or not self.ready.is_set():
            raise Overloaded("Slack is not connected.", after=UNREADY, scope="all")
        return self._hands


def _noted(looked: asyncio.Task[None]) -> None:
    """Say in the log if the workspace could not be looked over, and nothing of what was said there."""
    error = None if looked.cancelled() else looked.exception()
    if isinstance(error, Exception):
        log.error("the workspace could not be looked over: %s", trail(error))
