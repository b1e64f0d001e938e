"""Writes lines in a dialect. Whatever is shown goes through the dialect's own escaping, whoever wrote it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.markup.lines import Run, Style
from bot.core.wording import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from adapters.markup.dialect import Dialect
    from adapters.markup.lines import Line

Written = tuple["Line", str]
"""A line, and what it says in a dialect; a line of fenced code as it is."""


def written(line: Line, dialect: Dialect) -> str:
    """Write what one line says, without its marks as a quote."""
    if line.fence:
        return line.text
    words = dialect.begin(_inline(line.runs, dialect))
    if line.heading:
        words = dialect.heading(words, line.heading)
    return dialect.item(words, line.mark, line.depth) if line.depth else words


def assemble(lines: Sequence[Written], dialect: Dialect) -> str:
    """Put lines together: quotes and code are opened and closed within."""
    groups = (list(group) for _quote, group in itertools.groupby(lines, key=lambda one: one[0].quote))
    return _joined(
        (group[0][0], dialect.quote(block) if group[0][0].quote else block)
        for group in groups
        for block in (_blocks(group, dialect),)
    )


def _blocks(lines: Sequence[Written], dialect: Dialect) -> str:
    return _joined(_fenced(lines, dialect))


def _fenced(lines: Sequence[Written], dialect: Dialect) -> Iterator[Written]:
    for fence, group in itertools.groupby(lines, key=lambda one: one[0].fence):
        if not fence:
            yield from group
            continue
        rows = list(group)
        first = rows[0][0]
        yield first, dialect.fence("\n".join(words for _line, words in rows), first.language)


def _joined(blocks: Iterable[Written]) -> str:
    """Join blocks by a line's end, or by two where there is a gap."""
    text = ""
    for number, (line, words) in enumerate(blocks):
        text += ("\n\n" if line.gap else "\n") * bool(number) + words
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """Something in a line that is finished: it lies in these styles."""

    words: str
    styles: frozenset[Style]


def _inline(runs: Sequence[Run], dialect: Dialect) -> str:
    """Write the runs of a line, styles opened as late and closed as early as can be."""
    marks = list(_marks(runs, dialect))
    text, opened = "", list[Style]()
    for number, mark in enumerate(marks):
        closing = _closed(opened, mark.styles)
        opening = _longest_first(mark.styles - set(opened), marks, number)
        ends = "".join(dialect.styles[style][1] for style in closing)
        begins = "".join(dialect.styles[style][0] for style in opening)
        text += ends + (dialect.apart if ends and begins else "") + begins + mark.words
        opened += opening
    return text + "".join(dialect.styles[style][1] for style in reversed(opened))


def _closed(opened: list[Style], wanted: frozenset[Style]) -> list[Style]:
    """Take from the opened styles, last first, until only wanted ones are left; return what was taken."""
    taken = []
    while not wanted.issuperset(opened):
        taken.append(opened.pop())
    return taken


def _longest_first(styles: frozenset[Style], marks: Sequence[_Mark], number: int) -> list[Style]:
    """Put styles that begin at a mark in the order in which they are opened: what goes on longer lies outside."""
    rest, order = set(styles), list[Style]()
    while len(rest) > 1 and number < len(marks):
        order[:0] = sorted(rest - marks[number].styles)
        rest &= marks[number].styles
        number += 1
    return [*sorted(rest), *order]


def _marks(runs: Sequence[Run], dialect: Dialect) -> Iterator[_Mark]:
    """Write links and code; what cannot be written so becomes text, and text that touches becomes one."""
    special = [(run, _special(run, dialect)) for run in runs]
    for (is_text, styles), group in itertools.groupby(special, key=lambda one: (one[1] is None, one[0].styles)):
        if is_text:
            yield _Mark(words=dialect.text("".join(run.text for run, _words in group)), styles=styles)
        else:
            yield from (_Mark(words=words, styles=styles) for _run, words in group if words is not None)


def _special(run: Run, dialect: Dialect) -> str | None:
    if run.target:
        return _link(run, dialect)
    return dialect.code(run.text) if run.code else None


def _link(run: Run, dialect: Dialect) -> str | None:
    named = reference(run.target)
    if named is None:
        return dialect.link(run.text, run.target)
    place = dialect.reference(*named)
    return dialect.link(run.text, place) if place and place.startswith("https://") else place


def without_links(line: Line) -> Line:
    """Return a line whose links are plain text, their addresses beside them."""
    return replace(line, runs=tuple(Run(text=_spelled(run), styles=run.styles, code=run.code) for run in line.runs))


def _spelled(run: Run) -> str:
    shown = not run.target or reference(run.target) or run.text == run.target
    return run.text if shown else f"{run.text} ({run.target})"
