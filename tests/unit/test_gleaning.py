"""Questions that wait, decisions and links, in English and Chinese, and what only looks like them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from bot.core.things import Ref
from brains.rhythm.gleaning import decisions, links, question, same
from storage.talks import Said
from tests.words import MONDAY

NOBODY: frozenset[str] = frozenset()


def talk(*lines: tuple[int, str]) -> list[Said]:
    return [
        Said(
            id=at,
            point=uuid4(),
            ref=Ref("plaza", str(at)),
            channel=1,
            author=author,
            conversation=None,
            reply_to="",
            text=text,
            at=MONDAY + timedelta(minutes=at),
        )
        for at, (author, text) in enumerate(lines, 1)
    ]


def decided(text: str) -> list[str]:
    return [one.sentence for one in decisions(talk((1, text)))]


@pytest.mark.parametrize(
    "text",
    [
        "We decided to move the meetup to Thursday evening in the library.",
        "Okay, let's go with PostgreSQL for the booking database then.",
        "We've agreed that releases happen every second Tuesday from now on.",
        "The decision was to keep the old kiln until autumn at least.",
        "The proposal was accepted at yesterday's garden committee meeting.",
        "我们决定下周四晚上在图书馆开会。",
        "最后大家一致同意用新的仓库管理系统。",
        "那就定在周六下午三点社区花园集合吧。",
    ],
)
def test_a_decision_is_found(text: str) -> None:
    assert decided(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "We haven't decided whether the meetup moves to Thursday in the library.",
        "Have we decided to move the meetup to Thursday in the library?",
        "If we decided to move the meetup, the library would need a note.",
        "Decisions like moving the meetup are hard for everybody in the library.",
        "我们还没决定下周四晚上在哪里开会。",
        "我们决定好下周四在哪里开会了吗？",
        "We agreed.",
    ],
)
def test_what_is_open_or_says_nothing_is_no_decision(text: str) -> None:
    assert decided(text) == []


def test_a_question_waits_until_somebody_else_speaks() -> None:
    asked = "Which drill bit is right for glazed ceramic tiles in the bathroom?"
    found = question(talk((1, "Hi all."), (2, "Hello."), (1, asked), (1, "It is a small bathroom.")), NOBODY)
    assert found is not None
    assert (found.sentence, found.said.ref.id) == (asked, "3")
    assert question(talk((1, asked), (2, "A diamond one.")), NOBODY) is None
    assert question(talk((1, asked)), frozenset({"plaza:1"})) is None
    assert question(talk((1, "How are you?")), NOBODY) is None
    chinese = "请问浴室的瓷砖应该用哪种钻头来打孔？"
    found = question(talk((1, chinese)), NOBODY)
    assert found is not None
    assert found.sentence == chinese


def test_a_link_is_one_however_it_is_spelled_and_keeps_its_sentence() -> None:
    found = links(
        talk(
            (1, "Look at (https://bread.example/rye?utm_source=x&page=2)."),
            (2, "I know http://www.bread.example/rye/?page=2#crumb, it is good."),
            (3, "维基 https://zh.example/wiki/面包（面包）。很好"),
        )
    )
    assert [(one.url, [said.author for said in one.said]) for one in found] == [
        ("https://bread.example/rye?utm_source=x&page=2", [1, 2]),
        ("https://zh.example/wiki/面包", [3]),
    ]
    assert found[0].sentences[1] == "I know http://www.bread.example/rye/?page=2#crumb, it is good."
    assert same("https://a.example/b") != same("https://a.example/c")


def test_what_only_begins_as_an_address_ends_no_digest() -> None:
    broken = "https://bread.example／rye"
    found = links(talk((1, f"Look at {broken} there."), (2, "and at https://bread.example/rye")))
    assert [one.url for one in found] == [broken, "https://bread.example/rye"]
