"""What policy rules on proposals: a table of who asked, how late, in which mode, how sure, and on which platform."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.actions import (
    AskStaff,
    Attachment,
    Ban,
    Button,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    OpenDirect,
    React,
    Say,
    SetPolicy,
    Timeout,
    Warn,
)
from bot.core.decisions import Decision, Mode, Receipt, Ruling
from bot.core.events import MemberJoined, MessagePosted, Named
from bot.core.i18n import translator
from bot.core.things import Ref
from bot.policy import LEVELS, Facts, judge, may_hear, regret

HERE, STAFF = Ref("discord", "general"), Ref("discord", "staff")
ANA, MESSAGE = Ref("discord", "ana"), Ref("discord", "m1")
SAY = Say(to=HERE, text="hello")
ASIDE = Say(to=HERE, text="between us", only=ANA)
FILE = Attachment(name="kinfolk-export.json", data=b"{}")
EVERYTHING = frozenset(
    {"Say", "Edit", "Delete", "React", "OpenDirect", "AskStaff", "CreatePoll", "Warn", "Timeout", "Ban", "only"}
    | {"buttons", "files"}
)


def decision(*actions, **more) -> Decision:
    return Decision(skill="welcome", actions=actions or (SAY,), reason="Ana is new here", **more)


def facts(**more) -> Facts:
    usual = {"live": True, "can": {"discord": EVERYTHING}, "confidence": 0.0, "staff_channel": STAFF}
    return Facts(**{**usual, "translate": translator("en"), **more})


def rule(one: Decision, mode: Mode = Mode.ACT, **more) -> list[Ruling]:
    return list(judge([one], facts(**more), {"welcome": mode}).rulings)


@pytest.mark.parametrize(
    ("asked", "live", "mode", "kept", "why"),
    [
        (True, True, Mode.OFF, True, ""),
        (True, True, Mode.WATCH, True, ""),
        (True, True, Mode.ASK, True, ""),
        (True, True, Mode.ACT, True, ""),
        (False, True, Mode.ACT, True, ""),
        (False, True, Mode.OFF, False, "This skill is off here."),
        (False, True, Mode.WATCH, False, "I only watch here"),
        (False, True, Mode.ASK, False, "The staff was asked."),
        (True, False, Mode.ACT, False, "It came to me late."),
        (False, False, Mode.ACT, False, "It came to me late."),
        (False, False, Mode.ASK, False, "It came to me late."),
    ],
)
def test_a_mode_governs_what_nobody_asked_for_and_lateness_governs_all(asked, live, mode, kept, why) -> None:
    first = rule(decision(asked=asked), mode, live=live)[0]
    assert (first.action, first.kept) == (SAY, kept)
    assert first.why.startswith(why)
    assert bool(first.why) == bool(why)


def test_a_skill_that_nobody_gave_a_mode_only_watches() -> None:
    [ruling] = judge([decision()], facts(), {}).rulings
    assert (ruling.kept, ruling.why) == (False, "I only watch here, so this is what I would have done.")


@pytest.mark.parametrize(("sure", "kept"), [(0.49, False), (0.5, True), (1.0, True)])
def test_an_unasked_act_must_be_as_sure_as_staff_want_it(sure, kept) -> None:
    [ruling] = rule(decision(confidence=sure), confidence=0.5)
    assert ruling.kept is kept
    assert ruling.why == ("" if kept else "49% sure; here I act from 50% on.")
    assert rule(decision(confidence=sure, asked=True), confidence=0.5)[0].kept


def test_what_a_staff_member_approved_happens_in_any_mode_however_unsure() -> None:
    approved = decision(confidence=0.1, approved=ANA)
    for mode in Mode:
        assert [(one.action, one.kept) for one in rule(approved, mode, confidence=0.9)] == [(SAY, True)]
    assert not rule(approved, live=False)[0].kept


def test_what_staff_want_to_be_asked_about_waits_for_them_and_the_rest_is_done() -> None:
    warning, gone = Warn(member=ANA, channel=HERE, text="no"), Delete(message=MESSAGE, channel=HERE)
    done, held, put = rule(decision(warning, gone), ask_first=frozenset({"delete", "ban"}))
    assert (done.action, done.kept) == (warning, True)
    assert (held.action, held.kept, held.why) == (gone, False, "The staff was asked.")
    assert isinstance(put.action, AskStaff)
    assert (put.kept, put.action.proposed) == (True, (gone,))
    assert all(one.kept for one in rule(decision(warning, gone, asked=True), ask_first=frozenset({"delete"})))


def test_the_staff_is_not_shown_what_rests_on_what_it_may_not_read() -> None:
    told = Say(to=HERE, text="they meet at the crane", answer="a1")
    for secret, shown in ((frozenset({"a1"}), False), (frozenset({"a2"}), True)):
        *_held, put = rule(decision(told, SAY), Mode.ASK, secret=secret)
        assert isinstance(put.action, AskStaff)
        assert ("crane" in put.action.text, SAY.text in put.action.text) == (shown, True)
        assert put.action.proposed == (told, SAY), "what is approved is said whole"


@pytest.mark.parametrize("mode", [Mode.ASK, Mode.ACT])
def test_a_skill_that_brings_its_own_question_has_that_put_to_the_staff_and_what_it_keeps_kept(mode: Mode) -> None:
    gone, kept = Delete(message=MESSAGE, channel=HERE), SetPolicy(name="speak", value="silent")
    card = AskStaff(to=STAFF, text="spam?", skill="welcome", proposed=(gone,))
    rulings = rule(decision(kept, gone, card), mode, ask_first=frozenset({"delete"}))
    assert {type(one.action).__name__: one.kept for one in rulings} == {
        "Delete": False,
        "SetPolicy": True,
        "AskStaff": True,
    }
    assert not any(one.kept for one in rule(decision(kept, gone, card), Mode.WATCH))


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (Delete(message=MESSAGE, channel=HERE), "Discord does not let a bot do this: delete message m1."),
        (React(message=MESSAGE, channel=HERE, emoji="👍"), "Discord does not let a bot do this: react with 👍."),
        (Say(to=Ref("slack", "c"), text="hi"), "Slack is not connected."),
    ],
)
def test_what_a_platform_cannot_is_declined_with_the_reason_and_the_rest_is_kept(action, why: str) -> None:
    able = {"discord": frozenset({"Say"})}
    declined, kept = rule(decision(action, SAY), can=able)
    assert (declined.kept, declined.why) == (False, why)
    assert (kept.action, kept.kept) == (SAY, True)


@pytest.mark.parametrize("more", [{"asked": True}, {"approved": ANA}], ids=["asked", "approved"])
def test_what_was_asked_for_falls_whole_without_what_the_platform_cannot_and_the_asker_is_told_which(more) -> None:
    change = SetPolicy(name="confidence", value="0.5")
    done = decision(change, BAN, replace(ASIDE, text="Done."), **more)
    able = {"discord": EVERYTHING - {"Ban"}}
    answer = replace(ASIDE, text="")
    *refused, told = rule(done, can=able, answer=answer, theirs=translator("zh_CN"))
    why = "Discord does not let a bot do this: ban troll."
    assert [(one.action, one.kept, one.why) for one in refused] == [(one, False, why) for one in done.actions]
    words = "没有成功：Discord 不允许机器人这样做：封禁 troll。"
    assert (told.action, told.kept) == (replace(answer, text=words), True)
    assert [one.kept for one in rule(done, can=able)] == [False] * 3, "there is nobody to tell"
    assert [one.kept for one in rule(done, answer=answer)] == [True] * 3


def test_that_it_did_not_work_is_said_aloud_only_where_that_is_wanted() -> None:
    done = decision(BAN, asked=True)
    lacking = {"can": {"discord": EVERYTHING - {"Ban"}}, "answer": SAY, "occasion": "mentioned"}
    assert [one.kept for one in rule(done, **lacking)] == [False, True]
    assert [one.kept for one in rule(done, speak="silent", **lacking)] == [False, False]


def test_without_what_comes_after_the_answer_or_changes_a_message_the_rest_is_done() -> None:
    away, under = Delete(message=MESSAGE, channel=HERE), Edit(message=MESSAGE, channel=HERE, text="settled")
    rulings = rule(decision(under, SAY, away, asked=True), can={"discord": frozenset({"Say"})}, answer=SAY)
    assert [(one.action, one.kept) for one in rulings] == [(under, False), (SAY, True), (away, False)]


@pytest.mark.parametrize(("lacks", "what"), [("AskStaff", "ask the staff"), ("Delete", "delete message m1")])
def test_staff_is_asked_only_for_what_the_platform_can_do_and_only_where_it_can_be_asked(lacks, what) -> None:
    away = decision(Delete(message=MESSAGE, channel=HERE))
    [ruling] = rule(away, Mode.ASK, can={"discord": EVERYTHING - {lacks}})
    assert (ruling.kept, ruling.why.startswith(f"Discord does not let a bot do this: {what}")) == (False, True)
    assert [one.kept for one in rule(away, Mode.ASK)] == [False, True]


def test_what_cannot_be_said_aside_is_said_in_a_direct_conversation_with_all_that_goes_with_it() -> None:
    button = Button(label="Join", press="match.join")
    whole = replace(ASIDE, buttons=(button,), attachments=(FILE,), stream="handle")
    aloud, direct = rule(decision(whole), can={"discord": EVERYTHING - {"only"}})
    assert (aloud.action, aloud.kept) == (whole, False)
    assert aloud.why == "Discord cannot show a message to one member alone."
    expected = OpenDirect(member=ANA, text="between us", buttons=(button,), attachments=(FILE,), stream="handle")
    assert (direct.action, direct.kept) == (expected, True)
    assert [one.kept for one in rule(decision(whole))] == [True]


@pytest.mark.parametrize(
    ("able", "invocation", "kept"),
    [
        ({"only"}, None, True),
        ({"only-asked"}, Ref("discord", "i/1/token"), True),
        ({"only-asked"}, None, False),
        (set(), Ref("discord", "i/1/token"), False),
    ],
)
def test_some_platforms_speak_aside_only_where_a_command_or_a_button_was_used(able, invocation, kept) -> None:
    said = rule(decision(replace(ASIDE, invocation=invocation)), can={"discord": (EVERYTHING - {"only"}) | able})
    assert said[0].kept is kept
    assert [type(one.action) for one in said[1:]] == [] if kept else [OpenDirect]


@pytest.mark.parametrize(
    ("lacks", "lost", "why", "text"),
    [
        ("buttons", "buttons", "Discord has no buttons.", "hello\n- Join: `/join it`"),
        ("files", "attachments", "Discord takes no files from a bot.", "Ask the owner."),
    ],
)
def test_without_buttons_or_files_is_said_what_to_do_instead(lacks, lost, why, text) -> None:
    buttons = (Button(label="Join", press="match.join", words="/join it"), Button(label="Why?", press="match.why"))
    whole = replace(SAY, buttons=buttons, attachments=(replace(FILE, instead="Ask the owner."),))
    able = {"discord": EVERYTHING - {lacks}}
    declined, kept = rule(decision(whole), can=able)
    assert (declined.action, declined.kept, declined.why) == (whole, False, why)
    assert (kept.action, kept.kept) == (replace(whole, text=text, **{lost: ()}), True)
    assert [one.kept for one in rule(decision(whole))] == [True]
    [_, direct] = rule(decision(replace(whole, only=ANA)), can={"discord": EVERYTHING - {lacks, "only"}})
    assert direct.action == replace(
        OPENED, text=text, **{"buttons": buttons, "attachments": whole.attachments, lost: ()}
    )


def test_what_grows_while_it_is_written_does_not_grow_over_the_words_of_its_buttons() -> None:
    whole = replace(SAY, stream="s", buttons=(Button(label="Why?", press="match.why"),))
    [_, growing] = rule(decision(whole), can={"discord": EVERYTHING - {"buttons"}})
    assert growing.action == replace(whole, buttons=())
    worded = replace(whole, buttons=(replace(whole.buttons[0], words="/why it"),))
    [_, still] = rule(decision(worded), can={"discord": EVERYTHING - {"buttons"}})
    assert (still.action.stream, still.action.text) == ("", "hello\n- Why?: `/why it`")


def test_a_file_without_which_there_is_nothing_to_say_and_a_proposal_without_buttons_are_declined() -> None:
    bare = replace(SAY, attachments=(FILE,))
    assert [one.kept for one in rule(decision(bare), can={"discord": EVERYTHING - {"files"}})] == [False]
    [ruling] = rule(decision(SAY), Mode.ASK, can={"discord": EVERYTHING - {"buttons"}})
    assert (ruling.kept, ruling.why) == (False, "Discord has no buttons.")
    edit = Edit(message=MESSAGE, channel=HERE, text="so", buttons=(Button(label="Join", press="match.join"),))
    [_, kept] = rule(decision(edit), can={"discord": EVERYTHING - {"buttons"}})
    assert kept.action == replace(edit, buttons=())


def test_what_can_be_said_neither_aside_nor_directly_is_never_said_aloud() -> None:
    [ruling] = rule(decision(ASIDE, asked=True), can={"discord": frozenset({"Say", "Edit"})})
    assert (ruling.action, ruling.kept) == (ASIDE, False)


def test_what_kinfolk_itself_keeps_needs_no_platform() -> None:
    setting = SetPolicy(name="confidence", value="0.5")
    assert [one.kept for one in rule(decision(setting), can={})] == [True]


def test_a_proposal_goes_to_the_staff_once_with_all_that_it_would_do() -> None:
    one, two, asked = rule(decision(SAY, React(message=MESSAGE, channel=HERE, emoji="👍")), Mode.ASK)
    assert [(one.kept, one.why), (two.kept, two.why)] == [(False, "The staff was asked.")] * 2
    assert asked.kept
    assert isinstance(asked.action, AskStaff)
    assert asked.action.to == STAFF
    assert asked.action.text == "**welcome** proposes: Ana is new here\n- say: hello\n- react with 👍"
    assert asked.action.proposed == (one.action, two.action)
    assert [(button.press, button.choice) for button in asked.action.buttons] == [
        ("staff.approve", "proposal"),
        ("staff.decline", "proposal"),
    ]


def test_without_a_staff_channel_a_proposal_is_declined_and_says_what_is_missing() -> None:
    [ruling] = rule(decision(), Mode.ASK, staff_channel=None)
    assert (ruling.action, ruling.kept) == (SAY, False)
    assert "/setup staff_channel" in ruling.why


def test_nobody_answers_a_message_that_is_taken_away() -> None:
    answer = Say(to=HERE, text="hi", reply_to=MESSAGE)
    other = Say(to=HERE, text="hi", reply_to=Ref("discord", "m2"))
    away = Delete(message=MESSAGE, channel=HERE)
    rulings = judge([decision(answer, other), decision(away)], facts(), {"welcome": Mode.ACT}).rulings
    assert [(one.action, one.kept) for one in rulings] == [(answer, False), (other, True), (away, True)]
    assert rulings[0].why == "The message it answers is taken away."
    watched = judge([decision(answer), decision(away)], facts(), {"welcome": Mode.WATCH}).rulings
    assert {one.why for one in watched} == {"I only watch here, so this is what I would have done."}


def test_each_ruling_names_its_decision_and_the_act_that_it_takes_back() -> None:
    back = Edit(message=MESSAGE, channel=HERE, text="as it was")
    verdict = judge([decision(asked=True), decision(back, SAY, undoes=(7, None), asked=True)], facts(), {})
    assert [(one.decision, one.undoes) for one in verdict.rulings] == [(0, None), (1, 7), (1, None)]
    assert len(verdict.decisions) == 2


def test_reasons_are_in_the_language_of_the_community() -> None:
    [ruling] = rule(decision(), Mode.OFF, translate=translator("zh_CN"))
    assert ruling.why == "这项功能在这里已关闭。"


# When to speak


HUSHED = {
    "silent": "Here I say nothing aloud (/setup speak).",
    "commands": "Here I answer commands alone (/setup speak).",
    "mentioned": "Here I speak only when mentioned (/setup speak).",
}
POLL = CreatePoll(channel=HERE, question="Where to?", options=("sea", "hills"))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("needed", LEVELS[1:])
@pytest.mark.parametrize("action", [SAY, POLL], ids=["say", "poll"])
def test_what_is_said_aloud_is_what_the_channel_wants_to_hear(level, needed, action) -> None:
    [ruling] = rule(decision(action), speak=level, occasion=needed)
    heard = LEVELS.index(level) >= LEVELS.index(needed)
    assert (ruling.kept, ruling.why) == (heard, "" if heard else HUSHED[level])


@pytest.mark.parametrize(
    "action",
    [
        ASIDE,
        Edit(message=MESSAGE, channel=HERE, text="as it was"),
        Delete(message=MESSAGE, channel=HERE),
        React(message=MESSAGE, channel=HERE, emoji="👍"),
        OpenDirect(member=ANA, text="hello"),
        Warn(member=ANA, channel=HERE, text="please not here"),
        Timeout(member=ANA, minutes=5),
        Say(to=STAFF, text="an alert"),
        SetPolicy(name="confidence", value="0.5"),
    ],
    ids=lambda action: type(action).__name__,
)
def test_in_silence_goes_on_all_that_is_not_said_aloud_to_members(action) -> None:
    spoken, done = rule(decision(SAY, action), speak="silent")
    assert (spoken.kept, spoken.why) == (False, HUSHED["silent"])
    assert (done.action, done.kept) == (action, True)


def test_a_channel_has_its_own_word_and_with_somebody_alone_there_is_none() -> None:
    there = replace(SAY, to=Ref("discord", "there"))
    quiet_here = {"speak": "helpful", "speak_in": {HERE: "silent"}}
    assert [one.kept for one in rule(decision(SAY, there), **quiet_here)] == [False, True]
    loud_here = {"speak": "silent", "speak_in": {HERE: "helpful"}}
    assert [one.kept for one in rule(decision(SAY, there), **loud_here)] == [True, False]
    assert [one.kept for one in rule(decision(SAY, there), speak="silent", direct=HERE)] == [True, False]


def test_a_command_that_should_answer_aloud_in_silence_is_refused_as_a_whole_and_aside() -> None:
    done = replace(ASIDE, text="It hangs out in #general.")
    posted = decision(SAY, done, asked=True)
    answer = replace(ASIDE, text="", invocation=Ref("discord", "i/1/token"))
    *refused, told = rule(posted, speak="silent", answer=answer)
    assert [(one.kept, one.why) for one in refused] == [(False, HUSHED["silent"])] * 2
    assert (told.action, told.kept) == (replace(answer, text=HUSHED["silent"]), True)
    assert [one.action for one in rule(posted, speak="commands", answer=answer) if one.kept] == [SAY, done]
    assert [one.kept for one in rule(decision(done, asked=True), speak="silent", answer=answer)] == [True]


def test_staff_is_not_asked_about_what_may_not_be_said_anyway() -> None:
    both = decision(SAY, Delete(message=MESSAGE, channel=HERE))
    hushed, waits, asked = rule(both, Mode.ASK, speak="silent")
    assert (hushed.why, waits.why) == (HUSHED["silent"], "The staff was asked.")
    assert isinstance(asked.action, AskStaff)
    assert asked.action.proposed == both.actions[1:]
    assert [one.kept for one in rule(decision(SAY), Mode.ASK, speak="silent")] == [False]
    assert rule(decision(SAY, approved=ANA), speak="silent")[0].kept, "what staff approved is their own word"


BAN = Ban(member=Ref("discord", "troll"), by=Ref("discord", "long ago"))
SAM = Ref("discord", "sam")


@pytest.mark.parametrize(
    ("more", "by"),
    [
        ({"asked": True}, SAM),
        ({"asked": True, "approved": ANA}, ANA),
        ({"approved": ANA}, ANA),
        ({}, BAN.by),
    ],
)
def test_what_is_done_to_a_member_names_who_of_the_staff_wants_it(more, by) -> None:
    banned, said = rule(decision(BAN, SAY, **more), asker=SAM)
    assert (banned.action, banned.kept, said.action) == (replace(BAN, by=by), True, SAY)


CALLED = "I cannot write to you directly. Allow direct messages from members of this server, or use /match here."
DIRECTLY = {"discord": EVERYTHING - {"only"}}
OPENED = OpenDirect(member=ANA, text="between us")


@pytest.mark.parametrize(
    ("failed", "asked", "more", "told"),
    [
        (SAY, True, {}, replace(ASIDE, text="{failed}")),
        (SAY, False, {}, None),
        (SAY, True, {"answer": None}, None),
        (SAY, True, {"can": DIRECTLY}, replace(OPENED, text="{failed}")),
        (SAY, True, {"can": {}}, None),
        (OPENED, True, {"can": DIRECTLY}, Say(to=HERE, text=CALLED)),
        (OPENED, True, {"can": DIRECTLY, "command": ""}, replace(OPENED, text="{failed}")),
        (OPENED, True, {"can": DIRECTLY, "speak": "silent"}, replace(OPENED, text="{failed}")),
        (OPENED, True, {"can": DIRECTLY, "speak": "silent", "speak_in": {HERE: "commands"}}, Say(to=HERE, text=CALLED)),
        (
            replace(OPENED, member=Ref("discord", "bo")),
            True,
            {},
            replace(ASIDE, text="I could not write to [@bo](kinfolk:member:discord:bo): no"),
        ),
        (OPENED, True, {}, replace(ASIDE, text="{failed}")),
    ],
)
def test_whoever_asked_is_told_what_failed_and_aloud_only_how_to_be_reached(failed, asked, more, told) -> None:
    usual = {"asker": ANA, "command": "match", "answer": replace(ASIDE, text="")}
    said = regret(failed, Receipt(state="failed", error="no"), [decision(asked=asked)], facts(**{**usual, **more}))
    words = "That did not work: no"
    assert said == (replace(told, text=told.text.format(failed=words)) if told else None)


def test_whom_nobody_could_bring_into_a_channel_is_led_there_by_a_link() -> None:
    brought = Invite(member=ANA, channel=HERE)
    asked = [decision(asked=True)]
    failed = regret(brought, Receipt(state="failed", error="I am not in there"), asked, facts(answer=ASIDE))
    assert failed is not None
    words = "I could not bring you into [the channel](kinfolk:channel:"
    assert failed.text.startswith(words)
    assert "I am not in there. Go there yourself" in failed.text
    shut = Receipt(state="failed", error="shut", opens="https://t.me/bot")
    opened = regret(brought, shut, asked, facts(answer=ASIDE))
    assert opened is not None
    assert opened.text.endswith("(https://t.me/bot)")
    assert "/match" in opened.text


def test_a_role_that_somebody_takes_for_themselves_is_given_in_nobody_s_name() -> None:
    role = Ref("discord", "10/&7")
    for member, by in ((ANA, None), (Ref("discord", "10/9"), ANA)):
        wanted = decision(GrantRole(member=member, role=role), asked=True)
        [ruling] = judge([wanted], facts(asker=ANA, can={"discord": EVERYTHING | {"GrantRole"}}), {}).rulings
        assert isinstance(ruling.action, GrantRole)
        assert ruling.action.by == by


def test_what_is_said_of_a_failure_is_in_the_askers_language_and_shows_errors_as_they_are() -> None:
    theirs = facts(answer=replace(ASIDE, text=""), theirs=translator("zh_CN"))
    said = regret(SAY, Receipt(state="failed", error="*no*"), [decision(asked=True)], theirs)
    assert said == replace(ASIDE, text=theirs.theirs("That did not work: {error}").format(error=r"\*no\*"))


POSTED = MessagePosted(
    message=MESSAGE,
    channel=Named(ref=HERE, name="general"),
    author=Named(ref=ANA, name="Ana"),
    text="hello",
    at=datetime(2026, 6, 1, tzinfo=UTC),
    source="discord",
)
JOINED = MemberJoined(member=POSTED.author, at=POSTED.at)


@pytest.mark.parametrize(
    ("event", "mode", "read", "may"),
    [
        (POSTED, Mode.WATCH, "yes", True),
        (POSTED, Mode.OFF, "yes", False),
        (POSTED, Mode.ACT, "no", False),
        (replace(POSTED, mentioned=True), Mode.ACT, "no", True),
        (JOINED, Mode.ACT, "no", True),
        (JOINED, Mode.OFF, "no", False),
    ],
)
def test_a_skill_hears_what_is_read_unless_it_is_off(event, mode, read, may) -> None:
    assert may_hear(event, mode, read) is may


PLAIN_ONLY = {"discord": (EVERYTHING - {"Delete"}) | {"only-plain", "Delete-own"}}


def test_files_go_into_a_direct_conversation_where_one_member_alone_is_shown_none() -> None:
    whole = replace(ASIDE, attachments=(FILE,))
    declined, kept = rule(decision(whole), can=PLAIN_ONLY)
    assert (declined.kept, declined.why) == (False, "Discord shows no files to one member alone.")
    assert kept.action == OpenDirect(member=ANA, text="between us", attachments=(FILE,))
    assert [one.kept for one in rule(decision(ASIDE), can=PLAIN_ONLY)] == [True]


@pytest.mark.parametrize("mode", [Mode.ACT, Mode.ASK])
def test_what_a_bot_may_not_delete_the_staff_is_asked_to(mode: Mode) -> None:
    away = decision(Delete(message=MESSAGE, channel=HERE))
    declined, alert = rule(away, mode, can=PLAIN_ONLY)
    assert (declined.kept, alert.kept, type(alert.action)) == (False, True, AskStaff)
    assert isinstance(alert.action, AskStaff)
    assert (alert.action.to, alert.action.proposed) == (STAFF, ())
    assert "[this message](kinfolk:message:discord:m1)" in alert.action.text
    assert [one.label for one in alert.action.buttons] == ["Done"]
    assert [one.kept for one in rule(away, mode, can=PLAIN_ONLY, staff_channel=None)] == [False]


def test_what_the_bot_said_itself_it_takes_back_where_it_deletes_nothing_else() -> None:
    back = decision(Delete(message=MESSAGE, channel=HERE), SAY, asked=True, undoes=(7, None))
    assert [one.kept for one in rule(back, can=PLAIN_ONLY, answer=SAY)] == [True, True]
    others = replace(back, undoes=())
    assert [one.kept for one in rule(others, can=PLAIN_ONLY, answer=SAY)][:2] == [False, False]
