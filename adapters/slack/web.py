"""Calls Slack's Web API: what it refuses is told in words, what it puts off is the budget's affair, and never ours."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.names import PLATFORM
from bot.core.errors import Gone, Overloaded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.slack.told import Told
    from bot.core.counts import Counts

quiet = logging.getLogger("adapters.slack.library")
quiet.setLevel(logging.CRITICAL)
"""The library's own log, which holds what was said; what goes wrong is raised."""

ADDRESS = "https://slack.com/api/"
PATIENCE = 20
"""Seconds until a request that is not answered has failed."""
TOO_MANY, BROKEN = 429, 500
DEFAULT_WAIT = 1.0
"""Seconds to wait where Slack does not say."""
UNWELL = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
"""Answers after which nobody knows whether it happened."""
REJECTED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)
"""Answers that say that a token is none, or not of the kind that is needed."""

POSTED = frozenset({"chat.postMessage", "chat.postEphemeral"})
"""What Slack counts by channel; everything else it counts by method."""
Who = Literal["bot", "app", "admin"]

WORDS = {
    "account_inactive": "the token belongs to an account or a workspace that was closed",
    "already_in_channel": "they are in that channel already",
    "cant_archive_general": "the channel that everybody is in cannot be archived",
    "cant_delete_message": "Slack lets me delete my own messages alone",
    "cant_invite": "they cannot be brought in: a guest, or an account that was closed",
    "cant_invite_self": "I am in that channel already",
    "cant_kick_from_general": "nobody leaves the channel that everybody is in",
    "cant_update_message": "Slack lets me change my own messages alone",
    "cannot_dm_bot": "Slack lets no bot write to another directly",
    "channel_not_found": "there is no such channel that I see. A closed one I see when I am invited: /invite",
    "invalid_name_specials": "Slack takes letters, digits, hyphens and underscores in a channel's name",
    "is_archived": "that channel is archived",
    "message_not_found": "there is no such message any more",
    "msg_too_long": "the text is too long",
    "name_taken": "there is a channel of this name already",
    "not_in_channel": "I am not in that channel. Invite me there: /invite",
    "restricted_action": "the workspace's settings do not allow it",
    "thread_not_found": "there is no such thread any more",
    "user_disabled": "their account was closed",
    "user_not_found": "there is no such member",
    "user_not_in_channel": "they are not in that channel, and Slack shows a message to one member there alone",
    "user_not_visible": "there is no such member that I see",
}
"""What Slack's codes mean to whoever reads them."""


