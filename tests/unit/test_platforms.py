"""The table of platforms: what is set is opened, what has no adapter yet is said, and each row keeps its word."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import platforms
from bot.app import open_app
from bot.core.settings import Settings
from bot.platforms import CONSOLE, EVERY, PLATFORMS, PLAYGROUND, Platform, shows_playground, unserved, wanted

DISCORD = PLATFORMS[0]


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)


async def test_each_adapter_goes_by_the_name_in_its_row(home: Path) -> None:
    async with open_app(settings(home=home, generator="none")) as app:
        opened = {one.name: one.open(app) for one in EVERY if one.open}
    assert {name: adapter.platform for name, adapter in opened.items()} == {name: name for name in opened}
    assert {"playground", "discord", "console"} <= opened.keys()
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


def test_what_has_no_adapter_yet_is_said_and_keeps_the_playground_away() -> None:
    early = settings(slack_app_token="secret", telegram_token="secret", discord_token="secret")
    assert unserved(early) == ["KINFOLK_SLACK_APP_TOKEN"]
    assert (unserved(settings()), shows_playground(settings())) == ([], True)
    assert not shows_playground(settings(slack_app_token="secret"))


def test_a_setting_that_is_no_secret_switches_a_platform_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    added = Platform(name="elsewhere", title="Elsewhere", settings=("discord_api",), open=platforms.console)
    monkeypatch.setattr(platforms, "PLATFORMS", (*PLATFORMS, added))
    assert wanted(settings(discord_api="http://127.0.0.1:1/api")) == [added, CONSOLE]
    assert wanted(settings()) == [CONSOLE, PLAYGROUND]
