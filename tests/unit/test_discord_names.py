"""References of Discord: made and read back, and what is none refused."""

from __future__ import annotations

import pytest

from adapters.discord import names
from bot.core.things import Ref

TOO_LONG = "9" * 21


def test_what_is_named_is_read_back() -> None:
    assert names.number(names.ref(10)) == 10
    assert names.pair(names.member(10, 2)) == (10, 2)
    assert names.pair(names.role(10, 5), "&") == (10, 5)
    assert names.pair(names.ref(10, "@7"), "@") == (10, 7)
    assert names.is_date(names.ref(10, "@7"))
    assert not names.is_date(names.member(10, 7))
    assert names.asked(names.ref("i", 31, "TOKEN")) == names.Asked(id=31, token="TOKEN")
    assert names.asked(names.ref("i", 31, "TOKEN", 900)) == names.Asked(id=31, token="TOKEN", message=900)


@pytest.mark.parametrize("name", ["x", "", "1/2", "-1", "1.5", "٣", "²", "1 ", TOO_LONG, "../@me"])
def test_what_is_no_number_is_none(name: str) -> None:
    with pytest.raises(names.Unknown, match="discord:"):
        names.number(Ref("discord", name))
    assert names.number(Ref("discord", "1")) == 1


@pytest.mark.parametrize("name", ["1", "1/", "/1", "1/2/3", "1/x", f"1/{TOO_LONG}", "1/&2", "1/@2", "1/../2"])
def test_what_is_no_pair_is_none(name: str) -> None:
    with pytest.raises(names.Unknown):
        names.pair(Ref("discord", name))
    assert names.pair(Ref("discord", "1/2")) == (1, 2)


@pytest.mark.parametrize(
    "name", ["i/1", "i/x/TOKEN", "j/1/TOKEN", "1/2/3", "i/1/TOKEN/x", "i/1/TOKEN/2/3", f"i/{TOO_LONG}/TOKEN"]
)
def test_what_is_no_interaction_is_none(name: str) -> None:
    assert names.asked(Ref("discord", name)) is None


def test_what_is_elsewhere_is_refused() -> None:
    for read in (names.number, names.pair):
        with pytest.raises(names.Unknown, match="slack:1 is not on Discord"):
            read(Ref("slack", "1"))
    assert names.asked(Ref("slack", "i/1/TOKEN")) is None
    assert names.asked(None) is None
