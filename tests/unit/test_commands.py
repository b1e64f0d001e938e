"""Commands: read from a line, checked, and each of them served by a skill."""

from __future__ import annotations

import pytest

from bot.core.commands import COMMANDS, SUGGESTED, Argument, Command, check, find, read, served, suggest
from bot.core.errors import Mistake
from bot.core.i18n import translator
from bot.core.things import Rank
from brains.skills import SKILLS

TIMEOUT = Command(
    name="timeout",
    help="Keep somebody from writing",
    arguments=(
        Argument(name="member", type="member", help="Whom", required=True),
        Argument(name="minutes", type="number", help="How long", bounds=(1, 60)),
        Argument(name="reason", type="text", help="Why"),
    ),
)
BARE = Command(name="pulse", help="How the community is")


def command(name: str) -> Command:
    found = find(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "line", "given"),
    [
        ("help", "", {}),
        ("help", "match", {"command": "match"}),
        ("match", "rye bread and old boats", {"interests": "rye bread and old boats"}),
        ("match", "interests:rye bread", {"interests": "rye bread"}),
        ("match", "  喜欢 摄影 ", {"interests": "喜欢 摄影"}),
        ("match", "time: for tea", {"interests": "time: for tea"}),
        ("mode", "welcome act", {"skill": "welcome", "mode": "act"}),
        ("mode", "welcome watch #garden", {"skill": "welcome", "mode": "watch", "channel": "#garden"}),
        ("mode", "channel:#garden welcome watch", {"skill": "welcome", "mode": "watch", "channel": "#garden"}),
        ("setup", "confidence 0.5", {"setting": "confidence", "value": "0.5"}),
        ("setup", "staff_channel the staff room", {"setting": "staff_channel", "value": "the staff room"}),
        ("setup", "value:0.5 confidence", {"setting": "confidence", "value": "0.5"}),
        ("setup", "speak silent channel:#garden", {"setting": "speak", "value": "silent", "channel": "#garden"}),
        ("setup", "channel:#garden speak silent", {"setting": "speak", "value": "silent", "channel": "#garden"}),
        ("setup", "contact the crew of the hall", {"setting": "contact", "value": "the crew of the hall"}),
        ("schedule", "", {}),
        ("schedule", "set news.daily mon 09:00", {"action": "set", "name": "news.daily", "when": "mon 09:00"}),
        ("schedule", "set news.daily hourly :15", {"action": "set", "name": "news.daily", "when": "hourly :15"}),
        ("schedule", "pause news.daily", {"action": "pause", "name": "news.daily"}),
        ("privacy", "forget", {"choice": "forget"}),
        ("privacy", "forget yes", {"choice": "forget", "sure": "yes"}),
        ("privacy", "link", {"choice": "link"}),
        ("privacy", "link ABCD2345", {"choice": "link", "code": "ABCD2345"}),
        ("privacy", "link ABCD2345 yes", {"choice": "link", "code": "ABCD2345", "sure": "yes"}),
    ],
)
def test_a_line_is_read_as_its_command_takes_it(name: str, line: str, given: dict[str, str]) -> None:
    assert read(command(name), line) == given


@pytest.mark.parametrize(
    ("of", "line", "told"),
    [
        (command("mode"), "welcome loud", "/mode: mode is one of off, watch, ask, act, not 'loud'."),
        (command("mode"), "welcome act #a #b", "/mode takes 3 words at most."),
        (
            command("privacy"),
            "maybe",
            "/privacy: choice is one of off, on, export, forget, link, unlink, notice, not 'maybe'.",
        ),
        (BARE, "now", "/pulse takes nothing after it."),
        (TIMEOUT, "", "/timeout needs member. /help timeout says more."),
        (TIMEOUT, "ana 61", "/timeout: minutes is a number from 1 to 60, not '61'."),
        (TIMEOUT, "ana minutes:ten", "/timeout: minutes is a number from 1 to 60, not 'ten'."),
        (TIMEOUT, "ana 10m", "/timeout: minutes is a number from 1 to 60, not '10m'."),
        (TIMEOUT, "ana -1", "/timeout: minutes is a number from 1 to 60, not '-1'."),
        (TIMEOUT, f"ana {'9' * 5000}", f"/timeout: minutes is a number from 1 to 60, not '{'9' * 40}'."),
    ],
)
def test_a_wrong_line_is_told_what_it_may_be(of: Command, line: str, told: str) -> None:
    with pytest.raises(Mistake) as caught:
        read(of, line)
    assert str(caught.value) == told
    assert caught.value.say(translator("en")) == told
    assert caught.value.say(translator("zh_CN")).startswith(f"/{of.name}")
    assert caught.value.say(translator("zh_CN")) != told


