"""What a digest says and draws: every line links to all that it rests on, and loses what it rests on no longer."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image

from bot.core.i18n import translator
from bot.core.things import Channel, Ref
from brains.rhythm import card
from brains.rhythm.digest import Digest, Line, Newcomer, Quote
from brains.skills import digest_words as saying
from storage.mending import without

BREAD = Channel(id=1, ref=Ref("discord", "20"), name="bread")
BOATS = Channel(id=2, ref=Ref("discord", "21"), name="船")
SINCE, UNTIL = datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)


def said(number: int, words: str) -> Quote:
    return Quote(text=words, source=Ref("discord", f"20/{number}"), author=f"A*{number}", read=b"")


def line(kind, *quotes: Quote, channel: Channel = BREAD, url: str = "") -> Line:
    return Line(
        kind=kind,
        title=quotes[0].text[:20],
        summary=" ".join(one.text for one in quotes),
        quotes=quotes,
        channel=channel,
        began=SINCE,
        ended=UNTIL,
        people=("Ana", "Wei"),
        messages=4,
        score=1.0,
        url=url,
    )


DIGEST = Digest(
    since=SINCE,
    until=UNTIL,
    lines=(
        line("conversation", said(1, "rye [wakes](http://evil) early"), said(2, "feed it twice")),
        line("conversation", said(3, "larch for the keel"), channel=BOATS),
    ),
    decisions=(line("decision", said(4, "we bake on Friday")),),
    questions=(line("question", said(5, "who has a loom?")), line("question", said(6, "and a wheel?"))),
    links=(line("link", said(7, "a map"), url="https://example.org/map"),),
    newcomers=3,
    named=(Newcomer(name="Ida", source=Ref("discord", "20/8")),),
    messages=1234,
    people=12,
    channels=((BREAD, 34), (BOATS, 1200)),
    quarters=((datetime(2026, 3, 28, 23, 15, tzinfo=UTC), 1200), (datetime(2026, 3, 29, tzinfo=UTC), 34)),
)


def written(language: str = "en", digest: Digest = DIGEST) -> str:
    return saying.written(digest, "Harbour", translator(language), zone="Europe/Berlin")


def lost(*numbers: int) -> set[Ref]:
    return {Ref("discord", f"20/{number}") for number in numbers}


def test_it_is_told_by_the_clock_of_its_reader_with_a_link_for_all_that_it_rests_on() -> None:
    text = written()
    assert text.startswith("**Harbour**, 2026-03-28 00:00 to 2026-03-30 00:00: 1,234 messages by 12 people")
    for source in DIGEST.sources:
        assert f"(kinfolk:message:{source})" in text
    assert "[wakes](http://evil)" not in text, "what members wrote is no link"
    assert "New here: [Ida](kinfolk:message:discord:20/8) and 2 more" in text
    assert "**Still open**\n- who has a loom?" in text
    assert "[a map](https://example.org/map)" in text


@pytest.mark.parametrize(
    ("gone", "left_out", "left"),
    [
        (lost(2), ("rye", "twice"), ("keel", "Friday", "loom", "New here")),
        (lost(3, 4), ("keel", "Friday", "Decided"), ("rye", "loom")),
        (lost(5), ("loom",), ("Still open", "wheel")),
        (lost(5, 6), ("loom", "wheel", "Still open"), ("rye",)),
        (lost(8), ("Ida", "New here"), ("rye", "keel", "loom")),
    ],
)
def test_it_loses_the_lines_of_what_is_gone(gone: set[Ref], left_out: tuple[str, ...], left: tuple[str, ...]) -> None:
    text = without(written(), gone)
    assert text is not None
    assert text.startswith("**Harbour**")
    assert [one for one in left_out if one in text] == []
    assert [one for one in left if one not in text] == []


def test_what_the_title_says_is_not_said_again_and_has_its_author() -> None:
    asked, answered = said(1, "which glue holds a teapot?"), said(2, "two-part epoxy does")
    told = replace(line("conversation", answered), heading=asked, title=asked.text)
    whole = line("conversation", said(3, "larch for the keel"))
    for one, once in ((told, asked.text), (whole, "larch for the keel")):
        text = saying.compose(replace(DIGEST, lines=(one,)), "**Harbour**", translator("en"))
        assert text.count(once) == 1
        for quote in one.said:
            assert f"discord:{quote.source.id}" in text
    assert "A\\*3" in text
    assert "A\\*2" in saying.compose(replace(DIGEST, lines=(told,)), "**Harbour**", translator("en"))
    assert without(saying.compose(replace(DIGEST, lines=(told,)), "**Harbour**", translator("en")), lost(1))


def test_nothing_of_it_stands_where_nothing_is_left_or_nobody_knows_what_to_leave_out() -> None:
    assert without(written(), lost(*range(1, 8))) is None, "who is new is no digest"
    assert without(written(), lost(99)) is None
    once = without(written(), lost(1, 2))
    assert once is not None
    assert without(once, lost(3)) is not None, "what was mended is mended again"


def test_a_picture_holds_figures_channels_and_days_and_no_words_of_members() -> None:
    made = saying.card(DIGEST, "Harbour", translator("en"), zone="UTC")
    assert made.numbers == (("1,234", "messages"), ("12", "people"), ("2", "channels"), ("3", "new here"))
    assert [(one.name, one.count) for one in made.rows] == [("#船", 1200), ("#bread", 34)]
    assert made.days == (("03-27", 0), ("03-28", 1200), ("03-29", 34))
    there = saying.card(DIGEST, "Harbour", translator("en"), zone="Europe/Berlin")
    assert there.days == (("03-28", 0), ("03-29", 1234)), "its days are those of the heading"
    words = " ".join([made.title, made.span, made.above_days, *(row.name for row in made.rows)])
    assert not any(quote.text in words for one in DIGEST.every for quote in one.quotes)


def test_it_is_drawn_for_a_phone_and_chinese_is_no_empty_box() -> None:
    made = saying.card(DIGEST, "Harbour", translator("en"), zone="UTC")
    image = Image.open(io.BytesIO(card.draw(made)))
    assert image.format == "PNG"
    assert image.width == card.WIDTH
    assert image.height <= 2 * card.WIDTH
    drawn = {
        name: card.draw(replace(made, title=name)) for name in ("港口创客", "面包发酵", "\ue000\ue000\ue000\ue000", "")
    }
    assert len(set(drawn.values())) == 3, "what cannot be drawn is left out, and characters differ"
    long = replace(made, title="Harbour " * 40, rows=tuple(replace(row, name="#x" * 90) for row in made.rows))
    assert Image.open(io.BytesIO(card.draw(long))).size == image.size


def test_of_a_link_that_many_shared_few_messages_are_named_and_all_counted() -> None:
    [link] = DIGEST.links
    many = written(digest=replace(DIGEST, links=(replace(link, messages=40),)))
    assert "([A\\*7](kinfolk:message:discord:20/7) ×40, " in many
    assert "×" not in written(digest=replace(DIGEST, links=(replace(link, messages=1),)))
