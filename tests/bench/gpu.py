"""Measure the GPU engine on any CUDA machine that has torch, transformers and tokenizers; prints one JSON document.

    python tests/bench/gpu.py --weights e5-small-enpt-q4.bin [--texts FILE]

FILE holds a text a line, or JSON lines with `text`. Without CUDA it says so and exits 2; `--cpu` tries it out there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from brains.engines.cuda import BUDGET, TorchBatches
from brains.engines.encoder_engine import encode, pad, plan
from brains.engines.network import Pooled, load

WORDS = [
    "the",
    "of",
    "to",
    "garden",
    "python",
    "boat",
    "rust",
    "train",
    "我们",
    "今天",
    "学习",
    "社区",
    "who",
    "how",
    "fix",
]
ROUNDS = 5
PEER_BATCH = 32


def main() -> int:
    """Run the measurement; returns the exit code."""
    asked = arguments()
    if not torch.cuda.is_available() and not asked.cpu:
        sys.stderr.write("There is no CUDA device here; --cpu tries the script out on the processor.\n")
        return 2
    device = "cpu" if asked.cpu else "cuda"
    texts = [f"passage: {text}" for text in read(asked.texts, asked.count)]
    sys.stdout.write(json.dumps(measure(asked.weights, device, texts), indent=1, ensure_ascii=False) + "\n")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="an E5S1 file, or a transformers folder")
    parser.add_argument("--texts", type=Path, help="a text a line, or JSON lines with `text`; made up otherwise")
    parser.add_argument("--count", type=int, default=20_000, help="how many texts at most")
    parser.add_argument("--cpu", action="store_true", help="run on the processor, to see that it runs")
    return parser.parse_args()


def measure(weights: Path, device: str, texts: list[str]) -> dict[str, object]:
    exact, tokenizer, padding = load(weights)
    exact = exact.to(device)
    quick, _, _ = load(weights)
    engine = TorchBatches(quick, tokenizer, padding, device=device)
    tokens = sum(map(len, engine.tokenise(texts)))
    name, peer = peer_of(exact, engine, padding, device, weights)
    contenders: dict[str, Callable[[], object]] = {
        "engine": lambda: encode(engine, texts),
        "forward": forward(engine, texts),
        name: lambda: peer(texts),
    }
    seconds = race(contenders, device)
    cosines = (encode(engine, texts[:2000]) * peer(texts[:2000])).sum(axis=1)
    rates = {f"{who}_messages_per_second": len(texts) / statistics.median(took) for who, took in seconds.items()}
    lone = [timed(lambda text=text: encode(engine, [text]), device) for text in texts[:200]]
    return {
        "device": engine.name,
        "torch": torch.__version__,
        "figures": rates
        | {
            "messages": len(texts),
            "tokens_per_message": tokens / len(texts),
            "tokens_per_second": tokens / statistics.median(seconds["engine"]),
            "cosine_mean": float(cosines.mean()),
            "cosine_min": float(cosines.min()),
            "lone_p50_ms": 1000 * float(np.percentile(lone, 50)),
            "lone_p95_ms": 1000 * float(np.percentile(lone, 95)),
        },
        "ratios": {who: ratio(seconds[who], seconds["engine"]) for who in ("forward", name)},
    }


def read(path: Path | None, count: int) -> list[str]:
    if path is None:
        chance = random.Random(7)
        return [" ".join(chance.choices(WORDS, k=1 + int(chance.expovariate(1 / 40)))) for _ in range(count)]
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [json.loads(line)["text"] if line.startswith("{") else line for line in lines][:count]


def peer_of(
    exact: Pooled, engine: TorchBatches, padding: int, device: str, weights: Path
) -> tuple[str, Callable[[Sequence[str]], np.ndarray]]:
    """Give sentence-transformers in float32 where it is installed, else a loop that does what it does."""
    if importlib.util.find_spec("sentence_transformers"):
        return "sentence-transformers", sentence_transformers(exact, weights, padding, device)

    def loop(texts: Sequence[str]) -> np.ndarray:
        rows = engine.tokenise(texts)
        order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
        vectors = np.empty((len(rows), engine.size), np.float32)
        for start in range(0, len(order), PEER_BATCH):
            batch = order[start : start + PEER_BATCH]
            ids, mask = (torch.from_numpy(array).to(device) for array in pad([rows[index] for index in batch], padding))
            with torch.inference_mode():
                vectors[batch] = exact(ids, mask).cpu().numpy()
        return vectors

    return "loop-of-32", loop


def sentence_transformers(
    exact: Pooled, weights: Path, padding: int, device: str
) -> Callable[[Sequence[str]], np.ndarray]:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers import PreTrainedTokenizerFast

    _, tokenizer, _ = load(weights)
    with tempfile.TemporaryDirectory() as folder:
        exact.encoder.save_pretrained(folder)
        filler = tokenizer.id_to_token(padding)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=filler).save_pretrained(folder)
        transformer = Transformer(folder, max_seq_length=512)
        pooling = Pooling(exact.encoder.config.hidden_size, pooling_mode="mean")
        model = SentenceTransformer(modules=[transformer, pooling, Normalize()], device=device)
    return lambda texts: np.asarray(model.encode(list(texts), batch_size=PEER_BATCH, show_progress_bar=False))


def forward(engine: TorchBatches, texts: Sequence[str]) -> Callable[[], None]:
    """Give the bare forward pass: everything tokenised, padded and on the device before the clock starts."""
    rows = engine.tokenise(texts)
    placed = [engine.placed([rows[index] for index in batch]) for batch in plan([len(row) for row in rows], BUDGET)]

    def run() -> None:
        with torch.inference_mode():
            for ids, mask in placed:
                engine.network(ids, mask)

    return run


def race(contenders: dict[str, Callable[[], object]], device: str) -> dict[str, list[float]]:
    """Time each contender in turn, in an order that turns too; the first round warms up and is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS + 1):
        for name in sorted(contenders, reverse=number % 2 == 1):
            took = timed(contenders[name], device)
            seconds[name] += [took] if number else []
    return seconds


def timed(work: Callable[[], object], device: str) -> float:
    began = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Return ours / theirs in messages a second: the median over the rounds."""
    return statistics.median(slow / quick for slow, quick in zip(theirs, ours, strict=True))


if __name__ == "__main__":
    sys.exit(main())
