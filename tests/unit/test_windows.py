"""Windows: what was lately done, by the time of the messages, in bounded memory."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.things import Ref
from brains.moderation.windows import MESSAGES, Said, Windows, pairs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "theverysameadvertisementagain"


def ref(kind: str, number: int) -> Ref:
    return Ref.parse(f"playground:{kind}{number}")


def said(author: int, at: float, text: str = "", channel: int = 1, message: int | None = None) -> Said:
    return Said(
        author=ref("m", author),
        channel=ref("c", channel),
        at=NOON + timedelta(seconds=at),
        bones=text,
        pairs=pairs(text),
        message=None if message is None else ref("x", message),
    )


def test_an_authors_messages_leave_the_window_by_their_own_time():
    windows = Windows()
    for at in range(5):
        windows.note(said(1, at * 3))
    windows.note(said(2, 12))

    assert [len(windows.of(ref("m", 1), NOON + timedelta(seconds=12), seconds)) for seconds in (1, 4, 10, 60)] == [
        1,
        2,
        4,
        5,
    ]
    assert len(windows.of(ref("m", 1), NOON + timedelta(seconds=300), 60)) == 0
    assert len(windows.of(ref("m", 3), NOON, 60)) == 0


def test_copies_are_found_whole_and_changed_but_not_what_everybody_says():
    windows = Windows()
    ones = [
        said(1, 0, TEXT),
        said(2, 1, TEXT + "x", 2),
        said(3, 2, "somethingelseentirelyhere"),
        said(4, 3, "ok"),
        said(5, 4, "ok"),
    ]
    for one in ones:
        windows.note(one)
    last = said(6, 5, TEXT, 3)
    windows.note(last)

    assert {one.author for one in windows.copies(last, 60)} == {ref("m", 1), ref("m", 2), ref("m", 6)}
    assert {one.author for one in windows.copies(last, 5)} == {ref("m", 2), ref("m", 6)}
    assert windows.copies(ones[4], 60) == [ones[4]]


def test_an_edited_message_takes_its_own_place():
    windows = Windows()
    windows.note(said(1, 0, TEXT, message=1))
    edited = said(1, 5, TEXT + "s", message=1)
    windows.note(edited)

    assert windows.of(ref("m", 1), edited.at, 60) == [edited]
    assert windows.copies(edited, 60) == [edited]


def test_memory_is_bounded_by_authors_messages_and_time():
    windows = Windows(authors=10)
    for at in range(1_000):
        windows.note(said(at % 100, at / 100, f"{TEXT}{at}"))
    for _again in range(2 * MESSAGES):
        windows.note(said(1, 11))

    assert len(windows._by_author) == 10
    assert len(windows.of(ref("m", 1), NOON + timedelta(seconds=11), 600)) == MESSAGES

    windows.note(said(7, 10_000))
    assert (len(windows._by_author), len(windows._recent), windows._same) == (1, 0, {})


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.floats(0, 2_000), st.sampled_from([TEXT, TEXT + "more", "short", ""])),
        max_size=60,
    )
)
@settings(max_examples=30, deadline=None)
def test_any_order_of_times_is_counted_like_the_plain_sum(rows):
    windows, known = Windows(), []
    rows.sort(key=lambda row: row[1])
    for author, at, text in rows:
        one = said(author, at, text)
        windows.note(one)
        known.append(one)
        since = one.at - timedelta(seconds=60)
        assert windows.of(one.author, one.at, 60) == [x for x in known if x.author == one.author and x.at > since]
        if text == TEXT:
            same = [x for x in known if x.at > since and x.bones in {TEXT, TEXT + "more"}]
            assert [x for x in windows.copies(one, 60) if x.bones == TEXT] == [x for x in same if x.bones == TEXT]
