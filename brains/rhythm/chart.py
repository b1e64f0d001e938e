"""Draws a pulse as a picture for a phone: messages a day, the mood, and what is spoken of more and less."""

from __future__ import annotations

import functools
import io
import threading
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from bot.core.i18n import _
from brains.rhythm.telling import times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from bot.core.i18n import Translate
    from brains.rhythm.pulse import Day, Part, Pulse
    from brains.rhythm.topics import Topic

PAPER, INK, FAINT = "#f4f2ed", "#2a2e35", "#6a6f77"
"""An opaque paper of its own: it reads the same on a light page and on a dark one."""
BARS, UP, DOWN = "#3b74b9", "#2c8a57", "#c0473d"
WIDTH, DPI = 5.0, 216
"""Inches, and dots in each: 1,080 wide, of which a phone shows every third."""
TEXT, SMALL, TITLE = 11.5, 10.5, 15
"""Points: at 400 dots of width, 10.5 points are 12 dots high."""
HEAD, DAYS, MOOD, ROW, GAP = 0.62, 1.35, 1.25, 0.33, 0.62
"""Inches of height: the title, either row of days, a row of a list, and what a list needs around it."""
LEFT = 9
"""Points between the edge and what is written."""
ROOMS, TOPICS = 4, 2
"""Channels that are shown, and topics that rise or fall."""
NAME = 22
"""Letters of a name that a list shows; a Chinese character counts for two."""
LEAST = 0.3
"""The mood's scale reaches at least so far, so that nothing looks like a storm that is a breeze."""
FONTS = ["Noto Sans CJK SC", "DejaVu Sans"]
_DRAWING = threading.Lock()
"""Held while one is drawn: what style holds, Matplotlib keeps once for all threads."""


