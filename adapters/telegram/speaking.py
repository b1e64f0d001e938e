"""Says things on Telegram: in a group, a topic, or to one member; in pieces where a text is too long for one."""

from __future__ import annotations

import html
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from telegram import InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from adapters import markup
from adapters.telegram import names
from adapters.telegram.keyboard import keyboard
from adapters.telegram.trouble import NOT_FOUND, UNCHANGED, UNOPENED, Refused, says
from bot.core.actions import AskStaff, CreatePoll, Edit, OpenDirect, Say, Warn
from bot.core.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telegram import InlineKeyboardMarkup, Message

    from adapters.telegram.chats import Chats
    from adapters.telegram.client import Client
    from adapters.telegram.echo import Echo
    from adapters.telegram.homes import Homes
    from bot.core.actions import Attachment, Button
    from bot.core.things import Ref

LIMIT, CAPTION = 4096, 1024
"""UTF-16 units of one message, and of what stands under a file."""
PIECES = 4
"""Messages that one text may become; a longer one is refused."""
FILES = 10
QUESTION, OPTION = 300, 100
LEAST_OPTIONS, MOST_OPTIONS = 2, 10
REMEMBERED = 1000
"""Texts in pieces, and messages that were taken away, which are remembered."""
PICTURES = (".png", ".jpg", ".jpeg")
BARE = LinkPreviewOptions(is_disabled=True)

Spoken = Say | AskStaff | Edit | OpenDirect | CreatePoll | Warn


@dataclass(slots=True, kw_only=True)
class Target:
    """Where something is said: the message it answers, and the group that its buttons speak for."""

    place: names.Place
    reply_to: int = 0
    home: int = 0


@dataclass(slots=True, kw_only=True)
class Begun:
    """Something that is being said, and the messages that were sent of it already."""

    action: Spoken
    made: list[int] = field(default_factory=list)


