"""Old messages from Slack's export, with the references that a bot gives them which hears them."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.history import exports, slack_archive
from adapters.history.archives import Archive, open_archive
from adapters.history.exports import Home, Tally
from adapters.slack import names, reading
from bot.core.errors import Mistake
from bot.core.events import ChannelChanged, File, MessagePosted, Named
from bot.core.things import Audience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from adapters.history.slack_archive import Room, User

SAID = frozenset({"", "me_message", "thread_broadcast", "file_share", "bot_message", "slackbot_response"})
"""The kinds of messages in which somebody says something; joins, pins and topics are told by Slack itself."""
MACHINES = "bot_message"
"""What comes from outside; of old ones nothing tells whose they are."""
SLACKBOT = "USLACKBOT"
CALLED = re.compile(r"(.+?)\s+Slack export\b.*", re.IGNORECASE)
"""What Slack calls an export: the workspace and the days."""


@dataclass(slots=True, kw_only=True)
class SlackExport:
    """The export of a workspace. `label` is what to call the workspace: no file of the export says it."""

    archive: Archive
    label: str
    team: str
    users: Mapping[str, User]
    rooms: Sequence[Room]
    now: datetime
    tally: Tally = field(default_factory=Tally)
    called: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put together what may be called by name in any message."""
        self.called = {own: user.name for own, user in self.users.items()}
        self.called |= {room.id: room.name for room in self.rooms if not room.closed}

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
                    self.tally.good += self._read(room, exports.row(found)) is not None
                except ValueError as error:
                    self.tally.miss(place, str(error))
        self.tally.check(self.path)

    def messages(self) -> Iterator[MessagePosted]:
        """Read the messages again, channel by channel."""
        for room in self.rooms:
            for _place, found in slack_archive.messages(self.archive, room):
                with contextlib.suppress(ValueError):
                    if posted := self._read(room, exports.row(found)):
                        yield posted

    def _home(self, room: Room) -> Home:
        told = ChannelChanged(
            channel=_channel(room),
            description=room.description,
            archived=room.archived,
            unconfirmed=room.closed,
            at=self.now,
            revision=0,
        )
        inside = [one for one in room.members if one in self.users] if room.closed else []
        return Home(told=told, readers=tuple(self._named(one, self.users[one].name) for one in inside))

    def _named(self, own: str, name: str, *, bot: bool = False) -> Named:
        known = self.users.get(own)
        return Named(
            ref=names.ref(own), name=name or own, bot=bot or own == SLACKBOT or (known is not None and known.bot)
        )

    def _read(self, room: Room, told: Mapping[str, object]) -> MessagePosted | None:
        """Tell of a message; None for what Slack itself tells, and for what is deleted. Raises ValueError."""
        if told.get("type", "message") != "message" or (told.get("subtype") or "") not in SAID or told.get("hidden"):
            return None
        if not (told.get("user") or told.get("bot_id")) and told.get("subtype") == MACHINES:
            return None
        ts, first = _ts(told.get("ts")), told.get("thread_ts")
        in_thread = first is not None and first != ts
        return MessagePosted(
            message=names.message(room.id, ts),
            channel=_channel(room),
            author=self._author(room, told),
            text=exports.text(self._said(told)),
            at=exports.possible(names.instant(ts)),
            thread=Named(ref=names.message(room.id, _ts(first)), name="") if in_thread else None,
            source="import:slack",
            files=tuple(_files(told)),
        )

    def _author(self, room: Room, told: Mapping[str, object]) -> Named:
        """Name who wrote a message. That somebody wrote in a closed channel does not prove that they may read it."""
        user, machine = told.get("user"), told.get("bot_id")
        own = user if names.is_own(user) else machine
        if not isinstance(own, str) or not names.is_own(own):
            raise ValueError("it has no author")
        known, profile = self.users.get(own), told.get("user_profile")
        profile = profile if isinstance(profile, dict) else {}
        name = exports.name(
            known.name if known else "", profile.get("display_name"), profile.get("real_name"), told.get("username")
        )
        author = self._named(own, name, bot=machine is not None)
        return author if not room.closed else _unproven(author)

    def _said(self, told: Mapping[str, object]) -> str:
        """Return what a message says; a machine may say it in what is attached alone."""
        said = told.get("text")
        if not (isinstance(said, str) and said.strip()):
            attached = exports.rows(told.get("attachments"))
            said = "\n".join(exports.words(one.get("text")) or exports.words(one.get("fallback")) for one in attached)
        return reading.readable(said, self.called)


@contextlib.contextmanager
def open_exports(path: Path, *, group_messages: bool, now: datetime) -> Iterator[list[SlackExport]]:
    """Read through the export of a workspace, an archive or its folder. Raises Mistake."""
    with open_archive(path) as archive:
        folder = slack_archive.prefix(archive)
        users = slack_archive.users(archive, folder)
        rooms = slack_archive.rooms(archive, folder, group_messages=group_messages)
        if not rooms:
            raise Mistake(f"{path} has no channels. Nothing was imported.")
        found = SlackExport(
            archive=archive,
            label=_label(path),
            team=slack_archive.team(users),
            users=users,
            rooms=rooms,
            now=now,
        )
        found.survey()
        yield [found]


def _label(path: Path) -> str:
    called = CALLED.fullmatch(path.stem if path.is_file() else path.name)
    return exports.name(called[1] if called else path.stem, "Slack")


def _channel(room: Room) -> Named:
    return Named(
        ref=names.ref(room.id), name=room.name, audience=Audience.MEMBERS if room.closed else Audience.EVERYONE
    )


def _unproven(author: Named) -> Named:
    return Named(ref=author.ref, name=author.name, bot=author.bot, reads=frozenset())


def _ts(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError(f"its timestamp is none: {str(found)[:40]}")
    try:
        names.instant(found)
    except ValueError:
        raise ValueError(f"its timestamp is none: {found[:40]!r}") from None
    return found


def _files(told: Mapping[str, object]) -> Iterator[File]:
    """Tell of a message's files; their addresses without the secret that lets whoever has it download them."""
    for one in exports.rows(told.get("files")):
        size, url = one.get("size"), exports.words(one.get("url_private"))
        if one.get("mode") == "tombstone":
            continue
        yield File(
            name=exports.name(one.get("name"), one.get("title"), one.get("id")),
            kind=exports.name(one.get("mimetype"), one.get("filetype")),
            size=size if isinstance(size, int) and size > 0 else 0,
            url=_without_secret(url),
        )


def _without_secret(url: str) -> str:
    try:
        return urlsplit(url)._replace(query="", fragment="").geturl()
    except ValueError:
        return ""
