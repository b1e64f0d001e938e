"""Actions in words: short, on one line, in the reader's language, with everything that matters."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.actions import (
    Action,
    ArchiveChannel,
    GrantRole,
    Invite,
    React,
    Say,
    SetConsent,
    SetPolicy,
    Timeout,
)
from bot.core.i18n import translator
from bot.core.things import Ref
from bot.core.wording import WIDTH, describe, short
from tests.building import of

GARDEN, ANA, ROLE = Ref("discord", "garden"), Ref("discord", "ana"), Ref("discord", "gardener")
MESSAGE = Ref("discord", "m1")


@pytest.mark.parametrize("kind", get_args(Action), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_action_has_words_whatever_it_holds(kind: type, language: str, data: st.DataObject) -> None:
    words = describe(data.draw(of(kind)), translator(language))
    assert words.strip()


@pytest.mark.parametrize(
    ("action", "english", "chinese"),
    [
        (Say(to=GARDEN, text="hello\nyou"), "say: hello you", "发言：hello you"),
        (Say(to=GARDEN, text="psst", only=ANA), "say to ana alone: psst", "只对 ana 说：psst"),
        (React(message=MESSAGE, channel=GARDEN, emoji="👍"), "react with 👍", "用 👍 回应"),
        (React(message=MESSAGE, channel=GARDEN, emoji="👍", on=False), "take 👍 away", "去掉 👍"),
        (Timeout(member=ANA, minutes=5), "time ana out for 5 minutes", "禁言 ana 5 分钟"),
        (Timeout(member=ANA, minutes=0), "let ana write again", "让 ana 恢复发言"),
        (Invite(member=ANA, channel=GARDEN), "bring ana into #garden", "让 ana 加入 #garden"),
        (Invite(member=ANA, channel=GARDEN, on=False), "bring ana out of #garden", "让 ana 退出 #garden"),
        (GrantRole(member=ANA, role=ROLE), "give ana the role gardener", "授予 ana 身份 gardener"),
        (GrantRole(member=ANA, role=ROLE, on=False), "take the role gardener from ana", "收回 ana 的身份 gardener"),
        (ArchiveChannel(channel=GARDEN, on=False), "take #garden out of the archive", "取消归档 #garden"),
        (SetPolicy(name="confidence", value="0.5"), "set confidence to 0.5", "把 confidence 设为 0.5"),
        (SetPolicy(name="confidence", value=""), "set confidence to default", "把 confidence 设为 default"),
        (
            SetPolicy(name="staff_channel", value="discord:garden"),
            "set staff_channel to #garden",
            "把 staff_channel 设为 #garden",
        ),
        (
            SetPolicy(name="staff_roles", value="discord:10/&5, discord:10/&6"),
            "set staff_roles to 10/&5, 10/&6",
            "把 staff_roles 设为 10/&5, 10/&6",
        ),
        (
            SetPolicy(name="mode.welcome", value="ask", channel=GARDEN),
            "set mode.welcome to ask (#garden)",
            "把 mode.welcome 设为 ask (#garden)",
        ),
        (SetConsent(member=ANA, collected=True), "collect what ana writes", "收集 ana 写的内容"),
        (SetConsent(member=ANA, collected=False), "collect nothing from ana", "不再收集 ana 的内容"),
    ],
)
def test_words_say_what_is_done_to_whom(action: Action, english: str, chinese: str) -> None:
    assert describe(action, translator("en")) == english
    assert describe(action, translator("zh_CN")) == chinese


@given(text=st.text(max_size=400))
def test_a_long_text_is_cut_and_keeps_to_one_line(text: str) -> None:
    line = short(text)
    assert len(line) <= WIDTH
    assert "\n" not in line
    assert line == " ".join(text.split()) or line.endswith("…")
