"""Pictures: the same one in many places, one that staff confirmed, and what stands written in it. Pure, but for memory.

Time is that of the messages themselves, so that a replay sees what was seen live.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from bot.core.i18n import _
from brains.moderation.detection import Detection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.core.i18n import Translate
    from bot.core.ports import Picture
    from bot.core.things import Ref
    from brains.moderation.detection import Post

SAME = 4
"""Bits of 64 by which two hashes of one picture may differ (python-discord/bot takes 4 too)."""
SURE = 0.6
"""Confidence below which a line that was read is more likely a pattern than words."""
SIGHTINGS = 2000
"""Pictures that are remembered, the newest ones; each is a few hundred bytes."""
AT_ONCE = datetime.min.replace(tzinfo=UTC)
REPORTABLE = 5000
"""Messages whose picture is remembered, so that a report teaches it: who reports does so within hours."""


def distance(one: str, other: str) -> int:
    """Count the bits by which two perceptual hashes differ; both are 16 hexadecimal digits."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def text_of(pictures: Iterable[Picture]) -> str:
    """Return what stands in pictures as far as it was read surely, for the checks that messages go through."""
    return "\n".join(line.text for picture in pictures for line in picture.lines if line.confidence >= SURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A picture that was confirmed as a scam: `here` by this community's own staff, or `elsewhere`.

    What was confirmed elsewhere never does more than flag, and what was here does from `matures_at` on.
    """

    hash: str
    confirmed: Literal["here", "elsewhere"]
    message: Ref | None = None
    matures_at: datetime = AT_ONCE


class KnownPictures(Protocol):
    """Remembers pictures that were confirmed as scams."""

    def nearest(self, hash: str) -> Known | None:  # noqa: A002 - it is what it is called
        """Return the known picture that a hash is nearest to, however far that is; None where none is known."""
        ...


class Album:
    """`KnownPictures` from a list; of two that are as near, the one that was confirmed here."""

    def __init__(self, pictures: Iterable[Known]) -> None:
        self._known = [(int(one.hash, 16), one) for one in pictures]

    def nearest(self, hash: str) -> Known | None:  # noqa: A002 - it is what it is called
        """Return the known picture that a hash is nearest to."""
        bits = int(hash, 16)
        ranked = ((bits ^ other).bit_count() for other, _known in self._known)
        found = min(zip(ranked, self._known, strict=True), key=_nearness, default=None)
        return found[1][1] if found else None


def _nearness(one: tuple[int, tuple[int, Known]]) -> tuple[int, bool]:
    apart, (_bits, known) = one
    return apart, known.confirmed != "here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far a picture may spread in `seconds`: by one author to fewer than `channels`, by fewer than `authors`."""

    channels: int = 3
    authors: int = 3
    seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sighting:
    bits: tuple[int, ...]
    author: Ref
    channel: Ref
    at: float
    message: Ref | None

    def shows(self, bits: Sequence[int]) -> bool:
        """Say whether it is the picture with these hashes."""
        return any((one ^ other).bit_count() <= SAME for one in self.bits for other in bits)


@dataclass(slots=True, kw_only=True)
class PictureWatch:
    """The pictures of one community's last minutes, `most` of them at most."""

    spread: Spread = field(default_factory=Spread)
    most: int = SIGHTINGS
    _seen: deque[_Sighting] = field(default_factory=deque)
    _shown: OrderedDict[Ref, str] = field(default_factory=OrderedDict)

    def shown_in(self, message: Ref) -> str:
        """Return the hash of the picture that came with a message lately, empty where there was none."""
        return self._shown.get(message, "")

    def examine(
        self,
        post: Post,
        pictures: Sequence[Picture],
        *,
        known: KnownPictures | None = None,
        translate: Translate = str,
    ) -> list[Detection]:
        """Say what is wrong with the pictures of a message, which count from then on.

        A message that is examined again, after an edit or a crash, counts once.
        """
        found: list[Detection] = []
        for picture in pictures:
            if picture.hashes:
                self._remember(post, picture.hashes[0])
                found += _confirmed(post, picture, known, translate)
                found += self._spreads(post, tuple(int(one, 16) for one in picture.hashes), translate)
        return found

    def _spreads(self, post: Post, bits: tuple[int, ...], translate: Translate) -> Iterator[Detection]:
        at, seconds = post.at.timestamp(), self.spread.seconds
        self._forget(at - seconds)
        copies = [one for one in self._seen if at - seconds < one.at <= at and one.shows(bits)]
        if post.message is None or all(one.message != post.message for one in copies):
            copies.append(_Sighting(bits=bits, author=post.author, channel=post.channel, at=at, message=post.message))
            self._seen.append(copies[-1])
        others = tuple(one.message for one in copies if one.message and one.message != post.message)
        channels = len({one.channel for one in copies if one.author == post.author})
        authors = len({one.author for one in copies})
        if channels >= self.spread.channels:
            words = translate(_("the same picture by one author in {count} channels within {seconds:g} s"))
            told = words.format(count=channels, seconds=seconds)
            yield Detection(detector="picture_channels", kind="spam", severity="remove", reason=told, related=others)
        elif authors >= self.spread.authors:
            words = translate(_("the same picture by {count} authors within {seconds:g} s"))
            told = words.format(count=authors, seconds=seconds)
            yield Detection(detector="picture_authors", kind="spam", severity="flag", reason=told, related=others)

    def _remember(self, post: Post, hash_: str) -> None:
        if post.message is not None:
            self._shown.setdefault(post.message, hash_)
            if len(self._shown) > REPORTABLE:
                self._shown.popitem(last=False)

    def _forget(self, before: float) -> None:
        """Let go of what is too old to count, and of the oldest where there are too many."""
        while self._seen and (self._seen[0].at <= before or len(self._seen) >= self.most):
            self._seen.popleft()


def _confirmed(post: Post, picture: Picture, known: KnownPictures | None, translate: Translate) -> Iterator[Detection]:
    """Tell of a picture that is known. What others confirmed is shown to staff and never removed for that alone."""
    if known is None:
        return
    found = [(distance(one, near.hash), near) for one in picture.hashes if (near := known.nearest(one))]
    same = [near for apart, near in found if apart <= SAME]
    if not same:
        return
    nearest = min(same, key=lambda one: one.confirmed != "here")
    here = nearest.confirmed == "here"
    words = _("staff confirmed this picture as a scam") if here else _("this picture was a scam in another community")
    yield Detection(
        detector="picture_known",
        kind="scam",
        severity="remove" if here and post.at >= nearest.matures_at else "flag",
        reason=translate(words),
        related=(nearest.message,) if nearest.message else (),
    )
