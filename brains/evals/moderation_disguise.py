"""What disguise costs: recall of disguised spam at the threshold of undisguised messages, with undoing and without."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from brains.evals.disguise import WAYS, disguise
from brains.evals.moderation_ours import fit, said, see
from brains.evals.moderation_report import OURS, Section, threshold_for
from brains.evals.moderation_rivals import ALIKE, TG, ngrams, tg_spam
from brains.evals.moderation_telegram import FALSE, unfolded, unfolded_rival

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.ports import Encoder
    from brains.evals.metrics import Values
    from brains.evals.moderation_ours import Seen
    from brains.evals.moderation_report import Measures
    from brains.evals.moderation_sets import Labelled
    from brains.evals.moderation_telegram import Folded, Telegram
    from brains.training.encoding import Progress

FEW_FALSE = 0.005
NOT_UNDONE = "without undoing"
FALSE_ALARMS = "false, as written"
"""tg-spam's checks are taken as they come, the others at the threshold that spares this much."""


async def judge_sms(labelled: Labelled, encoder: Encoder, progress: Progress) -> Section:
    """Disguise the spam of the SMS test, and see how much of it is still found at .5 % false positives."""
    started = time.perf_counter()
    seen = await see(encoder, labelled.texts, progress)
    train, test = labelled.places("train"), labelled.places("test")
    fitted = fit(seen.some(train), labelled.labels[train])
    texts = [labelled.texts[at] for at in train]
    rivals = {"n-gram regression": ngrams(texts, labelled.labels[train]), TG: tg_spam(texts, labelled.labels[train])}
    ham = [labelled.texts[at] for at in test if not labelled.labels[at]]
    spam = [labelled.texts[at] for at in test if labelled.labels[at]]
    limit = threshold_for(said(fitted, await see(encoder, ham, progress)), FEW_FALSE)
    limits = {name: ALIKE if name == TG else threshold_for(score(ham), FEW_FALSE) for name, score in rivals.items()}

    async def ours(texts: list[str], *, undo: bool) -> float:
        return float((said(fitted, await see(encoder, texts, progress, undo=undo)) >= limit).mean())

    judges = await _every_way(spam, ours, {name: _recall(score, limits[name]) for name, score in rivals.items()})
    judges[TG][FALSE_ALARMS] = round(_recall(rivals[TG], ALIKE)(ham), 4)
    return _section("disguise, SMS", judges, n=len(spam), started=started, share=FEW_FALSE)


async def judge_telegram(
    telegram: Telegram, folded: Folded, seen: Seen, encoder: Encoder, progress: Progress
) -> Section:
    """Disguise Telegram's spam, and see how much of it each fold still finds at 1 % false positives."""
    started = time.perf_counter()
    bad = telegram.labels == 1
    clean, _reached = unfolded(telegram, folded, seen)
    limit = threshold_for(clean[~bad], FALSE)

    def whole(spam: Sequence[str]) -> list[str]:
        left = iter(spam)
        return [next(left) if one else text for one, text in zip(bad, telegram.texts, strict=True)]

    async def ours(texts: list[str], *, undo: bool) -> float:
        places = np.flatnonzero(bad)
        disguised = await see(encoder, texts, progress, undo=undo)
        scores = np.zeros(len(bad))
        for one, fitted in enumerate(folded.ours):
            these = np.flatnonzero(telegram.folds[places] == one)
            scores[places[these]] = said(fitted, disguised.some(these))
        return float((scores[bad] >= limit).mean())

    def rival(name: str) -> Callable[[list[str]], float]:
        scorers = folded.rivals[name]
        values = unfolded_rival(telegram, scorers, telegram.texts)
        threshold = ALIKE if name == TG else threshold_for(values[~bad], FALSE)
        return lambda spam: float((unfolded_rival(telegram, scorers, whole(spam))[bad] >= threshold).mean())

    spam = [text for text, one in zip(telegram.texts, bad, strict=True) if one]
    judges = await _every_way(spam, ours, {name: rival(name) for name in ("n-gram regression", TG)})
    theirs = unfolded_rival(telegram, folded.rivals[TG], telegram.texts)[: telegram.samples]
    judges[TG][FALSE_ALARMS] = round(float((theirs[~bad[: telegram.samples]] >= ALIKE).mean()), 4)
    return _section("disguise, Telegram", judges, n=len(spam), started=started, share=FALSE)


class _Ours(Protocol):
    """How ours is asked."""

    async def __call__(self, texts: list[str], *, undo: bool) -> float: ...


async def _every_way(
    spam: list[str], ours: _Ours, rivals: dict[str, Callable[[list[str]], float]]
) -> dict[str, Measures]:
    """Return each judge's recall of spam as it is, and in each disguise."""
    judges: dict[str, Measures] = {name: {} for name in (OURS, f"{OURS} {NOT_UNDONE}", *rivals)}
    for way in (None, *WAYS):
        shown = spam if way is None else [disguise(text, way) for text in spam]
        name = "as written" if way is None else way
        judges[OURS][name] = round(await ours(shown, undo=True), 4)
        judges[f"{OURS} {NOT_UNDONE}"][name] = round(await ours(shown, undo=False), 4)
        for rival, recall in rivals.items():
            judges[rival][name] = round(recall(shown), 4)
    return judges


def _recall(score: Callable[[Sequence[str]], Values], threshold: float) -> Callable[[list[str]], float]:
    return lambda texts: float((score(texts) >= threshold).mean())


def _section(name: str, judges: dict[str, Measures], *, n: int, started: float, share: float) -> Section:
    ours = dict(judges[OURS])
    for measures in judges.values():
        measures.setdefault(FALSE_ALARMS, share)
    worst = min((way for way in ours), key=lambda way: ours[way])
    lost = 100 * (ours["as written"] - ours[worst])
    note = f"At most {lost:.1f} points of recall are lost ({worst})."
    return Section(name=name, n=n, judges=judges, notes=(note,), seconds=round(time.perf_counter() - started, 1))
