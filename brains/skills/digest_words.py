"""What a digest says, in Markdown: conversations first, then what was decided, what is open, links, and who is new."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.i18n import _
from bot.core.rhythms import clock_of
from bot.core.wording import escape

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.i18n import Translate
    from bot.core.rhythms import Rhythm
    from brains.rhythm.card import Card
    from brains.rhythm.digest import Digest, Line

QUOTES = 2
"""Sentences that are shown of a conversation: more is to be read where it was said."""
ITEMS = 3
"""Decisions, questions and links that are named, of each."""
NAMED = 5
"""Newcomers who are named."""
WEEKDAYS = (
    _("Monday"),
    _("Tuesday"),
    _("Wednesday"),
    _("Thursday"),
    _("Friday"),
    _("Saturday"),
    _("Sunday"),
)
_STRANGE = frozenset(" ()<>[]\\")
_STOPS = ".。!！?？ "


def compose(digest: Digest, head: str, translate: Translate) -> str:
    """Write a digest under a heading; each line links to the messages that it rests on, and to no others."""
    several = len({one.channel.id for one in digest.every}) > 1
    paragraphs = [head, *(_conversation(one, translate, several=several) for one in digest.lines)]
    for title, lines in (
        (_("**Decided**"), digest.decisions),
        (_("**Still open**"), digest.questions),
        (_("**Links**"), digest.links),
    ):
        items = [_item(one, several=several) for one in lines[:ITEMS]]
        paragraphs += ["\n".join([translate(title), *items])] if items else []
    return "\n\n".join([*paragraphs, *_newcomers(digest, translate)])


def _conversation(line: Line, translate: Translate, *, several: bool) -> str:
    """Name a conversation, say where and how much, and quote what tells most of it."""
    where = wording.channel(line.channel.ref, line.channel.name) if several else ""
    said = translate(
        _("{count} messages, {people} people") if len(line.people) > 1 else _("{count} messages, one member")
    )
    counted = said.format(count=line.messages, people=len(line.people))
    head = f"**{wording.message(line.sources[0], line.title)}**"
    quotes = _quotes(line)
    if line.quoted and not quotes:
        head += f" ({wording.message(line.sources[0], line.said[0].author)})"
    lines = [f"{head}\n{where}: {counted}" if where else f"{head}\n{counted}"]
    if not line.quoted:
        return "\n".join([*lines, f"{escape(line.summary)} {_marks(line)}"])
    return "\n".join([*lines, *quotes])


def _quotes(line: Line) -> list[str]:
    """Quote what the title, which links to the first message, does not say already."""
    first = [one for one in line.said[:1] if one.text.rstrip(_STOPS) == line.title.rstrip(_STOPS)]
    rest = [one for one in line.quotes[:QUOTES] if one not in first]
    return [f"> {escape(one.text)} ({wording.message(one.source, one.author)})" for one in rest]


def _marks(line: Line) -> str:
    """Link to each message that a generated summary rests on."""
    sources = dict.fromkeys(one.source for one in line.quotes)
    return " ".join(wording.message(one, f"[{number}]") for number, one in enumerate(sources, 1))


def _item(line: Line, *, several: bool) -> str:
    """Name what was decided, asked or shared, with a link to where."""
    where = f", {wording.channel(line.channel.ref, line.channel.name)}" if several else ""
    who = line.quotes[0].author
    if line.kind != "link":
        rest = "".join(f" {wording.message(one, '+')}" for one in line.sources[1:])
        return f"- {escape(line.title)} ({wording.message(line.sources[0], who)}{rest}{where})"
    address = escape(line.url) if _STRANGE & set(line.url) else f"[{escape(line.title or line.url)}]({line.url})"
    marks = " ".join(wording.message(one.source, one.author) for one in line.quotes)
    if line.messages > len(line.quotes):
        marks += f" ×{line.messages}"
    return f"- {address} ({marks}{where})"


def _newcomers(digest: Digest, translate: Translate) -> list[str]:
    """Say who is new, each by a link to what they said first; those who may not be named are counted."""
    if not digest.newcomers:
        return []
    names = [wording.message(one.source, one.name) for one in digest.named[:NAMED]]
    if not names:
        return [translate(_("New here: {count}")).format(count=digest.newcomers)]
    told = translate(_(", ")).join(names)
    if more := digest.newcomers - len(names):
        told = translate(_("{people} and {count} more")).format(people=told, count=more)
    return [translate(_("New here: {people}")).format(people=told)]


def written(digest: Digest, name: str, translate: Translate, *, zone: str) -> str:
    """Write a digest with its heading: whose it is, of which time by the clock of a zone, and how much was said.

    Reads the zone from the disk when it is asked first.
    """
    sentence = translate(_("**{name}**, {since} to {until}: {messages} messages by {people} people"))
    since, until = (day(one, zone) for one in (digest.since, digest.until))
    head = sentence.format(
        name=name, since=since, until=until, messages=f"{digest.messages:,}", people=f"{digest.people:,}"
    )
    return compose(digest, head, translate)


def day(moment: datetime, zone: str) -> str:
    """Write a moment as a day and an hour by the clock of a zone; the first time it is read from the disk."""
    return f"{moment.astimezone(clock_of(zone)):%Y-%m-%d %H:%M}"


def often(rhythm: Rhythm, translate: Translate) -> str:
    """Say how often and when somebody wants something."""
    if rhythm.weekday is None:
        return translate(_("every day at {hour}:00")).format(hour=rhythm.hour)
    return translate(_("every {day} at {hour}:00")).format(day=translate(WEEKDAYS[rhythm.weekday]), hour=rhythm.hour)


def card(digest: Digest, name: str, translate: Translate, *, zone: str) -> Card:
    """Return what the picture of a digest shows: figures, channels and days, and no words of members."""
    from brains.rhythm.card import Card, Row  # it brings Pillow

    since, until = (f"{one.astimezone(clock_of(zone)):%Y-%m-%d}" for one in (digest.since, digest.until))
    told = translate(_("{count} messages"))
    figures = (
        (digest.messages, _("messages")),
        (digest.people, _("people")),
        (len(digest.channels), _("channels")),
        (digest.newcomers, _("new here")),
    )
    return Card(
        title=name,
        span=f"{since} – {until}",
        numbers=tuple((f"{count:,}", translate(label)) for count, label in figures if count),
        rows=tuple(Row(name=f"#{room}", count=count, words=told.format(count=count)) for room, count in sizes(digest)),
        days=tuple((f"{day:%m-%d}", count) for day, count in days(digest, zone)),
        above_days=translate(_("Messages a day")),
    )


def days(digest: Digest, zone: str) -> list[tuple[date, int]]:
    """Return how much was said on each day of a zone that a digest is of, also where that is nothing."""
    clock, said = clock_of(zone), Counter[date]()
    for at, count in digest.quarters:
        said[at.astimezone(clock).date()] += count
    first, last = (one.astimezone(clock).date() for one in (digest.since, digest.until - timedelta(microseconds=1)))
    every = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    return [(one, said[one]) for one in every]


def sizes(digest: Digest) -> list[tuple[str, int]]:
    """Return how much was said in each channel, by its name; most first."""
    return sorted(((room.name, count) for room, count in digest.channels), key=lambda one: (-one[1], one[0]))
