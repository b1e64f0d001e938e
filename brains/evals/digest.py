"""`eval digest` on old messages: whether a digest of a channel's month tells of what was talked of there.

Messages are JSON lines in the interchange format with `topic`, a thread that people made and named. The topics are
hidden from the input; a line tells of the topic that most of the messages it cites are in.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from bot.core.errors import Mistake
from bot.core.sentences import width
from brains.evals.archive import Text, archive
from brains.evals.evaluation import report
from brains.evals.summaries import letters
from brains.evals.textrank import textrank
from brains.rhythm.digester import LIMIT, Digester
from brains.rhythm.lines import AROUND
from brains.training.encoding import silent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.core.ports import Encoder
    from brains.evals.archive import Archive
    from brains.evals.evaluation import Evaluation
    from brains.rhythm.digest import Digest
    from brains.training.encoding import Progress
    from storage.db import Database

LEAST = 30
"""Messages of a channel's month that is worth a digest."""
DRAWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What was said in a channel in a month, in order of time."""

    channel: str
    since: datetime
    until: datetime
    said: Sequence[Text]

    @property
    def sizes(self) -> Counter[str]:
        """Return how many messages each topic has."""
        return Counter(one.topic for one in self.said)


def months(texts: Sequence[Text], *, since: datetime | None, until: datetime | None) -> list[Month]:
    """Cut messages into the months of their channels, those in which enough was said. Raises Mistake without any."""
    found: defaultdict[tuple[datetime, str], list[Text]] = defaultdict(list)
    for one in sorted(texts, key=lambda one: one.at):
        found[datetime(one.at.year, one.at.month, 1, tzinfo=UTC), one.channel].append(one)
    kept = [
        Month(channel=channel, since=begin, until=_next(begin), said=some)
        for (begin, channel), some in sorted(found.items())
        if len(some) >= LEAST and (since is None or begin >= since) and (until is None or begin < until)
    ]
    if not kept:
        raise Mistake(f"There is no month with {LEAST} messages in a channel in these days.")
    return kept


def _next(begin: datetime) -> datetime:
    return datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)


async def judge(
    found: Sequence[Month],
    *,
    most: int,
    encoder: Encoder,
    untangle: Callable[[Database], Awaitable[object]],
    progress: Progress = silent,
    show: Callable[[str], None] | None = None,
) -> Evaluation:
    """Make a digest of up to `most` lines of each month, and of as many messages by other ways.

    `untangle` tells apart the conversations in a database, as a bot does in the background; `show` is given each line,
    for whoever wants to read them.
    """
    hidden = [_without_topic(one) for month in found for one in month.said]
    async with archive(hidden, encoder=encoder, progress=progress) as place:
        await untangle(place.database)
        digester = Digester(database=place.database, vectors=place.vectors, encoder=encoder)
        began = time.perf_counter()
        ours = [await _digest(place, digester, month, most) for month in found]
        seconds = time.perf_counter() - began
    if show is not None:
        for month, told in zip(found, ours, strict=True):
            _show(month, told, show)
    measured = [_measure(month, told) for month, told in zip(found, ours, strict=True)]
    cited = [[[one.id for one in line.sources] for line in told.lines] for told in ours]
    baselines = {
        name: [_covered(month, [[one] for one in way(month, most)]) for month in found] for name, way in WAYS.items()
    }
    baselines["random"] = [_by_chance(month, most) for month in found]
    coverage = [_covered(month, lines) for month, lines in zip(found, cited, strict=True)]
    return report(
        "digest",
        ours={
            "coverage": np.array(coverage),
            **{name: np.array([row[name] for row in measured]) for name in measured[0]},
        },
        baselines={name: {"coverage": np.array(values)} for name, values in baselines.items()},
        metric="coverage",
        seconds=seconds,
        notes=_notes(found, ours, most),
    )


def _without_topic(one: Text) -> Text:
    return Text(name=one.name, text=one.text, at=one.at, channel=one.channel, author=one.author)


async def _digest(place: Archive, digester: Digester, month: Month, most: int) -> Digest:
    room = place.reach.named(month.channel)
    return await digester.look(
        place.community, place.reach, since=month.since, until=month.until, channels={room.id}, most=most
    )


def _covered(month: Month, lines: Sequence[Sequence[str]]) -> float:
    """Return the share of the month's messages whose topic has a line."""
    topic = {one.name: one.topic for one in month.said}
    told = {Counter(topic[name] for name in cited).most_common(1)[0][0] for cited in lines if cited}
    return sum(size for name, size in month.sizes.items() if name in told) / len(month.said)


