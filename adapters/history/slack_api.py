"""Old messages from Slack by its Web API, without a socket: the channels that the bot is in, with their threads."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.history import exports
from adapters.history.rooms import Layout, Page, Room
from adapters.history.slack_records import Channel, Records, User
from adapters.slack import names
from adapters.slack.directory import room_of
from adapters.slack.pages import MANY, PAGE
from bot.core.errors import Gone, Misconfigured, Mistake, NotAllowed
from bot.core.events import Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from bot.core.clock import Clock
    from bot.core.events import MessagePosted
    from bot.core.things import Ref

SIDE_BY_SIDE = 2
"""Requests on the way at once: Slack's limits are per method, whatever the channel."""
LONGEST_WAIT, UNSAID_WAIT, TRIES = 300.0, 30.0, 20
"""Seconds that are waited when Slack asks for it, and when it does not say how long, and how often."""
KINDS = "public_channel,private_channel"
HERE = "docs/platforms/slack.md says where to get one."
USELESS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)
"""What Slack says of a token that will not do."""
SHUT = frozenset({"not_in_channel", "channel_not_found", "missing_scope", "access_denied", "no_permission"})
"""What Slack says of a channel that the bot may not read."""
LOST = frozenset({"message_not_found", "cant_update_message", "is_archived", "thread_not_found"})
"""What Slack says of a message that is not there any more, or may not be changed any more."""
BUSY = 429


class Lost(NotAllowed):
    """A message or a thread that is gone."""


@contextlib.asynccontextmanager
async def open_past(token: SecretStr, *, clock: Clock, api: str = "") -> AsyncIterator[Workspace]:
    """Enter the workspace of a bot's token. Raises Misconfigured or Gone."""
    if not token.get_secret_value():
        raise Misconfigured(f"KINFOLK_SLACK_BOT_TOKEN is not set. {HERE}")
    address = f"{api.rstrip('/')}/" if api else AsyncWebClient.BASE_URL
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        # Whoever reads tries again, by the clock that it is given.
        client = AsyncWebClient(token.get_secret_value(), session=session, base_url=address, retry_handlers=[])
        api_of_slack = Api(client, clock)
        me = await api_of_slack.ask("auth.test")
        own = frozenset(one for one in (me.get("user_id"), me.get("bot_id")) if isinstance(one, str))
        space = Named(ref=names.ref(str(me.get("team_id"))), name=exports.name(me.get("team"), "Slack"))
        yield Workspace(api_of_slack, clock, space, me=own)


class Api:
    """Asks Slack, and waits as long as Slack asks for. Raises Misconfigured, NotAllowed or Gone."""

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def ask(self, method: str, **given: object) -> Mapping[str, object]:
        """Call a method and return what it answers."""
        for _try in range(TRIES):
            try:
                answer = await self._client.api_call(method, data=given)
            except SlackApiError as error:
                await self._bear(error, method)
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise Gone(f"Slack cannot be reached ({error}). The same command goes on from here.") from error
            else:
                return answer.data if isinstance(answer.data, dict) else {}
        raise Gone(f"Slack asks me to wait again and again ({method}). The same command goes on from here.")

    async def pages(self, method: str, key: str, **given: object) -> AsyncIterator[Mapping[str, object]]:
        """Go through a list of Slack's from its beginning to its end."""
        cursor = ""
        while True:
            answer = await self.ask(method, cursor=cursor, **given)
            for one in exports.rows(answer.get(key)):
                yield one
            following = exports.words(exports.inner(answer, "response_metadata").get("next_cursor"))
            if not following or following == cursor:
                return
            cursor = following

    async def _bear(self, error: SlackApiError, method: str) -> None:
        """Wait where Slack asks for it, and say in words what goes wrong otherwise."""
        response = error.response
        reason = str(response.get("error", "")) if isinstance(response.get("error", ""), str) else ""
        if response.status_code == BUSY or reason == "ratelimited":
            if (asked := _asked_wait(response.headers)) > LONGEST_WAIT:
                raise Gone(f"Slack asks me to wait {asked:.0f} s ({method}). Try again after that.") from None
            await self._clock.sleep(asked)
            return
        if reason in USELESS:
            raise Misconfigured(f"KINFOLK_SLACK_BOT_TOKEN: Slack refuses it ({reason}). {HERE}") from None
        if reason in SHUT | LOST:
            needed = f": {response.get('needed')}" if response.get("needed") else ""
            kind = Lost if reason in LOST else NotAllowed
            raise kind(f"Slack refuses it ({reason}{needed})") from None
        raise Gone(f"Slack refuses {method} ({reason or response.status_code}). Try again in a while.") from None


