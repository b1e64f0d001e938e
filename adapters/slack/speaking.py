"""Says things on Slack: aloud, in a thread, to one member alone, or directly; in pieces where a text is too long."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from adapters import markup
from adapters.slack import blocks, names, told
from adapters.slack.web import Refused
from bot.core.actions import AskStaff, Edit, OpenDirect, Say, Warn
from bot.core.errors import Overloaded, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.markup import Dialect
    from adapters.slack.incoming import Incoming
    from adapters.slack.told import Told
    from adapters.slack.web import Api
    from bot.core.actions import Attachment, Button
    from bot.core.things import Ref

PIECES = 5
"""Messages that one text may become; a longer one is refused."""
FILES = 10
"""Files that one message takes."""
PIECE = "kinfolk_piece"
SAID_WITHIN = 600
"""Seconds in which all pieces of a text were said."""
SHARED_AFTER = (0.5, 1.0, 2.0)
"""Seconds between questions which message a file became; what is said by one that nobody knows could not be mended."""
REMEMBERED = 1000
"""Texts whose pieces are remembered; those of older ones are looked for."""
ELSEWHERE = frozenset({"not_in_channel", "channel_not_found", "user_not_in_channel"})
"""Slack's codes where the bot, or whoever asked, is not in the channel; the address that came with it answers there."""

T = TypeVar("T")
U = TypeVar("U")
Spoken = Say | AskStaff | Edit | OpenDirect | Warn


