"""Who may do and read what on a server, as its roles and channels say at this moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import discord

from adapters.discord import names
from bot.core.things import Audience, Rank

if TYPE_CHECKING:
    from bot.core.things import Ref

Room = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel
"""What people write in on a server, threads aside; an announcement channel is a TextChannel."""

STAFF = discord.Permissions(moderate_members=True, kick_members=True, ban_members=True, manage_messages=True)
OWNER = discord.Permissions(manage_guild=True, administrator=True)
READING = discord.Permissions(view_channel=True, read_message_history=True)
"""What it takes to read what was said in a channel before one came."""
ENTERING = discord.Permissions(connect=True)
"""What it takes besides to read what is written beside a call."""


def rank(member: discord.Member) -> Rank:
    """Say what a member may do: who manages the server owns it here, who may do anything of a moderator is staff."""
    held = member.guild_permissions.value
    if member.guild.owner_id == member.id or held & OWNER.value:
        return Rank.OWNER
    return Rank.STAFF if held & STAFF.value else Rank.MEMBER


def audience(room: Room) -> Audience:
    """Say who may read a channel: everybody only if the role of everybody may, the past included."""
    return Audience.EVERYONE if reads(room, room.permissions_for(room.guild.default_role)) else Audience.MEMBERS


def reading(room: Room | discord.Thread) -> int:
    """Return the rights that it takes to read a channel or a thread, the past included."""
    is_call = isinstance(room, discord.VoiceChannel | discord.StageChannel)
    return READING.value | (ENTERING.value if is_call else 0)


def reads(room: Room | discord.Thread, held: discord.Permissions) -> bool:
    """Say whether who holds these rights in a channel may read it, the past included."""
    return held.value & reading(room) == reading(room) or held.administrator


def rooms(guild: discord.Guild) -> list[Room]:
    """Return the channels of a server that people write in."""
    return [one for one in guild.channels if isinstance(one, Room)]


def stands_above(who: discord.Member, whom: discord.Member) -> bool:
    """Say whether one may act on another: the owner on everybody, others on whose highest role is below theirs."""
    if whom.guild.owner_id == whom.id:
        return False
    return who.guild.owner_id == who.id or who.top_role > whom.top_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What changed about who may read a channel: the members it was opened or closed to by name, and whether more."""

    named: tuple[tuple[discord.Member, bool], ...] = ()
    others: bool = False


def difference(before: Room, after: Room) -> Opened:
    """Say to whom a channel was opened or closed; `others` for a rule about a role, which nobody is named in."""
    then, now = _rules(before), _rules(after)
    changed = {number for number in then.keys() | now.keys() if then.get(number) != now.get(number)}
    members = [member for number in changed if (member := after.guild.get_member(number))]
    moved = [(one, can_read(after, one)) for one in members if can_read(before, one) != can_read(after, one)]
    return Opened(named=tuple(moved), others=len(members) < len(changed))


def rights_in(room: Room | discord.Thread, member: discord.Member) -> discord.Permissions:
    """Return what a member may do somewhere: nothing in a thread of a channel that is not known."""
    if isinstance(room, discord.Thread) and room.parent is None:
        return discord.Permissions.none()
    return room.permissions_for(member)


def can_read(room: Room, member: discord.Member) -> bool:
    """Say whether a member may read a channel, the past included."""
    return reads(room, room.permissions_for(member))


def _rules(room: Room) -> dict[int, tuple[int, int]]:
    """Return what the rules of a channel say about reading it, by the role or the member they are about."""
    pairs, wanted = {target.id: rule.pair() for target, rule in room.overwrites.items()}, reading(room)
    return {number: (allow.value & wanted, deny.value & wanted) for number, (allow, deny) in pairs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The channels of a server that are not open to everybody, and the members whom one of them names.

    What members of the same roles may read is the same, but for those who are named or timed out, and for the owner,
    who reads all.
    """

    guild: discord.Guild
    rooms: tuple[Room, ...]
    named: frozenset[int]
    by_roles: dict[frozenset[int], frozenset[Ref]] = field(default_factory=dict)


class Reach:
    """What members may read beyond what everybody may, remembered by their roles until a channel or a role changes.

    A new session makes every server anew: what was remembered of the one before holds no longer.
    """

    def __init__(self) -> None:
        self._closed: dict[int, Closed] = {}

    def forget(self, guild: discord.Guild) -> None:
        """Forget what was remembered of a server, since it changed."""
        self._closed.pop(guild.id, None)

    def of(self, member: discord.Member) -> frozenset[Ref]:
        """Return the channels and private threads not open to everybody that a member may read."""
        closed = self._closed.get(member.guild.id)
        if closed is None or closed.guild is not member.guild:
            closed = self._look(member.guild)
        if member.id in closed.named or member.id == member.guild.owner_id or member.is_timed_out():
            return _readable(closed, member) | _threads(member)
        held = frozenset(role.id for role in member.roles)
        if held not in closed.by_roles:
            closed.by_roles[held] = _readable(closed, member)
        return closed.by_roles[held] | _threads(member)

    def _look(self, guild: discord.Guild) -> Closed:
        found = tuple(one for one in rooms(guild) if audience(one) is Audience.MEMBERS)
        named = frozenset(
            target.id for room in found for target in room.overwrites if not isinstance(target, discord.Role)
        )
        self._closed[guild.id] = Closed(guild=guild, rooms=found, named=named)
        return self._closed[guild.id]


def _readable(closed: Closed, member: discord.Member) -> frozenset[Ref]:
    return frozenset(names.ref(room.id) for room in closed.rooms if can_read(room, member))


def _threads(member: discord.Member) -> frozenset[Ref]:
    """Return the private threads that somebody reads: those they are in, and where they manage threads, all."""
    return frozenset(
        names.ref(thread.id)
        for thread in member.guild.threads
        if thread.is_private() and _reads_private(member, thread)
    )


def _reads_private(member: discord.Member, thread: discord.Thread) -> bool:
    """Say whether somebody reads a private thread: whoever may not read the channel it hangs on does not."""
    held = rights_in(thread, member)
    return reads(thread, held) and (held.manage_threads or any(one.id == member.id for one in thread.members))
