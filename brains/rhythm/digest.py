"""What a digest is: lines about a span of time, each tied to the messages that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from bot.core.things import Channel, Ref

Kind = Literal["conversation", "question", "decision", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence and the message that says it; `author` is what whoever wrote that is called.

    `read` is the digest of the message as it read then (`storage/digests.py`).
    """

    text: str
    source: Ref
    author: str
    read: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody who said something for the first time, and the first message of theirs that its readers may read."""

    name: str
    source: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing worth knowing: a conversation, a question that waits, a decision, a link that was shared.

    `quotes` are whole sentences that were said, in the order in which they were, and the summary is these, a line each;
    where it is not `quoted`, it was generated, and each of its sentences is supported by one of them. `people` are the
    names of who took part, those who said most first; `messages` counts what was said, of a link how often it was
    shared. `score` compares lines of one kind within one digest. `label` is the conversation's, `url` the link's. Where
    the title repeats what is in none of the quotes, such as the question with which it began, `heading` is that; of a
    thread's title, by the message with which the thread began.
    """

    kind: Kind
    title: str
    summary: str
    quotes: tuple[Quote, ...]
    channel: Channel
    began: datetime
    ended: datetime
    people: tuple[str, ...]
    messages: int
    score: float
    label: int = 0
    quoted: bool = True
    url: str = ""
    heading: Quote | None = None

    @property
    def said(self) -> tuple[Quote, ...]:
        """Return all that it repeats: what its title quotes, and the quotes."""
        return (self.heading, *self.quotes) if self.heading else self.quotes

    @property
    def sources(self) -> tuple[Ref, ...]:
        """Return the messages that it rests on, each once, in order."""
        return tuple(dict.fromkeys(one.source for one in self.said))


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What was worth knowing from `since` until `until`, as one reader or several may read it.

    `lines` are conversations, best first. `newcomers` counts who said something for the first time, and `named` are
    some of those who may be named. `messages` and `people` tell how much was said and by how many, `channels` how much
    in each, and `quarters` how much in each quarter of an hour that was not silent; nothing in somebody's own digest.
    """

    since: datetime
    until: datetime
    lines: tuple[Line, ...] = ()
    questions: tuple[Line, ...] = ()
    decisions: tuple[Line, ...] = ()
    links: tuple[Line, ...] = ()
    newcomers: int = 0
    named: tuple[Newcomer, ...] = ()
    messages: int = 0
    people: int = 0
    channels: tuple[tuple[Channel, int], ...] = ()
    quarters: tuple[tuple[datetime, int], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is worth saying: a link alone is not, unless several shared it."""
        return not (self.lines or self.questions or self.decisions or any(one.messages > 1 for one in self.links))

    @property
    def every(self) -> tuple[Line, ...]:
        """Return all lines: conversations, decisions, questions, links."""
        return (*self.lines, *self.decisions, *self.questions, *self.links)

    @property
    def sources(self) -> tuple[Ref, ...]:
        """Return the messages that any line rests on, and by which newcomers are named, each once."""
        lines = (source for line in self.every for source in line.sources)
        return tuple(dict.fromkeys((*lines, *(one.source for one in self.named))))