@dataclass(slots=True, kw_only=True)
class Begun:
    """Something that is being said, and the messages that were sent of it already."""

    action: Spoken
    made: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Speaks for one bot; `direct` opens the conversation in which somebody is alone with it."""

    api: Api
    incoming: Incoming
    dialect: Dialect
    direct: Callable[[str], Awaitable[str]]
    _pieces: OrderedDict[Ref, list[str]] = field(default_factory=OrderedDict)
    _begun: OrderedDict[int, Begun] = field(default_factory=OrderedDict)

    async def speak(self, action: Spoken) -> Ref | None:
        """Say or change something and return the message. Raises Refused, names.Unknown, Overloaded and Gone.

        The same act, tried again after Overloaded, goes on where it was: nothing is said twice. What takes several
        messages says one in each turn of the budget.
        """
        begun = self._begun.pop(id(action), None) or Begun(action=action)
        try:
            return await self._speak(action, begun.made)
        except Overloaded:
            self._begun[id(action)] = begun
            _trim(self._begun)
            raise

    async def _speak(self, action: Spoken, made: list[str]) -> Ref | None:
        match action:
            case Say(to=to, only=only) if only is not None and not self._is_alone(to):
                return await self._say_aside(action, names.own(only), made)
            case Say(to=to):
                thread = await self._thread(action)
                return await self._say(
                    names.own(to), action.text, action.buttons, action.attachments, made=made, thread=thread
                )
            case AskStaff(to=to):
                return await self._say(names.own(to), action.text, action.buttons, made=made)
            case OpenDirect(member=member):
                direct = await self.direct(names.own(member))
                return await self._say(direct, action.text, action.buttons, action.attachments, made=made)
            case Warn(member=member):
                return await self._say(await self.direct(names.own(member)), action.text, made=made)
            case Edit():
                return await self._change(action)

    async def take_back(self, message: Ref) -> None:
        """Take one of the bot's own messages away, with those that went on with it."""
        channel, ts = names.parts(message)
        for one in [*await self._rest(message), ts]:
            await gone_already(self.api.call("chat.delete", channel=channel, ts=one), "message_not_found")

    def _is_alone(self, channel: Ref) -> bool:
        return self.incoming.directory.is_alone(names.own(channel))

    # Aloud

    async def _thread(self, action: Say) -> str:
        """Return the thread to say something in: the one that is named, or that of the message it answers."""
        if action.thread is not None:
            return names.parts(action.thread).ts
        if action.reply_to is None:
            return ""
        channel, ts = names.parts(action.reply_to)
        if channel != names.own(action.to):
            return ""
        return self.incoming.thread_of(channel, ts) or await self._began(channel, ts)

    async def _began(self, channel: str, ts: str) -> str:
        """Return the first message of the thread that a message is in, or would begin."""
        try:
            found = told.parts(
                await self.api.call("conversations.replies", channel=channel, ts=ts, limit=1), "messages"
            )
        except Refused:
            return ts
        began = told.text(found[0], "thread_ts") if found else ""
        return began or ts

    async def _say(
        self,
        channel: str,
        text: str,
        buttons: Sequence[Button] = (),
        files: Sequence[Attachment] = (),
        *,
        made: list[str],
        thread: str = "",
    ) -> Ref | None:
        """Say what is not `made` yet."""
        pieces, before = self._split(text, buttons, files), len(made)
        for place, piece in enumerate(pieces[before:], start=before):
            if place > before:
                raise next_turn()
            last = place == len(pieces) - 1
            if last and files:
                made.append(await self._send_files(channel, piece, files, thread))
                continue
            content = blocks.content(piece, buttons if last else ())
            answer = await self.api.call(
                "chat.postMessage",
                channel=channel,
                text=content["text"],
                blocks=content["blocks"],
                thread_ts=thread or None,
                metadata=_piece_of(made[0]) if made else None,
                unfurl_links=False,
                unfurl_media=False,
            )
            made.append(told.text(answer, "ts"))
        # Slack shares a file a moment after it took it; of a message that it does not name yet there is no reference.
        named = [ts for ts in made if ts]
        return self._remember(names.message(channel, named[0]), named[1:]) if named else None

    async def _send_files(self, channel: str, text: str, files: Sequence[Attachment], thread: str) -> str:
        """Send files with a text, and return the timestamp of the message that they became."""
        sent: list[Told] = []
        for one in files:
            place = await self.api.call("files.getUploadURLExternal", filename=one.name, length=len(one.data))
            await self.api.upload(told.text(place, "upload_url"), one.data)
            sent.append({"id": told.text(place, "file_id"), "title": one.name})
        answer = await self.api.call(
            "files.completeUploadExternal",
            files=sent,
            channel_id=channel,
            initial_comment=text or None,
            thread_ts=thread or None,
        )
        first = next(iter(told.parts(answer, "files")), {})
        return _shared(first, channel) or await self._shared_later(told.text(sent[0], "id"), channel)

    async def _shared_later(self, file: str, channel: str) -> str:
        """Ask which message a file became, some times: Slack shares it a moment after it was sent.

        Whatever comes of asking, the file was sent, and must not be again.
        """
        with contextlib.suppress(Refused, Unavailable):
            for pause in (*SHARED_AFTER, 0.0):
                answer = await self.api.call("files.info", file=file)
                if made := _shared(told.part(answer, "file"), channel):
                    return made
                if pause:
                    await self.incoming.clock.sleep(pause)
        return ""

    # To one member alone

    async def _say_aside(self, action: Say, user: str, made: list[str]) -> Ref | None:
        """Show something to one member alone, in the channel, or by the address that came with what they asked."""
        if action.attachments:
            raise Refused("Slack shows no files to one member alone")
        address, thread = names.address(action.invocation), await self._open_thread(action)
        pieces, before = self._split(action.text, action.buttons, ()), len(made)
        for place, piece in enumerate(pieces[before:], start=before):
            if place > before:
                raise next_turn()
            content = blocks.content(piece, action.buttons if place == len(pieces) - 1 else ())
            made.append(await self._show(names.own(action.to), user, content, address, thread))
        return names.message(names.own(action.to), made[-1]) if made[-1] else action.invocation

    async def _open_thread(self, action: Say) -> str:
        """Return the thread to show something in: in one that nobody answered yet, Slack shows nothing to one alone."""
        thread = await self._thread(action)
        begun = action.thread is not None or (action.reply_to and thread != names.parts(action.reply_to).ts)
        return thread if begun else ""

    async def _show(self, channel: str, user: str, content: Told, address: str, thread: str) -> str:
        try:
            answer = await self.api.call(
                "chat.postEphemeral",
                channel=channel,
                user=user,
                text=content["text"],
                blocks=content["blocks"],
                thread_ts=thread or None,
            )
        except Refused as refused:
            if not address or refused.code not in ELSEWHERE:
                raise
            await self._answer(address, {"response_type": "ephemeral", "replace_original": False, **content})
            return ""
        return told.text(answer, "message_ts")

    async def _answer(self, address: str, body: Told) -> None:
        if not self.api.trusts(address):
            raise Refused("there is no such place to answer at")
        await self.api.send(address, body)

    async def _change(self, action: Edit) -> Ref | None:
        """Change one of the bot's own messages; where it grew too long for one, go on in others."""
        pieces = self._split(action.text, action.buttons, ())
        if action.only is not None and not self._is_alone(action.channel):
            await self._change_aside(action, pieces)
            return action.message
        channel, ts = names.parts(action.message)
        known = [ts, *await self._rest(action.message)]
        for place, piece in enumerate(pieces):
            content = blocks.content(piece, action.buttons if place == len(pieces) - 1 else ())
            if place < len(known):
                # Without `parse`, Slack reads mentions into plain words here, other than where something is said.
                await self.api.call(
                    "chat.update",
                    channel=channel,
                    ts=known[place],
                    text=content["text"],
                    blocks=content["blocks"],
                    parse="none",
                )
            else:
                thread = self.incoming.thread_of(channel, ts) or None
                answer = await self.api.call(
                    "chat.postMessage",
                    channel=channel,
                    text=content["text"],
                    blocks=content["blocks"],
                    thread_ts=thread,
                    metadata=_piece_of(ts),
                )
                known.append(told.text(answer, "ts"))
                self._remember(action.message, known[1:])
        for one in known[len(pieces) :]:
            await gone_already(self.api.call("chat.delete", channel=channel, ts=one), "message_not_found")
        return self._remember(action.message, known[1 : len(pieces)])

    async def _change_aside(self, action: Edit, pieces: Sequence[str]) -> None:
        """Change what one member alone was shown, which Slack allows where they pressed a button of it."""
        address = names.address(action.invocation)
        if not address or len(pieces) > 1:
            raise Refused(
                "what one member alone was shown, Slack lets nobody change, but where they press a button of it"
            )
        await self._answer(address, {"replace_original": True, **blocks.content(pieces[0], action.buttons)})

    def _split(self, text: str, buttons: Sequence[Button], files: Sequence[Attachment]) -> list[str]:
        limit = blocks.SECTION if buttons else blocks.TEXT
        if len(files) > FILES:
            raise Refused(f"one message takes {FILES} files, not {len(files)}")
        if len(text) > limit * PIECES:
            raise Refused(f"the text is {len(text):,} characters long; I say {limit * PIECES:,} at once at most")
        pieces = markup.split(text, self.dialect, limit)
        if not any(piece.strip() for piece in pieces) and not files:
            raise Refused("there is nothing to say")
        return pieces or [""]

    async def _rest(self, message: Ref) -> list[str]:
        """Return the messages that go on with one of the bot's: remembered, or those right after it that say so."""
        if message in self._pieces:
            return self._pieces[message]
        channel, ts = names.parts(message)
        thread = self.incoming.thread_of(channel, ts)
        inside = thread not in {"", ts}
        asked = self.api.call(
            "conversations.replies" if inside else "conversations.history",
            channel=channel,
            ts=thread if inside else None,
            oldest=ts,
            latest=_later(ts),
            limit=100,
            include_all_metadata=True,
        )
        try:
            found = told.parts(await asked, "messages")
        except Refused:
            return []
        return sorted(told.text(one, "ts") for one in found if _is_piece_of(one, ts))

    def _remember(self, made: Ref, rest: list[str]) -> Ref:
        self._pieces[made] = rest
        _trim(self._pieces)
        return made


def next_turn() -> Overloaded:
    """Return what says that an act was begun and goes on in its next turn."""
    return Overloaded("The rest follows.", after=0.0, scope="route")


async def gone_already(asked: Awaitable[T], *codes: str) -> T | None:
    """Do something that may have been done before."""
    try:
        return await asked
    except Refused as refused:
        if refused.code not in codes:
            raise
        return None


def _piece_of(first: str) -> Told:
    """Return what tells of a message that it goes on with another, so that it is found again."""
    return {"event_type": PIECE, "event_payload": {"of": first}}


def _is_piece_of(message: Told, first: str) -> bool:
    held = told.part(message, "metadata")
    return told.text(held, "event_type") == PIECE and told.text(held, "event_payload", "of") == first


def _later(ts: str) -> str:
    return f"{int(ts.partition('.')[0]) + SAID_WITHIN}.000000"


def _shared(file: Told, channel: str) -> str:
    """Return the timestamp of the message that a file became in a channel."""
    for kind in ("public", "private"):
        for one in told.parts(file, "shares", kind, channel):
            return told.text(one, "ts")
    return ""


def _trim(remembered: OrderedDict[T, U]) -> None:
    while len(remembered) > REMEMBERED:
        remembered.popitem(last=False)
