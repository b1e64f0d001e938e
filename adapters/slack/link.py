"""The connection to Slack (Socket Mode): hands over each envelope, and dials anew before the old line is cut.

The library's own client is not used here: it hands envelopes over side by side, in no order, closes the old line before
it has a new one, and goes on dialling a ticket that is spent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING

import aiohttp

from adapters.slack import told
from adapters.slack.web import REJECTED, Refused
from bot.core.errors import Gone, Misconfigured, Overloaded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.clock import Clock

    Take = Callable[[Told, Callable[[Told | None], Awaitable[None]]], None]

log = logging.getLogger(__name__)

BEAT = 20.0
"""Seconds between two signs of life; without an answer to one the line is dead."""
HELLO = 10.0
"""Seconds in which Slack says hello on a new line."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
TRIES = 6
"""How often in a row it is dialled before the bot is told that Slack is gone."""
LINGERS = 30.0
"""Seconds that an old line is still listened to when there is a new one."""
LONGEST_FRAME = 4 << 20
PAGE = "https://api.slack.com/apps"
SWITCHED_OFF = "Slack: Socket Mode is off. Switch it on at {page}, your app, Socket Mode, and start Kinfolk again."
WRONG = (
    "KINFOLK_SLACK_APP_TOKEN: Slack refuses it ({code}). Make one: {page}, your app, Basic Information, App-Level "
    "Tokens, with the scope connections:write; it begins with xapp-. Put it into .env, and start Kinfolk again."
)


class Link:
    """One line to Slack at a time, and two while one takes over from the other."""

    def __init__(self, *, api: Api, session: aiohttp.ClientSession, clock: Clock, take: Take) -> None:
        self._api = api
        self._session = session
        self._clock = clock
        self._take = take
        self._lines: set[asyncio.Task[None]] = set()
        self._newest: aiohttp.ClientWebSocketResponse | None = None

    async def run(self, connected: Callable[[bool], None], hole: Callable[[], Awaitable[None]]) -> None:
        """Stay connected until cancelled. Raises Gone when it cannot be, and Misconfigured.

        `hole` is awaited before anything comes over a new line that did not take over from one that still held.
        """
        line = await self._dial()
        try:
            while True:
                connected(True)  # noqa: FBT003 - it is the state itself
                over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
                reading = asyncio.create_task(self._read(line, over))
                self._lines.add(reading)
                reading.add_done_callback(self._lines.discard)
                if not await over:
                    connected(False)  # noqa: FBT003 - it is the state itself
                line = await self._dial_again()
                if reading.done():
                    await hole()
        finally:
            connected(False)  # noqa: FBT003 - it is the state itself
            for one in self._lines:
                one.cancel()
            await line.close()

    async def _dial_again(self) -> aiohttp.ClientWebSocketResponse:
        pause = FIRST_PAUSE
        for _ in range(TRIES - 1):
            try:
                return await self._dial()
            except Overloaded as busy:
                await self._clock.sleep(busy.after)
            except Gone as gone:
                log.info("Slack is dialled again in %g s: %s", pause, gone)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        return await self._dial()

    async def _dial(self) -> aiohttp.ClientWebSocketResponse:
        """Open a line. Raises Gone, Overloaded and Misconfigured."""
        try:
            address = told.text(await self._api.call("apps.connections.open", who="app"), "url")
        except Refused as refused:
            if refused.code in REJECTED | {"missing_scope"}:
                raise Misconfigured(WRONG.format(code=refused.code, page=PAGE)) from None
            raise Gone(f"Slack opens no connection: {refused}") from None
        line: aiohttp.ClientWebSocketResponse | None = None
        try:
            async with asyncio.timeout(HELLO):
                line = await self._session.ws_connect(address, heartbeat=BEAT, max_msg_size=LONGEST_FRAME)
                first = _read_frame(await line.receive())
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            if line is not None:
                # Slack would tell things on it that nobody hears.
                await line.close()
            raise Gone(f"Slack cannot be reached: {error or type(error).__name__}") from None
        if told.text(first, "type") != "hello":
            await line.close()
            if told.text(first, "reason") == "link_disabled":
                raise Misconfigured(SWITCHED_OFF.format(page=PAGE))
            raise Gone(f"Slack ended the connection: {told.text(first, 'reason') or 'it said no hello'}.")
        self._newest = line
        return line

    async def _read(self, line: aiohttp.ClientWebSocketResponse, over: asyncio.Future[bool]) -> None:
        """Hand over what comes on a line; `over` becomes true when Slack wants another one, false when it broke."""
        deadline: float | None = None
        try:
            async with asyncio.timeout(None) as lingering:
                async for frame in line:
                    envelope = _read_frame(frame)
                    if told.text(envelope, "type") == "disconnect":
                        log.info("Slack wants a new connection: %s", told.text(envelope, "reason"))
                        self._pass_on(envelope, over)
                        deadline = deadline or asyncio.get_running_loop().time() + LINGERS
                        lingering.reschedule(deadline)
                    elif isinstance(told.value(envelope, "envelope_id"), str):
                        self._take(envelope, self._acknowledging(line, envelope))
        except TimeoutError:
            pass
        finally:
            if not over.done():
                over.set_result(False)
            with contextlib.suppress(aiohttp.ClientError, OSError, RuntimeError):
                await line.close()

    def _pass_on(self, envelope: Told, over: asyncio.Future[bool]) -> None:
        if over.done():
            return
        if told.text(envelope, "reason") == "link_disabled":
            over.set_exception(Misconfigured(SWITCHED_OFF.format(page=PAGE)))
        else:
            over.set_result(True)

    def _acknowledging(
        self, line: aiohttp.ClientWebSocketResponse, envelope: Told
    ) -> Callable[[Told | None], Awaitable[None]]:
        name = told.text(envelope, "envelope_id")

        async def acknowledge(payload: Told | None) -> None:
            frame = {"envelope_id": name, **({"payload": payload} if payload is not None else {})}
            for one in (line, self._newest):
                if one is not None and not one.closed:
                    with contextlib.suppress(ConnectionError, RuntimeError):
                        await one.send_str(json.dumps(frame))
                        return
            log.info("an envelope could not be acknowledged; Slack sends it again")

        return acknowledge


def _read_frame(frame: aiohttp.WSMessage) -> Told:
    """Return what a frame says, nothing where it is no object."""
    if frame.type is not aiohttp.WSMsgType.TEXT:
        return {}
    try:
        said = json.loads(frame.data)
        if "\\ud" in frame.data.lower():
            # Half a character, which JSON can name, is no text that could be stored.
            said = json.loads(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        log.warning("a frame of Slack is not as it should be and is passed over")
        return {}
    return said if isinstance(said, dict) else {}
