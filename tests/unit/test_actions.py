"""Every action: what it is done to, how it is undone or that it cannot be; and what events are called."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.actions import (
    IRREVERSIBLE,
    Action,
    ArchiveChannel,
    AskStaff,
    Ban,
    CreateChannel,
    CreateEvent,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    Inward,
    Keeping,
    React,
    Say,
    SetConsent,
    Spoken,
    Timeout,
    Unban,
    Warn,
    inverse,
    placed,
    target,
    undoing,
)
from bot.core.decisions import Receipt
from bot.core.events import (
    BotAdded,
    ButtonPressed,
    CommandGiven,
    Event,
    MemberJoined,
    MemberLeft,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
    TimerFired,
    actor,
    is_asked,
    key,
    lane,
    place,
)
from bot.core.things import Ref
from tests.building import of
from tests.words import MONDAY, said

HERE, MADE, ANA = Ref("discord", "h"), Ref("discord", "h/1"), Ref("discord", "ana")
DONE = Receipt(state="done", made=MADE)
PUT_BACK = tuple(kind for kind in get_args(Inward) if kind not in IRREVERSIBLE)
"""What is undone by what was kept before."""
TURNED = (React, Invite, GrantRole, Ban, Unban, *PUT_BACK)
"""What is undone by its opposite, and that by itself again."""
MAKING = (Say, AskStaff, CreatePoll, CreateEvent, Warn)
"""What is undone by taking away the message that it made."""
quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
actions = pytest.mark.parametrize("kind", get_args(Action), ids=lambda kind: kind.__name__)


def test_every_action_is_undone_in_one_of_the_known_ways_or_named_as_irreversible() -> None:
    assert {*TURNED, *MAKING, *IRREVERSIBLE, Edit, Timeout, CreateChannel, ArchiveChannel} == set(get_args(Action))


@actions
@quickly
@given(data=st.data())
def test_what_cannot_be_undone_is_exactly_what_is_named_so(kind: type, data: st.DataObject) -> None:
    action = data.draw(of(kind))
    back = inverse(action, DONE)
    if kind in IRREVERSIBLE:
        assert back is None
    elif kind in TURNED:
        assert back is not None
        assert inverse(back, DONE) == action
    elif kind in MAKING:
        assert isinstance(back, Delete)
        assert (back.message, back.channel) == (MADE, target(action))
        assert inverse(action, Receipt(state="done")) is None


def test_an_edit_goes_back_to_what_was_there_where_that_is_known() -> None:
    edit = Edit(message=MADE, channel=HERE, text="new", before="old")
    assert inverse(edit, DONE) == Edit(message=MADE, channel=HERE, text="old", before="new")
    assert inverse(inverse(edit, DONE), DONE) == edit
    assert inverse(replace(edit, before=""), DONE) is None


def test_a_time_out_is_lifted_and_a_lifted_one_cannot_come_back_by_itself() -> None:
    assert inverse(Timeout(member=ANA, minutes=30), DONE) == Timeout(member=ANA, minutes=0)
    assert inverse(Timeout(member=ANA, minutes=0), DONE) is None


def test_what_is_done_to_a_member_says_in_which_space_and_so_does_what_undoes_it() -> None:
    ban, home, other = Ban(member=ANA), Ref(ANA.platform, "home"), Ref(ANA.platform, "other")
    done = placed(ban, home)
    assert done == Ban(member=ANA, space=home)
    assert placed(done, other) == done
    assert inverse(done, DONE) == Unban(member=ANA, space=home)
    assert inverse(placed(Timeout(member=ANA, minutes=5), home), DONE) == Timeout(member=ANA, minutes=0, space=home)
    assert placed(ban, Ref("elsewhere", "home")) == ban
    asked = placed(AskStaff(to=HERE, text="?", skill="guard", proposed=(ban, Say(to=HERE, text="x"))), home)
    assert isinstance(asked, AskStaff)
    assert asked.proposed == (done, Say(to=HERE, text="x"))


def test_a_channel_that_was_made_is_put_away_and_can_be_taken_back() -> None:
    away = inverse(CreateChannel(name="garden", space=HERE), DONE)
    assert away == ArchiveChannel(channel=MADE)
    assert inverse(away, Receipt(state="done")) == ArchiveChannel(channel=MADE, on=False)
    assert inverse(away, DONE) == ArchiveChannel(channel=MADE, on=False, was=DONE.made)
    assert inverse(CreateChannel(name="garden", space=HERE), Receipt(state="done")) is None


@actions
@quickly
@given(data=st.data())
def test_an_action_is_done_to_something_on_a_platform_or_kept_by_us(kind: type, data: st.DataObject) -> None:
    where = target(data.draw(of(kind)))
    assert (where is None) == (kind in get_args(Inward))


def test_what_is_kept_names_the_field_that_goes_back_to_what_was_before() -> None:
    for kind in get_args(Inward):
        assert issubclass(kind, Keeping)
        names = {one.name for one in fields(kind)}
        assert ({kind.turns, "before"} <= names) == (kind in PUT_BACK), kind
        assert "member" in names or not kind.personal, kind


@pytest.mark.parametrize("kind", get_args(Inward), ids=lambda kind: kind.__name__)
@quickly
@given(data=st.data())
def test_what_is_personal_is_undone_by_that_member_alone(kind: type, data: st.DataObject) -> None:
    action = data.draw(of(kind))
    back = inverse(action, DONE)
    assert undoing(action, DONE, by=getattr(action, "member", None)) == back
    for other in (Ref("another", "member"), None):
        assert undoing(action, DONE, by=other) == (None if kind.personal else back)
    assert SetConsent.personal


def test_nothing_that_is_kept_is_speech_and_all_that_is_seen_once_is() -> None:
    assert not set(get_args(Spoken)) & set(get_args(Inward))
    assert {Say, Edit, AskStaff, Warn} <= set(get_args(Spoken))
    assert not {Delete, Timeout, Ban, Invite, React} & set(get_args(Spoken))


events = pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)


@events
@quickly
@given(data=st.data())
def test_an_event_has_a_name_a_lane_and_says_who_and_where(kind: type, data: st.DataObject) -> None:
    event = data.draw(of(kind))
    assert key(event)
    assert lane(event) or kind is TimerFired
    assert lane(event) == lane(replace(event, at=event.at + timedelta(seconds=1)))
    where, who = place(event), actor(event)
    assert (where is None) == (getattr(event, "channel", None) is None)
    assert (who is None) == all(getattr(event, name, None) is None for name in ("author", "member", "by"))
    assert is_asked(event) == (kind.__name__ in {"CommandGiven", "ButtonPressed"})


def _told(kind: type, **more) -> Event:
    built = {"at": MONDAY, "member": said("").author, "channel": said("").channel, "rank": 0}
    wanted = {name: value for name, value in {**built, **more}.items() if name in kind.__dataclass_fields__}
    return kind(**wanted)


M1 = Ref("import", "m1")
GENERAL = str(said("").channel.ref)


@pytest.mark.parametrize(
    ("event", "name", "lane_of"),
    [
        (said("hi", key="m1"), "posted import:m1", GENERAL),
        (_told(MessageEdited, message=M1, author=said("").author, text="", revision=3), "edited import:m1 3", GENERAL),
        (
            _told(ReactionAdded, message=M1, emoji="👍", sequence=7),
            "ReactionAdded import:m1 import:ana 👍 7",
            GENERAL,
        ),
        (
            _told(CommandGiven, command="help", invocation=Ref("import", "i1")),
            "CommandGiven import:i1",
            f"{GENERAL} import:ana",
        ),
        (
            _told(ButtonPressed, button="t", message=M1, invocation=Ref("import", "i2")),
            "ButtonPressed import:i2",
            f"{GENERAL} import:m1",
        ),
        (_told(MemberJoined), f"MemberJoined import:ana {GENERAL} {MONDAY.timestamp()}", GENERAL),
        (_told(MemberLeft, channel=None), f"MemberLeft import:ana  {MONDAY.timestamp()}", "import:ana"),
        (_told(BotAdded, by=None), f"added {MONDAY.timestamp()}", "space"),
        (
            _told(TimerFired, schedule="digest", planned=MONDAY),
            f"timer digest {MONDAY.isoformat()}",
            "digest",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_names_tell_a_redelivery_and_lanes_keep_order(event: Event, name: str, lane_of: str) -> None:
    assert (key(event), lane(event)) == (name, lane_of)


def test_the_same_thing_again_has_another_name() -> None:
    edit = _told(MessageEdited, message=M1, author=said("").author, text="", revision=1)
    assert key(edit) != key(replace(edit, revision=2))
    reaction = _told(ReactionAdded, message=M1, emoji="👍", sequence=1)
    assert key(reaction) != key(replace(reaction, sequence=2))
    assert isinstance(said("hi"), MessagePosted)
