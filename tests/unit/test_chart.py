"""The picture of a pulse: a PNG of a phone's width, Chinese in its own glyphs, whatever is missing."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bot.core.things import Audience, Channel, Ref
from brains.rhythm.chart import PAPER, _cut, _fonts, _volume, draw
from brains.rhythm.pulse import Pulse, Talk, Window, parts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def pulse(*, moods: bool) -> Pulse:
    """Take the pulse of five members who write every hour, in two channels."""
    count = 24 * 40
    times = NOW.timestamp() - 3600 * np.arange(count, 0, -1).astype(np.float64)
    talk = Talk(
        channels=np.arange(count) % 2 + 1,
        authors=np.arange(count) % 5,
        times=times,
        documents=[("kiln",) if at > count - 100 and at % 2 else ("lantern",) for at in range(count)],
        texts=["the kiln" if at > count - 100 and at % 2 else "a lantern" for at in range(count)],
        moods=np.full(count, 0.2 if moods else np.nan, np.float32) + np.linspace(-0.3, 0.3, count, dtype=np.float32),
    )
    rooms = {
        number: Channel(id=number, ref=Ref("test", name), name=name, description="", audience=Audience.EVERYONE)
        for number, name in ((1, "摄影与冲洗"), (2, "a-very-long-name-of-a-channel"))
    }
    whole, channels = parts(talk, rooms, Window.ending(NOW, 30))
    return Pulse(window=Window.ending(NOW, 30), whole=whole, channels=channels, reads=moods, said={})


@pytest.mark.parametrize("moods", [True, False])
def test_a_picture_is_as_wide_as_a_phone_wants_and_has_its_own_paper(moods):
    taken = pulse(moods=moods)
    assert taken.whole.change.rising[0].name == "kiln"
    drawn = Image.open(io.BytesIO(draw(taken, taken.whole, "港口手工社", lambda text: text)))
    assert (drawn.format, drawn.width) == ("PNG", 1080)
    assert drawn.convert("RGB").getpixel((2, 2)) == tuple(bytes.fromhex(PAPER.removeprefix("#")))
    bare = Image.open(io.BytesIO(draw(taken, taken.channels[0], "x", lambda text: text)))
    assert bare.height < drawn.height, "a channel has no list of channels"


def test_dollar_signs_are_no_formula_and_busier_days_before_are_on_the_picture():
    taken = pulse(moods=False)
    assert draw(taken, taken.whole, "$\\frac{ dollars $", lambda text: text)
    figure = Figure()
    panel = figure.subplots()
    _volume(panel, replace(taken.whole, messages_before=30 * 100), 30, lambda text: text)
    assert max(day.messages for day in taken.whole.days) < 100 < panel.get_ylim()[1]


def test_chinese_is_drawn_in_simplified_glyphs():
    from matplotlib.font_manager import FontProperties, findfont

    _fonts()
    assert findfont(FontProperties(family="Noto Sans CJK SC"), fallback_to_default=False).endswith(".ttc")


def test_names_are_cut_by_their_width_and_keep_no_pictures():
    assert _cut("short", 22) == "short"
    assert _cut("🔥 hot takes", 22) == "hot takes"
    assert _cut("摄影与冲洗的一切事情都在这里说", 10) == "摄影与冲…"
