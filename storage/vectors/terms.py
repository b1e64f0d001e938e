"""BM25 terms of a text, the same for every engine: English is stemmed, Chinese is cut into words."""

from __future__ import annotations

from typing import NamedTuple

from qdrant_edge import Bm25, Bm25Config, TokenizerType

from storage.vectors.layout import clip

AVERAGE_LENGTH = 22.0
"""Terms in a message: the mean over 5,000 messages of the Bytecode Alliance's chat."""

_MODEL = Bm25(Bm25Config(tokenizer=TokenizerType.Multilingual, avg_len=AVERAGE_LENGTH))


class Terms(NamedTuple):
    """A sparse vector; the inverse document frequency is the engine's part."""

    indices: list[int]
    values: list[float]


def document_terms(text: str) -> Terms:
    """Weigh the terms of a stored text by BM25's saturation and length."""
    terms = _MODEL.embed_document(clip(text))
    return Terms(terms.indices, terms.values)


def query_terms(text: str) -> Terms:
    """Give the distinct terms of a question, each of weight 1; empty when all are stop words."""
    terms = _MODEL.embed_query(clip(text))
    return Terms(terms.indices, terms.values)
