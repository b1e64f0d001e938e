"""A small community for one attempt: its channels, members and what is planted there, as a platform tells of them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.events import Arrival, ChannelChanged, MemberJoined, MessageDeleted, MessagePosted, Named
from bot.core.things import Audience, Rank, Ref
from bot.safety.stage import PLATFORM, SERVER
from brains.evals.safety_set import Planted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from brains.evals.safety_set import Attempt

STAFF_ROOM = "staff-room"
"""The channel that the asker does not read."""
HERE = "general"
"""The channel where is asked."""
LANGUAGES = {"zh": "zh_CN", "en": "en"}
"""What the platform says of the asker's language, by that of the attempt; of others it says nothing."""
FIRST = 10 ** (SERVER - 1)
APART = timedelta(minutes=7)
"""Between one planted message and the next."""


@dataclass(slots=True, kw_only=True)
class Town:
    """The community of one attempt. `number` tells its server from those of all other attempts and builds."""

    attempt: Attempt
    number: int
    now: datetime
    chat: Sequence[tuple[str, str]] = ()
    """What else was said there long before, by channel: without it nothing would be rare or usual."""
    messages: dict[Ref, str] = field(default_factory=dict)
    """What everybody may read, by reference."""
    notes: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def space(self) -> Named:
        """Return the server."""
        return Named(ref=Ref(PLATFORM, f"{FIRST + self.number}"), name=f"town {self.number}")

    def channel(self, name: str) -> Named:
        """Return a channel by its name: open, but for the staff's."""
        audience = Audience.MEMBERS if name == STAFF_ROOM else Audience.EVERYONE
        return Named(ref=self._ref(f"#{name}"), name=name, audience=audience)

    @property
    def rooms(self) -> list[Ref]:
        """Return the channels that everybody reads."""
        planted = [one.channel for one in self.attempt.planted if one.where != "private"]
        return [self.channel(name).ref for name in dict.fromkeys((HERE, *planted, *(room for room, _ in self.chat)))]

    def member(self, name: str) -> Named:
        """Return a member by name; those who say something in the staff's channel read it, and nobody else does."""
        inside = {one.author for one in self.attempt.planted if one.where == "private"} | {"staff_lee"}
        reads = frozenset({self.channel(STAFF_ROOM).ref}) if name in inside else frozenset[Ref]()
        return Named(
            ref=self._ref(f"@{name}"),
            name=next((one.text for one in self.attempt.planted if (one.where, one.author) == ("name", name)), name),
            language=LANGUAGES.get(self.attempt.lang, "") if name == self.attempt.asker else "",
            reads=reads,
            rank=Rank.STAFF if name == "staff_lee" else Rank.MEMBER,
        )

    def message(self, channel: str) -> Ref:
        """Name a new message of a channel."""
        return Ref(PLATFORM, f"{self.channel(channel).ref.id}/{next(self._count)}")

    def arrivals(self, *, published: bool = False) -> Iterator[Arrival]:
        """Give what happens before the question, in order; with `published`, what others asked alone is said aloud."""
        for room in dict.fromkeys(
            (HERE, STAFF_ROOM, *(one.channel for one in self.attempt.planted), *(room for room, _ in self.chat))
        ):
            made = ChannelChanged(channel=self.channel(room), at=self.now - timedelta(days=9), revision=1)
            yield Arrival(space=self.space, event=made)
        for name in ("staff_lee", self.attempt.asker, *(one.asker for one in self.attempt.before)):
            joined = MemberJoined(member=self.member(name), at=self.now - timedelta(days=9))
            yield Arrival(space=self.space, event=joined)
        said = [one for one in self.attempt.planted if one.where in {"message", "private"}]
        if published:
            asked = self.attempt.before
            said += [Planted(where="private", author=one.asker, channel=HERE, text=one.question) for one in asked]
        chat = [Planted(where="message", author="neighbour", channel=room, text=text) for room, text in self.chat]
        for number, one in enumerate(chat):
            yield Arrival(space=self.space, event=self._posted(one, self.now - timedelta(days=30) + number * APART))
        for number, one in enumerate(said):
            yield Arrival(space=self.space, event=self._posted(one, self.now - timedelta(days=2) + number * APART))

    def deletions(self) -> list[Arrival]:
        """Return the deletions of what is there no more when the question comes."""
        gone = {one.text for one in self.attempt.planted if one.then == "deleted"}
        found = [ref for ref, text in self.messages.items() if text in gone]
        for ref in found:
            del self.messages[ref]
        events = [MessageDeleted(message=ref, channel=self._channel_of(ref), at=self.now) for ref in found]
        return [Arrival(space=self.space, event=event) for event in events]

    def _channel_of(self, message: Ref) -> Named:
        place = message.id.partition("/")[0]
        planted = {one.channel for one in self.attempt.planted}
        return next(one for one in map(self.channel, planted) if one.ref.id == place)

    def _posted(self, one: Planted, at: datetime) -> MessagePosted:
        ref = self.message(one.channel)
        if one.where != "private":
            self.messages[ref] = one.text
        topic = next((each for each in self.attempt.planted if each.where == "topic"), None)
        return MessagePosted(
            message=ref,
            channel=self.channel(one.channel),
            author=self.member(one.author),
            text=one.text,
            at=at,
            thread=Named(ref=self._ref("thread"), name=topic.text) if topic and one in self.attempt.planted else None,
            source=PLATFORM,
        )

    def _ref(self, what: str) -> Ref:
        number = self._numbers.setdefault(what, len(self._numbers) + 1)
        return Ref(PLATFORM, f"{FIRST + self.number}{number:03}")
