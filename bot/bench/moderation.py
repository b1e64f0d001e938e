"""How long undoing disguise and the rules take for a message, beside one large alternation of Python's own `re`."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.bench import Figures
from bot.core.things import Ref
from brains.evals.disguise import WAYS, disguise
from brains.moderation import undisguise
from brains.moderation.detection import Post
from brains.moderation.rulebook import Rulebooks
from brains.moderation.rules import ExpressionRule, Rules, WordRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.evals.disguise import How

PHRASES = 5_000
EXPRESSIONS = 200
ROUNDS = 5
"""Times that everything is measured; the quickest counts, since others only ever make it slower."""
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
    figures["moderation_us"] = figures["undisguise_us"] + figures["rules_us"]
    return Figures(figures=figures, ratios={"re": figures["rules_us"] / figures["re_us"]})


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