class Refused(Exception):
    """What Slack would not let happen; the text says why and what to do, `code` is Slack's own word."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.code = code


class Api:
    """The Web API with the tokens of one bot. A method that Slack put off is not asked again until its time is up."""

    def __init__(
        self, *, tokens: Mapping[Who, str], counts: Counts, session: aiohttp.ClientSession, address: str = ""
    ) -> None:
        self._counts = counts
        self._session = session
        self._shut: dict[tuple[Who, str, str], float] = {}
        self.address = address or ADDRESS
        self._clients = {
            who: AsyncWebClient(
                token=token,
                base_url=self.address,
                timeout=PATIENCE,
                session=session,
                retry_handlers=[],
                logger=quiet,
            )
            for who, token in tokens.items()
            if token
        }
        self.scopes: dict[Who, frozenset[str]] = {}
        """What each token is allowed, as Slack said last."""
        self.time = int(time.time())
        """Seconds since 1970 by Slack's own clock, when it answered last."""

    def has(self, who: Who) -> bool:
        """Say whether there is such a token."""
        return who in self._clients

    async def call(self, method: str, /, *, who: Who = "bot", **given: object) -> Told:
        """Call a method. Raises Refused, Overloaded and Gone."""
        where = str(given.get("channel", "")) if method in POSTED else ""
        if (left := self._shut.get((who, method, where), 0.0) - time.monotonic()) > 0:
            raise Overloaded("Slack asked me to wait.", after=left, scope=_scope(method))
        data = {name: _written(value) for name, value in given.items() if value is not None}
        try:
            answer = await self._clients[who].api_call(method, data=data)
        except SlackApiError as error:
            raise self._trouble(method, who, where, error) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Gone(f"Slack cannot be reached: {error or type(error).__name__}") from None
        headers: Mapping[str, str] = answer.headers
        self._note_time(headers.get("Date"))
        if scopes := headers.get("x-oauth-scopes"):
            self.scopes[who] = frozenset(scopes.replace(" ", "").split(","))
        return answer.data if isinstance(answer.data, dict) else {}

    def _shut_for(self, what: tuple[Who, str, str], seconds: float) -> None:
        now = time.monotonic()
        self._shut = {name: until for name, until in self._shut.items() if until > now}
        self._shut[what] = now + seconds

    def _note_time(self, date: str | None) -> None:
        with contextlib.suppress(TypeError, ValueError):
            self.time = int(parsedate_to_datetime(date or "").timestamp())

    async def send(self, address: str, body: Told) -> None:
        """Send an answer to the address that came with what a member asked. Raises Refused, Overloaded and Gone."""
        try:
            async with self._session.post(
                address, json=body, timeout=aiohttp.ClientTimeout(total=PATIENCE), allow_redirects=False
            ) as answer:
                await self._judge(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Gone(f"Slack cannot be reached: {error or type(error).__name__}") from None

    def trusts(self, address: str) -> bool:
        """Say whether answers may be sent to an address: Slack's own, or that of the server it is pointed to."""
        ours = self.address.removesuffix("api/")
        return address.startswith("https://hooks.slack.com/") or (self.address != ADDRESS and address.startswith(ours))

    async def upload(self, address: str, data: bytes) -> None:
        """Send the bytes of a file to where Slack said. Raises Refused, Overloaded and Gone."""
        try:
            async with self._session.post(
                address, data=data, timeout=aiohttp.ClientTimeout(total=PATIENCE * 3), allow_redirects=False
            ) as answer:
                await self._judge(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Gone(f"Slack cannot be reached: {error or type(error).__name__}") from None

    async def _judge(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status == TOO_MANY:
            self._counts.limited(PLATFORM, "answer")
            raise Overloaded("Slack asks me to wait.", after=_seconds(answer.headers.get("Retry-After")), scope="chat")
        if answer.status >= BROKEN:
            raise Gone(f"Slack is out of order (status {answer.status}).")
        if answer.status != 200:  # noqa: PLR2004 - it is what HTTP calls well
            raise Refused(
                "Slack takes no answer to that any more: they asked longer than 30 minutes ago, or got five answers"
            )

    def _trouble(self, method: str, who: Who, where: str, error: SlackApiError) -> Exception:
        """Return what to raise for an answer that says no."""
        answer = error.response
        status = int(getattr(answer, "status_code", 0) or 0)
        told = getattr(answer, "data", None)
        told = told if isinstance(told, dict) else {}
        code = str(told.get("error") or "")
        if status == TOO_MANY or code == "ratelimited":
            after = _seconds(getattr(answer, "headers", {}).get("Retry-After"))
            self._shut_for((who, method, where), after)
            self._counts.limited(PLATFORM, method)
            return Overloaded("Slack asks me to wait.", after=after, scope=_scope(method))
        if status >= BROKEN or code in UNWELL or not code:
            return Gone(f"Slack is out of order (status {status}{f', {code}' if code else ''}).")
        if code == "missing_scope":
            needed = str(told.get("needed") or "another scope")
            words = f"my app lacks the scope {needed}. Paste the manifest anew (kinfolk manifest slack), and reinstall"
            return Refused(f"{words} (Slack: {code})", code)
        return Refused(f"{WORDS.get(code, 'Slack refuses')} (Slack: {code})", code)


def _scope(method: str) -> Literal["chat", "route"]:
    return "chat" if method in POSTED else "route"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _seconds(told: str | None) -> float:
    try:
        return max(float(told or DEFAULT_WAIT), 0.0)
    except ValueError:
        return DEFAULT_WAIT
