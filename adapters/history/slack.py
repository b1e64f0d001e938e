"""Old messages from Slack's export, with the references that a bot gives them which hears them."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.history import exports, slack_archive
from adapters.history.archives import Archive, open_archive
from adapters.history.exports import Home, Tally
from adapters.history.slack_records import Records
from adapters.slack import names
from bot.core.errors import Mistake
from bot.core.events import Named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from adapters.history.slack_archive import Room
    from bot.core.events import MessagePosted

CALLED = re.compile(r"(.+?)\s+Slack export\b.*", re.IGNORECASE)
"""What Slack calls an export: the workspace and the days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackExport:
    """The export of a workspace. `label` is what to call the workspace: no file of the export says it."""

    archive: Archive
    label: str
    team: str
    records: Records
    rooms: Sequence[Room]
    now: datetime
    tally: Tally = field(default_factory=Tally)

    @property
    def path(self) -> Path:
        """Return where the export lies."""
        return self.archive.path

    @property
    def space(self) -> Named:
        """Name the workspace."""
        return Named(ref=names.ref(self.team), name=self.label)

    @property
    def homes(self) -> tuple[Home, ...]:
        """Return the channels, and of closed ones who was in them."""
        return tuple(map(self._home, self.rooms))

    def survey(self) -> None:
        """Read all messages once: how many there are, and what cannot be read."""
        for room in self.rooms:
            for place, found in slack_archive.messages(self.archive, room):
                try:
                    self.tally.good += self.records.message(room.channel, exports.row(found)) is not None
                except ValueError as error:
                    self.tally.miss(place, str(error))
        self.tally.check(self.path)

    def messages(self) -> Iterator[MessagePosted]:
        """Read the messages again, channel by channel."""
        for room in self.rooms:
            for _place, found in slack_archive.messages(self.archive, room):
                with contextlib.suppress(ValueError):
                    if posted := self.records.message(room.channel, exports.row(found)):
                        yield posted

    def _home(self, room: Room) -> Home:
        inside = [one for one in room.channel.members if room.channel.closed and one in self.records.users]
        return Home(told=room.channel.told(self.now), readers=tuple(map(self.records.member, inside)))


@contextlib.contextmanager
def open_exports(path: Path, *, group_messages: bool, now: datetime) -> Iterator[list[SlackExport]]:
    """Read through the export of a workspace, an archive or its folder. Raises Mistake."""
    with open_archive(path) as archive:
        folder = slack_archive.prefix(archive)
        users = slack_archive.users(archive, folder)
        rooms = slack_archive.rooms(archive, folder, group_messages=group_messages)
        if not rooms:
            raise Mistake(f"{path} has no channels. Nothing was imported.")
        called = {own: user.name for own, user in users.items()}
        called |= {room.channel.id: room.channel.name for room in rooms if not room.channel.closed}
        found = SlackExport(
            archive=archive,
            label=_label(path),
            team=slack_archive.team(users),
            records=Records(users=users, called=called, source="import:slack"),
            rooms=rooms,
            now=now,
        )
        found.survey()
        yield [found]


def _label(path: Path) -> str:
    called = CALLED.fullmatch(path.stem if path.is_file() else path.name)
    return exports.name(called[1] if called else path.stem, "Slack")
