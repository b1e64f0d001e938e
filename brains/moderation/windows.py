"""What authors did within the last seconds: how much they wrote, and what was said by whom where. In bounded memory."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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
COMPARED = 150
"""Of those, the latest with which a new one is compared for likeness; exact copies are found among all."""
WORTH = 16
"""Letters from which a text is compared: `ok` and `good morning` are said by many."""
BITS = 1024
"""Of the number that holds a text's pairs of letters; 1,000 letters have about 300 different ones."""
ALIKE = 0.8
"""Share of the pairs of letters that two texts have in common from which one is a copy of the other with changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the windows keep of a message. `bones` is its skeleton, cut, and `pairs` its pairs of letters."""

    author: Ref
    channel: Ref
    at: datetime
    message: Ref | None = None
    bones: str = ""
    pairs: int = 0
    mentions: int = 0
    links: int = 0
    attachments: int = 0
    emoji: int = 0


@dataclass(slots=True)
class Windows:
    """The last messages of one community, by their own time."""

    authors: int = AUTHORS
    _by_author: OrderedDict[Ref, deque[Said]] = field(default_factory=OrderedDict)
    _recent: deque[tuple[float, int, int, Said]] = field(default_factory=lambda: deque(maxlen=RECENT))
    _same: dict[str, deque[Said]] = field(default_factory=dict)

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
            self._drop(self._recent.popleft()[3])
        if len(said.bones) >= WORTH:
            self._recent.append((said.at.timestamp(), said.pairs.bit_count(), said.pairs, said))
            self._same.setdefault(said.bones, deque(maxlen=MESSAGES)).append(said)

    def of(self, author: Ref, until: datetime, seconds: int) -> list[Said]:
        """Return an author's messages of the seconds before an instant, which belongs to them."""
        since = until - timedelta(seconds=seconds)
        return [one for one in self._by_author.get(author, ()) if since < one.at <= until]

    def copies(self, said: Said, seconds: int) -> list[Said]:
        """Return the messages of the last seconds, this one among them, that say the same or nearly so, by whomever."""
        since = said.at - timedelta(seconds=seconds)
        if len(said.bones) < WORTH:
            own = self.of(said.author, said.at, seconds)
            return [one for one in own if one.bones == said.bones and said.bones]
        same = [one for one in self._same.get(said.bones, ()) if since < one.at <= said.at]
        return same + self._near(said, since)

    def _near(self, said: Said, since: datetime) -> list[Said]:
        """Return what is alike among the latest messages, by the pairs of letters that they share."""
        found = []
        own, begin, until = said.pairs, since.timestamp(), said.at.timestamp()
        count = own.bit_count()
        least, most = ALIKE * count, count / ALIKE
        for at, bits, pairs, one in islice(reversed(self._recent), COMPARED):
            if at <= begin:
                break
            if not (least <= bits <= most and at <= until):
                continue
            both = (own & pairs).bit_count()
            if both >= ALIKE * (count + bits - both) and one.bones != said.bones:
                found.append(one)
        return found

    def _age(self, now: datetime) -> None:
        """Forget what is older than any window, and authors of whom nothing is left."""
        oldest = (now - LONGEST).timestamp()
        while self._recent and self._recent[0][0] < oldest:
            self._drop(self._recent.popleft()[3])
        while self._by_author:
            author, own = next(iter(self._by_author.items()))
            if own and own[-1].at >= now - LONGEST:
                break
            del self._by_author[author]

    def _forget_message(self, own: deque[Said], message: Ref) -> None:
        for one in [one for one in own if one.message == message]:
            own.remove(one)
            kept = [entry for entry in self._recent if entry[3] is not one]
            if len(kept) < len(self._recent):
                self._recent = deque(kept, maxlen=RECENT)
                self._drop(one)

    def _drop(self, one: Said) -> None:
        same = self._same.get(one.bones)
        if same and one in same:
            same.remove(one)
        if not same:
            self._same.pop(one.bones, None)


def pairs(bones: str) -> int:
    """Return which pairs of letters a text has, hashed into the bits of one number: texts compare in a moment."""
    if len(bones) < WORTH:
        return 0
    codes = np.frombuffer(bones.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    bits = np.zeros(BITS, dtype=np.uint8)
    bits[(codes[:-1] * np.uint32(0x9E3779B1) + codes[1:] * np.uint32(0x85EBCA6B)) >> np.uint32(22)] = 1
    return int.from_bytes(np.packbits(bits).tobytes())


def alike(one: int, other: int) -> bool:
    """Say whether one text is a copy of the other with changes, by the `pairs` of both."""
    return (one & other).bit_count() >= ALIKE * (one | other).bit_count()
