"""References of Slack, its emoji and its marks: made and read back, and what is none refused."""

from __future__ import annotations

import pytest

from adapters.slack import emoji, names, told
from adapters.slack.interactions import refs_in
from bot.core.things import Ref

ADDRESS = "https://hooks.slack.com/commands/T1/2/secret"


def test_what_is_named_is_read_back() -> None:
    assert names.own(names.ref("C1")) == "C1"
    assert names.parts(names.message("C1", "1700000000.000100")) == ("C1", "1700000000.000100")
    assert names.address(names.invocation(ADDRESS)) == ADDRESS
    assert names.address(names.message("C1", "1700000000.000100")) == names.address(None) == ""


@pytest.mark.parametrize("name", ["", "c1", "C1/..", "C1/1", "../U1", "C" * 41, "C1/1700000000", "Ｃ１"])
def test_what_names_nothing_is_refused(name: str) -> None:
    with pytest.raises(names.Unknown, match="slack:"):
        names.own(Ref("slack", name))
    with pytest.raises(names.Unknown, match="slack:"):
        names.parts(Ref("slack", name))
    with pytest.raises(names.Unknown, match="discord:"):
        names.own(Ref("discord", "C1"))


def test_an_address_to_answer_at_is_never_shown() -> None:
    for read in (names.own, names.parts):
        with pytest.raises(names.Unknown) as unknown:
            read(names.invocation(ADDRESS))
        assert "secret" not in str(unknown.value)


def test_revisions_grow_by_microseconds() -> None:
    assert names.revision("1700000000.000100") - names.revision("1700000000.0000") == 100
    assert names.revision("1700000001.000000") - names.revision("1700000000.999999") == 1
    for odd in ("yesterday", "", "1700000000", "-1.5", "١.٢"):
        with pytest.raises(ValueError, match="not a timestamp"):
            names.revision(odd)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+1", "👍"),
        ("thumbsup", "👍"),
        ("+1::skin-tone-3", "👍"),
        ("heart", "❤"),
        ("parrot", ":parrot:"),
        ("tada", "🎉"),
    ],
)
def test_reactions_are_read(name: str, shown: str) -> None:
    assert emoji.read(name) == shown


@pytest.mark.parametrize(
    ("shown", "name"),
    [("👍", "+1"), ("👍🏽", "+1"), ("❤️", "heart"), (":parrot:", "parrot"), ("🫨", None), ("parrot", None), (":", None)],
)
def test_reactions_are_written(shown: str, name: str | None) -> None:
    assert emoji.name_of(shown) == name


def test_every_emoji_has_one_name() -> None:
    assert len(emoji.CALLED) == len(emoji.NAMED)
    assert all(emoji.name_of(shown) == name for name, shown in emoji.NAMED.items())
    assert set(emoji.SAME.values()) <= emoji.NAMED.keys()


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("guard watch <#C1|general>", "guard watch slack:C1"),
        ("warn <@U1|ben> be &lt;kind&gt; &amp; calm", "warn slack:U1 be <kind> & calm"),
        ("https://harbour.slack.com/archives/C1/p1700000000000100 spam", "slack:C1/1700000000.000100 spam"),
        (
            "<https://harbour.slack.com/archives/C1/p1700000000000100?thread_ts=1.2&amp;cid=C1> spam",
            "slack:C1/1700000000.000100 spam",
        ),
        ("see <http://a.test|here>", "see http://a.test"),
        ("<!channel> <x|>", "channel x"),
    ],
)
def test_a_line_is_read_with_references(line: str, read: str) -> None:
    assert refs_in(line) == read


def test_what_is_not_there_or_something_else_is_empty() -> None:
    odd: told.Told = {"a": {"b": 7, "c": None, "d": [1, {"e": "f"}, "g"]}, "h": "i", "j": True, "k": float("nan")}
    assert (told.text(odd, "a", "b"), told.text(odd, "h"), told.text(odd, "h", "x"), told.text(None, "a")) == (
        "",
        "i",
        "",
        "",
    )
    assert (told.part(odd, "h"), told.parts(odd, "a", "d"), told.texts(odd, "a", "d")) == ({}, [{"e": "f"}], ["g"])
    assert (told.number(odd, "a", "b"), told.number(odd, "h"), told.number(odd, "k")) == (7, 0, 0)
    assert told.is_set(odd, "x", "j")