def _measure(month: Month, told: Digest) -> dict[str, float]:
    """Return how right its citations are, and whether it fits into one message."""
    text = {one.name: letters(one.text) for one in month.said}
    quotes = [quote for line in told.every for quote in line.said]
    right = [letters(quote.text.removesuffix(" …")) in text.get(quote.source.id, "") for quote in quotes]
    length = sum(len(line.title) + len(line.summary) + AROUND for line in told.lines)
    topic = {one.name: one.topic for one in month.said}
    pure = [
        Counter(topic[ref.id] for ref in line.sources).most_common(1)[0][1] / len(line.sources) for line in told.lines
    ]
    return {
        "citations": float(np.mean(right)) if right else 1.0,
        "within_limit": float(length <= LIMIT),
        "one_topic": float(np.mean(pure)) if pure else 1.0,
        "lines": float(len(told.lines)),
    }


def _waits(month: Month, name: str) -> bool:
    """Say whether nobody else spoke in the topic of a question after it, in its month."""
    at, asked = next((at, one) for at, one in enumerate(month.said) if one.name == name)
    return not any(one.topic == asked.topic and one.author != asked.author for one in month.said[at + 1 :])


def _longest(month: Month, most: int) -> list[str]:
    return [one.name for one in sorted(month.said, key=lambda one: -width(one.text))[:most]]


def _newest(month: Month, most: int) -> list[str]:
    return [one.name for one in month.said[-most:]]


def _first(month: Month, most: int) -> list[str]:
    return [one.name for one in month.said[:most]]


def _textrank(month: Month, most: int) -> list[str]:
    ranks = textrank([one.text for one in month.said])
    return [month.said[at].name for at in np.argsort(-ranks, kind="stable")[:most]]


WAYS: Mapping[str, Callable[[Month, int], list[str]]] = {
    "longest messages": _longest,
    "most recent": _newest,
    "lead": _first,
    "textrank": _textrank,
}


def _by_chance(month: Month, most: int) -> float:
    chance = np.random.default_rng(len(month.said))
    drawn = [chance.permutation(len(month.said))[:most] for _draw in range(DRAWS)]
    return float(np.mean([_covered(month, [[month.said[at].name] for at in some]) for some in drawn]))


def best(month: Month, most: int) -> float:
    """Return what as many lines can cover at best: the largest topics."""
    return sum(size for _topic, size in month.sizes.most_common(most)) / len(month.said)


def _notes(found: Sequence[Month], ours: Sequence[Digest], most: int) -> tuple[str, ...]:
    others = Counter(line.kind for told in ours for line in told.every)
    counted = ", ".join(f"{others[kind]} {kind}s" for kind in ("conversation", "decision", "question", "link"))
    waits = [
        _waits(month, line.sources[0].id) for month, told in zip(found, ours, strict=True) for line in told.questions
    ]
    open_ = (
        f"Nobody else spoke later in the topic of {sum(waits)} of {len(waits)} questions that wait. " if waits else ""
    )
    topics = float(np.mean([len(month.sizes) for month in found]))
    return (
        f"{len(found)} months of channels with {sum(len(month.said) for month in found):,} messages, {topics:.1f} "
        f"topics each; {most} lines of each at most.",
        f"{most} lines, one for each of the largest topics, cover {np.mean([best(one, most) for one in found]):.3f}.",
        f"{counted}. {open_}citations: share of quoted sentences that stand in the message cited.",
    )


def _show(month: Month, told: Digest, show: Callable[[str], None]) -> None:
    show(f"== #{month.channel} {month.since:%Y-%m}")
    for line in told.every:
        cited = " ".join(one.id for one in line.sources)
        show(f"{line.kind}: {line.title}\n    {' '.join(line.summary.split())}\n    {line.messages} messages [{cited}]")
