"""The commands in Discord's form: within its limits, in both languages, compared as it tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from adapters.discord.registering import payloads, same, told
from bot.core.commands import COMMANDS
from bot.core.i18n import translator

NAME = re.compile(r"^[-_a-z0-9]{1,32}$")
"""What Discord takes as the name of a slash command or an option, letters of other scripts left out."""
SENT = payloads(COMMANDS, translator)


def options() -> Iterator[dict]:
    return (option for command in SENT for option in command.get("options", []))


def test_everything_keeps_to_what_discord_takes() -> None:
    assert len(SENT) <= 100
    assert len([one for one in SENT if one["type"] == 3]) <= 15
    for one in [*(command for command in SENT if command["type"] == 1), *options()]:
        assert NAME.match(one["name"]), one["name"]
        for text in (one["description"], *one["description_localizations"].values()):
            assert 1 <= len(text) <= 100, text
    for command in SENT:
        assert len(command.get("options", [])) <= 25
        required = [option["required"] for option in command.get("options", [])]
        assert required == sorted(required, reverse=True), "what is required comes first"
    for option in options():
        assert len(option.get("choices", [])) <= 25
        assert not ("choices" in option and option.get("autocomplete"))


def test_every_word_is_there_in_chinese() -> None:
    for one in [*(command for command in SENT if command["type"] == 1), *options()]:
        assert re.search(r"[\u4e00-\u9fff]", one["description_localizations"]["zh-CN"]), one["name"]
    menus = {one["name"]: one["name_localizations"]["zh-CN"] for one in SENT if one["type"] == 3}
    assert menus == {"Report to staff": "举报给管理员", "Why?": "为什么？"}


def test_staff_commands_are_hidden_from_members_and_the_others_are_not() -> None:
    hidden = {one["name"]: one["default_member_permissions"] for one in SENT if one["type"] == 1}
    assert hidden["match"] is None
    assert hidden["report"] is None
    assert int(hidden["mod"]) == int(hidden["why"]) == 1 << 40, "moderate members"
    assert int(hidden["setup"]) == 1 << 5, "manage the server"


def test_what_discord_tells_of_the_same_commands_is_the_same_and_a_change_is_seen() -> None:
    theirs = [
        {**one, "id": "1", "application_id": "2", "version": "3", "nsfw": False, "dm_permission": True}
        for one in reversed(SENT)
    ]
    theirs = [{key: value for key, value in one.items() if value not in (None, [], {})} for one in theirs]
    assert same(theirs, SENT)
    changed = [{**theirs[0], "name": "other"}, *theirs[1:]]
    assert not same(changed, SENT)
    assert not same(theirs[1:], SENT)
    assert not same([], SENT)
    assert told({"name": "x", "id": "1", "required": False}) == {"name": "x"}
