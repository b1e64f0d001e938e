"""Words as evidence: what a text says once markup, links and mentions are taken away, and how telling each term is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

from bot.core.stopwords import STOPWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from brains.matching.corpus import Floats

_CHINESE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_MARKUP = re.compile(
    r"```.*?(?:```|\Z)"  # fenced code
    r"|https?://[^\s)>\]]+|www\.[^\s)>\]]+"
    r"|<[@#!:/a-z][^<>]*>"  # Discord and Slack references, HTML tags
    r"|(?<![\w.])@(?:\*\*[^*]+\*\*|[\w.\-]+)"  # mentions
    r"|:[a-z][\w+-]+:"  # emoji by name
    r"|&[a-z]+;",
    re.DOTALL | re.IGNORECASE,
)
_WORD = re.compile(rf"[{_CHINESE}]+|[^\W\d_{_CHINESE}][^\W_{_CHINESE}]*(?:['’+#-]+[^\W_{_CHINESE}]+)*[+#]*")
_LONGEST_TERM = 40


def words(text: str) -> list[str]:
    """Split a text into terms, in order and with repeats: lower-cased singular words, and pairs of Chinese characters.

    Links, code fences, markup, mentions, numbers and stop words are left out, so "thanks!" or a bare link has none.
    """
    terms: list[str] = []
    for found in _WORD.findall(_MARKUP.sub(" ", text).lower()):
        if "\u3040" <= found[0] <= "\u9fff":
            terms.extend(pair for pair in _pairs(found) if pair not in STOPWORDS)
        elif 1 < len(found) <= _LONGEST_TERM and found not in STOPWORDS:
            terms.append(_singular(found))
    return terms


def speaks(text: str) -> bool:
    """Say whether there is any word in a text, were it a stop word."""
    return _WORD.search(_MARKUP.sub(" ", text)) is not None


def as_written(terms: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """Return each term as it is written most often in these texts: a term is cut to its singular, "clothe" for one."""
    wanted = set(terms)
    seen: dict[str, Counter[str]] = {term: Counter() for term in wanted}
    for text in texts:
        for found in _WORD.findall(_MARKUP.sub(" ", text).lower()):
            if (term := _singular(found)) in wanted:
                seen[term][found] += 1
    return {term: forms.most_common(1)[0][0] if forms else term for term, forms in seen.items()}


def substance(document: Sequence[str]) -> float:
    """Rate how much a message says, 0 to 1: n / (n + 4) over its n different terms, so that chatter weighs little."""
    told = len(set(document))
    return told / (told + 4.0)


def substances(documents: Sequence[Sequence[str]]) -> Floats:
    """Rate how much each document says (n,)."""
    return np.array([substance(document) for document in documents], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """The terms of a community, sorted, and how rare each is: `idf` (v,) as in scikit-learn's smooth idf."""

    terms: tuple[str, ...]
    idf: Floats
    index: Mapping[str, int]

    @classmethod
    def learn(cls, documents: Sequence[Sequence[str]], *, always: Iterable[str] = (), least: int = 2) -> Self:
        """Keep the terms of at least `least` documents, and those named in `always`."""
        seen = Counter(term for document in documents for term in set(document))
        terms = sorted({term for term, count in seen.items() if count >= least} | set(always))
        counts = np.array([seen[term] for term in terms], dtype=np.float32)
        idf = np.log((1 + len(documents)) / (1 + counts)) + 1
        return cls.of(terms, np.asarray(idf, dtype=np.float32))

    @classmethod
    def of(cls, terms: Sequence[str], idf: Floats) -> Self:
        """Rebuild a vocabulary from its sorted terms and their idf (v,)."""
        return cls(terms=tuple(terms), idf=idf, index={term: at for at, term in enumerate(terms)})

    def weigh(self, documents: Sequence[Sequence[str]]) -> csr_array:
        """Turn documents into unit rows (n, v) of (1 + ln tf) * idf; one without known terms is a row of zeros."""
        place = self.index.get
        counts = [Counter(at for term in document if (at := place(term)) is not None) for document in documents]
        ends = np.cumsum([0, *(len(count) for count in counts)])
        columns = np.fromiter((at for count in counts for at in count), dtype=np.int32, count=int(ends[-1]))
        times = np.fromiter((n for count in counts for n in count.values()), dtype=np.float32, count=int(ends[-1]))
        weights = (1 + np.log(times)) * self.idf[columns]
        rows = csr_array((weights, columns, ends), shape=(len(documents), len(self.terms)), dtype=np.float32)
        return unit_rows(rows)


def unit_rows(rows: csr_array) -> csr_array:
    """Scale sparse rows (n, v) to length 1; empty rows stay empty."""
    per_row = np.diff(rows.indptr)
    length = np.sqrt(np.bincount(np.repeat(np.arange(len(per_row)), per_row), rows.data**2, len(per_row)))
    data = rows.data / np.repeat(np.where(length > 0, length, 1.0), per_row)
    return csr_array((data.astype(np.float32), rows.indices, rows.indptr), shape=rows.shape)


def _pairs(run: str) -> list[str]:
    """Cut a run of Chinese characters into overlapping pairs, the usual stand-in for words."""
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


def _singular(word: str) -> str:
    plural = len(word) > 3 and word[-1] == "s" and word[-2] not in "su'’"  # noqa: PLR2004
    return word[:-1] if plural else word
