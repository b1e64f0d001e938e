"""Draws `eval recommend --rolling`: ours less every peer, and ours without each signal, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

    from brains.evals.recommend_report import Rolling, Versus

METRIC = "ndcg@10"

PAPER = "none"
INK = "#767b82"
"""Reads at a contrast of more than 4 both on white and on a dark page; there is no paper of its own."""

SURE, UNSURE, WORSE = "#3f87dd", "#c98a2c", "#d2554e"
"""An interval that lies above zero, that holds it, that lies below."""

WIDTH, ROW, MARGIN = 5.2, 0.34, 1.05
"""In inches: a phone is some three wide, where text of 11 points is then still read."""

TEXT = 11


def draw(found: Rolling, path: Path) -> None:
    """Draw a run as PNG or SVG, by the path's ending. Raises Mistake for another."""
    if path.suffix not in {".png", ".svg"}:
        raise Mistake(f"{path}: a picture ends in .png or .svg.")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = _panels(found)
    heights = [MARGIN + ROW * len(rows) for _title, rows in panels]
    style = mpl.rc_context(
        {
            **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
            "font.size": TEXT,
            "font.family": "sans-serif",
            "svg.hashsalt": "kinfolk",
            "svg.fonttype": "none",
        }
    )
    with style:
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained", facecolor=PAPER)
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for panel, (title, rows) in zip(axes, panels, strict=True):
            _forest(panel, title, rows)
        extra = {"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 220}
        try:
            figure.savefig(path, **extra)
        except OSError as trouble:
            raise Mistake(f"{path} cannot be written: {trouble}") from trouble


def _panels(found: Rolling) -> list[tuple[str, Mapping[str, Versus]]]:
    """Return the pictures: a title, and what stands in each row, ours ahead to the right."""
    by_figure = sorted(found.baselines, key=lambda name: -found.baselines[name][METRIC])
    peers = {f"{name}  {_short(found.baselines[name][METRIC])}": found.versus[name][METRIC] for name in by_figure}
    panels: list[tuple[str, Mapping[str, Versus]]] = [
        (f"Kinfolk's {METRIC}, {_short(found.ours[METRIC])}, less each peer's", peers)
    ]
    if found.without:
        rows = {f"without {name}": values[METRIC] for name, values in found.without.items()}
        panels.append(("Kinfolk without a signal, less Kinfolk", rows))
        rows = {f"{name} alone": values[METRIC] for name, values in found.alone.items()}
        panels.append(("One signal alone, less Kinfolk", rows))
    return panels


def _forest(panel: Axes, title: str, rows: Mapping[str, Versus]) -> None:
    """Draw a dot and an interval a row, the first on top."""
    panel.set_facecolor(PAPER)
    panel.set_title(" ", fontsize=TEXT)  # keeps room for the title, which starts where the names do
    panel.annotate(
        title,
        xy=(0, 1),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(8, 7),
        textcoords="offset points",
        fontweight="bold",
    )
    panel.axvline(0, color=INK, linewidth=1)
    for at, one in enumerate(rows.values()):
        colour = _colour(one)
        panel.plot([one.interval.low, one.interval.high], [at, at], color=colour, linewidth=2.4, solid_capstyle="round")
        panel.plot([one.difference], [at], "o", color=colour, markersize=7)
    panel.set_yticks(range(len(rows)), list(rows))
    panel.invert_yaxis()
    panel.margins(y=0.6 / max(1, len(rows)))
    panel.tick_params(length=0)
    panel.xaxis.set_major_formatter(lambda value, _place: _signed(value))
    panel.grid(axis="x", color=INK, alpha=0.25, linewidth=0.7)
    panel.locator_params(axis="x", nbins=5)
    for side in panel.spines.values():
        side.set_visible(False)


def _colour(one: Versus) -> str:
    if one.interval.low > 0:
        return SURE
    return WORSE if one.interval.high < 0 else UNSURE


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _signed(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+.2f}".replace("0.", ".", 1).replace("-", "−")  # noqa: PLR2004 - what rounding leaves