@pytest.mark.parametrize(
    ("name", "line", "given"),
    [
        ("mod", "queue", {"action": "queue"}),
        ("mod", "case K7QX3M", {"action": "case", "case": "K7QX3M"}),
        ("mod", "case @nadine", {"action": "case", "member": "@nadine"}),
        ("mod", "warn Nadine be kind", {"action": "warn", "member": "Nadine", "reason": "be kind"}),
        ("mod", "case case:K7QX3M", {"action": "case", "case": "K7QX3M"}),
        ("appeal", "K7QX3M it was a joke", {"case": "K7QX3M", "text": "it was a joke"}),
        ("appeal", "please look again", {"text": "please look again"}),
    ],
)
def test_a_case_is_told_from_a_name_and_from_a_word(name: str, line: str, given: dict[str, str]) -> None:
    assert read(command(name), line) == given


def test_an_argument_that_nobody_knows_is_told_with_those_there_are() -> None:
    with pytest.raises(Mistake, match=r"/mode knows no 'loudness'. It takes: skill, mode, channel."):
        check(command("mode"), {"loudness": "11"})
    with pytest.raises(Mistake, match=r"It takes: -\."):
        check(BARE, {"loudness": "11"})


@pytest.mark.parametrize("minutes", ["1", "60"])
def test_bounds_belong_to_what_they_bound(minutes: str) -> None:
    assert read(TIMEOUT, f"ana {minutes} too loud today") == {
        "member": "ana",
        "minutes": minutes,
        "reason": "too loud today",
    }


@pytest.mark.parametrize("line", ["ana too loud today", "ana reason:too loud today", "member:ana too loud today"])
def test_a_number_may_be_left_out_before_words(line: str) -> None:
    assert read(TIMEOUT, line) == {"member": "ana", "reason": "too loud today"}
    assert read(TIMEOUT, f"{line} minutes:60") == {"member": "ana", "reason": "too loud today", "minutes": "60"}


@pytest.mark.parametrize(
    ("name", "argument", "typed", "given", "offered"),
    [
        ("setup", "setting", "", {}, "preset"),
        ("setup", "setting", "STAFF", {}, "staff_channel"),
        ("setup", "setting", "days", {}, "retention_days"),
        ("setup", "value", "", {"setting": "preset"}, "helpful"),
        ("setup", "value", "zh", {"setting": "language"}, "zh_CN"),
        ("setup", "value", "", {"setting": "confidence"}, "default"),
        ("mode", "mode", "a", {}, "ask"),
        ("mode", "skill", "wel", {}, "welcome"),
    ],
)
def test_what_is_typed_is_met_with_suggestions(
    name: str, argument: str, typed: str, given: dict[str, str], offered: str
) -> None:
    [one] = served([name], {"mode.skill": ("welcome", "guide")})
    assert offered in suggest(one, argument, typed, given)
    assert suggest(one, argument, "nothing of the sort", given) == []


def test_suggestions_begin_with_what_was_typed_and_fit_every_platform() -> None:
    rooms = Argument(name="room", type="text", help="Which", suggestions=("at home", "home", *map(str, range(100))))
    go = Command(name="go", help="Go", arguments=(rooms,))
    assert suggest(go, "room", "home", {}) == ["home", "at home"]
    assert len(suggest(go, "room", "", {})) == SUGGESTED
    assert suggest(go, "nowhere", "", {}) == []
    assert suggest(find("setup") or BARE, "value", "", {"setting": "colour"}) == []


def test_what_stands_in_the_menu_of_a_message_takes_one() -> None:
    menus = [one for one in COMMANDS if one.menu]
    assert {one.name for one in menus} == {"report", "why"}
    for one in menus:
        assert len(one.menu) <= 32
        assert [argument.type for argument in one.arguments].count("message") == 1


def test_empty_values_count_as_not_given() -> None:
    assert check(command("mode"), {"skill": "welcome", "mode": "", "channel": ""}) == {"skill": "welcome"}


def test_every_command_is_served_by_exactly_one_skill_and_no_skill_serves_another() -> None:
    served = [name for skill in SKILLS for name in skill.commands]
    assert sorted(served) == sorted(one.name for one in COMMANDS)


def test_the_table_fits_every_platform() -> None:
    assert len(COMMANDS) <= 20
    for one in COMMANDS:
        assert one.name.isascii()
        assert one.name.islower()
        assert len(one.help) <= 100, one.name
        assert all(len(argument.help) <= 100 for argument in one.arguments), one.name
        assert all(argument.choices for argument in one.arguments if argument.type == "choice"), one.name
        required = [argument.required for argument in one.arguments]
        assert required == sorted(required, reverse=True), "a platform wants what is required first"


def test_what_steers_the_bot_is_for_staff_and_nobody_is_kept_from_help_and_privacy() -> None:
    ranks = {one.name: one.rank for one in COMMANDS}
    assert {name for name, rank in ranks.items() if rank is Rank.MEMBER} >= {"help", "match", "privacy"}
    assert {ranks[name] for name in ("why", "undo", "mode")} == {Rank.STAFF}
    assert ranks["setup"] is Rank.OWNER
