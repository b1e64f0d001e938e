"""What authors did within the last seconds: how much they wrote, and what was said by whom where. In bounded memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bot.core.things import Ref

LONGEST = timedelta(minutes=10)
"""No window is longer, and nothing older is kept."""
AUTHORS = 10_000
"""Authors that are remembered at once; the one who has been quiet for longest is forgotten first."""
MESSAGES = 60
"""Messages of one author that are remembered: a limit counts no further."""
RECENT = 2_000
"""Messages of the community that are compared with new ones."""
COMPARED = 50
"""Of those, how many a new one is compared with letter by letter; exact copies are found among all."""
WORTH = 16
"""Letters from which a text is compared: `ok` and `good morning` are said by many."""
ALIKE = 0.8
"""Share of the pairs of letters that two texts have in common from which one is a copy of the other with changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the windows keep of a message. `bones` is its skeleton, cut; times are those of the messages."""

    author: Ref
    channel: Ref
    at: datetime
    message: Ref | None = None
    bones: str = ""
    mentions: int = 0
    links: int = 0
    attachments: int = 0
    emoji: int = 0


@dataclass(slots=True)
class Windows:
    """The last messages of one community, by their own time."""

    authors: int = AUTHORS
    _by_author: OrderedDict[Ref, deque[Said]] = field(default_factory=OrderedDict)
    _recent: deque[Said] = field(default_factory=lambda: deque(maxlen=RECENT))
    _copies: dict[str, int] = field(default_factory=dict)
    _pairs: OrderedDict[str, frozenset[str]] = field(default_factory=OrderedDict)

    def note(self, said: Said) -> None:
        """Remember a message; one that was edited takes the place of what it said."""
        own = self._by_author.setdefault(said.author, deque(maxlen=MESSAGES))
        if said.message is not None and any(one.message == said.message for one in own):
            self._forget_message(own, said.message)
        while own and own[0].at < said.at - LONGEST:
            own.popleft()
        own.append(said)
        self._by_author.move_to_end(said.author)
        while len(self._by_author) > self.authors:
            self._by_author.popitem(last=False)
        self._age(said.at)
        if len(self._recent) == RECENT:
            self._drop(self._recent.popleft())
        if len(said.bones) >= WORTH:
            self._recent.append(said)
            self._copies[said.bones] = self._copies.get(said.bones, 0) + 1

    def of(self, author: Ref, until: datetime, seconds: int) -> list[Said]:
        """Return an author's messages of the seconds before an instant, which belongs to them."""
        since = until - timedelta(seconds=seconds)
        return [one for one in self._by_author.get(author, ()) if since < one.at <= until]

    def copies(self, said: Said, seconds: int) -> list[Said]:
        """Return the messages of the last seconds, this one among them, that say the same or nearly so, by whomever."""
        if len(said.bones) < WORTH:
            return [one for one in self.of(said.author, said.at, seconds) if one.bones == said.bones and said.bones]
        since = said.at - timedelta(seconds=seconds)
        there = [one for one in self._since(since) if one.at <= said.at]
        same = [one for one in there if one.bones == said.bones] if self._copies.get(said.bones, 0) > 1 else [said]
        others = (one for one in reversed(there) if one.bones != said.bones and _is_near(one, said))
        return same + [one for _count, one in zip(range(COMPARED), others, strict=False) if self._is_alike(one, said)]

    def _since(self, since: datetime) -> Iterator[Said]:
        """Yield recent messages, oldest first, without going through all that is older."""
        found = []
        for one in reversed(self._recent):
            if one.at <= since:
                break
            found.append(one)
        return reversed(found)

    def _is_alike(self, one: Said, other: Said) -> bool:
        first, second = self._pairs_of(one.bones), self._pairs_of(other.bones)
        return len(first & second) >= ALIKE * len(first | second)

    def _pairs_of(self, bones: str) -> frozenset[str]:
        """Return the pairs of letters of a text (Jaccard similarity over them is quick, and blind to small changes)."""
        known = self._pairs.get(bones)
        if known is None:
            known = frozenset(bones[at : at + 2] for at in range(len(bones) - 1))
            self._pairs[bones] = known
            if len(self._pairs) > 2 * COMPARED:
                self._pairs.popitem(last=False)
        return known

    def _age(self, now: datetime) -> None:
        """Forget what is older than any window, and authors of whom nothing is left."""
        while self._recent and self._recent[0].at < now - LONGEST:
            self._drop(self._recent.popleft())
        while self._by_author:
            author, own = next(iter(self._by_author.items()))
            if own and own[-1].at >= now - LONGEST:
                break
            del self._by_author[author]

    def _forget_message(self, own: deque[Said], message: Ref) -> None:
        for one in [one for one in own if one.message == message]:
            own.remove(one)
            if one in self._recent:
                self._recent.remove(one)
                self._drop(one)

    def _drop(self, one: Said) -> None:
        left = self._copies.get(one.bones, 0) - 1
        if left > 0:
            self._copies[one.bones] = left
        else:
            self._copies.pop(one.bones, None)


def _is_near(one: Said, other: Said) -> bool:
    """Say whether two texts are about as long, so that they may be alike."""
    return min(len(one.bones), len(other.bones)) >= ALIKE * max(len(one.bones), len(other.bones))
