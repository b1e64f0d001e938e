"""Builds the default encoder, multilingual-e5-small, from weights that a package carries: no model hub is needed."""

from __future__ import annotations

import importlib.util
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.errors import Misconfigured
from brains.engines.e5s1 import FIX, read, read_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer
    from torch import Tensor
    from transformers import BertConfig, BertModel

    from brains.engines.e5s1 import Shape, Vocabulary, Weights

LONGEST = 512
"""Tokens a text is cut to: the positions that the model was trained with."""

EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm.weight": "emb.ln.w",
    "embeddings.LayerNorm.bias": "emb.ln.b",
}
LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}


def find_weights(package: str, file: str = "e5-small-q4.bin") -> Path:
    """Find a weights file inside an installed package without importing it; raises Misconfigured."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / file).is_file():
            return path
    state = f"has no {file}" if spec else "is not installed"
    raise Misconfigured(f"KINFOLK_ENCODER: the package {package} {state}. {FIX}")


def load_model(path: Path) -> BertModel:
    """Read a weights file into a float32 model; raises Misconfigured when it is damaged."""
    return build_model(read(path))


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a weights file's vocabulary into a tokeniser; raises Misconfigured when it is damaged."""
    return build_tokenizer(read_vocabulary(path))


def build_model(weights: Weights) -> BertModel:
    """Build the encoder in float32, without a pooling layer. Raises Misconfigured when tensors do not fit."""
    import torch
    from transformers import BertModel

    shape, pad = weights.shape, weights.vocabulary.pad
    model = BertModel(_config(shape, pad), add_pooling_layer=False)
    # The model would fill the word embedding, nearly all of its memory, with random numbers first.
    words = torch.nn.Embedding(shape.vocabulary, shape.hidden, padding_idx=pad, device="meta")
    model.set_input_embeddings(words)
    model.config.vocab_size = shape.vocabulary
    model.load_state_dict(_state(weights, model.state_dict()), assign=True)
    model.train(mode=False)
    return model


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """Build the tokeniser. It cuts at 512 tokens and does not pad."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unknown))
    tokenizer.normalizer = _normalizer(vocabulary.replaced)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)]
    )
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def _replacements(replaced: Mapping[int, str]) -> list[tuple[str, str]]:
    """Group what NFKC would not do: in practice line ends to a blank, and control characters to nothing."""
    groups: dict[str, str] = {}
    for point, new in replaced.items():
        if unicodedata.normalize("NFKC", chr(point)) != new:
            groups[new] = groups.get(new, "") + f"\\x{{{point:x}}}"
    return [(f"[{points}]", new) for new, points in groups.items()]


def _normalizer(replaced: Mapping[int, str]) -> Normalizer:
    # The file maps single characters; NFKC also composes, as the original's own map does.
    from tokenizers import Regex, normalizers

    return normalizers.Sequence(
        [
            *(normalizers.Replace(Regex(group), new) for group, new in _replacements(replaced)),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _config(shape: Shape, pad: int) -> BertConfig:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=pad + 1,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=pad,
    )


def _state(weights: Weights, blank: Mapping[str, Tensor]) -> dict[str, Tensor]:
    import torch

    names = EMBEDDINGS | dict(_layer_names(weights.shape.layers))
    try:
        return {
            name: torch.from_numpy(weights.tensors[names[name]].reshape(tuple(tensor.shape)))
            for name, tensor in blank.items()
        }
    except (KeyError, ValueError) as error:
        raise Misconfigured(f"KINFOLK_ENCODER: the weights do not fit the model ({error}). {FIX}") from None


def _layer_names(layers: int) -> Iterator[tuple[str, str]]:
    for layer in range(layers):
        for long, short in LAYER.items():
            for part in ("weight", "bias"):
                yield f"encoder.layer.{layer}.{long}.{part}", f"l{layer}.{short}.{part[0]}"
