"""The shipped heads with the real encoder, on the command line: clear cases are judged as a person would."""

from __future__ import annotations

import json

import pytest

from tests.command import Kinfolk

pytestmark = pytest.mark.slow

CLEAR = {
    "spam": (
        [
            "Earn $900 a day from your sofa, no skills needed, write to me on WhatsApp now",
            "Е a r n $ 9 0 0 a day from your sоfа, nо skills nееdеd, write tо me оn WhatsApp now",
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


def test_clear_cases_are_judged_as_a_person_would(kinfolk_with_models: Kinfolk) -> None:
    program = kinfolk_with_models
    texts = [text for bad, good in CLEAR.values() for text in (*bad, *good)]
    lines = program.home.parent / "lines.jsonl"
    lines.write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8")
    told = [json.loads(line) for line in program.run("moderate", lines).stdout.splitlines()]
    judged = dict(zip(texts, told, strict=True))
    assert len(told) == len(texts)
    for head, (bad, good) in CLEAR.items():
        lowest, highest = (
            min(judged[text]["scores"][head] for text in bad),
            max(judged[text]["scores"][head] for text in good),
        )
        assert lowest > highest, head
        assert all(judged[text]["verdict"] == "allow" for text in good), head
    assert sum(judged[text]["verdict"] != "allow" for bad, _good in CLEAR.values() for text in bad) >= 6
