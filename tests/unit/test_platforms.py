"""The table of platforms: what is set is opened, and each row keeps its word."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from bot import checkup, platforms
from bot.app import open_app
from bot.core.actions import Outward
from bot.core.settings import Settings
from bot.platforms import CONSOLE, EVERY, PLATFORMS, PLAYGROUND, Platform, shows_playground, wanted

DISCORD = PLATFORMS[0]


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)


async def test_each_adapter_goes_by_the_name_in_its_row(home: Path) -> None:
    async with open_app(settings(home=home, generator="none")) as app:
        opened = {one.name: one.open(app) for one in EVERY}
    assert {name: adapter.platform for name, adapter in opened.items()} == {name: name for name in opened}
    assert {"playground", "discord", "telegram", "slack", "console"} == opened.keys()
    assert len({one.name for one in EVERY}) == len(EVERY)


def test_each_row_is_switched_on_by_settings_that_there_are() -> None:
    for one in PLATFORMS:
        assert one.settings
        assert set(one.settings) <= Settings.model_fields.keys()


def test_what_is_set_runs_and_the_playground_stands_in_for_nothing() -> None:
    assert wanted(settings()) == [CONSOLE, PLAYGROUND]
    assert wanted(settings(discord_token="secret")) == [DISCORD, CONSOLE]
    assert wanted(settings(discord_token="secret", playground="on")) == [DISCORD, CONSOLE, PLAYGROUND]
    assert wanted(settings(playground="off")) == [CONSOLE]
    assert DISCORD.variables(settings(discord_token="secret")) == ("KINFOLK_DISCORD_TOKEN",)


def test_any_token_keeps_the_playground_away_and_half_of_slacks_is_opened_to_say_so() -> None:
    assert shows_playground(settings())
    assert not shows_playground(settings(slack_app_token="secret"))
    assert [one.name for one in wanted(settings(slack_app_token="secret", telegram_token="secret"))] == [
        "telegram",
        "slack",
        "console",
    ]


def test_a_setting_that_is_no_secret_switches_a_platform_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    added = Platform(name="elsewhere", title="Elsewhere", settings=("discord_api",), open=platforms.console)
    monkeypatch.setattr(platforms, "PLATFORMS", (*PLATFORMS, added))
    assert wanted(settings(discord_api="http://127.0.0.1:1/api")) == [added, CONSOLE]
    assert wanted(settings()) == [CONSOLE, PLAYGROUND]


def test_everything_that_is_done_on_platforms_has_its_row_in_the_table_of_what_can_be_done_where() -> None:
    assert set(checkup.ABILITIES) == {kind.__name__ for kind in get_args(Outward)} | {"buttons", "files", "fetch"}
    rows = {name: rest for name, *rest in checkup.capabilities({"a": frozenset({"Say", "Delete-own", "only-asked"})})}
    assert (rows["say something"], rows["delete messages"], rows["send files"]) == (["yes"], ["its own"], ["-"])
    assert rows["speak to one member alone"] == ["if asked"]
