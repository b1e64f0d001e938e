"""What the staff is told of what is unusual: how much, since when, the likely cause, where to look, and how to mute it.

It quotes nobody: messages are links, and what they say is shown to whoever of the staff asks, as far as they may read
it then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button
from bot.core.i18n import _
from bot.core.wording import escape, short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from bot.core.actions import Subject
    from bot.core.i18n import Translate
    from bot.core.things import Channel, Member, Ref
    from brains.rhythm.causes import Cause
    from brains.rhythm.unusual import Sighting
    from storage.lately import Said

NAME = "alerts"
SHOWN = 4
"""Messages that an alert links to."""
ALSO = 4
"""Further things that are unusual at the same time and named in the same alert."""
PLACES = 3
"""Channels that are named where something is said in many."""
QUIET_DAYS = 7
"""Days without a watched word, after which it is told of when it is said again."""
MUTES = {"day": timedelta(days=1), "week": timedelta(days=7), "good": timedelta(days=36_500)}
"""For how long each button mutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Words what was seen, in the staff's language and on the community's clock.

    `rooms` are channels by number, `people` members by number.
    """

    translate: Translate
    rooms: Mapping[int, Channel]
    people: Mapping[int, Member]
    zone: ZoneInfo

    def card(
        self, staff: Ref, alert: str, sightings: Sequence[Sighting], causes: Sequence[Cause], more: Sequence[str] = ()
    ) -> AskStaff:
        """Tell of the first sighting, why it likely is, and what else is unusual; `more` are further lines."""
        first, *others = sightings
        lines = [self._headline(first), *(f"- {self._cause(one)}" for one in causes), *(f"- {one}" for one in more)]
        lines.append("")
        if others:
            also = ", ".join(self._briefly(one) for one in others[:ALSO])
            lines.append(self.translate(_("Unusual at the same time: {what}.")).format(what=also))
        lines.append(self._links(first.said))
        return AskStaff(
            to=staff,
            text="\n".join(lines),
            skill=NAME,
            proposed=(),
            buttons=(reading(self.translate, alert), *muting(self.translate, alert, first.subject)),
        )

    def _headline(self, one: Sighting) -> str:
        people, spike = len({said.author for said in one.said}), one.spike
        if spike is None:
            sentence = _("**Watched word**: {what} was said in {where}, for the first time in {days} days or more.")
            return self.translate(sentence).format(
                what=self._what(one.subject), where=self._where(one), days=QUIET_DAYS
            )
        sentences = {
            "channel": _("**Unusual**: {count} messages in {where} within {minutes} minutes, by {people} people."),
            "mood": _("**Bad mood**: {count} such messages in {where} within {minutes} minutes, by {people} people."),
            "term": _(
                "**Unusual**: {count} messages with {what} in {where} within {minutes} minutes, by {people} people."
            ),
            "word": _("**Watched word**: {count} with {what} in {where} within {minutes} minutes, by {people} people."),
        }
        told = self.translate(sentences[one.subject.kind]).format(
            count=spike.count,
            what=self._what(one.subject),
            where=self._where(one),
            minutes=round(spike.seconds / 60),
            people=people,
        )
        usual = _("Usual at this hour: {usual}.")
        return f"{told} {self.translate(usual).format(usual=_about(spike.expected))}"

    def _what(self, subject: Subject) -> str:
        return f"**{escape(subject.name)}**"

    def _where(self, one: Sighting) -> str:
        busy = Counter(said.channel for said in one.said if said.channel in self.rooms)
        named = [wording.channel(self.rooms[at].ref, self.rooms[at].name) for at, _n in busy.most_common(PLACES)]
        return ", ".join(named) + ("…" if len(busy) > PLACES else "")

    def _briefly(self, one: Sighting) -> str:
        what = self._what(one.subject) if one.subject.kind in {"term", "word"} else self._where(one)
        return f"{what} ({len(one.said)})"

    def _cause(self, cause: Cause) -> str:
        match cause.kind:
            case "author":
                who = self.people.get(cause.author)
                sentence = _("Most of it is by one member: {member}, {count} of {of}.")
                named = wording.member(who.ref, who.name) if who else "?"
                return self.translate(sentence).format(member=named, count=cause.count, of=cause.of)
            case "newcomers":
                sentence = _("{count} of the {of} people who write came in within the last day.")
                return self.translate(sentence).format(count=cause.count, of=cause.of)
            case "link":
                sentence = _("{count} messages share a link: {link}")
                return self.translate(sentence).format(count=cause.count, link=escape(short(cause.text)))
            case "answers":
                told = wording.message(cause.message, self.translate(_("one message"))) if cause.message else ""
                return self.translate(_("{count} answer {message}.")).format(count=cause.count, message=told)
            case "words":
                words = ", ".join(f"**{escape(one)}**" for one in cause.words)
                return self.translate(_("Words that stand out: {words}.")).format(words=words)

    def _links(self, said: Sequence[Said]) -> str:
        shown = shown_of(said)
        links = " · ".join(wording.message(one.ref, clock(one, self.zone)) for one in shown)
        return self.translate(_("The messages: {links} ({zone})")).format(links=links, zone=escape(str(self.zone)))


def shown_of(said: Sequence[Said]) -> list[Said]:
    """Choose the messages to look at: the first, the most answered, and others of other members up to the last."""
    answered = Counter(one.reply_to for one in said if one.reply_to is not None)
    ranked = [said[0], *sorted(said[1:], key=lambda one: (-answered[one.ref], -one.at))]
    chosen: dict[int, Said] = {}
    for one in ranked:
        chosen.setdefault(one.author, one)
    rest = [one for one in ranked if one not in chosen.values()]
    return sorted([*chosen.values(), *rest][:SHOWN], key=lambda one: one.at)


def clock(one: Said, zone: ZoneInfo) -> str:
    """Return the time of day of a message, where the community is."""
    return datetime.fromtimestamp(one.at, zone).strftime("%H:%M")


def reading(translate: Translate, alert: str) -> Button:
    """Return the button that shows what was said to whoever presses it."""
    return Button(label=translate(_("What was said")), press=f"{NAME}.read", data={"alert": alert})


def muting(translate: Translate, alert: str, subject: Subject) -> tuple[Button, ...]:
    """Return the buttons that mute a subject, of which one is pressed."""
    labels = {"day": _("Mute for a day"), "week": _("Mute for a week"), "good": _("Mute for good")}
    data = {"alert": alert, "subject": str(subject)}
    return tuple(
        Button(label=translate(label), press=f"{NAME}.mute", data={**data, "for": name}, choice="mute", row=1)
        for name, label in labels.items()
    )


def unmuting(translate: Translate, alert: str, subject: Subject) -> Button:
    """Return the button that ends a mute."""
    data = {"alert": alert, "subject": str(subject)}
    return Button(label=translate(_("Tell me again")), press=f"{NAME}.unmute", data=data)


def _about(expected: float) -> str:
    return "< 1" if expected < 1 else f"{expected:.0f}"
