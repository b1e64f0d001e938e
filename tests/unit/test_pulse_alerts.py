"""What the staff was told of is named on the command line only to who may read what it is about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.cli.pulse import _alert
from bot.core.actions import Subject
from bot.core.ports import Scope
from bot.core.things import Audience, Channel, Ref
from storage.alerts import Alert
from storage.channels import Reach

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PIER = Channel(id=1, ref=Ref("test", "pier"), name="pier", description="", audience=Audience.EVERYONE)
REACH = Reach(scope=Scope(community=1, channels=frozenset({1})), channels={1: PIER})


def alert(kind: str, name: str) -> Alert:
    return Alert(id="a" * 32, subject=Subject(kind=kind, name=name), began=NOW, at=NOW, count=31, standing="open")


@pytest.mark.parametrize("kind", ["channel", "mood"])
def test_an_alert_of_a_channel_is_named_to_its_readers(kind):
    told = _alert(alert(kind, "test:pier"), REACH, staff=False)
    assert (told["kind"], told["channel"], told["messages"], told["standing"]) == (kind, "pier", 31, "open")
    assert _alert(alert(kind, "test:vault"), REACH, staff=True) == {}


@pytest.mark.parametrize("kind", ["term", "word"])
def test_an_alert_of_words_is_named_to_who_reads_the_staffs_channel(kind):
    assert _alert(alert(kind, "recall"), REACH, staff=True)["words"] == "recall"
    assert _alert(alert(kind, "recall"), REACH, staff=False) == {}
