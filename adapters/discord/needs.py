"""The rights that the bot asks a server for, what each is for, and the link that asks for them."""

from __future__ import annotations

from dataclasses import dataclass

import discord

SCOPES = ("bot", "applications.commands")
"""What is asked of whoever lets the bot in: a member, and commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A right by the library's name, how Discord's settings call it, and what it is for."""

    right: str
    label: str
    why: str


NEEDS = (
    Need(right="view_channel", label="View Channels", why="to see a channel at all"),
    Need(right="read_message_history", label="Read Message History", why="to read on after a pause, and to answer"),
    Need(right="connect", label="Connect", why="to read what is written beside a call; I join none"),
    Need(right="send_messages", label="Send Messages and Create Posts", why="to answer and to welcome"),
    Need(
        right="send_messages_in_threads",
        label="Send Messages in Threads and Posts",
        why="to answer in threads and in forums",
    ),
    Need(right="attach_files", label="Attach Files", why="to send files and pictures"),
    Need(right="add_reactions", label="Add Reactions", why="to react to a message"),
    Need(right="send_polls", label="Create Polls", why="to ask everybody something"),
    Need(right="manage_messages", label="Manage Messages", why="to take away what others wrote"),
    Need(right="moderate_members", label="Timeout Members", why="to time members out"),
    Need(right="kick_members", label="Kick, Approve, and Reject Members", why="to kick members"),
    Need(right="ban_members", label="Ban Members", why="to ban members and let them come back"),
    Need(
        right="manage_roles",
        label="Manage Roles",
        why="to give a role, to open a closed channel to a member, to archive a channel",
    ),
    Need(right="manage_channels", label="Manage Channels", why="to make a channel or archive one"),
    Need(
        right="create_public_threads",
        label="Create Public Threads",
        why="to take that right from everybody where a channel is archived: one only takes what one has",
    ),
    Need(
        right="create_private_threads",
        label="Create Private Threads",
        why="to take that right from everybody where a channel is archived",
    ),
    Need(right="create_events", label="Create Events", why="to put a date into the calendar"),
    Need(
        right="view_audit_log",
        label="View Audit Log",
        why="to see who brought me, and to write to them",
    ),
)
"""Every right that something takes which the bot is able to do, and none beyond."""
PERMISSIONS = discord.Permissions(**{need.right: True for need in NEEDS})
BY_RIGHT = {need.right: need for need in NEEDS}


def invitation(application: int) -> str:
    """Return the link that lets a bot into a server, with the rights that it needs."""
    return discord.utils.oauth_url(application, permissions=PERMISSIONS, scopes=SCOPES)


def label(right: str) -> str:
    """Return how Discord's settings call a right of one channel."""
    return {
        "view_channel": "View Channel",
        "manage_roles": "Manage Permissions",
        "manage_channels": "Manage Channel",
    }.get(right, BY_RIGHT[right].label)
