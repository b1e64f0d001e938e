"""What the app asks a workspace for: each scope, what it is for, and the methods and events that take it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A scope, what it is for in words, the methods of the Web API that take it, and the events that come with it."""

    scope: str
    why: str
    methods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


NEEDS = (
    Need(
        scope="channels:history",
        why="to read what is said in open channels that I am in, and to read on after a pause",
        methods=("conversations.history", "conversations.replies"),
        events=("message.channels",),
    ),
    Need(
        scope="channels:read",
        why="to know the open channels, and who comes into those that I am in",
        methods=("conversations.info", "conversations.list", "users.conversations"),
        events=(
            "channel_archive",
            "channel_created",
            "channel_deleted",
            "channel_id_changed",
            "channel_left",
            "channel_rename",
            "channel_unarchive",
            "member_joined_channel",
            "member_left_channel",
        ),
    ),
    Need(
        scope="channels:manage",
        why="to make a channel, to archive one, and to bring a member in or out",
        methods=(
            "conversations.archive",
            "conversations.create",
            "conversations.invite",
            "conversations.kick",
            "conversations.setPurpose",
            "conversations.unarchive",
        ),
    ),
    Need(
        scope="groups:history",
        why="to read what is said in closed channels that I was invited to",
        events=("message.groups",),
    ),
    Need(
        scope="groups:read",
        why="to know those closed channels, and who may read them",
        methods=("conversations.members",),
        events=("group_archive", "group_deleted", "group_left", "group_rename", "group_unarchive"),
    ),
    Need(scope="groups:write", why="to bring a member into a closed channel, or out of it"),
    Need(scope="im:history", why="to read what is written to me alone", events=("message.im",)),
    Need(scope="im:read", why="to know the conversations that members have with me"),
    Need(scope="im:write", why="to write to a member alone", methods=("conversations.open",)),
    Need(scope="mpim:history", why="to read conversations of several that I was brought to", events=("message.mpim",)),
    Need(scope="mpim:read", why="to know who is in those"),
    Need(
        scope="chat:write",
        why="to answer, to change and to take away what I said",
        methods=("chat.delete", "chat.postEphemeral", "chat.postMessage", "chat.update"),
    ),
    Need(scope="commands", why="to be asked by commands, and from the menu of a message"),
    Need(
        scope="files:read",
        why="to look at pictures that members send, and to learn which message a file became that I sent",
        methods=("files.info",),
    ),
    Need(
        scope="files:write",
        why="to send files and pictures",
        methods=("files.completeUploadExternal", "files.getUploadURLExternal"),
    ),
    Need(
        scope="reactions:read",
        why="to see reactions",
        events=("reaction_added", "reaction_removed"),
    ),
    Need(scope="reactions:write", why="to react to a message", methods=("reactions.add", "reactions.remove")),
    Need(
        scope="users:read",
        why="to know members by name, their language, and who is staff",
        methods=("users.info", "users.list"),
        events=("team_join", "user_change"),
    ),
)
"""Every scope that something takes which the bot does or hears, and none beyond."""
FREE_METHODS = ("auth.test", "views.open", "views.publish")
FREE_EVENTS = ("app_home_opened",)
"""What takes no scope."""
APP_METHODS = ("apps.connections.open",)
"""What takes the app's own token, whose scope is connections:write."""
ADMIN = (
    Need(scope="chat:write", why="to take away what others wrote", methods=("chat.delete",)),
    Need(
        scope="channels:write",
        why="to archive a channel and to take it back",
        methods=("conversations.archive", "conversations.unarchive", "conversations.invite"),
    ),
    Need(scope="groups:write", why="the same of closed channels"),
)
"""What an admin's own token is asked for, where one is wanted."""

SCOPES = tuple(need.scope for need in NEEDS)
EVENTS = tuple(sorted({event for need in NEEDS for event in need.events} | set(FREE_EVENTS)))
