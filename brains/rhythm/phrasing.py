"""Puts a digest's quotes into fewer words by the generator, where all of these are supported and may be said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from brains.knowledge.answer import Answer, Claim
from brains.knowledge.passages import Passage
from brains.knowledge.rewording import reword

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.core.ports import Encoder, Generator
    from brains.rhythm.digest import Digest, Line, Quote

AT_ONCE = 4
"""Lines that are written at once, as many as the generator serves."""
SECONDS = 12.0
"""How long all of them may take: whoever asked waits meanwhile. What is not written by then stays quoted."""


async def phrase(
    digest: Digest,
    generator: Generator,
    encoder: Encoder,
    *,
    language: str,
    may_be_said: Callable[[str], Awaitable[bool]],
) -> Digest:
    """Return a digest whose conversations are told in the generator's words where these pass; the others stay quoted.

    Each sentence is supported by one quote, whose message it cites, and moderation lets through what `may_be_said`.
    """
    turn, until = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop().time() + SECONDS

    async def told(line: Line) -> Line:
        try:
            async with asyncio.timeout_at(until), turn:
                return await _told(line, generator, encoder, language=language, may_be_said=may_be_said)
        except TimeoutError:
            return line

    return replace(digest, lines=tuple(await asyncio.gather(*(told(line) for line in digest.lines))))


async def _told(
    line: Line,
    generator: Generator,
    encoder: Encoder,
    *,
    language: str,
    may_be_said: Callable[[str], Awaitable[bool]],
) -> Line:
    claims = [Claim(text=one.text, passages=(_passage(line, one, at),)) for at, one in enumerate(line.quotes)]
    quoted = Answer(question=line.title, claims=claims, nearest=(), confidence=1.0)
    answer = await reword(quoted, generator, encoder, language=language)
    if answer is None:
        return line
    words = " ".join(claim.text for claim in answer.claims)
    if not await may_be_said(words):
        return line
    rests = {passage.number for claim in answer.claims for passage in claim.passages}
    quotes = tuple(one for at, one in enumerate(line.quotes) if at in rests)
    heading = line.heading or (line.quotes[0] if line.quotes[0] not in quotes else None)
    return replace(line, summary=words, quotes=quotes, quoted=False, heading=heading)


def _passage(line: Line, quote: Quote, at: int) -> Passage:
    return Passage(source=quote.source, number=at, channel=line.channel, author=0, text=quote.text, at=line.began)
