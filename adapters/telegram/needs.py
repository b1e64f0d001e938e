"""The rights of an administrator that the bot asks for, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import ChatMemberAdministrator, ChatMemberOwner

from adapters.telegram.trouble import Refused

if TYPE_CHECKING:
    from telegram import ChatMember


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A right by the Bot API's name, how Telegram's settings call it, and what it is for."""

    right: str
    label: str
    why: str
    forum: bool = False


NEEDS = (
    Need(right="can_delete_messages", label="Delete Messages", why="to take away what others wrote"),
    Need(right="can_restrict_members", label="Ban Users", why="to time members out, kick and ban them"),
    Need(right="can_invite_users", label="Add Users", why="to make links that lead into the group"),
    Need(right="can_manage_topics", label="Manage Topics", why="to make a topic, close it and open it", forum=True),
)
"""Every right that something takes which the bot is able to do, and none beyond."""
BY_RIGHT = {need.right: need for need in NEEDS}


def lacking(member: ChatMember | None, *, forum: bool) -> list[Need]:
    """Return the rights that an administrator lacks, of those that matter in a group."""
    return [need for need in NEEDS if (forum or not need.forum) and not holds(member, need.right)]


def holds(member: ChatMember | None, right: str) -> bool:
    """Say whether an administrator has a right."""
    if isinstance(member, ChatMemberOwner):
        return True
    return isinstance(member, ChatMemberAdministrator) and bool(getattr(member, right))


def check(member: ChatMember | None, right: str) -> None:
    """Raise Refused where an administrator lacks a right."""
    if not holds(member, right):
        label = BY_RIGHT[right].label
        raise Refused(f"I lack {label} in this group. Make me an administrator with it: group, Administrators")
