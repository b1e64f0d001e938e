"""A picture that spreads, and one that staff know: seen on every channel, and never by one accident twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.ports import Line, Picture
from bot.core.things import Ref
from brains.moderation.detection import Post, verdict
from brains.moderation.pictures import Album, Known, PictureWatch, Spread, text_of
from brains.moderation.remembering import album
from storage.lessons import Lesson

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCAM, REPOST, OTHER = "f" * 16, "f" * 15 + "0", "0" * 16
"""A hash, one four bits away from it, and one that has nothing to do with it."""


def ref(name: str) -> Ref:
    return Ref("discord", name)


def post(number: int, *, author: str = "eve", channel: str = "pier", after: float = 0.0) -> Post:
    at = NOON + timedelta(seconds=after)
    return Post(text="", author=ref(author), channel=ref(channel), at=at, message=ref(f"{channel}/{number}"))


def picture(*hashes: str, lines: tuple[Line, ...] = ()) -> Picture:
    return Picture(width=64, height=64, hashes=hashes, lines=lines, read=True)


def test_the_same_picture_in_three_channels_is_spam_and_names_the_others() -> None:
    watch = PictureWatch()
    assert watch.examine(post(1, channel="pier"), [picture(SCAM)]) == []
    assert watch.examine(post(2, channel="office", after=100), [picture(OTHER, REPOST)]) == []
    (found,) = watch.examine(post(3, channel="garden", after=200), [picture(SCAM)])

    assert (found.detector, found.kind, found.severity) == ("picture_channels", "spam", "remove")
    assert found.reason == "the same picture by one author in 3 channels within 300 s"
    assert found.related == (ref("pier/1"), ref("office/2"))


def test_the_same_picture_by_three_people_is_looked_at_by_a_human() -> None:
    watch = PictureWatch()
    for number, author in enumerate(("eve", "mallory", "eve")):
        assert watch.examine(post(number, author=author, after=number), [picture(SCAM)]) == []
    (found,) = watch.examine(post(4, author="trudy", after=9), [picture(SCAM)])
    assert (found.detector, found.severity, len(found.related)) == ("picture_authors", "flag", 3)


@pytest.mark.parametrize(
    "posts",
    [
        [post(1, channel="a"), post(2, channel="b", after=150), post(3, channel="c", after=301)],
        [post(1, channel="a"), post(2, channel="b"), post(3, channel="b")],
        [post(1, channel="a"), post(2, channel="b", author="ben"), post(3, channel="c")],
    ],
    ids=["slowly", "in two channels", "by two people"],
)
def test_a_picture_that_people_like_is_no_spam(posts: list[Post]) -> None:
    watch = PictureWatch()
    assert [watch.examine(one, [picture(SCAM)]) for one in posts] == [[], [], []]


def test_three_different_pictures_are_three_pictures() -> None:
    watch = PictureWatch()
    hashes = ("0" * 16, "f" * 16, "0f" * 8)
    posts = [post(number, channel=channel) for number, channel in enumerate("abc")]
    assert [watch.examine(one, [picture(bits)]) for one, bits in zip(posts, hashes, strict=True)] == [[], [], []]


def test_a_message_that_comes_again_counts_once_and_is_judged_the_same() -> None:
    watch = PictureWatch(spread=Spread(channels=2))
    first, second = post(1, channel="a"), post(2, channel="b", after=1)
    assert watch.examine(first, [picture(SCAM)]) == watch.examine(first, [picture(SCAM)]) == []
    assert watch.examine(second, [picture(SCAM)]) == watch.examine(second, [picture(SCAM)]) != []


def test_only_so_many_pictures_are_remembered() -> None:
    watch = PictureWatch(most=50)
    for number in range(500):
        watch.examine(post(number, author=f"m{number}", after=number / 100), [picture(f"{number * 2654435761:016x}")])
    assert len(watch._seen) == 50


def test_what_staff_confirmed_goes_and_what_others_confirmed_is_shown() -> None:
    ours = Album([Known(hash=SCAM, confirmed="here", message=ref("pier/0"))])
    theirs = Album([Known(hash=SCAM, confirmed="elsewhere")])
    examined = [PictureWatch().examine(post(1), [picture(REPOST)], known=known) for known in (ours, theirs)]

    assert [verdict(found) for found in examined] == ["remove", "flag"]
    assert examined[0][0].related == (ref("pier/0"),)
    assert PictureWatch().examine(post(1), [picture("0" + REPOST[1:])], known=ours) == []
    both = Album([Known(hash=SCAM, confirmed="elsewhere"), Known(hash=SCAM, confirmed="here")])
    assert verdict(PictureWatch().examine(post(1), [picture(SCAM)], known=both)) == "remove"


def test_what_staff_confirmed_only_flags_until_its_quarantine_is_over() -> None:
    lesson = Lesson(
        id=1,
        case="K7QX3M",
        message=ref("pier/0"),
        head="picture",
        label=1,
        text="",
        vector=None,
        signature=b"",
        width=0,
        logit=None,
        made_by="",
        picture=SCAM,
        by="discord:sam",
        at=NOON,
        matures_at=NOON + timedelta(hours=24),
    )
    known = album([lesson])
    posts = [post(1), post(2, after=24 * 3600)]
    assert [verdict(PictureWatch().examine(one, [picture(SCAM)], known=known)) for one in posts] == ["flag", "remove"]


def test_one_colour_and_an_empty_album_say_nothing() -> None:
    watch = PictureWatch()
    posts = [post(number, channel=channel) for number, channel in enumerate("abcd")]
    assert [watch.examine(one, [picture()], known=Album([])) for one in posts] == [[], [], [], []]
    assert watch.examine(post(9), [picture(SCAM)], known=Album([])) == []


def test_words_that_were_read_surely_are_handed_back() -> None:
    lines = (
        Line(text="FREE NITRO", confidence=0.98),
        Line(text="|||~", confidence=0.3),
        Line(text="领取", confidence=0.9),
    )
    assert text_of([picture(lines=lines), picture(lines=lines[:1])]) == "FREE NITRO\n领取\nFREE NITRO"
