"""An encoder of random weights that reads words, and a planted community to teach it."""

from __future__ import annotations

import random
from pathlib import Path

from brains.engines.encoders import Model, parse_local
from brains.training.encoder_texts import Said, Telling, telling

TOPICS = {
    "baking": ["sourdough", "oven", "crumb", "rye", "flour", "yeast", "starter", "kneading", "proving", "crust"],
    "bikes": ["chain", "gravel", "sprocket", "saddle", "derailleur", "tyres", "brakes", "frame", "pedal", "spokes"],
    "stars": ["nebula", "comet", "saturn", "mirror", "eyepiece", "orbit", "galaxy", "meteor", "lens", "eclipse"],
    "garden": ["tomato", "compost", "seedling", "pruning", "tulip", "mulch", "spade", "hedge", "lawn", "beetle"],
}
PLAIN = ["please", "about", "with", "some", "very", "really", "today", "there", "maybe", "quite"]


def write_model(folder: Path, *, seed: int = 1) -> Model:
    """Write a BERT of 2 layers and 32 dimensions with a vocabulary of whole words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    words = ["<pad>", "<s>", "</s>", "<unk>", "?", *PLAIN, *(word for topic in TOPICS.values() for word in topic)]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    # Wide enough apart to begin with, and without dropout, so that few steps tell.
    apart = {"initializer_range": 0.2, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig(vocab_size=len(words), max_position_embeddings=64, pad_token_id=0, **sizes, **apart)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return parse_local(f"path:{folder}")


def planted(count: int = 400, *, seed: int = 3) -> Telling:
    """Plant messages of four channels, of which each has its own words among words of all, and threads of four."""
    chance, said = random.Random(seed), []
    for number in range(count):
        channel = list(TOPICS)[number // 4 % len(TOPICS)]
        words = [*chance.sample(TOPICS[channel], 2), *chance.sample(PLAIN, 4)]
        chance.shuffle(words)
        said.append(
            Said(
                id=str(number),
                channel=channel,
                thread=f"t{number // 4}",
                author=f"u{number % 7}",
                text=" ".join(words) + (" ?" if number % 4 == 0 else ""),
                at=60.0 * number,
            )
        )
    return telling(said, {"baking": "baking: sourdough rye flour"})
