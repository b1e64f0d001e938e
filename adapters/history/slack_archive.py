"""The files that Slack exports: its members, its channels, and the messages of a channel day by day, one at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.history.json_stream import JsonStream
from adapters.history.slack_records import Channel, User
from adapters.slack import names
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.history.archives import Archive

OPEN, CLOSED, GROUP_MESSAGES = "channels.json", "groups.json", "mpims.json"
USERS = ("users.json", "org_users.json")
"""What the list of members is called; the other of a whole organisation's export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel, and the files that hold its messages, oldest first."""

    channel: Channel
    days: tuple[str, ...]


def prefix(archive: Archive) -> str:
    """Return the folder that the whole export lies in, if it does. Raises Mistake where there is none."""
    found = [one.removesuffix(OPEN) for one in archive.names if one == OPEN or one.endswith(f"/{OPEN}")]
    found += [one.removesuffix(CLOSED) for one in archive.names if one == CLOSED or one.endswith(f"/{CLOSED}")]
    if not found:
        raise Mistake(f"{archive.path} is no export of Slack: it has no {OPEN}. Nothing was imported.")
    return min(found, key=len)


def users(archive: Archive, folder: str) -> dict[str, User]:
    """Return the members by their ids."""
    files = [folder + one for one in USERS]
    return {str(told["id"]): User.of(told) for told in _listed(archive, files)}


def team(known: Mapping[str, User]) -> str:
    """Return the workspace: most members are of it, and a few of others that share a channel. Raises Mistake."""
    counted = Counter(one.team for one in known.values() if names.is_own(one.team))
    if not counted:
        raise Mistake("The export does not say which workspace it is of: no member in users.json has a `team_id`.")
    return counted.most_common(1)[0][0]


def rooms(archive: Archive, folder: str, *, group_messages: bool) -> list[Room]:
    """Return the channels: what is said between two is left out, and between a few unless that is asked for.

    A folder is called like its channel. Where an open and a closed one are called alike, it is the closed one's.
    """
    lists = {CLOSED: True} | ({GROUP_MESSAGES: True} if group_messages else {}) | {OPEN: False}
    days, found = _days(archive, folder), dict[str, Room]()
    for file, closed in lists.items():
        for told in _listed(archive, [folder + file]):
            channel = Channel.of(told, closed=closed)
            own = days.pop(str(told.get("name")), None) or days.pop(channel.id, [])
            found.setdefault(channel.id, Room(channel=channel, days=tuple(own)))
    return list(found.values())


def messages(archive: Archive, room: Room) -> Iterator[tuple[str, object]]:
    """Read the messages of a channel, each with the place where it stands."""
    for day in room.days:
        with archive.open(day) as file:
            stream = JsonStream(file, f"{archive.path}, {day}")
            for number in stream.items():
                yield f"{day}, message {number}", stream.value()
            stream.end()


def _days(archive: Archive, folder: str) -> dict[str, list[str]]:
    """Return the files of each channel's folder, which is called like the channel."""
    found: dict[str, list[str]] = {}
    for name in sorted(archive.names):
        if name.startswith(folder) and name.endswith(".json"):
            room, slash, _day = name.removeprefix(folder).rpartition("/")
            if slash and "/" not in room:
                found.setdefault(room, []).append(name)
    return found


def _listed(archive: Archive, files: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """Read the objects of a list that have an id. Raises Mistake for what is none."""
    for name in files:
        if name not in archive.names:
            continue
        with archive.open(name) as file:
            stream = JsonStream(file, f"{archive.path}, {name}")
            for number in stream.items():
                told = stream.value()
                if not isinstance(told, dict) or not names.is_own(told.get("id")):
                    raise stream.broken(f"entry {number} has no id of Slack's")
                yield told
            stream.end()
