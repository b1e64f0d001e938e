"""What staff tune: the marks on its fields, by which `/setup`, doctor and the words about a change know them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.core.actions import SetPolicy
from bot.core.errors import Mistake
from bot.core.i18n import translator
from bot.core.policies import CHANNELS, FIELDS, NAMES, PER_CHANNEL, Policy, check, values
from bot.core.wording import marked
from brains.skills.setup import GROUPS


def test_what_is_called_a_channel_or_roles_is_marked_as_naming_them() -> None:
    assert set(CHANNELS) == {name for name in FIELDS if name.endswith("_channel")}
    assert set(NAMES) - set(CHANNELS) == {name for name in FIELDS if name.endswith(("_roles", "opened_by"))}
    assert set(NAMES.values()) == {"channel", "role"}
    assert not set(CHANNELS) & set(PER_CHANNEL)


def test_a_change_of_what_names_something_names_it_by_a_link() -> None:
    said = {name: marked(SetPolicy(name=name, value="discord:10"), translator("en")) for name in FIELDS}
    assert {name for name, words in said.items() if "](kinfolk:" in words} == set(NAMES)


def test_a_time_zone_is_kept_by_its_own_name_and_no_other_is_taken() -> None:
    assert check("time_zone", "berlin") == check("time_zone", "Europe/Berlin") == "Europe/Berlin"
    assert Policy(time_zone="Asia/Shanghai").time_zone == "Asia/Shanghai"
    assert "Asia/Shanghai" in values("time_zone")
    with pytest.raises(Mistake, match="Did you mean Asia/Shanghai"):
        check("time_zone", "Asia/Shangai")
    with pytest.raises(ValidationError):
        Policy(time_zone="berlin")


def test_setup_shows_the_channels_together() -> None:
    assert any(set(CHANNELS) <= set(names) for names in GROUPS.values())
