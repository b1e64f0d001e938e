"""How long moderation takes for a message: its parts, beside one large alternation of Python's `re`, and all of it."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.bench import Figures
from bot.core.things import Ref
from brains.evals.disguise import WAYS, disguise
from brains.moderation import undisguise
from brains.moderation.detection import Post
from brains.moderation.heads import shipped
from brains.moderation.memory import SpamMemory, memento
from brains.moderation.moderator import Moderator
from brains.moderation.rulebook import Rulebooks
from brains.moderation.rules import ExpressionRule, Rules, WordRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.evals.disguise import How

PHRASES = 5_000
EXPRESSIONS = 200
ROUNDS = 5
"""Times that everything is measured; the quickest counts, since others only ever make it slower."""
EVERYTHING = 2_000
"""Messages that go through all detectors, one by one."""
LESSONS = 5_000
SIZE = 384
"""Dimensions of the encoder whose vectors the shipped heads read."""
DISGUISED = 500
"""Texts that are disguised in each way."""
_WORD = re.compile(r"\w+")
WORDS = re.compile(r"[^\W\d_]{3,12}")
_ENDS = ("now", "today", "here", "soon", "24/7")


def bench_moderation(texts: Sequence[str]) -> Figures:
    """Measure on texts of a history, each once. Times are of the processor, in µs a message."""
    written = _rules(texts)
    undisguise.ready()
    undone = [undisguise.undisguise(text) for text in texts]
    plain = [one.plain for one in undone]
    fresh = [_compiled(written, plain) for _round in range(ROUNDS)]
    book = fresh[0](_post(0, "").channel)
    posts = [_post(number, text) for number, text in enumerate(texts)]
    bare = _alternation(written)
    figures = {
        "texts": float(len(texts)),
        "characters": statistics.fmean(map(len, texts)),
        "undisguise_us": _us(lambda: [undisguise.undisguise(text) for text in texts], len(texts)),
        "words_us": _us(lambda: [book.words.find(text) for text in plain], len(texts)),
        "expressions_us": _us(lambda: [book.expressions.find(text) for text in plain], len(texts)),
        "rules_us": _us(lambda: _examined(fresh.pop(), posts, undone), len(posts)),
        "re_us": _us(lambda: [bare(text) for text in plain[: len(plain) // 10 + 1]], len(plain) // 10 + 1),
        "compile_s": _us(lambda: _compiled(written), 1) / 1e6,
        "disguised": sum(bool(one.tricks) for one in undone) / len(undone),
    }
    figures |= {f"undone_{how}": _undone(texts[:: max(1, len(texts) // DISGUISED)], how) for how in WAYS}
    each = _everything(written, posts[:EVERYTHING])
    figures["everything_us"], figures["everything_p99_us"] = statistics.median(each), each[len(each) * 99 // 100]
    return Figures(figures=figures, ratios={"re": figures["rules_us"] / figures["re_us"]})


def _everything(written: Rules, posts: Sequence[Post]) -> list[float]:
    """Return what each message costs beside its encoding, in µs, sorted: rules, heads and a memory of 5,000 lessons."""
    heads, draw = shipped(), np.random.default_rng(7)
    vectors = draw.standard_normal((len(posts) + LESSONS, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    remembered = [
        memento(
            f"{posts[at % len(posts)].text} {at}",
            label=1,
            case="BENCH2",
            message=Ref("bench", f"m/{at}"),
            vector=vectors[len(posts) + at],
        )
        for at in range(LESSONS)
    ]
    moderator = Moderator(rules=_compiled(written), heads=heads, encoder=heads.encoder, memory=SpamMemory(remembered))
    took = []
    for post, vector in zip(posts, vectors, strict=False):
        ready = replace(post, vector=vector, plain_vector=vector)
        before = time.process_time()
        moderator.examine(ready)
        took.append((time.process_time() - before) * 1e6)
    return sorted(took)


def _undone(texts: Sequence[str], how: How) -> float:
    """Return the share of words that are as before (F1) once texts were disguised and that was undone."""
    shares = []
    for text in texts:
        before = Counter(_WORD.findall(undisguise.undisguise(text).plain.lower()))
        after = Counter(_WORD.findall(undisguise.undisguise(disguise(text, how)).plain.lower()))
        if before:
            shares.append(2 * (before & after).total() / (before.total() + after.total()))
    return statistics.fmean(shares) if shares else 1.0


def _compiled(written: Rules, plain: Sequence[str] = ()) -> Rulebooks:
    """Compile rules, with windows in which nothing was said yet; RE2 completes its automaton as it reads texts."""
    books = Rulebooks(rules=written, preset="gentle")
    book = books(_post(0, "").channel)
    for text in plain:
        book.expressions.find(text)
    return books


def _examined(books: Rulebooks, posts: Sequence[Post], undone: Sequence[undisguise.Undisguised]) -> None:
    """Examine the texts as a community of 200 people says them, a message every 5 seconds."""
    for post, one in zip(posts, undone, strict=True):
        books(post.channel).examine(post, one)


def _post(number: int, text: str) -> Post:
    return Post(
        text=text,
        author=Ref("bench", f"@{number * 7919 % 200}"),
        channel=Ref("bench", f"{number % 20}"),
        at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=5 * number),
        message=Ref("bench", f"{number % 20}/{number}"),
        before=100,
    )


def _rules(texts: Sequence[str]) -> Rules:
    """Make phrases and expressions of pairs of words that the texts have, but not beside each other: few are found."""
    draw = random.Random(7)
    vocabulary = sorted({word.lower() for text in texts for word in WORDS.findall(text)})
    if len(vocabulary) < 2:  # noqa: PLR2004 - a pair
        vocabulary = ["one", "another"]
    pairs = [f"{draw.choice(vocabulary)} {draw.choice(vocabulary)}" for _at in range(PHRASES + EXPRESSIONS)]
    flags = tuple(dict.fromkeys(pairs[:PHRASES]))
    matches = (
        ExpressionRule(match=rf"\b{first}\w*\W+(?:\w+\W+){{0,2}}{second}s?\W+(?:{'|'.join(_ENDS)})\b")
        for first, second in (pair.split() for pair in pairs[PHRASES:])
    )
    return Rules(words=WordRules(flag=flags), expressions=tuple(matches))


def _alternation(written: Rules) -> Callable[[str], object]:
    """Return what a bot without an automaton would do: every phrase and every expression in one pattern of `re`."""
    words = "|".join(rf"\b{re.escape(word)}\b" for word in written.words.flag)
    expressions = "|".join(f"(?:{one.match})" for one in written.expressions)
    return re.compile(f"{words}|{expressions}", re.IGNORECASE).search


def _us(measured: Callable[[], object], count: int) -> float:
    """Return the processor time of the quickest of some rounds, in µs an item."""
    took = []
    for _round in range(ROUNDS):
        before = time.process_time()
        measured()
        took.append(time.process_time() - before)
    return min(took) / count * 1e6
