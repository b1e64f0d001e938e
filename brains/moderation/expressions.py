"""Regular expressions of a community, all at once and in time linear in the message: RE2, which never backtracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import re2

from bot.core.errors import Mistake
from bot.core.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.moderation.detection import Severity

MOST = 500
"""Expressions of one community."""
LONGEST = 500
"""Characters of an expression."""
MEMORY = 4 << 20
"""Bytes that one expression may take when it is compiled: `((a{100}){100}){100}` takes more and is refused."""
SET_MEMORY = 64 << 20
"""Bytes that the automaton of a set may take; RE2 begins it anew when it is full, and never grows past it."""
TOGETHER = 250
"""Expressions in one automaton: more would make it large, fewer would read the message more often."""
SHOWN = 60
"""Characters of an expression that an error or a reason repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A regular expression in RE2's syntax (no look-around, no back references), and what it is called."""

    match: str
    name: str = ""
    severity: Severity = "flag"
    case: bool = False

    @property
    def title(self) -> str:
        """Return its name, or itself."""
        return self.name or self.match[:SHOWN]


class Expressions:
    """Expressions, compiled and joined."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        """Raises Mistake that names the expression which is wrong, too long or too large."""
        if len(expressions) > MOST:
            raise Mistake(
                _("There may be {most} expressions, and these are {count}."), most=MOST, count=len(expressions)
            )
        self._parts = [_Part(expressions[at : at + TOGETHER]) for at in range(0, len(expressions), TOGETHER)]

    def find(self, text: str) -> list[tuple[Expression, str]]:
        """Return which expressions a text matches, and with what."""
        return [found for part in self._parts for found in part.find(text)]


class _Part:
    """Expressions that are looked for in one pass."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        options = re2.Options()
        options.max_mem, options.log_errors = SET_MEMORY, False
        self._expressions = expressions
        self._compiled = [compile_one(one) for one in expressions]
        self._set = re2.Set.SearchSet(options)
        for one in expressions:
            self._set.Add(_pattern(one))
        self._set.Compile()

    def find(self, text: str) -> list[tuple[Expression, str]]:
        found = []
        for at in self._set.Match(text) or ():
            piece = self._compiled[at].search(text)
            found.append((self._expressions[at], piece[0] if piece else ""))
        return found


def compile_one(expression: Expression) -> re2._Regexp:
    """Compile an expression by itself; raises Mistake with RE2's own reason."""
    shown = expression.title[:SHOWN]
    if not expression.match or len(expression.match) > LONGEST:
        raise Mistake(_("The expression {shown!r} must have 1 to {most} characters."), shown=shown, most=LONGEST)
    options = re2.Options()
    options.max_mem, options.log_errors = MEMORY, False
    try:
        compiled = re2.compile(_pattern(expression), options=options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise Mistake(_("The expression {shown!r} cannot be used: {reason}."), shown=shown, reason=reason) from None
    if compiled.search("") is not None:
        raise Mistake(_("The expression {shown!r} matches every message."), shown=shown)
    return compiled


def _pattern(expression: Expression) -> str:
    return expression.match if expression.case else f"(?i){expression.match}"
