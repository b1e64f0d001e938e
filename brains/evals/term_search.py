"""TF-IDF as a rival: scikit-learn's, sublinear, over words; Chinese by pairs of signs, since it has no spaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brains.evals.archive import Text

_WORD = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


class TermSearch:
    """Texts by their terms."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._names = [one.name for one in texts]
        self._times = np.array([one.at.timestamp() for one in texts])
        self._vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, dtype=np.float32)
        self._rows = self._vectorizer.fit_transform([one.text for one in texts])

    def nearest(self, query: str, most: int, *, before: datetime | None = None) -> list[str]:
        """Return the names of the texts with the largest cosine above 0, best first; older than a moment if given."""
        scores = (self._rows @ self._vectorizer.transform([query]).T).toarray().ravel()
        if before is not None:
            scores[self._times >= before.timestamp()] = 0
        order = np.argsort(-scores, kind="stable")[:most]
        return [self._names[place] for place in order if scores[place] > 0]


def terms(text: str) -> list[str]:
    """Cut a text into words, and Chinese into pairs of neighbouring signs."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if "\u3040" <= word[0] <= "\u9fff" or "\uac00" <= word[0] <= "\ud7af":
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            found.append(word)
    return found