class Workspace:
    """One workspace: its channels and their pages, and what is said there about the reading."""

    side_by_side = SIDE_BY_SIDE

    def __init__(self, api: Api, clock: Clock, space: Named, *, me: frozenset[str]) -> None:
        self.space = space
        self._api = api
        self._clock = clock
        self._me = me
        self._channels: dict[Ref, Channel] = {}
        self._records = Records(users={}, called={}, source=names.PLATFORM)

    async def layout(self, wanted: Sequence[str] = ()) -> Layout:
        """Find the channels that the bot is in, by name or id where only some are wanted. Raises Mistake."""
        told = [one async for one in self._api.pages("users.conversations", "channels", types=KINDS, limit=MANY)]
        known = [_channel(one) for one in told if names.is_own(one.get("id"))]
        chosen = _chosen(known, wanted)
        self._channels = {one.named.ref: one for one in chosen}
        members = [one async for one in self._api.pages("users.list", "members", limit=MANY)]
        users = {str(one["id"]): User.of(one) for one in members if names.is_own(one.get("id"))}
        called = {own: user.name for own, user in users.items()} | {one.id: one.name for one in known if not one.closed}
        self._records = Records(users=users, called=called, source=names.PLATFORM, me=self._me)
        now = self._clock.now()
        return Layout(
            homes=tuple(one.told(now) for one in chosen),
            rooms=tuple(Room(ref=one.named.ref, name=one.name, home=one.named.ref) for one in chosen),
            closed=(),
        )

    async def page(self, room: Room, before: str = "", *, since: datetime | None = None) -> Page:
        """Read a page and the threads that begin on it, newest first, from a mark on; nothing older than `since`.

        The bot's own messages and what nobody said are left out. Raises NotAllowed where the bot may not read, Gone.
        """
        channel = self._channels[room.ref]
        marks = {"latest": before, "oldest": f"{since.timestamp():.6f}" if since else ""}
        answer = await self._api.ask(
            "conversations.history", channel=channel.id, limit=PAGE, **{name: one for name, one in marks.items() if one}
        )
        found = exports.rows(answer.get("messages"))
        answers = [one for first in found if _began_thread(first) for one in await self._thread(channel, first)]
        messages = tuple(posted for one in [*found, *answers] if (posted := self._read(channel, one)))
        more = answer.get("has_more") is True and bool(found)
        last = str(found[-1].get("ts")) if found else before
        if since and not more:
            return Page(messages=messages, before=f"{since.timestamp():.6f}", done=False)
        return Page(messages=messages, before=last, done=not more)

    def reaches(self, before: str, since: datetime | None) -> bool:
        """Say whether everything since a moment is read where a channel is read down to a mark."""
        return bool(before) and since is not None and float(before) <= since.timestamp()

    async def say(self, channel: Ref, text: str) -> Ref | None:
        """Say something in a channel of this workspace and return the message; None where that cannot be."""
        if channel.platform != names.PLATFORM:
            return None
        with contextlib.suppress(NotAllowed):
            said = await self._api.ask("chat.postMessage", channel=names.own(channel), text=text)
            return names.message(str(said["channel"]), str(said["ts"]))
        return None

    async def rewrite(self, message: Ref, text: str) -> bool:
        """Change what was said; False where it is gone."""
        channel, ts = names.parts(message)
        with contextlib.suppress(NotAllowed):
            await self._api.ask("chat.update", channel=channel, ts=ts, text=text)
            return True
        return False

    async def _thread(self, channel: Channel, first: Mapping[str, object]) -> list[Mapping[str, object]]:
        """Return the answers in a thread; its first message comes with them."""
        ts, given = str(first.get("ts")), {"channel": channel.id, "limit": PAGE}
        found: list[Mapping[str, object]] = []
        # It may have been deleted since the channel was read.
        with contextlib.suppress(Lost):
            async for one in self._api.pages("conversations.replies", "messages", ts=ts, **given):
                found += [one] if one.get("ts") != ts else []
        return found

    def _read(self, channel: Channel, told: Mapping[str, object]) -> MessagePosted | None:
        with contextlib.suppress(ValueError):
            return self._records.message(channel, told)
        return None


def _channel(told: Mapping[str, object]) -> Channel:
    """Read a channel; what does not say who may read it is taken to be closed, as by the bot that hears it."""
    return Channel.of(told, closed=room_of(dict(told)).audience is not Audience.EVERYONE)


def _began_thread(told: Mapping[str, object]) -> bool:
    """Say whether others answered a message in its thread."""
    answers = told.get("reply_count")
    return isinstance(answers, int) and answers > 0 and told.get("thread_ts", told.get("ts")) == told.get("ts")


def _chosen(known: Sequence[Channel], wanted: Sequence[str]) -> list[Channel]:
    found: dict[str, Channel] = {}
    for name in wanted:
        bare = name.strip().removeprefix("#")
        some = [one for one in known if bare in {one.id, one.name}]
        if not some:
            near = difflib.get_close_matches(bare, [one.name for one in known], n=3)
            hint = f" Did you mean {', '.join(near)}?" if near else " Invite it there: /invite @kinfolk"
            raise Mistake(f"The bot is in no channel {name!r}.{hint}")
        found |= {one.id: one for one in some}
    return list(found.values()) if wanted else list(known)


def _asked_wait(headers: Mapping[str, str]) -> float:
    told = next((value for name, value in headers.items() if name.casefold() == "retry-after"), "")
    return float(told) if told.isdecimal() else UNSAID_WAIT
