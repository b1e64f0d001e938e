"""Routes that simcord lacks or does otherwise than Discord, before all of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import discord
from simcord.backend import errors, serializers
from simcord.backend.access import channel_accessible
from simcord.backend.models import Message
from simcord.enums import ChannelType
from simcord.http import router
from simcord.http._helpers import message_response
from simcord.http.router import RequestContext

from tests.platforms.discord.town import EPOCH, Town

PAGE = 100
OLDEST_IN_BULK = timedelta(days=14)
COMMANDS = 100
NAME = re.compile(r"[-_'\w]{1,32}")
FLAGS = {"presences": (12, 13), "members": (14, 15), "message_content": (18, 19)}
"""Which bits of an application tell that an intent is approved, and that it is allowed to a small bot."""


@dataclass(slots=True, kw_only=True)
class Call:
    """A request to carry out."""

    town: Town
    method: str
    path: str
    json: Any = None
    params: dict[str, str] = field(default_factory=dict)
    files: list[Any] = field(default_factory=list)
    reason: str | None = None

    @property
    def context(self) -> RequestContext:
        """Return it as simcord's own routes take it."""
        return RequestContext(
            self.town.backend,
            {},
            json=self.json,
            params=self.params,
            files=self.files,
            reason=self.reason,
            method=self.method,
            path=self.path,
            message_content_access="message_content" in self.town.approved,
        )


def carry_out(call: Call) -> object:
    """Do what was asked. Raises BackendError."""
    for method, pattern, check in CHECKS:
        found = pattern.fullmatch(call.path)
        if method == call.method and found:
            check(call, *(int(one) for one in found.groups()))
    for method, pattern, route in ROUTES:
        found = pattern.fullmatch(call.path)
        if method == call.method and found:
            return route(call, *(int(one) for one in found.groups()))
    context = call.context
    return router.dispatch(
        call.town.backend,
        call.method,
        call.path,
        json=call.json,
        params=call.params,
        files=call.files,
        reason=call.reason,
        message_content_access=context.message_content_access,
    )


# Routes


def history(call: Call, channel: int) -> object:
    """Give a page of messages, newest first: the nearest before, after or around one."""
    context, backend = call.context, call.town.backend
    limit = int(call.params.get("limit", 50))
    if not 1 <= limit <= PAGE:
        raise errors.invalid_form_body("limit: int value should be between 1 and 100.")
    context.require_channel_permissions(channel)
    if not channel_accessible(backend, channel, call.town.bot, history=True):
        return []
    stored = sorted((one for one in backend.messages[channel].values() if not one.is_ephemeral), key=_number)
    return [message_response(context, one) for one in reversed(_page(stored, call.params, limit))]


