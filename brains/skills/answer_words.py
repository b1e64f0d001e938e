"""How an answer is shown: what was said, by whom and when, with a link to each; or that nobody here said it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.i18n import _
from bot.core.wording import escape, quote
from storage import answers, members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.core.i18n import Translate
    from brains.knowledge.answer import Answer, Claim
    from brains.knowledge.passages import Conversation, Passage
    from brains.skills.skill import Context

NEAREST = 3
"""Conversations that are named where there is no answer."""
GLANCE = 80
"""Characters of a conversation that are shown as its title."""
MONTHS = (
    *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")),
    *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
)
"""Months as they stand in a day, whatever the machine's own language is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What sources are called: members by number, and the files of notes by the note's number."""

    people: Mapping[int, str] = field(default_factory=dict)
    files: Mapping[int, str] = field(default_factory=dict)


async def names(context: Context, passages: Sequence[Passage]) -> Names:
    """Read who wrote passages, and which files notes are from."""
    async with context.faculties.database.read() as connection:
        people = await members.by_numbers(connection, [one.author for one in passages if not one.is_note])
        files = await answers.titles(connection, [one.number for one in passages if one.is_note])
    return Names(people={number: one.name for number, one in people.items()}, files=files)


def answered(answer: Answer, called: Names, translate: Translate) -> str:
    """Show an answer: quotes with whose they are, or sentences with where each is from."""
    blocks = [_head(answer, translate)]
    told = _quoted if answer.quoted else _phrased
    return "\n\n".join(one for one in [*blocks, *told(answer.claims, called, translate)] if one)


def _head(answer: Answer, translate: Translate) -> str:
    """Say what the quotes are; what was put into words says itself where each sentence is from."""
    if answer.repeated is not None:
        asked = wording.message(answer.repeated.source, _glance(answer.repeated.text))
        return translate(_("Asked before: {question}")).format(question=asked)
    if not answer.quoted:
        return ""
    staffs = any(one.passages[0].is_note for one in answer.claims)
    return translate(_("From what the staff keeps:") if staffs else _("From what was said here:"))


def _quoted(claims: Sequence[Claim], called: Names, translate: Translate) -> list[str]:
    """Quote each claim; those of one source stand above one line that says whose they are."""
    blocks: list[str] = []
    for _source, some in groupby(claims, key=lambda one: one.passages[0].source):
        same = list(some)
        said = "\n".join(quote(one.text) for one in same)
        blocks.append(f"{said}\n\n{origin(same[0].passages[0], called, translate)}")
    return blocks


def _phrased(claims: Sequence[Claim], called: Names, translate: Translate) -> list[str]:
    """Say each claim, followed by where it is from."""
    return [f"{escape(one.text)} ({origin(one.passages[0], called, translate)})" for one in claims if one.passages]


def origin(passage: Passage, called: Names, translate: Translate) -> str:
    """Say where a passage is from: a link to it, who said it, when, and in which channel."""
    when = day(passage.at, translate)
    if passage.is_note:
        return _of_note(passage, called.files.get(passage.number, ""), when, translate)
    who = called.people.get(passage.author, "?")
    link = wording.message(passage.source, translate(_("{name}, {day}")).format(name=who, day=when))
    where = wording.channel(passage.channel.ref, passage.channel.name)
    return translate(_("— {link} in {channel}")).format(link=link, channel=where)


def _of_note(passage: Passage, file: str, when: str, translate: Translate) -> str:
    if not file:
        told = translate(_("— from the staff's answers, {day}")).format(day=when)
        return escape(told)
    title = f"{file}, {passage.heading}" if passage.heading else file
    named = f"[{escape(title)}]({passage.url})" if passage.url.startswith(("https://", "http://")) else escape(title)
    return f"— {named}"


def unknown(answer: Answer, called: Names, translate: Translate, *, aloud: bool) -> str:
    """Say that there is no answer, and where something near it was talked about."""
    known = _("I found no sure answer in what all here may read.")
    mine = _("I found no sure answer in what you may read here.")
    lines = [translate(known if aloud else mine)]
    if near := nearest(answer.nearest, called, translate):
        lines += ["", translate(_("The nearest conversations:")), *near]
    return "\n".join(lines)


def nearest(found: Sequence[Conversation], called: Names, translate: Translate) -> list[str]:
    """Name conversations, a line each: how they begin, where and when."""
    return [f"- {_named(one.best, called, translate)}" for one in found[:NEAREST]]


def _named(passage: Passage, called: Names, translate: Translate) -> str:
    if passage.is_note:
        return _of_note(passage, called.files.get(passage.number, ""), day(passage.at, translate), translate)
    link = wording.message(passage.source, _glance(passage.text))
    where = wording.channel(passage.channel.ref, passage.channel.name)
    return translate(_("{link}, {channel}, {day}")).format(link=link, channel=where, day=day(passage.at, translate))


def _glance(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= GLANCE else line[: GLANCE - 1].rstrip() + "…"


def day(at: datetime, translate: Translate) -> str:
    """Say a day as a language does."""
    sentence = translate(_("{day} {month} {year}"))
    return sentence.format(day=at.day, month=translate(MONTHS[at.month - 1]), year=at.year)
