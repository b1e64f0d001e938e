"""Where a sentence ends: in chat, in Chinese, in lists, code and links."""

from __future__ import annotations

import pytest

from bot.core.sentences import LONG, LONGEST, MOST, parts, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kiln is full. Come at nine!", ("The kiln is full.", "Come at nine!")),
        ("it works. thanks a lot", ("it works.", "thanks a lot")),
        ("Use glue, e.g. epoxy. Or tape, i.e. none.", ("Use glue, e.g. epoxy.", "Or tape, i.e. none.")),
        ("Ask Dr. Lind or J. K. Moor. They know.", ("Ask Dr. Lind or J. K. Moor.", "They know.")),
        ("Wood, nails, etc. are there.", ("Wood, nails, etc. are there.",)),
        ("Wood, nails, etc. Bring gloves.", ("Wood, nails, etc.", "Bring gloves.")),
        ("Version 1.5 is out. See https://kiln.example/a.b?c=d.e now.", None),
        ("He said “stop.” Then he left.", ("He said “stop.”", "Then he left.")),
        ("Well... maybe not. OK", ("Well... maybe not.", "OK")),
        ("窑满了。九点来吧！好吗？好", ("窑满了。", "九点来吧！", "好吗？", "好")),
        ("他说：“停下。”然后走了。", ("他说：“停下。”", "然后走了。")),
        ("几点开门?九点!好的", ("几点开门?", "九点!", "好的")),
        ("价格是1.5元。version 2.0也行", ("价格是1.5元。", "version 2.0也行")),
        (
            "Bring:\n- a saw\n- two clamps\n1. first\n2. then",
            ("Bring:", "- a saw", "- two clamps", "1. first", "2. then"),
        ),
        ("Try this. ```\nx = 1. y\nz\n``` It helps.", ("Try this.", "```\nx = 1. y\nz\n```", "It helps.")),
        ("```\nnever closed. so", ("```\nnever closed. so",)),
        ("…… !!", ()),
        ("", ()),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, expected: tuple[str, ...] | None) -> None:
    wanted = ("Version 1.5 is out.", "See https://kiln.example/a.b?c=d.e now.") if expected is None else expected

    assert sentences(text) == wanted


def test_a_line_that_was_broken_for_its_length_goes_on_and_a_short_one_does_not() -> None:
    wrapped = "This line of a file was broken by its editor since it had become\nfull. The next one begins here."
    typed = "hello there\nanyone in the workshop"

    assert sentences(wrapped)[0].endswith("become\nfull.")
    assert sentences(typed) == ("hello there", "anyone in the workshop")


def test_every_sentence_stands_in_its_text() -> None:
    text = "One, e.g. this. 两个句子。还有！\n\n> quoted. ok\n* item one. more\n```sh\nrun it.\n``` end?"

    at = 0
    for one in sentences(text):
        assert text.find(one, at) >= 0
        at = text.find(one, at) + len(one)


def test_only_long_texts_of_several_sentences_have_parts() -> None:
    short, single = "One here. Two here.", "word " * LONG
    long = " ".join(f"Shelf number {one} holds the bowls of group {one}." for one in range(40))
    code = "Look at this one. ```" + "x = 1\n" * LONGEST + "```"

    assert parts(short) == ()
    assert parts(single) == ()
    assert len(parts(long)) == MOST
    assert len(set(parts(long))) == MOST
    assert max(map(len, parts(code))) == LONGEST
    assert (
        len(
            parts("窑满了，今天没有位置了，请明天早上九点再来。" * 4 + "工作坊在码头旁边，门是蓝色的，请敲门三下。" * 4)
        )
        == 2
    )
