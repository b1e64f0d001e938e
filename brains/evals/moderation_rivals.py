"""What moderation must beat: a word list, n-gram regression, alt-profanity-check, and tg-spam's two text checks."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.evals.metrics import Values

    Score = Callable[[Sequence[str]], Values]
    Fit = Callable[[Sequence[str], Values], Score]

Target = Literal["toxicity", "spam"]
WORDS = Path(__file__).parent / "words.txt"
TG = "tg-spam's text checks"
ALIKE = 0.5
"""tg-spam's least cosine with a known spam message."""
SHORTEST = 50
"""tg-spam looks at no shorter message."""
TOKEN = 3
STRENGTH = 4.0


def word_list(target: Target) -> Fit:
    """Count the words of our list for a target; there is nothing to fit."""
    listed, under = [], ""
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            under = line.strip("[]")
        elif under == target:
            listed.append(re.escape(line) if not line.isascii() else rf"\b{re.escape(line)}\b")
    found = re.compile("|".join(listed), re.I)

    def score(texts: Sequence[str]) -> Values:
        return np.array([len(found.findall(text)) for text in texts], dtype=np.float64)

    return lambda _texts, _labels: score


def ngrams(texts: Sequence[str], labels: Values) -> Score:
    """Fit scikit-learn's TF-IDF of character n-grams (1 to 4, sublinear) and logistic regression."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=2, dtype=np.float32)
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectorizer.fit_transform(texts), labels)

    def score(asked: Sequence[str]) -> Values:
        return np.asarray(model.predict_proba(vectorizer.transform(asked))[:, 1], dtype=np.float64)

    return score


def alt_profanity_check(_texts: Sequence[str], _labels: Values) -> Score:
    """Ask alt-profanity-check, as it comes."""
    from profanity_check import predict_prob

    return lambda asked: np.asarray(predict_prob(list(asked)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TgSpam:
    """tg-spam's two checks on text, written anew from what they do: likeness to known spam, and naive Bayes.

    Likeness is the cosine of token counts; Bayes counts each token of a message once, with Laplace's smoothing. A
    message is spam to it where either says so, and one of fewer than 50 characters never is.
    """

    known: list[Counter[str]]
    spam: Counter[str]
    ham: Counter[str]
    prior: float

    def __call__(self, texts: Sequence[str]) -> Values:
        """Return the larger of likeness and Bayes' probability, (n,); `ALIKE` is the threshold of both."""
        return np.array([self._score(text) for text in texts], dtype=np.float64)

    def _score(self, text: str) -> float:
        if len(text) < SHORTEST:
            return 0.0
        tokens = Counter(_tokens(text))
        return max(self._likeness(tokens), self._bayes(set(tokens)))

    def _likeness(self, tokens: Counter[str]) -> float:
        length = _length(tokens)
        best = 0.0
        for one in self.known:
            shared = sum(count * one[token] for token, count in tokens.items() if token in one)
            if shared:
                best = max(best, shared / (length * _length(one)))
        return best

    def _bayes(self, tokens: set[str]) -> float:
        vocabulary = len(self.spam.keys() | self.ham.keys())
        spam, ham = self.spam.total() + vocabulary, self.ham.total() + vocabulary
        odds = np.log(self.prior / (1 - self.prior))
        odds += sum(np.log((self.spam[one] + 1) / spam) - np.log((self.ham[one] + 1) / ham) for one in tokens)
        return float(1 / (1 + np.exp(-np.clip(odds, -500, 500))))


def tg_spam(texts: Sequence[str], labels: Values) -> Score:
    """Teach tg-spam's checks: spam as known messages, both kinds to Bayes."""
    bad = [Counter(_tokens(text)) for text, label in zip(texts, labels, strict=True) if label]
    good = [_tokens(text) for text, label in zip(texts, labels, strict=True) if not label]
    spam = Counter(token for one in bad for token in one)
    ham = Counter(token for one in good for token in set(one))
    return TgSpam(known=[one for one in bad if one], spam=spam, ham=ham, prior=float(np.mean(labels)))


def _tokens(text: str) -> list[str]:
    words = (word.strip(".,!?-:;()[]{}\"'#*«»").lower() for word in text.split())
    return [word for word in words if len(word) >= TOKEN]


def _length(tokens: Counter[str]) -> float:
    return float(np.sqrt(sum(count * count for count in tokens.values()))) or 1.0
