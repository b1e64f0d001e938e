"""How the Bot API writes things: users, chats, messages and members as JSON."""

from __future__ import annotations

import re

from tests.platforms.telegram.town import RIGHTS, SENDING, Chat, Membership, Message, Town, User

ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
FORWARDER = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
_FOUND = re.compile(r"(?P<mention>(?<!\w)@\w{4,32})|(?P<bot_command>(?<![\w/])/\w+(?:@\w+)?)|(?P<url>https?://\S+)")


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def entities_in(text: str) -> list[dict]:
    """Find what Telegram itself marks in a text: mentions, commands, addresses."""
    return [
        {"type": found.lastgroup, "offset": units(text[: found.start()]), "length": units(found.group())}
        for found in _FOUND.finditer(text)
    ]


def user(one: User) -> dict:
    told = {"id": one.id, "is_bot": one.is_bot, "first_name": one.name}
    if one.username:
        told["username"] = one.username
    return told if one.is_bot else {**told, "language_code": one.language}


def chat(one: Chat, town: Town) -> dict:
    if one.type == "private":
        who = town.users[one.id]
        return {"id": one.id, "type": "private", "first_name": who.name}
    told = {"id": one.id, "type": one.type, "title": one.title}
    return {**told, "is_forum": True} if one.forum else told


def full_chat(one: Chat, town: Town) -> dict:
    told = {
        **chat(one, town),
        "accent_color_id": 1,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"),
            False,
        ),
        "permissions": dict.fromkeys(SENDING, True),
    }
    if one.description:
        told["description"] = one.description
    return {**told, "linked_chat_id": one.linked} if one.linked else told


def sender(one: Message, town: Town) -> dict:
    """Say who wrote a message: a user, or a chat under its own name."""
    if one.author > 0:
        member = town.chats[one.chat].members.get(one.author)
        if member is None or not member.anonymous:
            return {"from": user(town.users[one.author])}
        return {"from": ANONYMOUS, "sender_chat": chat(town.chats[one.chat], town)}
    channel = {"sender_chat": chat(town.chats[one.author], town)}
    if town.chats[one.chat].type == "channel":
        return channel
    machine = FORWARDER if one.more.get("is_automatic_forward") else CHANNEL_BOT
    return {"from": machine, **channel}


def _said(one: Message) -> dict:
    told: dict = {}
    if one.text is not None:
        told["text"] = one.text
        if one.entities:
            told["entities"] = one.entities
    if one.caption:
        told["caption"] = one.caption
        if one.entities:
            told["caption_entities"] = one.entities
    for name, data in one.files.items():
        told["document"] = {
            "file_id": f"f{one.id}",
            "file_unique_id": f"u{one.id}",
            "file_name": name,
            "file_size": len(data),
            "mime_type": "application/octet-stream",
        }
    return told


def message(one: Message, town: Town, *, answered: bool = True) -> dict:
    where = town.chats[one.chat]
    told: dict = {"message_id": one.id, "date": one.date, "chat": chat(where, town), **sender(one, town), **one.more}
    told |= _said(one)
    if one.poll:
        told["poll"] = one.poll
    if one.edited:
        told["edit_date"] = one.edited
    if one.keyboard:
        told["reply_markup"] = {"inline_keyboard": one.keyboard}
    if one.topic:
        told |= {"message_thread_id": one.topic, "is_topic_message": True}
    if answered and (other := where.messages.get(one.reply_to or one.topic)) and other.id != one.id:
        told["reply_to_message"] = message(other, town, answered=False)
    return told


def member(one: Membership | None, who: User) -> dict:
    status = one.status if one else "left"
    told: dict = {"user": user(who), "status": status}
    if one is None or status == "left":
        return told
    match status:
        case "creator":
            told["is_anonymous"] = one.anonymous
        case "administrator":
            told |= {right: right in one.rights for right in RIGHTS}
            told |= {"can_be_edited": False, "is_anonymous": one.anonymous}
        case "restricted":
            told |= dict.fromkeys(SENDING, not one.muted)
            told |= {"is_member": True, "until_date": one.until}
        case "kicked":
            told["until_date"] = one.until
    return told
