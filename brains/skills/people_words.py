"""How members are shown to each other: why, with which buttons, and what they are told when both said yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Button
from bot.core.i18n import _
from bot.core.wording import escape, short

if TYPE_CHECKING:
    from bot.core.i18n import Translate
    from bot.core.things import Member
    from brains.matching.circle import Common

EXPLAINED = _(
    "I introduce members who share interests to each other, and nobody who does not want it. Others who want it see "
    "your name, the channels and words that you have in common and one thing that you said in public; you meet only "
    "if both say yes, and a no is told to nobody."
)


COUNTED = _("What you told me that you like counts too, and is shown to nobody.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The requests that wait for somebody's word, a block each, with their buttons."""

    blocks: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()


def shown(translate: Translate, common: Common, named: str) -> str:
    """Show somebody: who, why, and something that they said."""
    return "\n".join([f"**{_called(common)}**", *why(translate, common, named=named), *_quoted(translate, common)])


def request(translate: Translate, common: Common, community: str) -> str:
    """Say to somebody who would like to meet them, why, and that a no is told to nobody."""
    sentence = translate(_("{name} would like to meet you."))
    head = sentence.format(name=f"**{_called(common)}**")
    place = [f"**{escape(community)}**: {head}" if community else head]
    tail = translate(_("If you say no, or nothing, nobody is told."))
    return "\n".join([*place, *why(translate, common), *_quoted(translate, common), "", tail])


def introduced(translate: Translate, common: Common, *, agreed: bool) -> str:
    """Tell somebody whom they may write to now, and how they may begin."""
    head = _("{name} would like to meet you too. Say hello:") if agreed else _("You are introduced: {name}. Say hello:")
    return "\n".join([translate(head).format(name=f"**{_called(common)}**"), "", f"> {opening(translate, common)}"])


def opening(translate: Translate, common: Common) -> str:
    """Return a first line, from what the two share."""
    name = escape(common.member.name)
    if common.terms:
        words = translate(_("Hi {name}! I saw that you write about {terms} too. What are you on at the moment?"))
        return words.format(name=name, terms=_listed(translate, common))
    if common.rooms:
        words = translate(_("Hi {name}! We are both in {channel}. What brought you there?"))
        return words.format(name=name, channel=escape(f"#{common.rooms[0].name}"))
    return translate(_("Hi {name}! Kinfolk thinks that we would get on. What do you like to do?")).format(name=name)


def why(translate: Translate, common: Common, *, named: str = "") -> list[str]:
    """Say what two have in common, a line each."""
    lines = []
    if common.terms:
        sentence = _("They write about {terms} too.") if named else _("You both write about {terms}.")
        sentence = _("They write about {terms}, which you told me that you like.") if common.told else sentence
        lines.append(translate(sentence).format(terms=_listed(translate, common)))
    if common.rooms:
        rooms = translate(_(", ")).join(wording.channel(one.ref, one.name) for one in common.rooms)
        lines.append(translate(_("You both write in {channels}.")).format(channels=rooms))
    if not lines:
        both = _("What you both write is close.") if common.both_wrote else _("What you both like is close.")
        near = _("What they write is close to what you named.") if named and common.example else both
        lines.append(translate(near))
    return lines


def offered(translate: Translate, asker: Member, other: Member, meeting: str, row: int) -> list[Button]:
    """Return the buttons under somebody who is shown."""
    labels = (
        ("ask", translate(_("Introduce us: {name}")).format(name=other.name)),
        ("not_now", translate(_("Not now"))),
        ("never", translate(_("Never"))),
    )
    return _buttons(labels, asker, {"meeting": meeting}, row)


def asked(translate: Translate, other: Member, meeting: str, row: int) -> list[Button]:
    """Return the buttons under a request."""
    labels = (
        ("yes", translate(_("Yes, introduce us"))),
        ("no", translate(_("No, thanks"))),
        ("never", translate(_("Never"))),
    )
    return _buttons(labels, other, {"meeting": meeting, "side": "other"}, row)


def _buttons(labels: tuple[tuple[str, str], ...], only: Member, data: dict[str, str], row: int) -> list[Button]:
    words = {"yes": "/people yes", "no": "/people no"}
    return [
        Button(
            label=label,
            press=f"people.{press}",
            data=data,
            only=only.ref,
            choice=data["meeting"],
            row=row,
            words=words.get(press, ""),
        )
        for press, label in labels
    ]


def _called(common: Common) -> str:
    return wording.member(common.member.ref, common.member.name)


def _listed(translate: Translate, common: Common) -> str:
    return translate(_(", ")).join(escape(term) for term in common.terms)


def _quoted(translate: Translate, common: Common) -> list[str]:
    if common.example is None:
        return []
    there = wording.message(common.example.ref, translate(_("there")))
    return [f"> {escape(short(common.example.text))} ({there})"]
