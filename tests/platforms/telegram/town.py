"""What is on Telegram: people, groups with their topics and messages, who is in which and may do what."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

BOT_NAME = "kinfolk_bot"
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
)
SENDING = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_react_to_messages",
    "can_edit_tag",
)
INSIDE = {"creator", "administrator", "member", "restricted"}
SUPER = -1_000_000_000_000


@dataclass
class User:
    id: int
    name: str
    language: str = "en"
    is_bot: bool = False
    started: bool = False
    blocked: bool = False
    username: str = ""


@dataclass
class Membership:
    status: str
    until: int = 0
    rights: set[str] = field(default_factory=set)
    anonymous: bool = False
    muted: bool = False


@dataclass
class Topic:
    id: int
    name: str
    closed: bool = False


@dataclass
class Message:
    id: int
    chat: int
    author: int
    date: int
    text: str | None = None
    entities: list[dict] = field(default_factory=list)
    caption: str = ""
    topic: int = 0
    reply_to: int = 0
    edited: int = 0
    deleted: bool = False
    reactions: dict[str, set[int]] = field(default_factory=dict)
    keyboard: list[list[dict]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    poll: dict | None = None
    more: dict = field(default_factory=dict)
    """Fields of the Bot API besides: an album, a photo, a service message."""


@dataclass
class Chat:
    id: int
    type: str
    title: str = ""
    forum: bool = False
    description: str = ""
    linked: int = 0
    members: dict[int, Membership] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    moved_to: int = 0
    reactions: set[str] | None = None
    """The emoji that are allowed; None for all."""


class Town:
    """Everything there is. The bot is a user like others. `clock` tells the seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.hears_all = True
        """Whether privacy mode is off."""
        self.menus: dict[tuple[str, str], list[dict]] = {}
        self.webhook = ""
        self.links: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        """What people sent, by the id that a bot asks for it with."""
        self._users = itertools.count(1001)
        self._chats = itertools.count(2001)
        self._messages = itertools.count(101)
        self.bot = self.user("Kinfolk", is_bot=True, username=BOT_NAME).id

    def now(self) -> int:
        return int(self.clock())

    def user(self, name: str, **more: object) -> User:
        made = User(id=next(self._users), name=name, **more)
        self.users[made.id] = made
        return made

    def group(
        self,
        title: str,
        owner: int,
        *,
        forum: bool = False,
        kind: str = "supergroup",
        bot: str | None = "administrator",
    ) -> Chat:
        """Make a group; the bot is in it as an administrator with every right, as a member, or not at all."""
        number = next(self._chats)
        chat = Chat(id=-number if kind == "group" else SUPER - number, type=kind, title=title, forum=forum)
        self.chats[chat.id] = chat
        chat.members[owner] = Membership(status="creator")
        if bot:
            rights = set(RIGHTS) if bot == "administrator" else set()
            chat.members[self.bot] = Membership(status=bot, rights=rights)
        return chat

    def topic(self, chat: Chat, name: str, by: int = 0) -> Topic:
        """Make a topic; its number is that of the message that tells of it."""
        told = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        root = self.keep(chat, by or self.bot, more=told)
        root.topic = root.id
        chat.topics[root.id] = Topic(id=root.id, name=name)
        return chat.topics[root.id]

    def private(self, user: int) -> Chat:
        """Return the conversation of the bot with somebody."""
        if user not in self.chats:
            self.chats[user] = Chat(id=user, type="private")
        return self.chats[user]

    def join(self, chat: Chat, user: int, status: str = "member") -> Membership:
        rights = set(RIGHTS) if status == "administrator" else set()
        chat.members[user] = Membership(status=status, rights=rights)
        return chat.members[user]

    def keep(self, chat: Chat, author: int, **more: object) -> Message:
        """Put a message into a chat, and tell nobody."""
        more.setdefault("date", self.now())
        made = Message(id=next(self._messages), chat=chat.id, author=author, **more)
        chat.messages[made.id] = made
        return made

    def status(self, chat: Chat, user: int) -> str:
        member = chat.members.get(user)
        return member.status if member else "left"

    def is_inside(self, chat: Chat, user: int) -> bool:
        member = chat.members.get(user)
        return member is not None and member.status in INSIDE

    def may(self, chat: Chat, user: int, right: str) -> bool:
        member = chat.members.get(user)
        return member is not None and (member.status == "creator" or right in member.rights)
