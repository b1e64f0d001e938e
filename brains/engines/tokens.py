"""Splits texts into tokens: by SentencePiece what an E5S1 file holds, by `tokenizers` what a folder brings.

SentencePiece keeps the 250,000 pieces of multilingual-e5-small in 40 MB, `tokenizers` in 280, and splits ten times as
fast. Of 17,930 chat messages they split two differently (cosine .9999): a row of like signs (`----`) is cut elsewhere
into the same pieces. `<s>` spelled out in a text is text to SentencePiece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from brains.engines.e5s1 import read_vocabulary
from brains.engines.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from brains.engines.e5s1 import Vocabulary
    from brains.engines.encoder_engine import Tokens
    from brains.engines.encoders import Model

PIECES = "pieces.model"
RULES = "tokenizer.json"

NORMALISATION = "nmt_nfkc"
"""What XLM-R's vocabulary was trained with, and E5's with it; an E5S1 file carries its single characters alone."""


class Tokeniser(Protocol):
    """Splits texts into token ids."""

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        ...


class Pieces:
    """SentencePiece, between the marks for a text's begin and end."""

    def __init__(self, path: Path, *, longest: int, threads: int) -> None:
        from sentencepiece import SentencePieceProcessor

        self._pieces = SentencePieceProcessor(model_file=str(path), num_threads=threads)
        self._room = longest - 2

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        begin, end = self._pieces.bos_id(), self._pieces.eos_id()
        split = self._pieces.encode([clean(text) for text in texts])
        return [[begin, *ids[: self._room], end] for ids in split]


class Rules:
    """A `tokenizers` file, which knows itself how long a text may be."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(path))

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """Split texts into token ids, cut to what the model sees."""
        return [row.ids for row in self._tokenizer.encode_batch_fast([clean(text) for text in texts])]


def open_tokeniser(folder: Path, *, longest: int, threads: int) -> Tokeniser:
    """Open what `write_tokeniser` wrote."""
    if (folder / PIECES).exists():
        return Pieces(folder / PIECES, longest=longest, threads=threads)
    return Rules(folder / RULES)


def write_tokeniser(model: Model, folder: Path) -> None:
    """Write a model's tokeniser into a folder; raises Misconfigured when its weights file is damaged."""
    if model.source.is_file():
        (folder / PIECES).write_bytes(_sentencepiece(read_vocabulary(model.source)))
        return
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model.source / RULES))
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.longest)
    tokenizer.save(str(folder / RULES))


def _sentencepiece(vocabulary: Vocabulary) -> bytes:
    from sentencepiece import SentencePieceNormalizer
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined] # made while it is imported

    written = ModelProto.FromString(SentencePieceNormalizer(rule_name=NORMALISATION).serialized_model_proto())
    spec, kind = written.trainer_spec, ModelProto.SentencePiece
    special = {"bos": vocabulary.bos, "eos": vocabulary.eos, "pad": vocabulary.pad, "unk": vocabulary.unknown}
    kinds = dict.fromkeys(special.values(), kind.CONTROL) | {vocabulary.unknown: kind.UNKNOWN}
    for number, (piece, score) in enumerate(vocabulary.pieces):
        written.pieces.add(piece=piece, score=score, type=kinds.get(number, kind.NORMAL))
    spec.model_type = spec.UNIGRAM
    for name, number in special.items():
        setattr(spec, f"{name}_id", number)
        setattr(spec, f"{name}_piece", vocabulary.pieces[number][0])
    return bytes(written.SerializeToString())