def _page(stored: list[Message], params: dict[str, str], limit: int) -> list[Message]:
    if "after" in params:
        return [one for one in stored if one.id > int(params["after"])][:limit]
    if "before" in params:
        return [one for one in stored if one.id < int(params["before"])][-limit:]
    if "around" in params:
        middle = int(params["around"])
        before = [one for one in stored if one.id < middle][-(limit // 2) :] if limit > 1 else []
        return [*before, *[one for one in stored if one.id >= middle][: limit - len(before)]]
    return stored[-limit:]


def _number(message: Message) -> int:
    return message.id


def application(call: Call) -> object:
    """Describe the application, with the intents that it was allowed."""
    info = dict(router.dispatch(call.town.backend, "GET", "/oauth2/applications/@me"))
    info["flags"] = sum(1 << FLAGS[one][1] for one in call.town.approved)
    owner = next(iter(call.town.backend.guilds.values()), None)
    if owner:
        info["owner"] = serializers.user_payload(call.town.backend.users[owner.owner_id])
    return {**info, "approximate_guild_count": len(call.town.backend.guilds), "integration_types_config": {}}


def search_members(call: Call, guild: int) -> object:
    """Find members whose name begins so."""
    found = call.town.backend.get_guild(guild)
    query, users = call.params.get("query", "").lower(), call.town.backend.users
    named = [one for one in found.members.values() if _begins((users[one.user_id].name, one.nick or ""), query)]
    shown = named[: int(call.params.get("limit", 1))]
    return [serializers.member_payload(call.town.backend, found, one) for one in shown]


def _begins(names: Iterable[str], query: str) -> bool:
    return any(name.lower().startswith(query) for name in names)


# Checks


def sending(call: Call, channel: int) -> None:
    """Refuse what people do not take and Discord does not send; nothing but spaces is nothing."""
    town = call.town
    where = town.backend.channels.get(channel)
    if where and where.type == ChannelType.DM and any(not _takes(town, one) for one in where.recipient_ids):
        raise errors.BackendError(403, 50007, "Cannot send messages to this user")
    _strip(call.json)
    if where and where.thread_metadata and where.thread_metadata.locked:
        needed = discord.Permissions.manage_threads.flag
        if not town.backend.compute_permissions(where.guild_id or 0, town.bot, channel) & needed:
            raise errors.BackendError(403, 160005, "Thread is locked")
    if call.files:
        call.context.require_channel_permissions(channel, "attach_files")


def _takes(town: Town, user: int) -> bool:
    meets = any(user in one.members for one in town.backend.guilds.values())
    return meets and user not in town.closed


def saying(call: Call, *_numbers: int) -> None:
    """Take spaces off both ends of what is said, as Discord does."""
    _strip(call.json)


def answering(call: Call, *_numbers: int) -> None:
    """Take spaces off what is answered."""
    if isinstance(call.json, dict):
        _strip(call.json.get("data"))


def _strip(body: object) -> None:
    if isinstance(body, dict) and isinstance(body.get("content"), str):
        body["content"] = body["content"].strip()


def deleting_many(call: Call, _channel: int) -> None:
    """Refuse to delete in bulk what is older than two weeks."""
    oldest = int((call.town.backend.clock.now() - OLDEST_IN_BULK - EPOCH) / timedelta(milliseconds=1)) << 22
    if any(int(one) < oldest for one in (call.json or {}).get("messages") or []):
        message = "You can only bulk delete messages that are under 14 days old."
        raise errors.BackendError(400, 50034, message)


def naming(call: Call, *_numbers: int) -> None:
    """Write a channel's name as Discord does, small and without spaces; accept what says nothing."""
    body = call.json
    if not isinstance(body, dict):
        return
    if isinstance(body.get("name"), str) and not body["name"].strip():
        raise errors.invalid_form_body("name: Must be between 1 and 100 in length.")
    if len(str(body.get("name", ""))) > PAGE:
        raise errors.invalid_form_body("name: Must be between 1 and 100 in length.")
    if isinstance(body.get("name"), str) and body.get("type", 0) in {0, 5} and call.method == "POST":
        body["name"] = re.sub(r"\s+", "-", body["name"].strip().lower())
    if body.get("nsfw") is False:
        del body["nsfw"]
    if len(body.get("topic") or "") > 1024:
        raise errors.invalid_form_body("topic: Must be between 0 and 1024 in length.")


def registering(call: Call, *_numbers: int) -> None:
    """Refuse commands that Discord would not register."""
    commands = call.json if isinstance(call.json, list) else []
    if len([one for one in commands if one.get("type", 1) == 1]) > COMMANDS:
        raise errors.BackendError(400, 30032, "Maximum number of application commands reached (100).")
    for one in commands:
        is_slash = one.get("type", 1) == 1
        if is_slash and not (NAME.fullmatch(one["name"]) and one["name"] == one["name"].lower()):
            raise errors.invalid_form_body(f"name: {one['name']!r} is not a command's name")
        if is_slash and not 1 <= len(one.get("description", "")) <= PAGE:
            raise errors.invalid_form_body(f"{one['name']}.description: Must be between 1 and 100 in length.")
        for option in one.get("options") or []:
            if not 1 <= len(option.get("description", "")) <= PAGE or len(option.get("choices") or []) > 25:
                raise errors.invalid_form_body(f"{one['name']}.{option['name']}: Invalid option")


Handler = Callable[..., object]


def _table(rows: Iterable[tuple[str, str, Handler]]) -> list[tuple[str, re.Pattern[str], Handler]]:
    return [(method, re.compile(re.sub(r"\{id\}", r"(\\d+)", path)), made) for method, path, made in rows]


ROUTES = _table(
    (
        ("GET", "/channels/{id}/messages", history),
        ("GET", "/oauth2/applications/@me", application),
        ("GET", "/applications/@me", application),
        ("GET", "/guilds/{id}/members/search", search_members),
    )
)
CHECKS = _table(
    (
        ("POST", "/channels/{id}/messages", sending),
        ("PATCH", "/channels/{id}/messages/{id}", saying),
        ("POST", r"/interactions/{id}/[^/]+/callback", answering),
        ("POST", r"/webhooks/{id}/[^/]+", saying),
        ("PATCH", r"/webhooks/{id}/[^/]+/messages/(?:@original|\d+)", saying),
        ("POST", "/channels/{id}/messages/bulk-delete", deleting_many),
        ("POST", "/guilds/{id}/channels", naming),
        ("PATCH", "/channels/{id}", naming),
        ("PUT", "/applications/{id}/commands", registering),
        ("PUT", "/applications/{id}/guilds/{id}/commands", registering),
    )
)
