"""Reads YAML as plain values, and knows on which line each stands. What could blow up or surprise is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

Path = tuple[str | int, ...]
Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

LONGEST = 60_000
"""Characters of a text that is read."""
DEEPEST = 8
"""Levels of lists and mappings in each other; rules need five."""
DIGITS = 18
"""Digits of what is read as a number; a longer one stays text, which costs nothing to read."""
_NESTED = re.compile(rf"(?:[\[{{]\s*){{{DEEPEST + 1}}}")
"""What the parser would take quadratic time for."""


def read(text: str) -> tuple[Value, dict[Path, int]]:
    """Return what a YAML text says, and the line of every field, counted from 1; raises Mistake with the line."""
    if len(text) > LONGEST:
        raise Mistake(_("Rules may have {most} characters, and these have {count}."), most=LONGEST, count=len(text))
    if nested := _NESTED.search(text):
        raise Mistake(
            _("Line {line}: lists and fields stand in each other too deep."),
            line=text.count("\n", 0, nested.start()) + 1,
        )
    root = _composed(text)
    lines: dict[Path, int] = {(): 1}
    return (None if root is None else _value(root, (), lines)), lines


def _composed(text: str) -> Node | None:
    """Parse a text; anchors are refused before anything that they would repeat is built."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.events import AliasEvent, CollectionStartEvent

    try:
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(text):
            if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
                raise Mistake(
                    _("Line {line}: rules have no anchors (&) and no aliases (*). Quote what begins with one."),
                    line=event.start_mark.line + 1,
                )
            depth += isinstance(event, CollectionStartEvent) - type(event).__name__.endswith("EndEvent") * (
                type(event).__name__.startswith(("Mapping", "Sequence"))
            )
            if depth > DEEPEST:
                raise Mistake(
                    _("Line {line}: lists and fields stand in each other too deep."), line=event.start_mark.line + 1
                )
        composed: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Mistake(
            _("Line {line}: this is not YAML: {reason}."),
            line=mark.line + 1 if mark else 1,
            reason=error.problem or error.context or "",
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Mistake(
            _("Line {line}: this is not YAML: {reason}."), line=1, reason=str(error).splitlines()[0]
        ) from None
    return composed


def _value(node: Node, path: Path, lines: dict[Path, int]) -> Value:
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    lines[path] = node.start_mark.line + 1
    if isinstance(node, SequenceNode):
        return [_value(one, (*path, place), lines) for place, one in enumerate(node.value)]
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines)
    return _scalar(str(node.value), str(node.tag))


def _mapping(node: Node, path: Path, lines: dict[Path, int]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if not isinstance(key.value, str):
            raise Mistake(_("Line {line}: the name of a field must be a word."), line=line)
        if name in found:
            raise Mistake(_("Line {line}: {field} stands here for the second time."), line=line, field=name)
        found[name] = _value(value, (*path, name), lines)
        lines[*path, name] = line
    return found


def _scalar(text: str, tag: str) -> Value:
    """Return a scalar: true, false, null and whole numbers as such, everything else as it is written."""
    match tag.rpartition(":")[2]:
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case "int" if text.isdecimal() and len(text) <= DIGITS and str(int(text)) == text:
            return int(text)
    return text
