"""What is proposed about a community's channels, as cards for the staff: the evidence, and what approving does."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import numpy as np

from bot.core import wording
from bot.core.actions import MADE, ArchiveChannel, AskStaff, Button, CreateChannel, KeepGrowth, Say
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import escape
from brains.skills import answer_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from bot.core.events import Named
    from bot.core.i18n import Translate
    from bot.core.things import Channel, Message
    from brains.matching.growth import Topic
    from brains.matching.growth_channels import Pair
    from brains.matching.growth_finding import Found
    from brains.skills.skill import Context

NAME = "growing"
TOLD_IN = 3
"""Channels in which those who talk of a topic are told of its channel."""
STEADY = 0.6
"""Share of a topic's conversations in the later half of the time from which on it grows; below the rest, it shrinks."""


class Cards:
    """Makes the cards of one occasion: for one staff channel, in the staff's language, for the community's spaces."""

    def __init__(
        self, context: Context, staff: Channel, found: Found, spaces: Sequence[Named], *, translate: Translate
    ) -> None:
        self._context = context
        self._staff = staff
        self._found = found
        self._spaces = spaces
        self._translate = translate

    def topic(self, topic: Topic, fingerprint: str) -> AskStaff | None:
        """Propose a channel for a topic; None where no space of the community may hold it."""
        examples = [self._found.said[one] for one in topic.examples if one in self._found.said]
        home = self._home(topic)
        if home is None or not examples:
            return None
        description = self._translate(_("What is about {terms}")).format(terms=", ".join(topic.terms))
        keep = KeepGrowth(
            growth=uuid4().hex,
            about="topic",
            name=topic.name,
            description=description,
            terms=topic.terms,
            fingerprint=fingerprint,
            centre=base64.b64encode(topic.centre.astype(np.float16).tobytes()).decode(),
            channels=tuple(self._found.rooms[one].ref for one in topic.channels),
            made=Ref(home.platform, MADE),
        )
        make = CreateChannel(name=topic.name, space=home, description=description)
        proposed: tuple[Action, ...] = (
            make,
            keep,
            self._first(examples, home, topic),
            *self._invitations(examples, home, topic, keep),
        )
        possible = type(make).__name__ in self._context.can.get(home.platform, frozenset())
        return self._card(self._told(topic, examples), keep, proposed, _("Create"), possible=possible)

    def merge(self, pair: Pair) -> AskStaff | None:
        """Propose that a small channel go over to another one."""
        small, large = self._found.rooms[pair.smaller], self._found.rooms[pair.larger]
        if small.ref.platform != large.ref.platform:
            return None
        keep = self._about("merge", small, large)
        words = self._translate(
            _("**Proposed**: {small} could become part of {large}. They talk of the same, and {shared} talk in both.")
        ).format(small=_link(small), large=_link(large), shared=pair.shared)
        notice = self._translate(_("We go on in {large}: this channel is archived.")).format(large=_link(large))
        return self._card([words], keep, self._put_away(small, notice, keep), _("Merge"), possible=self._may(small))

    def archive(self, room: Channel) -> AskStaff:
        """Propose that a silent channel be archived."""
        life = self._found.lives[room.id]
        keep = self._about("archive", room)
        words = self._translate(
            _("**Proposed**: archive {channel}. {people} people wrote {messages} messages there, the last on {day}.")
        ).format(
            channel=_link(room),
            people=life.people,
            messages=life.messages,
            day=answer_words.day(datetime.fromtimestamp(life.last, UTC), self._translate),
        )
        notice = self._translate(
            _("Nothing was said here for long, so this channel is archived. The staff can bring it back.")
        )
        return self._card([words], keep, self._put_away(room, notice, keep), _("Archive"), possible=self._may(room))

    def _may(self, room: Channel) -> bool:
        return ArchiveChannel.__name__ in self._context.can.get(room.ref.platform, frozenset())

    def _put_away(self, room: Channel, notice: str, keep: KeepGrowth) -> tuple[Action, ...]:
        return Say(to=room.ref, text=notice), ArchiveChannel(channel=room.ref), keep

    def _about(self, kind: Literal["merge", "archive"], *rooms: Channel) -> KeepGrowth:
        concerned = tuple(room.ref for room in rooms)
        return KeepGrowth(growth=uuid4().hex, about=kind, name=rooms[0].name, channels=concerned)

    def _home(self, topic: Topic) -> Ref | None:
        """Return the space in which most of its conversations are."""
        most = max(topic.channels, key=lambda one: topic.channels[one])
        place = self._found.rooms[most].ref
        here = [one.ref for one in self._spaces if one.ref.platform == place.platform]
        inside = [one for one in here if place.is_of(one)]
        return next(iter([*inside, *here]), None)

    def _first(self, examples: Sequence[Message], home: Ref, topic: Topic) -> Say:
        """Say in the new channel what it is for, and where it came from."""
        lines = [
            self._translate(_("This channel is for **{terms}**, which many of you talk about. It began here:")).format(
                terms=escape(", ".join(topic.terms[:3]))
            ),
            *self._origins(examples, self._translate),
        ]
        return Say(to=Ref(home.platform, MADE), text="\n".join(lines))

    def _invitations(self, examples: Sequence[Message], home: Ref, topic: Topic, keep: KeepGrowth) -> list[Say]:
        """Tell those who talked of it, once in each of their channels, under what one of them said; nobody is named."""
        rooms: dict[int, Message] = {}
        for one in examples:
            rooms.setdefault(one.channel, one)
        here = [one for one in rooms.values() if self._found.rooms[one.channel].ref.platform == home.platform]
        there = wording.channel(Ref(home.platform, MADE), topic.name)
        text = self._translate(_("This has a channel of its own now: {channel}")).format(channel=there)
        return [
            Say(
                to=self._found.rooms[one.channel].ref,
                text=text,
                reply_to=one.ref,
                buttons=(
                    Button(label=self._translate(_("Join")), press=f"{NAME}.join", data={"growth": keep.growth}),
                    Button(label=self._translate(_("Not for me")), press=f"{NAME}.pass", data={"growth": keep.growth}),
                ),
            )
            for one in here[:TOLD_IN]
        ]

    def _told(self, topic: Topic, examples: Sequence[Message]) -> list[str]:
        """Say what speaks for a topic. It quotes nobody, so that no word stays that its author takes back."""
        translate = self._translate
        head = translate(
            _(
                "**Proposed**: a channel #{name}, for {terms}. {people} people talked of it in {count} conversations "
                "since {day}"
            )
        )
        told = head.format(
            name=escape(topic.name),
            terms=escape(", ".join(topic.terms)),
            people=len(topic.people),
            count=topic.conversations,
            day=answer_words.day(datetime.fromtimestamp(topic.first, UTC), translate),
        )
        rooms = ", ".join(
            f"{_link(self._found.rooms[one])} ({count})"
            for one, count in sorted(topic.channels.items(), key=lambda pair: -pair[1])
        )
        trend = _("It grows.") if topic.growth >= STEADY else _("It goes on.")
        trend = _("It gets less.") if topic.growth <= 1 - STEADY else trend
        return [
            f"{told}: {rooms}. {translate(trend)}",
            translate(_("For instance:")),
            *self._origins(examples, translate),
        ]

    def _origins(self, examples: Sequence[Message], translate: Translate) -> list[str]:
        """Name messages by their day and channel, a line each."""
        return [
            f"- {wording.message(one.ref, answer_words.day(one.sent_at, translate))}, "
            f"{_link(self._found.rooms[one.channel])}"
            for one in examples
        ]

    def _card(
        self, lines: Sequence[str], keep: KeepGrowth, proposed: tuple[Action, ...], label: str, *, possible: bool
    ) -> AskStaff:
        translate = self._translate
        more = [] if possible else [translate(_("I cannot do it here: it is yours to do by hand."))]
        doing = [(label, "do")] if possible else [(_("Done"), "done")]
        pressing = [*doing, (_("Not now"), "later"), (_("Never"), "never")]
        return AskStaff(
            to=self._staff.ref,
            text="\n".join([*lines, *more]),
            skill=NAME,
            proposed=proposed if possible else (keep,),
            buttons=tuple(
                Button(label=translate(word), press=f"{NAME}.{what}", choice="proposal") for word, what in pressing
            ),
        )


def kept_in(card: AskStaff) -> KeepGrowth | None:
    """Return what a card proposes to keep."""
    return next((one for one in card.proposed if isinstance(one, KeepGrowth)), None)


def _link(room: Channel) -> str:
    return wording.channel(room.ref, room.name)
