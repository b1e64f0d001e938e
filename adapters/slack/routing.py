"""Tells apart what an envelope holds, by Bolt: an event, a command, a shortcut, a button, a form.

Bolt answers an event before anybody looked at it, unless it is told to work first (`process_before_response`): here it
answers once everything is stored, and not at all where that failed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Protocol

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import told
from adapters.slack.web import quiet

if TYPE_CHECKING:
    from slack_bolt.context.ack.async_ack import AsyncAck

    from adapters.slack.told import Told

ANY = re.compile(r".*", re.DOTALL)
KINDS = frozenset({"events_api", "slash_commands", "interactive"})
"""What Slack sends in envelopes that somebody has to look at."""


class Hearer(Protocol):
    """Whoever takes in what is told. What it returns goes back to Slack with the acknowledgement."""

    async def event(self, payload: Told) -> None:
        """Take in what happened."""
        ...

    async def command(self, payload: Told) -> Told | None:
        """Take in a slash command."""
        ...

    async def shortcut(self, payload: Told) -> Told | None:
        """Take in what was chosen from the menu of a message."""
        ...

    async def pressed(self, payload: Told) -> Told | None:
        """Take in a button."""
        ...

    async def form(self, payload: Told) -> Told | None:
        """Take in a form that was filled in."""
        ...


class Router:
    """Hands each envelope to whom it is for."""

    def __init__(self, hearer: Hearer, *, me: str, team: str) -> None:
        self._hearer = hearer
        self._failed: dict[int, Exception] = {}

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=team, bot_user_id=me, bot_token="")

        self._app = AsyncApp(
            name="kinfolk",
            client=AsyncWebClient(logger=quiet),
            logger=quiet,
            authorize=authorize,
            process_before_response=True,
            raise_error_for_unhandled_request=False,
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            ignoring_self_assistant_message_events_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
        )
        self._app.event(ANY)(self._event)
        self._app.command(ANY)(self._command)
        self._app.shortcut(ANY)(self._shortcut)
        self._app.action(ANY)(self._pressed)
        self._app.view(ANY)(self._form)
        self._app.error(self._note)

    async def dispatch(self, envelope: Told) -> Told | None:
        """Hand an envelope over and return what to acknowledge it with; what is of no known kind is acknowledged too.

        Raises whatever kept it from being stored.
        """
        payload = told.part(envelope, "payload")
        if told.text(envelope, "type") not in KINDS or not payload:
            return None
        request = AsyncBoltRequest(mode="socket_mode", body=payload)
        answer = await self._app.async_dispatch(request)
        if failed := self._failed.pop(id(request.body), None):
            raise failed
        body = json.loads(answer.body) if answer.status == 200 and answer.body else None  # noqa: PLR2004 - all is well
        return body if isinstance(body, dict) else None

    async def _note(self, error: Exception, body: Told) -> None:
        self._failed[id(body)] = error

    async def _event(self, body: Told) -> None:
        await self._hearer.event(body)

    async def _command(self, body: Told, ack: AsyncAck) -> None:
        await _answer(ack, await self._hearer.command(body))

    async def _shortcut(self, body: Told, ack: AsyncAck) -> None:
        await _answer(ack, await self._hearer.shortcut(body))

    async def _pressed(self, body: Told, ack: AsyncAck) -> None:
        await _answer(ack, await self._hearer.pressed(body))

    async def _form(self, body: Told, ack: AsyncAck) -> None:
        await _answer(ack, await self._hearer.form(body))


async def _answer(ack: AsyncAck, answer: Told | None) -> None:
    if answer is None:
        await ack()
    else:
        await ack(**answer)  # type: ignore[arg-type]
