"""Real pictures in the real process: English and Chinese are read, nothing is asked of the network, bombs pass by."""

from __future__ import annotations

import io
import time

import psutil
import pytest
from PIL import Image

from bot.core.errors import Mistake
from brains.engines.pictures.opening import open_picture
from brains.engines.pictures.reading import Reader
from brains.engines.pictures.service import Eyes
from brains.moderation.pictures import SAME, distance, text_of
from tests.drawing import CHINESE, CHINESE_PNG, page, saved

pytestmark = pytest.mark.slow

SCAM = ("FREE NITRO FOR 3 MONTHS", "Log in at gift-dlscord.com/claim")


def test_english_and_chinese_are_read_without_a_network() -> None:
    # pytest-socket lets nothing out of this machine: a model that had to be downloaded would fail here.
    reader = Reader(threads=2)
    english, chinese = (reader.read(open_picture(data).frames[0]) for data in (saved(page(*SCAM), "JPEG"), CHINESE_PNG))
    assert [text for text, _confidence in english] == list(SCAM)
    assert [text for text, _confidence in chinese] == [CHINESE]
    assert min(confidence for _text, confidence in (*english, *chinese)) > 0.8
    assert reader.read(Image.new("RGB", (400, 300), "white")) == []


async def test_the_process_reads_a_scam_and_a_repost_and_survives_what_is_hostile() -> None:
    eyes = Eyes(threads=2)
    async with eyes.open():
        first = await eyes.look(saved(page(*SCAM)))
        small = io.BytesIO()
        page(*SCAM).resize((480, 88)).save(small, "JPEG", quality=50)
        repost = await eyes.look(small.getvalue())
        assert text_of([first]) == "\n".join(SCAM)
        assert min(distance(one, other) for one in first.hashes for other in repost.hashes) <= SAME

        assert eyes._process
        process = psutil.Process(eyes._process.pid)
        grown = process.memory_info().rss
        started = time.monotonic()
        for hostile in (b"%PDF-1.7", saved(page(*SCAM))[:900], saved(Image.new("L", (5100, 5000)))):
            with pytest.raises(Mistake):
                await eyes.look(hostile)
        assert time.monotonic() - started < 5
        assert process.memory_info().rss < grown + 50_000_000
        assert process.memory_info().rss < 800_000_000
        assert not process.net_connections()
        scroll = Image.new("RGB", (640, 4000), "white")
        scroll.paste(page(*SCAM), (0, 3800))
        assert text_of([await eyes.look(saved(scroll))]) == "\n".join(SCAM)
        assert (await eyes.look(CHINESE_PNG)).text == CHINESE
