"""Draws docs/pictures/imports.svg: which of our packages import which, and how much."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import grimp

ROW, AXIS, TOP, WIDTH = 25, 256, 58, 900
COLOURS = {"bot": "#4c8fe2", "adapters": "#dd8a2b", "brains": "#a06fe0", "storage": "#2fa678", "bot.core": "#8b949e"}
LEGEND = "in the colour of the latter, and the thicker the more modules do so."
FLOOR = "bot.core"  # all rest upon it, so that its bows are faint


def picture(graph: grimp.ImportGraph, contracts: Sequence[Sequence[str]], lengths: Mapping[str, int]) -> str:
    """Draw the packages' graph as SVG in colours that are readable on white and on black.

    One row a package, from the highest of import-linter's layers to the lowest; one bow for the imports between two.
    `lengths` are the lines of every module.
    """
    layers = _layers(contracts)
    rows = {name: place for place, name in enumerate(name for layer in layers for name in layer)}
    lines = Counter[str]()
    for module, count in lengths.items():
        lines[_package(module, rows)] += count
    edges = Counter(
        (_package(module, rows), _package(used, rows))
        for module in graph.modules
        for used in graph.find_modules_directly_imported_by(module)
    )
    drawn = [(*edge, count) for edge, count in edges.items() if edge[0] != edge[1]]
    drawn.sort(key=lambda one: (one[1] != FLOOR, rows[one[0]] - rows[one[1]], rows[one[0]]))
    height = TOP + ROW * len(rows) + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="13"',
            '  font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" role="img">',
            "<title>Imports between the packages: every bow leads down</title>",
            *_bands(layers, rows),
            *(_bow(rows[source], rows[target], count, target) for source, target, count in drawn),
            *(_row(name, place, lines[name]) for name, place in rows.items()),
            *_legend(),
            "</svg>\n",
        ]
    )


def _layers(contracts: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return the layers of the first contract, with a package's own, of the others, in its place."""
    top, *others = [[layer.split(" | ") for layer in contract] for contract in contracts]
    within = {layers[0][0].partition(".")[0]: layers for layers in others}
    found: list[Sequence[str]] = []
    for layer in top:
        found += [whole] if (whole := [one for one in layer if one not in within]) else []
        found += [deeper for one in layer for deeper in within.get(one, ())]
    return found


def _package(module: str, rows: Mapping[str, int]) -> str:
    """Return the row of a module: the longest name of one that holds it."""
    parts = module.split(".")
    names = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((one for one in names if one in rows), "")


def _colour(name: str) -> str:
    return COLOURS.get(name) or COLOURS[name.partition(".")[0]]


def _middle(place: int) -> float:
    return TOP + ROW * (place + 0.5)


def _bow(source: int, target: int, count: int, name: str) -> str:
    start, end = _middle(source), _middle(target)
    across = (end - start) * 0.99
    width, opacity = 0.9 + count**0.5 * 0.8, 0.28 if name == FLOOR else 0.7
    return (
        f'<path d="M{AXIS} {start} C{AXIS + across:.0f} {start} {AXIS + across:.0f} {end} {AXIS} {end}" fill="none"'
        f' stroke="{_colour(name)}" stroke-width="{width:.1f}" stroke-opacity="{opacity}"/>'
    )


def _row(name: str, place: int, lines: int) -> str:
    here, colour = _middle(place), _colour(name)
    radius = 2.5 + lines**0.5 / 12
    return (
        f'<circle cx="{AXIS}" cy="{here}" r="{radius:.1f}" fill="{colour}"/>'
        f'<text x="{AXIS - 18}" y="{here + 4.5}" text-anchor="end" fill="{colour}" font-weight="600">{name}</text>'
        f'<text x="66" y="{here + 4.5}" text-anchor="end" fill="#8b949e" font-size="11">{lines:,}</text>'
    )


def _bands(layers: Sequence[Sequence[str]], rows: Mapping[str, int]) -> Iterator[str]:
    for number, layer in enumerate(layers):
        if number % 2 == 0:
            top, height = TOP + ROW * rows[layer[0]], ROW * len(layer)
            yield f'<rect x="14" y="{top}" width="{WIDTH - 28}" height="{height}" rx="5" fill="#8b949e" opacity="0.1"/>'


def _legend() -> Iterator[str]:
    yield '<text x="66" y="40" text-anchor="end" fill="#8b949e" font-size="11">lines</text>'
    for line, words in enumerate(("Every bow leads down: from a package to what it imports,", LEGEND)):
        yield f'<text x="{AXIS - 8}" y="{22 + 18 * line}" fill="#8b949e">{words}</text>'
