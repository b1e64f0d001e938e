"""Keeps out of a digest what moderation doubts, and what a member could have put there to be seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core.things import Ref
from brains.moderation.detection import Post
from brains.rhythm.titles import untitled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brains.moderation.moderator import Moderator
    from brains.rhythm.digest import Digest, Line
    from brains.rhythm.span import Share, Span
    from storage.channels import Reach

LOOKED_THROUGH = 10
"""Newest messages of somebody that are weighed before they are named or a link of theirs is shown."""
OURSELVES = Ref("kinfolk", "digest")
"""Stands for the author of what is weighed before it is quoted: the digest says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What weighs the digest of one reader; what it weighed of a span is known to the next. Without a moderator, only
    those about whom a case stands are kept out.
    """

    shares: Sequence[Share]
    reach: Reach
    moderator: Moderator | None
    at: datetime

    def sayable(self, cited: frozenset[Ref]) -> frozenset[Ref]:
        """Return which of some messages moderation finds nothing in."""
        return frozenset(ref for ref in cited if any(self._is_fine(share.span, ref) for share in self.shares))

    def passes(self, found: Digest) -> Digest:
        """Leave out names and links of who cannot be trusted, and titles of threads that moderation doubts."""
        return replace(
            found,
            lines=tuple(one if self._says(one.title) else untitled(one) for one in found.lines),
            named=tuple(one for one in found.named if self._trusts(one.source) and self._says(one.name)),
            links=tuple(kept for one in found.links if (kept := self._shared(one))),
        )

    def _shared(self, link: Line) -> Line | None:
        """Return a link as those shared it who can be trusted; None where nobody did."""
        quotes = tuple(one for one in link.quotes if self._trusts(one.source))
        if not quotes:
            return None
        people = tuple(dict.fromkeys(one.author for one in quotes)) if len(quotes) < len(link.quotes) else link.people
        left = link.messages - len(link.quotes) + len(quotes)
        return replace(link, quotes=quotes, summary=quotes[0].text, messages=left, people=people)

    def _trusts(self, ref: Ref) -> bool:
        """Say whether no case stands against an author, and nothing they said lately in these days is doubtful."""
        span = next(share.span for share in self.shares if ref in share.span.cited)
        author = span.cited[ref][0].author
        if author in span.heard.accused:
            return False
        said = span.by_author[author][-LOOKED_THROUGH:]
        return all(self._is_fine(span, one.ref) for one in said)

    def _is_fine(self, span: Span, ref: Ref) -> bool:
        """Say whether a message of a span is fine, by its words and its vector; it is weighed once for all readers."""
        if ref not in span.cited:
            return False
        one, at = span.cited[ref]
        vector = span.vectors[at] if at >= 0 else None
        post = Post(
            text=one.text, author=OURSELVES, channel=self.reach.channels[one.channel].ref, at=one.at, vector=vector
        )
        return self._weighed(span, ref, post)

    def _says(self, text: str) -> bool:
        """Say whether moderation lets words be repeated that are no message's."""
        post = Post(text=text, author=OURSELVES, channel=OURSELVES, at=self.at)
        return self._weighed(self.shares[0].span, Ref("text", text), post)

    def _weighed(self, span: Span, key: Ref, post: Post) -> bool:
        if self.moderator is None:
            return True
        before = span.weighed.get(key)
        if before is None or before[0] is not self.moderator:
            before = span.weighed[key] = (self.moderator, self.moderator.may_quote(post))
        return before[1]
