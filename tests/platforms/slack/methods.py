"""The methods of the Web API that the bot calls, with the rules by which Slack refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.platforms.slack.world import BOT, BOT_ID, DOMAIN, TEAM, Channel, Message, World

LONGEST, SECTION, BLOCKS, ELEMENTS = 40_000, 3000, 50, 25
LOUD = re.compile(r"(?<!\w)@(here|channel|everyone)\b")
"""What Slack makes a mention of where it is not told to leave plain words as they are."""
SCOPES: dict[str, str] = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.archive": "channels:manage",
    "conversations.create": "channels:manage",
    "conversations.history": "channels:history",
    "conversations.info": "channels:read",
    "conversations.invite": "channels:manage",
    "conversations.kick": "channels:manage",
    "conversations.list": "channels:read",
    "conversations.members": "channels:read",
    "conversations.open": "im:write",
    "conversations.replies": "channels:history",
    "conversations.setPurpose": "channels:manage",
    "conversations.unarchive": "channels:manage",
    "files.completeUploadExternal": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.info": "files:read",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "users.conversations": "channels:read",
    "users.info": "users:read",
    "users.list": "users:read",
}


class ApiError(Exception):
    """An answer that says no."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.body = {"ok": False, "error": code, **more}


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request: by whom, and with what."""

    world: World
    who: str
    given: dict[str, str]
    base: str
    most: int = 1000

    @property
    def is_bot(self) -> bool:
        return self.who == BOT

    def text(self, name: str) -> str:
        return self.given.get(name) or ""

    def parsed(self, name: str) -> list | dict | None:
        try:
            return json.loads(self.given[name]) if self.given.get(name) else None
        except ValueError:
            raise ApiError("invalid_json") from None

    def room(self, name: str = "channel", *, inside: bool = True, live: bool = False) -> Channel:
        """Return a channel that whoever calls sees. Raises ApiError."""
        found = self.world.channels.get(self.text(name))
        if found is None or ((found.private or found.im) and self.who not in found.members):
            raise ApiError("channel_not_found")
        if live and found.archived:
            raise ApiError("is_archived")
        if inside and self.who not in found.members:
            raise ApiError("not_in_channel")
        return found

    def message(self, room: Channel, name: str = "ts") -> Message:
        found = room.messages.get(self.text(name))
        if found is None or found.only or found.subtype == "tombstone":
            raise ApiError("message_not_found")
        return found

    def user(self, name: str = "user") -> str:
        found = self.world.users.get(self.text(name))
        if found is None:
            raise ApiError("user_not_found")
        return found.id


def page(call: Call, items: list, what: str, most: int = 1000) -> dict:
    """Return one page of a list; the cursor is opaque."""
    limit = int(call.text("limit") or 100)
    if not 1 <= limit <= most:
        raise ApiError("invalid_limit")
    limit = min(limit, call.most)
    cursor = call.text("cursor")
    if cursor and not cursor.startswith("dGVhbTo"):
        raise ApiError("invalid_cursor")
    start = int(cursor.removeprefix("dGVhbTo") or 0)
    following = f"dGVhbTo{start + limit}" if start + limit < len(items) else ""
    return {what: items[start : start + limit], "response_metadata": {"next_cursor": following}}


def content(call: Call) -> tuple[str, list]:
    """Return the text and blocks that are to be said. Raises ApiError for what Slack does not take."""
    text, blocks = call.text("text"), call.parsed("blocks") or []
    if len(text) > LONGEST:
        raise ApiError("msg_too_long")
    if not text.strip() and not blocks:
        raise ApiError("no_text")
    check_blocks(blocks)
    for block in blocks:
        if block.get("type") == "section" and not block["text"].get("verbatim"):
            block["text"]["text"] = LOUD.sub(r"<!\1>", block["text"]["text"])
    return text, blocks


def check_blocks(blocks: object, most: int = BLOCKS) -> None:
    if not isinstance(blocks, list) or len(blocks) > most:
        raise ApiError("invalid_blocks")
    for block in blocks:
        if block.get("type") == "section" and not 1 <= len(block["text"]["text"]) <= SECTION:
            raise ApiError("invalid_blocks", errors=["must be less than 3001 characters"])
        if block.get("type") == "header" and not 1 <= len(block["text"]["text"]) <= 150:
            raise ApiError("invalid_blocks")
        if block.get("type") == "actions":
            _check_elements(block["elements"])


def _check_elements(elements: list) -> None:
    if not 1 <= len(elements) <= ELEMENTS or len({one["action_id"] for one in elements}) < len(elements):
        raise ApiError("invalid_blocks")
    for one in elements:
        sizes = (len(one["text"]["text"]), len(one.get("value", "")), len(one["action_id"]))
        if not 1 <= sizes[0] <= 75 or sizes[1] > 2000 or sizes[2] > 255:
            raise ApiError("invalid_blocks")


# Methods


def auth_test(call: Call) -> dict:
    named = call.world.users[call.who]
    return {
        "url": DOMAIN,
        "team": "Harbour Makers",
        "team_id": TEAM,
        "user": named.name.lower(),
        "user_id": call.who,
        **({"bot_id": BOT_ID} if call.is_bot else {}),
    }


def post_message(call: Call) -> dict:
    room = call.room(live=True)
    text, blocks = content(call)
    thread = call.text("thread_ts")
    if thread and thread not in room.messages:
        raise ApiError("thread_not_found")
    if thread:
        thread = room.messages[thread].thread or thread
    metadata = call.parsed("metadata") or {}
    made = call.world.post(call.who, room, text, blocks=blocks, thread=thread, metadata=metadata)
    return {"channel": room.id, "ts": made.ts, "message": made.shown()}


def post_ephemeral(call: Call) -> dict:
    room, user = call.room(live=True), call.user()
    text, blocks = content(call)
    if user not in room.members:
        raise ApiError("user_not_in_channel")
    thread = call.text("thread_ts")
    made = Message(ts=call.world.stamp(), user=call.who, text=text, blocks=blocks, only=user, thread=thread)
    room.messages[made.ts] = made
    return {"message_ts": made.ts}


def update(call: Call) -> dict:
    room = call.room(live=True)
    message = call.message(room)
    if message.user != call.who:
        raise ApiError("cant_update_message")
    text, blocks = content(call)
    if call.text("parse") != "none":
        text = LOUD.sub(r"<!\1>", text)
    call.world.edit(room, message, text, blocks if "blocks" in call.given else None)
    return {"channel": room.id, "ts": message.ts, "text": text, "message": message.shown()}


def delete(call: Call) -> dict:
    room = call.room(inside=call.is_bot)
    message = call.message(room)
    mighty = not call.is_bot and call.world.users[call.who].rank > 0
    if message.user != call.who and not mighty:
        raise ApiError("cant_delete_message")
    call.world.delete(room, message)
    return {"channel": room.id, "ts": message.ts}


def react(call: Call, *, on: bool) -> dict:
    room = call.room(live=True)
    message = call.message(room, "timestamp")
    if not call.text("name").strip("abcdefghijklmnopqrstuvwxyz0123456789_+'-") == "":
        raise ApiError("invalid_name")
    if not call.world.react(call.who, room, message, call.text("name"), on=on):
        raise ApiError("already_reacted" if on else "no_reaction")
    return {}


def conversations_info(call: Call) -> dict:
    return {"channel": call.room(inside=False).shown(call.who)}


def conversations_list(call: Call) -> dict:
    kinds = (call.text("types") or "public_channel").split(",")
    rooms = [one for one in call.world.channels.values() if _kind(one) in kinds]
    seen = [one for one in rooms if not (one.private or one.im) or call.who in one.members]
    if call.text("exclude_archived") == "true":
        seen = [one for one in seen if not one.archived]
    return page(call, [one.shown(call.who) for one in seen], "channels")


def users_conversations(call: Call) -> dict:
    kinds = (call.text("types") or "public_channel").split(",")
    rooms = [one for one in call.world.channels.values() if call.who in one.members and _kind(one) in kinds]
    if call.text("exclude_archived") == "true":
        rooms = [one for one in rooms if not one.archived]
    shown = [{key: value for key, value in one.shown(call.who).items() if key != "is_member"} for one in rooms]
    return page(call, shown, "channels", 999)


def _kind(one: Channel) -> str:
    return "im" if one.im else "private_channel" if one.private else "public_channel"


def members(call: Call) -> dict:
    return page(call, sorted(call.room(inside=False).members), "members")


def history(call: Call) -> dict:
    room = call.room()
    top = [
        one for one in room.messages.values() if not one.only and (not one.thread or one.subtype == "thread_broadcast")
    ]
    found = [one.shown(room.replies(one.ts)) for one in sorted(top, key=lambda one: one.ts, reverse=True)]
    return _within(call, found)


def replies(call: Call) -> dict:
    room = call.room()
    asked = room.messages.get(call.text("ts"))
    if asked is None or asked.only:
        raise ApiError("thread_not_found")
    began = room.messages.get(asked.thread or asked.ts, asked)
    thread = room.replies(began.ts)
    if asked.thread:
        return _within(call, [asked.shown()])
    return _within(call, [began.shown(thread), *(one.shown() for one in thread)], keep=began.ts)


def _within(call: Call, found: list[dict], keep: str = "") -> dict:
    oldest, latest = float(call.text("oldest") or 0), float(call.text("latest") or 1e12)
    whole = call.text("inclusive") == "true"
    inside = [one for one in found if _between(float(one["ts"]), oldest, latest, whole=whole) or one["ts"] == keep]
    if call.text("include_all_metadata") != "true":
        inside = [{key: value for key, value in one.items() if key != "metadata"} for one in inside]
    told = page(call, inside, "messages")
    return {**told, "has_more": bool(told["response_metadata"]["next_cursor"])}


def _between(ts: float, oldest: float, latest: float, *, whole: bool) -> bool:
    return oldest <= ts <= latest if whole else oldest < ts < latest


def invite(call: Call) -> dict:
    room = call.room(live=True)
    for user in call.text("users").split(","):
        if user not in call.world.users:
            raise ApiError("user_not_found")
        if user == call.who:
            raise ApiError("cant_invite_self")
        if user in room.members:
            raise ApiError("already_in_channel")
        call.world.join(user, room, call.who)
    return {"channel": room.shown(call.who)}


def kick(call: Call) -> dict:
    room, user = call.room(live=True), call.user()
    if room.general:
        raise ApiError("cant_kick_from_general")
    if user == call.who:
        raise ApiError("cant_kick_self")
    if user not in room.members:
        raise ApiError("not_in_channel")
    call.world.leave(user, room)
    return {}


def create(call: Call) -> dict:
    name = call.text("name")
    if not name or len(name) > 80:
        raise ApiError("invalid_name_required" if not name else "invalid_name_maxlength")
    if name != name.lower() or not name.replace("-", "").replace("_", "").isalnum():
        raise ApiError("invalid_name_specials")
    if any(one.name == name for one in call.world.channels.values()):
        raise ApiError("name_taken")
    made = call.world.channels[call.world.channel(name, {call.who})]
    made.creator = call.who
    call.world.tell(
        {
            "type": "channel_created",
            "channel": {"id": made.id, "name": name, "created": 1_700_000_000, "creator": call.who, "is_channel": True},
            "event_ts": call.world.stamp(),
        }
    )
    return {"channel": made.shown(call.who)}


def set_purpose(call: Call) -> dict:
    room = call.room(live=True)
    if len(call.text("purpose")) > 250:
        raise ApiError("too_long")
    call.world.describe(call.who, room, "purpose", call.text("purpose"))
    return {"channel": room.shown(call.who)}


def archive(call: Call, *, on: bool) -> dict:
    room = call.room(inside=False)
    if room.archived == on:
        raise ApiError("already_archived" if on else "not_archived")
    if on and call.is_bot:
        call.room()
    if room.general:
        raise ApiError("cant_archive_general")
    if call.is_bot and not on:
        raise ApiError("not_in_channel")
    call.world.archive(call.who, room, on=on)
    return {}


def conversations_open(call: Call) -> dict:
    users = call.text("users").split(",")
    if len(users) != 1 or users[0] not in call.world.users:
        raise ApiError("user_not_found")
    if call.world.users[users[0]].bot:
        raise ApiError("cannot_dm_bot")
    if call.world.users[users[0]].deleted:
        raise ApiError("user_disabled")
    return {"channel": {"id": call.world.direct(users[0]).id}}


def users_info(call: Call) -> dict:
    return {"user": _user(call, call.user())}


def users_list(call: Call) -> dict:
    return page(call, [_user(call, one) for one in call.world.users], "members")


def _user(call: Call, user: str) -> dict:
    shown = call.world.users[user].shown()
    if call.text("include_locale") != "true":
        del shown["locale"]
    return shown


def upload_url(call: Call) -> dict:
    if not call.text("filename") or not call.text("length").isdecimal() or call.text("length") == "0":
        raise ApiError("invalid_arguments")
    made = call.world.name("F")
    call.world.files[made] = {"id": made, "name": call.text("filename"), "size": int(call.text("length"))}
    return {"upload_url": f"{call.base}/upload/{made}", "file_id": made}


def complete_upload(call: Call) -> dict:
    room = call.room("channel_id", live=True)
    files = []
    for one in call.parsed("files") or []:
        file = call.world.files.get(one["id"])
        if file is None or len(call.world.bytes.get(one["id"], b"")) != file["size"]:
            raise ApiError("file_not_found")
        address = f"{call.base}/files/{one['id']}"
        files.append(file | {"title": one.get("title", ""), "mimetype": "text/plain", "url_private": address})
    made = call.world.post(
        call.who, room, call.text("initial_comment"), files=files, subtype="file_share", thread=call.text("thread_ts")
    )
    for file in files:
        kind = "private" if room.private or room.im else "public"
        call.world.files[file["id"]] = {**file, "shares": {kind: {room.id: [{"ts": made.ts}]}}}
    return {"files": [{"id": one["id"], "title": one["title"]} for one in files]}


def files_info(call: Call) -> dict:
    if call.text("file") not in call.world.files:
        raise ApiError("file_not_found")
    file = call.world.files[call.text("file")]
    if call.world.unshared:
        call.world.unshared -= 1
        return {"file": {**file, "shares": {}}}
    return {"file": file}


def views_publish(call: Call) -> dict:
    view = call.parsed("view")
    if not isinstance(view, dict) or view.get("type") != "home":
        raise ApiError("invalid_arguments")
    check_blocks(view["blocks"], 100)
    call.world.homes[call.user("user_id")] = view
    return {"view": view}


METHODS: dict[str, Callable[[Call], dict]] = {
    "auth.test": auth_test,
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "reactions.add": lambda call: react(call, on=True),
    "reactions.remove": lambda call: react(call, on=False),
    "conversations.info": conversations_info,
    "conversations.list": conversations_list,
    "conversations.members": members,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.invite": invite,
    "conversations.kick": kick,
    "conversations.create": create,
    "conversations.setPurpose": set_purpose,
    "conversations.archive": lambda call: archive(call, on=True),
    "conversations.unarchive": lambda call: archive(call, on=False),
    "conversations.open": conversations_open,
    "users.conversations": users_conversations,
    "users.info": users_info,
    "users.list": users_list,
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": files_info,
    "views.publish": views_publish,
}
