"""Events, actions and traces as JSON and back. Stored JSON carries a version `v` and is read through upcasters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import orjson
from cattrs import BaseValidationError, transform_error
from cattrs.preconf.orjson import make_converter
from cattrs.strategies import configure_tagged_union

from bot.core.actions import Action
from bot.core.events import Event
from bot.core.things import Ref

VERSION = 1
T = TypeVar("T")
Document = dict[str, object]

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
NUL = "\\u0000"
"""How JSON writes the one character that it takes and PostgreSQL does not."""
UPCASTERS: dict[int, Callable[[Document], Document]] = {}
"""For each older version, what makes the next one of it; pure."""

_converter = make_converter()
_converter.register_structure_hook(Ref, lambda text, _: Ref.parse(text))
_converter.register_unstructure_hook(Ref, str)
configure_tagged_union(Event, _converter, tag_name="kind")
configure_tagged_union(Action, _converter, tag_name="kind")


def dump(kind: type[T], thing: T) -> str:
    """Write a value; events and actions inside it carry their tags."""
    return orjson.dumps({"v": VERSION, "data": _converter.unstructure(thing, kind)}).decode()


def storable(kind: type[T], thing: T) -> tuple[T, str]:
    """Return a value and what is written of it, both without what no database keeps: NUL and half a surrogate pair."""
    try:
        text = dump(kind, thing)
    except orjson.JSONEncodeError:
        text = NUL
    if NUL not in text:
        return thing, text
    text = orjson.dumps({"v": VERSION, "data": _without(_converter.unstructure(thing, kind))}).decode()
    return load(kind, text), text


def _without(value: object) -> object:
    match value:
        case str():
            return UNSTORABLE.sub("", value)
        case dict():
            return {_without(name): _without(one) for name, one in value.items()}
        case list() | tuple():
            return [_without(one) for one in value]
        case _:
            return value


def load(kind: type[T], text: str) -> T:
    """Read a value; raises ValueError for anything else."""
    try:
        return _converter.structure(upcast(orjson.loads(text))["data"], kind)
    except (BaseValidationError, AttributeError, KeyError, TypeError) as error:
        told = "; ".join(transform_error(error)) if isinstance(error, BaseValidationError) else repr(error)
        raise ValueError(f"this is no {kind}: {told}") from None


def dump_action(action: Action) -> str:
    """Write an action with its tag."""
    return dump(Action, action)  # type: ignore[arg-type] # mypy has no type for a union as a value


def load_action(text: str) -> Action:
    """Read an action; raises ValueError for anything else."""
    action: Action = load(Action, text)  # type: ignore[arg-type]
    return action


def upcast(document: Document) -> Document:
    """Bring a stored document up to the current version; raises ValueError for one of the future."""
    while (version := document.get("v")) != VERSION:
        step = UPCASTERS.get(version) if isinstance(version, int) else None
        if step is None:
            raise ValueError(f"a document of version {version}; this Kinfolk reads up to {VERSION}")
        document = step(document)
    return document
