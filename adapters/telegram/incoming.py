"""What happens on Telegram as events: from the library's objects to our vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import MessageOriginChannel, ReactionTypeCustomEmoji, ReactionTypeEmoji
from telegram.constants import ChatType

from adapters.telegram import names
from adapters.telegram.chats import aware, is_inside, title
from adapters.telegram.words import (
    bidding,
    cut,
    files_of,
    names_user,
    says_something,
    text_of,
    without_name,
)
from bot.core.events import (
    ButtonPressed,
    ChannelChanged,
    MemberJoined,
    MemberLeft,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
    ReactionRemoved,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from telegram import (
        CallbackQuery,
        Chat,
        ChatMemberUpdated,
        Message,
        MessageReactionUpdated,
        ReactionType,
        User,
    )

    from bot.core.events import Event
    from bot.core.things import Rank, Ref

MILLION = 1_000_000
"""Updates in a second beyond which revisions would meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Puts into our words what happens to one bot. `commands` are those that it answers."""

    me: int
    username: str
    commands: Collection[str]

    def posted(self, message: Message, channel: Named) -> MessagePosted | None:
        """Tell of a message; None for what nobody said."""
        if not says_something(message):
            return None
        return MessagePosted(
            message=ref_of(message),
            channel=channel,
            author=author(message),
            text=without_name(text_of(message), self.username),
            at=aware(message.date),
            reply_to=_reply_to(message),
            source=names.PLATFORM,
            mentioned=self.is_spoken_to(message),
            files=files_of(message),
        )

    def edited(self, message: Message, channel: Named, update: int) -> MessageEdited | None:
        """Tell of a message that says something else now; None where nobody says anything."""
        if message.edit_date is None or not says_something(message):
            return None
        at = aware(message.edit_date)
        return MessageEdited(
            message=ref_of(message),
            channel=channel,
            author=author(message),
            text=without_name(text_of(message), self.username),
            at=at,
            revision=revision(at, update),
            files=files_of(message),
        )

    def is_spoken_to(self, message: Message) -> bool:
        """Say whether a message is written to the bot: alone with it, naming it, answering it, or commanding it."""
        who = message.from_user
        if who is not None and who.id == self.me:
            return False
        if is_passed_on(message) and message.chat.type != ChatType.PRIVATE:
            return False
        if message.chat.type == ChatType.PRIVATE or names_user(message, self.username, self.me):
            return True
        other = answered(message)
        if other is not None and other.from_user is not None and other.from_user.id == self.me:
            return True
        given = bidding(message.text or "")
        if given is None:
            return False
        return given.to == self.username.lower() if given.to else given.name in self.commands

    def reactions(self, told: MessageReactionUpdated, channel: Named, update: int) -> Iterator[Event]:
        """Tell of each emoji that somebody put under a message or took away; of nobody's in particular nothing."""
        who = told.user
        member = person(who) if who else chat_author(told.actor_chat) if told.actor_chat else None
        if member is None:
            return
        before, after = _emoji(told.old_reaction), _emoji(told.new_reaction)
        at = aware(told.date)
        for kind, some in ((ReactionRemoved, before - after), (ReactionAdded, after - before)):
            for emoji in sorted(some):
                yield kind(
                    message=names.message(told.chat.id, told.message_id),
                    channel=channel,
                    member=member,
                    emoji=emoji,
                    at=at,
                    sequence=update,
                )

    def moved(self, told: ChatMemberUpdated) -> MemberJoined | MemberLeft | None:
        """Tell of somebody who came or left; None where only what they may do changed, and for the bot itself."""
        before, after = is_inside(told.old_chat_member), is_inside(told.new_chat_member)
        who = told.new_chat_member.user
        if before == after or who.id == self.me:
            return None
        kind = MemberJoined if after else MemberLeft
        return kind(member=person(who), at=aware(told.date))

    def came_and_left(self, message: Message) -> Iterator[MemberJoined | MemberLeft]:
        """Tell of those whom a message of Telegram's own names as new or gone."""
        at = aware(message.date)
        for who in message.new_chat_members or ():
            if who.id != self.me:
                yield MemberJoined(member=person(who), at=at)
        if (gone := message.left_chat_member) and gone.id != self.me:
            yield MemberLeft(member=person(gone), at=at)

    def pressed(
        self, query: CallbackQuery, message: Ref, channel: Named, *, token: str, rank: Rank, at: datetime
    ) -> ButtonPressed:
        """Tell of somebody who pressed a button."""
        return ButtonPressed(
            button=token,
            message=message,
            member=person(query.from_user),
            rank=rank,
            channel=channel,
            at=at,
            invocation=names.pressed(query.id),
        )


def changed(
    channel: Named, at: datetime, update: int, *, description: str = "", archived: bool = False
) -> ChannelChanged:
    """Tell how a channel is now."""
    return ChannelChanged(
        channel=channel, description=description, archived=archived, at=aware(at), revision=revision(at, update)
    )


def revision(at: datetime, update: int) -> int:
    """Number a change: by its second, and within it by the number of the update, which comes again as it was."""
    return int(at.timestamp()) * MILLION + update % MILLION


def topic_of(message: Message) -> int:
    """Return the topic that a message stands in; a thread of answers outside of forums is none."""
    return (message.message_thread_id or 0) if message.is_topic_message else 0


def ref_of(message: Message) -> Ref:
    """Name a message; what Telegram itself forwards from a channel is the channel's message."""
    origin = message.forward_origin
    if message.is_automatic_forward and isinstance(origin, MessageOriginChannel):
        return names.message(origin.chat.id, origin.message_id)
    return names.message(message.chat.id, message.message_id)


def is_passed_on(message: Message) -> bool:
    """Say whether somebody forwarded what another wrote: it is shown, and whoever does that bids nothing by it."""
    return message.forward_origin is not None and not message.is_automatic_forward


def author(message: Message) -> Named:
    """Name who wrote a message: a person, or the chat in whose name somebody wrote."""
    if message.sender_chat is not None:
        return chat_author(message.sender_chat)
    if message.from_user is not None:
        return person(message.from_user)
    return chat_author(message.chat)


def person(user: User) -> Named:
    """Name somebody, with the language of their client where Telegram tells it."""
    told = (user.language_code or "")[:35]
    language = "zh_CN" if told.lower().startswith("zh") else told
    name = cut(user.full_name or "") or str(user.id)
    return Named(ref=names.member(user.id), name=name, bot=user.is_bot, language=language)


def chat_author(chat: Chat) -> Named:
    """Name a chat that writes under its own name: a channel, or a group for whoever administers it unnamed."""
    return Named(ref=names.member(chat.id), name=title(chat))


def answered(message: Message) -> Message | None:
    """Return the message that one answers; of a topic every message names the one that began it."""
    other = message.reply_to_message
    if other is None or (message.is_topic_message and other.message_id == message.message_thread_id):
        return None
    return other


def _reply_to(message: Message) -> Ref | None:
    other = answered(message)
    return ref_of(other) if other is not None else None


def _emoji(reactions: Sequence[ReactionType]) -> set[str]:
    """Return reactions as text; an emoji of somebody's own has a number, and no name."""
    plain = {one.emoji for one in reactions if isinstance(one, ReactionTypeEmoji)}
    return plain | {f":{one.custom_emoji_id}:" for one in reactions if isinstance(one, ReactionTypeCustomEmoji)}
