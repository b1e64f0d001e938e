"""What a digest rests on: looked at once more before it is sent, and kept, so that what is changed later is mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.core.actions import Cited, KeepAnswer
from brains.skills.digest_words import ITEMS, NAMED, QUOTES
from storage import members, messages
from storage.digests import digest as digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.ports import Scope
    from bot.core.things import Message, Ref
    from brains.rhythm.digest import Digest, Line, Quote
    from brains.skills.skill import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """A digest with the lines that hold, what these rest on, and whose words that are."""

    digest: Digest
    sources: tuple[Cited, ...]
    authors: tuple[Ref, ...]

    @property
    def evidence(self) -> tuple[Ref, ...]:
        """Return the messages that it rests on."""
        return tuple(one.source for one in self.sources)

    def about(self, *others: Ref) -> tuple[Ref, ...]:
        """Return whom it concerns: those whose words it quotes, and others."""
        return tuple(dict.fromkeys((*others, *self.authors)))

    def kept(self, channel: Ref, member: Ref | None = None) -> KeepAnswer:
        """Return what keeps these sources: of what is said in a channel, or to one member alone."""
        return KeepAnswer(
            answer=uuid4().hex,
            member=member,
            channel=channel,
            question="",
            alone=member is not None,
            confidence=1.0,
            sources=self.sources,
        )


async def rest(context: Context, scope: Scope, digest: Digest) -> Resting:
    """Return what the lines that are shown rest on; those of which a message went or changed meanwhile are left out."""
    found = replace(
        digest,
        lines=tuple(_short(line) for line in digest.lines),
        decisions=digest.decisions[:ITEMS],
        questions=digest.questions[:ITEMS],
        links=digest.links[:ITEMS],
        named=digest.named[:NAMED],
    )
    async with context.faculties.database.read() as connection:
        said = await messages.by_refs(connection, scope, found.sources)
        authors = await members.by_numbers(connection, [one.author for one in said.values()])
    found = replace(
        found,
        lines=_holding(found.lines, said),
        decisions=_holding(found.decisions, said),
        questions=_holding(found.questions, said),
        links=_holding(found.links, said),
        named=tuple(one for one in found.named if one.source in said),
    )
    cited = tuple(
        Cited(source=ref, channel=said[ref].channel, digest=digest_of(said[ref].text).hex()) for ref in found.sources
    )
    return Resting(digest=found, sources=cited, authors=tuple(one.ref for one in authors.values()))


def _short(line: Line) -> Line:
    """Leave of a conversation the sentences that are shown."""
    return replace(line, quotes=line.quotes[:QUOTES]) if line.quoted else line


def _holding(lines: Sequence[Line], said: Mapping[Ref, Message]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line.quotes and all(_holds(one, said) for one in line.said))


def _holds(quote: Quote, said: Mapping[Ref, Message]) -> bool:
    return quote.source in said and digest_of(said[quote.source].text) == quote.read