class Speech:
    """Speaks for one bot."""

    def __init__(self, client: Client, chats: Chats, homes: Homes, echo: Echo) -> None:
        self._client = client
        self._chats = chats
        self._homes = homes
        self._echo = echo
        self._pieces: OrderedDict[Ref, list[int]] = OrderedDict()
        self._files: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._begun: OrderedDict[int, Begun] = OrderedDict()
        self._taken: OrderedDict[Ref, None] = OrderedDict()
        self._shown: OrderedDict[tuple[int, int], tuple[str, InlineKeyboardMarkup | None]] = OrderedDict()

    async def speak(self, action: Spoken) -> Ref | None:
        """Say or change something and return the message. Raises Refused, names.Unknown and the library's errors.

        What takes several calls takes a turn for each: Overloaded says so, and the same act, tried again after that or
        after Telegram said to wait, goes on where it was. Nothing is said twice.
        """
        begun = self._begun.pop(id(action), None) or Begun(action=action)
        try:
            return await self._speak(action, begun.made)
        except (RetryAfter, Overloaded):
            self._begun[id(action)] = begun
            while len(self._begun) > REMEMBERED:
                self._begun.popitem(last=False)
            raise

    async def _speak(self, action: Spoken, made: list[int]) -> Ref | None:
        match action:
            case Say():
                return await self._say_aloud(action, made)
            case AskStaff(to=to):
                return await self._say(await self._target(to), action.text, action.buttons, made=made)
            case OpenDirect():
                return await self._direct(action, made)
            case Warn():
                return await self._warn(action, made)
            case CreatePoll():
                return await self._ask_all(action)
            case Edit():
                return await self._change(action)

    async def take_back(self, message: Ref, channel: Ref) -> None:
        """Take a message away, and with one of the bot's own those that went on with it; gone already is well too."""
        chat, number = self._chats.message(message)
        rest = self._pieces.get(message, [])
        try:
            if rest:
                await self._client.delete_messages(chat, [*rest, number])
            else:
                await self._client.delete_message(chat, number)
        except BadRequest as refused:
            if not says(refused, NOT_FOUND):
                raise
        self._pieces.pop(message, None)
        if message in self._taken:
            return  # told already: it was tried again
        self._taken[message] = None
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        for one in (number, *rest):
            self._echo.deleted(names.message(chat, one), channel)

    async def check_open(self, place: names.Place) -> None:
        """Raise Refused for a topic that is closed: an administrator could write there, and should not."""
        topic = self._chats.topics.get(place)
        if topic is not None and topic.closed:
            raise Refused(f"the topic {topic.name} is closed. Open it again, and I write there")

    async def _target(self, to: Ref, reply_to: Ref | None = None, *, home: int = 0) -> Target:
        place = names.place(to)
        place = names.Place(self._chats.now(place.chat), place.topic)
        await self.check_open(place)
        answered = names.parts(reply_to) if reply_to else None
        number = answered.id if answered and answered.chat == place.chat else 0
        if place.chat > 0 and not home:
            space = await self._homes.of(place.chat)
            home = names.place(space.ref).chat if space else 0
        return Target(place=place, reply_to=number, home=home if place.chat > 0 else 0)

    async def _say_aloud(self, action: Say, made: list[int]) -> Ref | None:
        if action.only is not None and action.only != action.to:
            raise Refused("Telegram shows what is said in a group to all of it")
        if action.draft:
            await self._show_draft(action)
            return None
        target = await self._target(action.to, action.reply_to)
        return await self._say(target, action.text, action.buttons, action.attachments, made=made)

    async def _show_draft(self, action: Say) -> None:
        """Show how a text grows, which Telegram has in conversations with one member."""
        pieces = _split(action.text, ())
        number = crc32(action.stream.encode()) % 2**31 or 1
        await self._client.send_message_draft(
            names.place(action.to).chat, number, pieces[-1], parse_mode=ParseMode.HTML
        )

    async def _say(
        self,
        target: Target,
        text: str,
        buttons: Sequence[Button] = (),
        files: Sequence[Attachment] = (),
        *,
        made: list[int],
        before: str = "",
    ) -> Ref:
        """Say what is not `made` yet: the text, and under it the files; one that is short stands under its file."""
        pieces = _split(text, files)
        under = pieces[0] if len(files) == 1 and len(pieces) == 1 and _fits_under(pieces[0]) else ""
        parts: list[str | Attachment] = [*([] if under else pieces), *files]
        last, before_this = len(parts) - 1, len(made)
        for place, part in enumerate(parts):
            if place < len(made):
                continue
            if len(made) > before_this:
                raise next_turn()
            marks = keyboard(buttons, home=target.home) if place == last else None
            reply_to = target.reply_to if place == 0 else 0
            if isinstance(part, str):
                words = before + part if place == 0 else part
                message = await self._send(target.place, words, marks, reply_to)
                self._note(target.place.chat, message.message_id, words, marks)
            else:
                message = await self._send_file(target.place, part, under, marks, reply_to)
                self._note_file(target.place.chat, message.message_id)
            made.append(message.message_id)
            self._echo.said(message)
        return self._remember(names.message(target.place.chat, made[0]), made[1:])

    async def _send(self, place: names.Place, words: str, marks: InlineKeyboardMarkup | None, reply_to: int) -> Message:
        return await self._client.send_message(
            place.chat,
            words,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.topic or None,
            link_preview_options=BARE,
            reply_parameters=_answering(reply_to),
            reply_markup=marks,
        )

    async def _send_file(
        self, place: names.Place, file: Attachment, under: str, marks: InlineKeyboardMarkup | None, reply_to: int
    ) -> Message:
        data = InputFile(file.data, filename=file.name)
        is_picture = file.name.lower().endswith(PICTURES)
        if is_picture:
            return await self._client.send_photo(
                place.chat,
                data,
                caption=under or None,
                parse_mode=ParseMode.HTML,
                message_thread_id=place.topic or None,
                reply_parameters=_answering(reply_to),
                reply_markup=marks,
            )
        return await self._client.send_document(
            place.chat,
            data,
            caption=under or None,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.topic or None,
            reply_parameters=_answering(reply_to),
            reply_markup=marks,
        )

    async def _direct(self, action: OpenDirect, made: list[int]) -> Ref | None:
        """Say something to one member alone. Raises Refused, with where they begin, for who never wrote to the bot."""
        user = names.user(action.member)
        home = names.place(action.space).chat if action.space else 0
        target = Target(place=names.Place(user), home=home)
        if user < 0:
            raise self.unopened(
                home or user
            )  # written under the name of a group or a channel: all of it would read this
        if not home and (space := await self._homes.of(user)):
            target.home = names.place(space.ref).chat
        presses = self._echo.ears.presses
        try:
            said = await self._say(target, action.text, action.buttons, action.attachments, made=made)
        except (BadRequest, Forbidden) as refused:
            if not says(refused, (*UNOPENED, "chat not found")):
                raise
            bare = not action.buttons and not action.attachments  # an alert has words, and nothing else
            if bare and await presses.show(user, action.text):
                return None
            closed = self.unopened(target.home)
            await presses.lead(user, closed.opens)
            raise closed from None
        presses.wrote(user)
        return said

    def unopened(self, group: int) -> Refused:
        """Return that somebody never opened a conversation with the bot, and where they do."""
        link = names.invitation(self._client.username, group) if group else f"https://t.me/{self._client.username}"
        words = f"they never wrote to me, or stopped me, and I may not write first. They begin here: {link}"
        return Refused(words, opens=link)

    async def _warn(self, action: Warn, made: list[int]) -> Ref | None:
        """Warn directly, and who never wrote to the bot in the channel, by name, so that they hear of it."""
        user, place = names.user(action.member), names.place(action.channel)
        home = place.chat if place.chat < 0 else 0
        direct = OpenDirect(member=action.member, text=action.text, space=names.chat(home) if home else None)
        try:
            return await self._direct(direct, made)
        except Refused as refused:
            if not refused.opens or not home:
                raise
        target = await self._target(action.channel)
        return await self._say(target, action.text, made=made, before=await self._called(home, user))

    async def _called(self, group: int, user: int) -> str:
        """Return how somebody is called so that it rings for them; a chat that writes is not called."""
        if user < 0:
            return ""
        try:
            name = (await self._client.get_chat_member(group, user)).user.full_name
        except TelegramError:
            name = "…"
        return f'<a href="tg://user?id={user}">{html.escape(name)}</a>: '

    async def _ask_all(self, action: CreatePoll) -> Ref:
        if not LEAST_OPTIONS <= len(action.options) <= MOST_OPTIONS:
            raise Refused(f"a poll has {LEAST_OPTIONS} to {MOST_OPTIONS} answers, not {len(action.options)}")
        target = await self._target(action.channel)
        message = await self._client.send_poll(
            target.place.chat,
            action.question[:QUESTION],
            [one[:OPTION] for one in action.options],
            message_thread_id=target.place.topic or None,
        )
        self._echo.said(message)
        return names.message(target.place.chat, message.message_id)

    async def _change(self, action: Edit) -> Ref:
        """Change one of the bot's own messages; where it grew too long for one, go on in others. Files of it stay."""
        pieces = _split(action.text, ())
        chat, number = self._chats.message(action.message)
        target = await self._target(names.chat(chat))
        marks = keyboard(action.buttons, home=target.home)
        rest = self._pieces.get(action.message, [])
        files = [one for one in rest if (chat, one) in self._files]
        known = [number, *(one for one in rest if one not in files)]
        changed = False
        for place, piece in enumerate(pieces):
            under = marks if place == len(pieces) - 1 else None
            if place < len(known) and self._shown.get((chat, known[place])) == (piece, under):
                continue
            if changed:
                raise next_turn()
            changed = True
            if place < len(known):
                await self._edit(target.place.chat, known[place], piece, under)
                continue
            message = await self._send(names.place(action.channel), piece, under, number)
            self._echo.said(message)
            known.append(message.message_id)
            self._note(chat, message.message_id, piece, under)
            self._remember(action.message, known[1:] + files)
        if surplus := known[len(pieces) :]:
            await self._client.delete_messages(target.place.chat, surplus)
            for one in surplus:
                self._echo.deleted(names.message(chat, one), action.channel)
        self._echo.ears.presses.changed(target.place.chat, number)
        return self._remember(action.message, known[1 : len(pieces)] + files)

    def _note_file(self, chat: int, number: int) -> None:
        """Remember that a message is a file, which has no words to change."""
        self._files[chat, number] = None
        while len(self._files) > REMEMBERED:
            self._files.popitem(last=False)

    def _note(self, chat: int, number: int, words: str, marks: InlineKeyboardMarkup | None) -> None:
        """Remember what a message shows, so that it is not changed into the same."""
        self._shown[chat, number] = (words, marks)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def _edit(self, chat: int, number: int, words: str, marks: InlineKeyboardMarkup | None) -> None:
        self._shown.pop((chat, number), None)
        try:
            changed = await self._client.edit_message_text(
                words, chat, number, parse_mode=ParseMode.HTML, link_preview_options=BARE, reply_markup=marks
            )
        except BadRequest as refused:
            if says(refused, UNCHANGED):
                self._note(chat, number, words, marks)
                return
            if not says(refused, ("no text in the message",)):
                raise
            changed = await self._client.edit_message_caption(
                chat, number, caption=words, parse_mode=ParseMode.HTML, reply_markup=marks
            )
        self._note(chat, number, words, marks)
        if not isinstance(changed, bool):
            self._echo.changed(changed)

    def _remember(self, made: Ref, rest: list[int]) -> Ref:
        self._pieces[made] = rest
        while len(self._pieces) > REMEMBERED:
            self._pieces.popitem(last=False)
        return made


def next_turn() -> Overloaded:
    """Return what says that an act was begun and goes on in its next turn."""
    return Overloaded("The rest follows.", after=0.0, scope="route")


def _split(text: str, files: Sequence[Attachment]) -> list[str]:
    if len(files) > FILES:
        raise Refused(f"I send {FILES} files at once, not {len(files)}")
    if len(text) > LIMIT * PIECES:
        raise Refused(f"the text is {len(text):,} characters long; I say {LIMIT * PIECES:,} at once at most")
    pieces = markup.split(text, markup.TELEGRAM, LIMIT)
    if not pieces and not files:
        raise Refused("there is nothing to say")
    return pieces


def _fits_under(piece: str) -> bool:
    return markup.TELEGRAM.length(piece) <= CAPTION


def _answering(number: int) -> ReplyParameters | None:
    return ReplyParameters(number, allow_sending_without_reply=True) if number else None
