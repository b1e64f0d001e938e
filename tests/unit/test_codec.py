"""Whatever happens and whatever is done is written as JSON and read back the same; old documents are brought up."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import get_args

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core import codec
from bot.core.actions import Action, AskStaff, Delete, Say
from bot.core.codec import dump, dump_action, load, load_action
from bot.core.decisions import Trace
from bot.core.events import Arrival, Event, MemberJoined, Named
from bot.core.things import Ref
from tests.building import of
from tests.words import MONDAY

quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SAY = Say(to=Ref("discord", "20/900"), text="hello")


@pytest.mark.parametrize("kind", get_args(Action), ids=lambda kind: kind.__name__)
@quickly
@given(data=st.data())
def test_every_action_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    action = data.draw(of(kind))
    assert load_action(dump_action(action)) == action


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
@quickly
@given(data=st.data())
def test_every_event_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    arrival = Arrival(space=data.draw(of(Named)), event=data.draw(of(kind)), live=data.draw(st.booleans()))
    assert load(Arrival, dump(Arrival, arrival)) == arrival


@quickly
@given(trace=of(Trace))
def test_a_whole_story_comes_back_as_it_was(trace: Trace) -> None:
    assert load(Trace, dump(Trace, trace)) == trace


def test_a_proposal_carries_what_it_proposes() -> None:
    asked = AskStaff(to=SAY.to, text="?", skill="welcome", proposed=(SAY, Delete(message=SAY.to, channel=SAY.to)))
    assert load_action(dump_action(asked)) == asked


def test_an_instant_is_the_same_instant_whatever_clock_it_was_read_from() -> None:
    lisbon = MONDAY.astimezone(timezone(timedelta(hours=1)))
    joined = MemberJoined(member=Named(ref=Ref("a", "b"), name="Ana"), at=lisbon)
    arrival = Arrival(space=joined.member, event=joined)
    assert load(Arrival, dump(Arrival, arrival)).event.at == MONDAY


def test_a_document_says_its_version_and_names_things_readably() -> None:
    document = orjson.loads(dump_action(SAY))
    assert (document["v"], document["data"]["kind"], document["data"]["to"]) == (1, "Say", "discord:20/900")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"v": 1}',
        '{"v": 1, "data": null}',
        '{"v": 1, "data": {"kind": "Dance"}}',
        '{"v": 1, "data": {"kind": "Say", "text": "hi"}}',
        '{"v": 1, "data": {"kind": "Say", "to": "nowhere", "text": "hi"}}',
        '{"v": "1", "data": {}}',
    ],
)
def test_what_is_no_document_of_ours_is_told_and_never_half_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_action(text)


def test_a_document_of_the_future_says_what_is_too_old_to_read_it() -> None:
    with pytest.raises(ValueError, match="a document of version 99; this Kinfolk reads up to 1"):
        load_action('{"v": 99, "data": {}}')


def test_an_old_document_goes_through_every_step_to_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first format called the text `words`; the second called the channel `channel`."""

    def from_first(document: codec.Document) -> codec.Document:
        data = dict(document["data"])
        return {"v": 0, "data": {**data, "text": data.pop("words")}}

    def from_second(document: codec.Document) -> codec.Document:
        data = dict(document["data"])
        return {"v": 1, "data": {**data, "to": data.pop("channel")}}

    monkeypatch.setattr(codec, "UPCASTERS", {-1: from_first, 0: from_second})
    first = {"v": -1, "data": {"kind": "Say", "channel": "discord:20/900", "words": "hello"}}
    assert load_action(orjson.dumps(first).decode()) == SAY
    second = {"v": 0, "data": {"kind": "Say", "channel": "discord:20/900", "text": "hello"}}
    assert load_action(orjson.dumps(second).decode()) == SAY
