"""What people do in their clients, and what the bot is told of it. Raises Refused where Telegram refuses a person."""

from __future__ import annotations

import itertools
from dataclasses import replace

from tests.platforms import Refused
from tests.platforms.telegram import shapes
from tests.platforms.telegram.town import BOT_NAME, SUPER, Chat, Membership, Message, Topic, Town, User
from tests.platforms.telegram.updates import Updates

SERVICE = ("new_chat_members", "left_chat_member", "migrate_to_chat_id", "migrate_from_chat_id", "forum_topic_created")


class People:
    """Everybody but the bot."""

    def __init__(self, town: Town, updates: Updates) -> None:
        self.town = town
        self.updates = updates
        self.pressed: set[str] = set()
        """Presses of buttons whose clients still wait."""
        self._presses = itertools.count(4_382_000_001)
        self._albums = itertools.count(13_000_000_001)

    # Saying

    async def post(
        self,
        who: int,
        chat: Chat,
        text: str | None = None,
        *,
        topic: int = 0,
        reply_to: int = 0,
        entities: list[dict] | None = None,
        **more: object,
    ) -> Message:
        """Say something; `who` may be a chat under whose name it is said."""
        self._check_writing(who, chat, topic)
        if chat.type == "private":
            self.town.users[who].started = True
        found = entities if entities is not None else shapes.entities_in(text or "")
        made = self.town.keep(chat, who, text=text, entities=found, topic=topic, reply_to=reply_to, **more)
        await self._tell_message("channel_post" if chat.type == "channel" else "message", made)
        if chat.type == "channel" and chat.linked:
            await self._forward(made, self.town.chats[chat.linked])
        return made

    async def _forward(self, made: Message, group: Chat) -> None:
        """Have a channel's post appear in the group that discusses it, as Telegram does by itself."""
        origin = {
            "type": "channel",
            "date": made.date,
            "chat": shapes.chat(self.town.chats[made.chat], self.town),
            "message_id": made.id,
        }
        more = {**made.more, "is_automatic_forward": True, "forward_origin": origin}
        copy = self.town.keep(
            group, made.chat, text=made.text, entities=made.entities, caption=made.caption, date=made.date, more=more
        )
        await self._tell_message("message", copy)

    async def send(self, who: int, chat: Chat, name: str, data: bytes, *, caption: str = "", topic: int = 0) -> Message:
        """Send a file."""
        number = f"d{next(self._albums)}"
        self.town.files[number] = data
        document = {"file_id": number, "file_unique_id": number, "file_name": name, "file_size": len(data)}
        return await self.post(who, chat, caption=caption, topic=topic, more={"document": document})

    async def album(self, who: int, chat: Chat, caption: str, count: int, *, topic: int = 0) -> list[Message]:
        """Post several photos at once, of which the first has the words."""
        album = str(next(self._albums))
        made = []
        for number in range(count):
            photo = [
                {"file_id": f"p{number}", "file_unique_id": f"q{number}", "width": 9, "height": 9, "file_size": 99}
            ]
            words = caption if number == 0 else ""
            more = {"media_group_id": album, "photo": photo}
            made.append(await self.post(who, chat, caption=words, topic=topic, more=more))
        return made

    async def write(self, who: int, text: str) -> Message:
        """Write to the bot alone, which opens the conversation."""
        user = self.town.users[who]
        user.started, user.blocked = True, False
        return await self.post(who, self.town.private(who), text)

    async def edit(self, who: int, message: Message, text: str) -> None:
        if message.author != who:
            raise Refused("Only its author changes a message.")
        message.text, message.entities, message.edited = text, shapes.entities_in(text), self.town.now()
        channel = self.town.chats[message.chat].type == "channel"
        await self._tell_message("edited_channel_post" if channel else "edited_message", message)

    async def delete(self, who: int, message: Message) -> None:
        """Take a message away, of which Telegram tells bots nothing."""
        if message.author != who and not self.town.may(self.town.chats[message.chat], who, "can_delete_messages"):
            raise Refused("Only its author or an administrator takes a message away.")
        message.deleted = True

    async def react(self, who: int, message: Message, emoji: str, *, on: bool) -> None:
        before = sorted(one for one, users in message.reactions.items() if who in users)
        users = message.reactions.setdefault(emoji, set())
        (users.add if on else users.discard)(who)
        after = sorted(one for one, users in message.reactions.items() if who in users)
        chat = self.town.chats[message.chat]
        if self.town.status(chat, self.town.bot) != "administrator":
            return
        told = {
            "chat": shapes.chat(chat, self.town),
            "message_id": message.id,
            "date": self.town.now(),
            "user": shapes.user(self.town.users[who]),
            "old_reaction": [{"type": "emoji", "emoji": one} for one in before],
            "new_reaction": [{"type": "emoji", "emoji": one} for one in after],
        }
        await self.updates.push("message_reaction", told)

    async def press(self, who: int, message: Message, data: str) -> str:
        """Press a button; return the number under which the client waits for an answer."""
        if data not in {one["callback_data"] for row in message.keyboard for one in row}:
            raise Refused("There is no such button.")
        query = str(next(self._presses))
        self.pressed.add(query)
        told = {
            "id": query,
            "from": shapes.user(self.town.users[who]),
            "message": shapes.message(message, self.town),
            "chat_instance": "42",
            "data": data,
        }
        await self.updates.push("callback_query", told)
        return query

    # Coming and going

    async def join(self, who: int, chat: Chat) -> None:
        if self.town.status(chat, who) == "kicked":
            raise Refused("They are banned.")
        await self.become(chat, who, Membership(status="member"), by=who)

    async def leave(self, who: int, chat: Chat) -> None:
        await self.become(chat, who, Membership(status="left"), by=who)

    async def arrive(self, chat: Chat, name: str, language: str = "en") -> User:
        made = self.town.user(name, language=language)
        await self.join(made.id, chat)
        return made

    async def become(self, chat: Chat, who: int, now: Membership, *, by: int, quietly: bool = False) -> None:
        """Let somebody be something else in a chat: `chat_member` tells administrators, a message tells everybody.

        No message tells it `quietly`.
        """
        before = chat.members.get(who)
        was = self.town.is_inside(chat, who)
        chat.members[who] = now
        user, actor = self.town.users[who], self.town.users[by]
        told = {
            "chat": shapes.chat(chat, self.town),
            "from": shapes.user(actor),
            "date": self.town.now(),
            "old_chat_member": shapes.member(before, user),
            "new_chat_member": shapes.member(now, user),
        }
        if who == self.town.bot:
            await self.updates.push("my_chat_member", told)
        elif self.town.status(chat, self.town.bot) == "administrator":
            await self.updates.push("chat_member", told)
        if quietly or chat.type == "channel" or was == self.town.is_inside(chat, who):
            return
        more = {"left_chat_member": shapes.user(user)} if was else {"new_chat_members": [shapes.user(user)]}
        if by != self.town.bot:
            await self._tell_message("message", self.town.keep(chat, by, more=more))

    async def promote(self, by: int, who: int, chat: Chat, *, rights: set[str] | None = None) -> None:
        made = Membership(status="administrator", rights=rights or set())
        await self.become(chat, who, made, by=by)

    async def bring_bot(self, by: int, chat: Chat, *, admin: bool = True) -> None:
        made = self.town.join(Chat(id=0, type="x"), self.town.bot, "administrator" if admin else "member")
        await self.become(chat, self.town.bot, made, by=by)

    # What becomes of chats

    async def make_topic(self, who: int, chat: Chat, name: str) -> Topic:
        topic = self.town.topic(chat, name, who)
        await self._tell_message("message", chat.messages[topic.id])
        return topic

    async def rename_topic(self, who: int, chat: Chat, topic: Topic, name: str) -> None:
        topic.name = name
        more = {"forum_topic_edited": {"name": name}}
        await self._tell_message("message", self.town.keep(chat, who, topic=topic.id, more=more))

    async def close_topic(self, who: int, chat: Chat, topic: Topic, *, closed: bool = True) -> None:
        topic.closed = closed
        more = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
        await self._tell_message("message", self.town.keep(chat, who, topic=topic.id, more=more))

    async def upgrade(self, who: int, chat: Chat) -> Chat:
        """Make a supergroup of a group: it has another number from then on, and both chats are told."""
        after = replace(chat, id=SUPER + chat.id, type="supergroup", messages={}, members=dict(chat.members))
        self.town.chats[after.id] = after
        gone = self.town.keep(chat, who, more={"migrate_to_chat_id": after.id})
        begun = self.town.keep(after, who, more={"migrate_from_chat_id": chat.id})
        chat.moved_to = after.id
        await self._tell_message("message", gone)
        if bot := after.members.pop(self.town.bot, None):  # as in any other group, it is told that it came in
            await self.become(after, self.town.bot, bot, by=who, quietly=True)
        await self._tell_message("message", begun)
        return after

    # What the bot is told

    def _check_writing(self, who: int, chat: Chat, topic: int) -> None:
        if who < 0 or chat.type == "private":
            return
        member = chat.members.get(who)
        if not self.town.is_inside(chat, who):
            raise Refused("They are banned." if member and member.status == "kicked" else "They are not in there.")
        if member is not None and member.muted and (member.until == 0 or member.until > self.town.now()):
            raise Refused("They are timed out.")
        where = chat.topics.get(topic)
        if topic and where is None:
            raise Refused("There is no such topic.")
        if where is not None and where.closed and not self.town.may(chat, who, "can_manage_topics"):
            raise Refused("The topic is closed, which is how one is archived.")

    async def _tell_message(self, kind: str, message: Message) -> None:
        if self._is_told(message):
            await self.updates.push(kind, shapes.message(message, self.town))

    def _is_told(self, message: Message) -> bool:
        """Say whether the bot is told of a message: in privacy mode only of what is meant for it."""
        chat = self.town.chats[message.chat]
        if chat.type == "private":
            return True
        if not self.town.is_inside(chat, self.town.bot):
            return False
        if self.town.hears_all or self.town.status(chat, self.town.bot) == "administrator":
            return True
        text = (message.text or message.caption or "").lower()
        answered = chat.messages.get(message.reply_to)
        to_bot = answered is not None and answered.author == self.town.bot
        return to_bot or text.startswith("/") or f"@{BOT_NAME}" in text or any(one in message.more for one in SERVICE)