def draw(pulse: Pulse, part: Part, title: str, translate: Translate) -> bytes:
    """Draw a part of a pulse as PNG, 1,080 dots wide."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    _fonts()
    panels = _panels(pulse, part, translate)
    heights = [height for height, _paint in panels]
    style = mpl.rc_context(
        {
            **dict.fromkeys(("text.color", "axes.labelcolor"), INK),
            **dict.fromkeys(("xtick.color", "ytick.color"), FAINT),
            "font.family": FONTS,
            "font.size": TEXT,
            "axes.unicode_minus": False,
            "text.parse_math": False,  # a name with dollar signs is no formula
        }
    )
    with _DRAWING, style:
        figure = Figure(figsize=(WIDTH, HEAD + sum(heights)), facecolor=PAPER, layout="constrained")
        figure.suptitle(_head(pulse, title), fontsize=TITLE, x=LEFT / 72 / WIDTH, ha="left", linespacing=1.35)
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for panel, (_height, paint) in zip(axes, panels, strict=True):
            panel.set_facecolor(PAPER)
            for side in panel.spines.values():
                side.set_visible(False)
            paint(panel)
        made = io.BytesIO()
        figure.savefig(made, format="png", dpi=DPI, facecolor=PAPER, metadata={"Software": None})
    return made.getvalue()


@functools.cache
def _fonts() -> None:
    """Make the font for Chinese known: a server has none of its own."""
    from matplotlib.font_manager import fontManager
    from noto_cjk_sans_otc import FONT_PATH

    fontManager.addfont(str(FONT_PATH))


def _panels(pulse: Pulse, part: Part, translate: Translate) -> list[tuple[float, Callable[[Axes], None]]]:
    """Return what is drawn, from top to bottom, with its height in inches."""
    found: list[tuple[float, Callable[[Axes], None]]] = [
        (DAYS, functools.partial(_volume, part=part, days=pulse.window.days, translate=translate))
    ]
    if pulse.reads and any(day.mood for day in part.days):
        found.append((MOOD, functools.partial(_mood, days=part.days, translate=translate)))
    rooms = [one for one in pulse.channels if one.messages][:ROOMS]
    if part.channel is None and len(rooms) > 1:
        found.append((GAP + ROW * len(rooms), functools.partial(_rooms, rooms=rooms, translate=translate)))
    topics = [*part.change.rising[:TOPICS], *part.change.falling[:TOPICS]]
    if topics:
        found.append((GAP + ROW * len(topics), functools.partial(_topics, topics=topics, translate=translate)))
    return found


def _head(pulse: Pulse, title: str) -> str:
    first, last = pulse.window.since.date(), pulse.window.until.date()
    return f"{_cut(title, 2 * NAME)}\n{first.isoformat()} – {last.isoformat()}"


def _volume(panel: Axes, part: Part, days: int, translate: Translate) -> None:
    counts = [day.messages for day in part.days]
    usual = part.messages_before / days
    panel.bar(range(len(counts)), counts, color=BARS, width=0.82)
    _title(panel, translate(_("Messages a day")))
    if part.messages_before:
        panel.axhline(usual, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
        told = translate(_("before: {count}")).format(count=f"{usual:.0f}" if usual >= 10 else f"{usual:.1f}")  # noqa: PLR2004 - digits
        panel.annotate(told, (1, 1), xycoords="axes fraction", ha="right", va="bottom", fontsize=SMALL, color=FAINT)
    panel.set_ylim(0, max(*counts, usual, 1) * 1.05)
    panel.locator_params(axis="y", integer=True, nbins=3)
    panel.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.7)
    panel.set_axisbelow(True)
    _days(panel, part.days)


def _mood(panel: Axes, days: Sequence[Day], translate: Translate) -> None:
    told = [(at, day.mood) for at, day in enumerate(days) if day.mood]
    panel.axhline(0, color=FAINT, linewidth=0.9)
    for at, mood in told:
        colour = UP if mood.low > 0 else DOWN if mood.high < 0 else FAINT
        panel.plot([at, at], [mood.low, mood.high], color=colour, linewidth=2.6, alpha=0.45, solid_capstyle="round")
        panel.plot([at], [mood.mean], "o", color=colour, markersize=4.6)
    reach = min(1.0, max(LEAST, *(1.05 * max(abs(mood.low), abs(mood.high)) for _at, mood in told)))
    panel.set_ylim(-reach, reach)
    panel.set_yticks([-reach * 0.8, 0, reach * 0.8], ["−", "0", "+"])
    _title(panel, translate(_("Mood, − to +")))
    _days(panel, days)


def _rooms(panel: Axes, rooms: Sequence[Part], translate: Translate) -> None:
    names = [one.channel.name if one.channel else "" for one in rooms]
    _bars(panel, [f"#{name}" for name in names], [one.messages for one in rooms], [BARS] * len(rooms))
    for at, one in enumerate(rooms):
        panel.annotate(
            f" {one.messages}", (one.messages, at), va="center", fontsize=SMALL, color=INK, annotation_clip=False
        )
    panel.set_xlim(0, max(one.messages for one in rooms) * 1.18)
    _title(panel, translate(_("Messages by channel")))


def _topics(panel: Axes, topics: Sequence[Topic], translate: Translate) -> None:
    sizes = [float(np.clip(np.log2(one.times), -5, 5)) for one in topics]
    _bars(panel, [one.name for one in topics], sizes, [UP if size > 0 else DOWN for size in sizes])
    for at, (one, size) in enumerate(zip(topics, sizes, strict=True)):
        panel.annotate(
            f" {times(one)}× ",
            (size, at),
            va="center",
            ha="left" if size > 0 else "right",
            fontsize=SMALL,
            color=INK,
            annotation_clip=False,
        )
    least, most = min(0.0, *sizes), max(0.0, *sizes)
    panel.set_xlim(least - 0.35 * (most - least if least else 0), most + 0.35 * (most - least if most else 0))
    panel.axvline(0, color=FAINT, linewidth=0.9)
    _title(panel, translate(_("This week beside four weeks before")))


def _bars(panel: Axes, names: Sequence[str], sizes: Sequence[float], colours: Sequence[str]) -> None:
    panel.barh(range(len(names)), sizes, color=colours, height=0.62)
    panel.set_yticks(range(len(names)), [_cut(name, NAME) for name in names])
    panel.tick_params(axis="y", length=0, labelcolor=INK, labelsize=SMALL)
    panel.set_xticks([])
    panel.invert_yaxis()


def _title(panel: Axes, text: str) -> None:
    panel.set_title(" ", fontsize=TEXT, pad=5)  # keeps room for the title, which starts where the names do
    panel.annotate(
        text,
        (0, 1),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(LEFT, 6),
        textcoords="offset points",
        fontsize=TEXT,
        color=INK,
        annotation_clip=False,
    )


def _days(panel: Axes, days: Sequence[Day]) -> None:
    """Write some of the days under a row of them: four fit a phone."""
    places = sorted({round(at) for at in np.linspace(0, len(days) - 1, 4)})
    panel.set_xticks(places, [f"{days[at].day:%m-%d}" for at in places])
    panel.set_xlim(-0.6, len(days) - 0.4)
    panel.tick_params(length=0, labelsize=SMALL)


def _cut(text: str, width: int) -> str:
    """Cut a name to a width; what no font of ours has, such as pictures, is left out."""
    plain = " ".join("".join(one for one in text if unicodedata.category(one) not in {"So", "Cs", "Co", "Cn"}).split())
    size = 0
    for at, letter in enumerate(plain):
        size += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if size > width:
            return f"{plain[: at - 1]}…"
    return plain
