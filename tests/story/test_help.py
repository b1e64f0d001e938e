"""What the bot can do, told to whoever asks: to members and staff what is theirs, in their language."""

from __future__ import annotations

import pytest

from tests.story.town import MEMBER, OWNER, STAFF, Town

FOR_ALL = ("help", "match", "privacy")
FOR_STAFF = ("why", "undo", "mode")


def named(answer: str) -> list[str]:
    """Return the commands that an answer lists."""
    return [line.removeprefix("- **/").partition("**")[0] for line in answer.splitlines() if line.startswith("- **/")]


@pytest.mark.parametrize(
    ("language", "head", "match"),
    [
        ("en", "I help you find where you belong here.", "- **/match**: Channels where you belong, and why"),
        ("zh_CN", "我帮你找到适合你的频道。", "- **/match**: 适合你的频道，以及原因"),
    ],
    ids=["en", "zh"],
)
async def test_a_member_hears_of_what_members_may_do(harbour: Town, language: str, head: str, match: str) -> None:
    await harbour.speaks(MEMBER, language)
    answer = await harbour.command(MEMBER, "general", "/help")
    assert answer.startswith(head)
    assert match in answer.splitlines()
    assert set(FOR_ALL) <= set(named(answer))
    assert not {*FOR_STAFF, "setup"} & set(named(answer))
    assert harbour.last(MEMBER, "general").only == MEMBER, "the answer is nobody else's business"
    assert answer not in [post.text for post in harbour.sees(OWNER, "general")]


async def test_staff_and_owner_hear_of_more(harbour: Town) -> None:
    staff = named(await harbour.command(STAFF, "staff-room", "/help"))
    owner = named(await harbour.command(OWNER, "staff-room", "/help"))
    assert {*FOR_ALL, *FOR_STAFF} <= set(staff)
    assert set(owner) - set(staff) == {"setup"}


@pytest.mark.parametrize(("language", "words"), [("en", "What you like"), ("zh_CN", "你喜欢什么")], ids=["en", "zh"])
async def test_one_command_is_told_with_what_it_takes(harbour: Town, language: str, words: str) -> None:
    await harbour.speaks(MEMBER, language)
    answer = await harbour.command(MEMBER, "general", "/help match")
    assert answer.startswith("`/match [interests]`")
    assert words in answer


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "There is no /undo. /help names what there is."),
        ("zh_CN", "没有 /undo 这个命令。用 /help 查看可用的命令。"),
    ],
    ids=["en", "zh"],
)
async def test_a_member_hears_nothing_of_what_is_for_staff(harbour: Town, language: str, told: str) -> None:
    await harbour.speaks(MEMBER, language)
    assert await harbour.command(MEMBER, "general", "/help undo") == told
    assert (await harbour.command(STAFF, "general", "/help undo")).startswith("`/undo [message]`")
