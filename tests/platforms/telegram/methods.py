"""The methods of the Bot API that a bot calls, with the rules that Telegram has for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tests.platforms.telegram import html, shapes
from tests.platforms.telegram.people import People
from tests.platforms.telegram.town import Chat, Membership, Message, Town

DAYS = 86_400
LONGEST, CAPTION, QUESTION = 4096, 1024, 300
DELETABLE = 48 * 3600
LARGEST_GIVEN = 20 * 2**20
"""Bytes of a file that a bot is given."""
NOT_ENOUGH = "Bad Request: not enough rights to restrict/unrestrict chat member"

Args = dict


class Wrong(Exception):
    """What Telegram answers instead of a result."""

    def __init__(self, code: int, words: str, **parameters: object) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.parameters = parameters


class Methods:
    """Every method by its name; arguments are read already."""

    def __init__(self, town: Town, people: People) -> None:
        self.town = town
        self.people = people
        self.answered: list[str] = []
        """The presses of buttons that the bot heard of, as their clients were told."""
        self.alerts: dict[str, str] = {}
        self.led: dict[str, str] = {}
        self.drafts: list[tuple[int, int, str]] = []
        self._links = itertools.count(1)

    def named(self, name: str) -> Callable | None:
        return getattr(self, f"do_{name}", None)

    # About the bot

    async def do_getMe(self, _args: Args) -> dict:  # noqa: N802
        return {
            **shapes.user(self.town.users[self.town.bot]),
            "can_join_groups": True,
            "can_read_all_group_messages": self.town.hears_all,
            "supports_inline_queries": False,
        }

    async def do_getWebhookInfo(self, _args: Args) -> dict:  # noqa: N802
        pending = len(self.people.updates.waiting)
        return {"url": self.town.webhook, "has_custom_certificate": False, "pending_update_count": pending}

    async def do_getMyCommands(self, args: Args) -> list:  # noqa: N802
        return self.town.menus.get(_menu(args), [])

    async def do_setMyCommands(self, args: Args) -> bool:  # noqa: N802
        if len(args["commands"]) > 100:
            raise Wrong(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        self.town.menus[_menu(args)] = args["commands"]
        return True

    # Saying

    async def do_sendMessage(self, args: Args) -> dict:  # noqa: N802
        chat = self._where(args)
        text, entities = self._text(args, "text", LONGEST)
        if not text:
            raise Wrong(400, "Bad Request: message text is empty")
        return self._sent(chat, args, text=text, entities=entities)

    async def do_sendDocument(self, args: Args) -> dict:  # noqa: N802
        return self._sent_file(args, "document")

    async def do_sendPhoto(self, args: Args) -> dict:  # noqa: N802
        return self._sent_file(args, "photo")

    async def do_getFile(self, args: Args) -> dict:  # noqa: N802
        data = self.town.files.get(args["file_id"])
        if data is None:
            raise Wrong(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(data) > LARGEST_GIVEN:
            raise Wrong(400, "Bad Request: file is too big")
        named = {"file_id": args["file_id"], "file_unique_id": f"u{args['file_id']}", "file_size": len(data)}
        return {**named, "file_path": f"documents/{args['file_id']}"}

    def _sent_file(self, args: Args, kind: str) -> dict:
        chat = self._where(args)
        name, data = args[kind]
        text, entities = self._text(args, "caption", CAPTION)
        return self._sent(chat, args, caption=text, entities=entities, files={name: data})

    async def do_sendPoll(self, args: Args) -> dict:  # noqa: N802
        chat = self._where(args)
        options = [one["text"] if isinstance(one, dict) else one for one in args["options"]]
        if not 2 <= len(options) <= 12 or not 1 <= len(args["question"]) <= QUESTION:
            raise Wrong(400, "Bad Request: poll must have at least 2 option")
        return self._sent(chat, args, poll=poll(args["question"], options))

    async def do_sendChatAction(self, args: Args) -> bool:  # noqa: N802
        self._where(args)
        return True

    async def do_sendMessageDraft(self, args: Args) -> bool:  # noqa: N802
        chat = self._where(args)
        if chat.type != "private":
            raise Wrong(400, "Bad Request: TEXTDRAFT_PEER_INVALID")
        text, _entities = self._text(args, "text", LONGEST)
        self.drafts.append((chat.id, args["draft_id"], text))
        return True

    async def do_editMessageText(self, args: Args) -> dict:  # noqa: N802
        message = self._own(args)
        if message.text is None:
            raise Wrong(400, "Bad Request: there is no text in the message to edit")
        text, entities = self._text(args, "text", LONGEST)
        if not text:
            raise Wrong(400, "Bad Request: message text is empty")
        return self._changed(message, args, text=text, entities=entities)

    async def do_editMessageCaption(self, args: Args) -> dict:  # noqa: N802
        text, entities = self._text(args, "caption", CAPTION)
        return self._changed(self._own(args), args, caption=text, entities=entities)

    def _changed(self, message: Message, args: Args, **more: object) -> dict:
        more["keyboard"] = _keyboard(args)
        if all(getattr(message, name) == value for name, value in more.items()):
            raise Wrong(400, "Bad Request: message is not modified: specified new message content is the same")
        for name, value in more.items():
            setattr(message, name, value)
        message.edited = self.town.now()
        return shapes.message(message, self.town)

    async def do_deleteMessage(self, args: Args) -> bool:  # noqa: N802
        chat = self._chat(args)
        self._delete(chat, args["message_id"])
        return True

    async def do_deleteMessages(self, args: Args) -> bool:  # noqa: N802
        chat = self._chat(args)
        for number in args["message_ids"]:
            self._delete(chat, number)
        return True

    def _delete(self, chat: Chat, number: int) -> None:
        message = chat.messages.get(number)
        if message is None or message.deleted:
            raise Wrong(400, "Bad Request: message to delete not found")
        mine = message.author == self.town.bot
        is_old = self.town.now() - message.date > DELETABLE
        may = mine or chat.type == "private" or self.town.may(chat, self.town.bot, "can_delete_messages")
        if is_old and chat.type != "supergroup":
            raise Wrong(400, "Bad Request: message can't be deleted for everyone")
        if not may or is_old:
            raise Wrong(400, "Bad Request: message can't be deleted")
        message.deleted = True

    async def do_setMessageReaction(self, args: Args) -> bool:  # noqa: N802
        chat = self._chat(args)
        message = chat.messages.get(args["message_id"])
        if message is None or message.deleted:
            raise Wrong(400, "Bad Request: message to react not found")
        wanted = [one["emoji"] for one in args.get("reaction", [])]
        if any(chat.reactions is not None and one not in chat.reactions for one in wanted) or len(wanted) > 1:
            raise Wrong(400, "Bad Request: REACTION_INVALID")
        for users in message.reactions.values():
            users.discard(self.town.bot)
        for emoji in wanted:
            message.reactions.setdefault(emoji, set()).add(self.town.bot)
        return True

    async def do_answerCallbackQuery(self, args: Args) -> bool:  # noqa: N802
        query = args["callback_query_id"]
        if query not in self.people.pressed:
            raise Wrong(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.people.pressed.discard(query)
        self.answered.append(query)
        self.alerts[query] = args.get("text", "")
        self.led[query] = args.get("url", "")
        return True

    # Members

    async def do_getChat(self, args: Args) -> dict:  # noqa: N802
        return shapes.full_chat(self._chat(args), self.town)

    async def do_getChatMember(self, args: Args) -> dict:  # noqa: N802
        chat = self._chat(args)
        who = self.town.users.get(args["user_id"])
        if who is None:
            raise Wrong(400, "Bad Request: PARTICIPANT_ID_INVALID")
        if self.town.status(chat, self.town.bot) == "member" and who.id != self.town.bot and chat.type == "channel":
            raise Wrong(400, "Bad Request: member list is inaccessible")
        return shapes.member(chat.members.get(who.id), who)

    async def do_getChatAdministrators(self, args: Args) -> list:  # noqa: N802
        chat = self._chat(args)
        if chat.type == "private":
            raise Wrong(400, "Bad Request: there are no administrators in the private chat")
        some = {who: one for who, one in chat.members.items() if one.status in {"creator", "administrator"}}
        return [shapes.member(one, self.town.users[who]) for who, one in some.items()]

    async def do_banChatMember(self, args: Args) -> bool:  # noqa: N802
        chat, who, member = self._sanctioned(args)
        until = int(args.get("until_date", 0))
        keeps = chat.type != "group"  # a small group has no list of whom it sent out for good
        now = Membership(status="kicked", until=until) if keeps else Membership(status="left")
        await self.people.become(chat, who, now, by=self.town.bot)
        del member
        return True

    async def do_unbanChatMember(self, args: Args) -> bool:  # noqa: N802
        chat, who, member = self._sanctioned(args)
        if chat.type == "group":
            raise Wrong(400, "Bad Request: method is available for supergroup and channel chats only")
        if member is not None and (member.status == "kicked" or not args.get("only_if_banned")):
            await self.people.become(chat, who, Membership(status="left"), by=self.town.bot)
        return True

    async def do_restrictChatMember(self, args: Args) -> bool:  # noqa: N802
        chat, who, member = self._sanctioned(args)
        if chat.type != "supergroup":
            raise Wrong(400, "Bad Request: method is available only for supergroups")
        if member is None or not self.town.is_inside(chat, who):
            raise Wrong(400, "Bad Request: USER_NOT_PARTICIPANT")
        allowed = args["permissions"].get("can_send_messages", False)
        until = int(args.get("until_date", 0))
        now = Membership(status="member") if allowed else Membership(status="restricted", until=until, muted=True)
        await self.people.become(chat, who, now, by=self.town.bot)
        return True

    def _sanctioned(self, args: Args) -> tuple[Chat, int, Membership | None]:
        chat = self._chat(args)
        if self.town.status(chat, self.town.bot) != "administrator":
            raise Wrong(400, "Bad Request: CHAT_ADMIN_REQUIRED")
        if not self.town.may(chat, self.town.bot, "can_restrict_members"):
            raise Wrong(400, NOT_ENOUGH)
        who = args["user_id"]
        if who not in self.town.users:
            raise Wrong(400, "Bad Request: PARTICIPANT_ID_INVALID")
        status = self.town.status(chat, who)
        if status == "creator":
            raise Wrong(400, "Bad Request: can't remove chat owner")
        if status == "administrator":
            raise Wrong(400, "Bad Request: user is an administrator of the chat")
        return chat, who, chat.members.get(who)

    async def do_createChatInviteLink(self, args: Args) -> dict:  # noqa: N802
        chat = self._chat(args)
        if not self.town.may(chat, self.town.bot, "can_invite_users"):
            raise Wrong(400, "Bad Request: not enough rights to manage chat invite link")
        link = f"https://t.me/+{next(self._links):08d}"
        self.town.links[link] = chat.id
        return {
            "invite_link": link,
            "creator": shapes.user(self.town.users[self.town.bot]),
            "creates_join_request": False,
            "is_primary": False,
            "is_revoked": False,
            "member_limit": args.get("member_limit", 1),
        }

    # Topics

    async def do_createForumTopic(self, args: Args) -> dict:  # noqa: N802
        chat = self._forum(args)
        topic = self.town.topic(chat, args["name"])
        return {"message_thread_id": topic.id, "name": topic.name, "icon_color": 7322096}

    async def do_closeForumTopic(self, args: Args) -> bool:  # noqa: N802
        return self._close(args, closed=True)

    async def do_reopenForumTopic(self, args: Args) -> bool:  # noqa: N802
        return self._close(args, closed=False)

    def _close(self, args: Args, *, closed: bool) -> bool:
        topic = self._forum(args).topics.get(args["message_thread_id"])
        if topic is None:
            raise Wrong(400, "Bad Request: TOPIC_ID_INVALID")
        if topic.closed == closed:
            raise Wrong(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic.closed = closed
        return True

    def _forum(self, args: Args) -> Chat:
        chat = self._chat(args)
        if not chat.forum:
            raise Wrong(400, "Bad Request: the chat is not a forum")
        if not self.town.may(chat, self.town.bot, "can_manage_topics"):
            raise Wrong(400, "Bad Request: not enough rights to manage topics")
        return chat

    # What most of them need

    def _chat(self, args: Args) -> Chat:
        number = args.get("chat_id")
        if number in self.town.users and number > 0:
            return self.town.private(number)
        chat = self.town.chats.get(number)
        if chat is None:
            raise Wrong(400, "Bad Request: chat not found")
        if chat.moved_to:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Wrong(400, words, migrate_to_chat_id=chat.moved_to)
        if not self.town.is_inside(chat, self.town.bot):
            if self.town.status(chat, self.town.bot) == "kicked":
                raise Wrong(403, f"Forbidden: bot was kicked from the {chat.type} chat")
            raise Wrong(403, f"Forbidden: bot is not a member of the {chat.type} chat")
        return chat

    def _where(self, args: Args) -> Chat:
        """Return the chat in which the bot may say something."""
        chat = self._chat(args)
        if chat.type == "private":
            who = self.town.users[chat.id]
            if who.is_bot:
                raise Wrong(403, "Forbidden: bot can't send messages to bots")
            if who.blocked:
                raise Wrong(403, "Forbidden: bot was blocked by the user")
            if not who.started:
                raise Wrong(403, "Forbidden: bot can't initiate conversation with a user")
        topic = args.get("message_thread_id", 0)
        if topic and topic not in chat.topics:
            raise Wrong(400, "Bad Request: message thread not found")
        return chat

    def _text(self, args: Args, field: str, limit: int) -> tuple[str, list[dict]]:
        written = args.get(field, "")
        if args.get("parse_mode") == "HTML":
            try:
                text, entities = html.parse(written)
            except html.Unreadable as wrong:
                raise Wrong(400, f"Bad Request: can't parse entities: {wrong}") from None
        else:
            text, entities = written.strip(), shapes.entities_in(written.strip())
        if shapes.units(text) > limit:
            raise Wrong(400, f"Bad Request: message {'caption ' if field == 'caption' else ''}is too long")
        return text, entities

    def _sent(self, chat: Chat, args: Args, **more: object) -> dict:
        answer = args.get("reply_parameters") or {}
        answered = answer.get("message_id", 0)
        if answered and answered not in chat.messages:
            if not answer.get("allow_sending_without_reply"):
                raise Wrong(400, "Bad Request: message to be replied not found")
            answered = 0
        topic = args.get("message_thread_id", 0)
        made = self.town.keep(chat, self.town.bot, topic=topic, reply_to=answered, keyboard=_keyboard(args), **more)
        return shapes.message(made, self.town)

    def _own(self, args: Args) -> Message:
        chat = self._chat(args)
        message = chat.messages.get(args["message_id"])
        if message is None or message.deleted:
            raise Wrong(400, "Bad Request: message to edit not found")
        if message.author != self.town.bot:
            raise Wrong(400, "Bad Request: message can't be edited")
        return message


def poll(question: str, options: list[str]) -> dict:
    """Write a poll as the Bot API does."""
    return {
        "id": "7",
        "question": question,
        "options": [{"text": one, "voter_count": 0, "persistent_id": str(at)} for at, one in enumerate(options)],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": True,
        "members_only": False,
    }


def _menu(args: Args) -> tuple[str, str]:
    return args.get("scope", {"type": "default"})["type"], args.get("language_code", "")


def _keyboard(args: Args) -> list[list[dict]]:
    rows = (args.get("reply_markup") or {}).get("inline_keyboard", [])
    for one in itertools.chain.from_iterable(rows):
        if not one.get("text") or not 1 <= len(one.get("callback_data", "").encode()) <= 64:
            raise Wrong(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows
