"""Real pictures in the real process: English and Chinese are read, nothing is asked of the network, bombs pass by."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from bot.core.errors import Mistake
from brains.engines.confinement import MEMORY
from brains.engines.pictures.opening import open_picture
from brains.engines.pictures.reading import Reader
from brains.engines.pictures.service import Eyes
from brains.moderation.pictures import SAME, distance, text_of
from tests.command import Kinfolk
from tests.drawing import CHINESE, CHINESE_PNG, page, saved

pytestmark = pytest.mark.slow

FORBIDDEN = """
import socket, subprocess
from brains.engines.confinement import confine, seal
confine()
seal()
for deed in (lambda: socket.create_connection(("127.0.0.1", 9)), lambda: subprocess.run(["true"]), write):
    try:
        deed()
    except OSError as error:
        print(type(error).__name__)
"""
SCAM = ("FREE NITRO FOR 3 MONTHS", "Log in at gift-dlscord.com/claim")


def test_english_and_chinese_are_read_without_a_network() -> None:
    # pytest-socket lets nothing out of this machine: a model that had to be downloaded would fail here.
    reader = Reader(threads=2)
    english, chinese = (reader.read(open_picture(data).frames[0]) for data in (saved(page(*SCAM), "JPEG"), CHINESE_PNG))
    assert [text for text, _confidence in english] == list(SCAM)
    assert [text for text, _confidence in chinese] == [CHINESE]
    assert min(confidence for _text, confidence in (*english, *chinese)) > 0.8
    assert reader.read(Image.new("RGB", (400, 300), "white")) == []


def test_the_command_line_judges_a_picture(kinfolk: Kinfolk, tmp_path: Path) -> None:
    picture = tmp_path / "gift.png"
    picture.write_bytes(saved(page(*SCAM)))
    # With models elsewhere the worker of this home has nothing to do but to look at pictures.
    elsewhere = {"KINFOLK_ENCODER": "openai:http://127.0.0.1:9/v1#none", "KINFOLK_GENERATOR": "none"}
    told = json.loads(kinfolk.run("moderate", "--picture", picture, **elsewhere).stdout)

    assert {"verdict", "scores", "reasons"} <= set(told)
    assert [line["text"] for line in told["picture"]["lines"]] == list(SCAM)
    assert len(told["picture"]["hashes"]) == 2


def test_the_process_asks_nobody_starts_nothing_and_writes_no_file(tmp_path: Path) -> None:
    write = f"write = lambda: open({str(tmp_path / 'a')!r}, 'wb', buffering=0).write(b'x')"
    done = subprocess.run([sys.executable, "-c", f"{write}\n{FORBIDDEN}"], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["PermissionError", "PermissionError", "OSError"]


@pytest.mark.long
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
        assert process.rlimit(psutil.RLIMIT_AS) == (MEMORY, MEMORY)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        grown = process.memory_info().rss
        before = process.cpu_times()
        for hostile in (b"%PDF-1.7", saved(page(*SCAM))[:900], saved(Image.new("L", (5100, 5000)))):
            with pytest.raises(Mistake):
                await eyes.look(hostile)
        assert process.cpu_times().user - before.user < 2  # seconds of its own: others share the machine
        assert process.memory_info().rss < grown + 50_000_000
        assert process.memory_info().rss < 800_000_000
        assert not process.net_connections()
        scroll = Image.new("RGB", (640, 4000), "white")
        scroll.paste(page(*SCAM), (0, 3800))
        assert text_of([await eyes.look(saved(scroll))]) == "\n".join(SCAM)
        assert (await eyes.look(CHINESE_PNG)).text == CHINESE
