"""Questions and answers in the sample town: asked alone and aloud, unknown, passed on to the staff, judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from adapters.playground.asked import Remove
from adapters.playground.space import HARBOUR
from bot.app import App
from bot.core.events import Arrival, TimerFired
from bot.core.ports import Turn
from bot.core.wording import unmarked
from brains.skills import answer_staff
from storage import answers
from storage.tables import MessageRow
from tests.answering import WordAnswerer
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER, STAFF, Town

pytestmark = pytest.mark.slow

ASKED = {"en": "what glue holds the broken teapot spout?", "zh_CN": "断了的茶壶嘴用什么胶粘？"}
TOLD = {"en": "Two-part epoxy holds the spout, clamp it overnight.", "zh_CN": "茶壶嘴用双组分环氧胶粘，夹一夜。"}
LONG = (
    "so well, as for the broken teapot spout, two-part epoxy glue holds the broken teapot spout when it is clamped "
    "overnight and the china was washed with spirit before, as far as it was said here"
)
SHORT = (
    "As for the broken teapot spout, two-part epoxy glue holds the broken teapot spout when it is clamped overnight "
    "and the china was washed with spirit before."
)
UNKNOWN = {"en": "how deep is zanzibar quartz mining?", "zh_CN": "祖鲁矿井挖了多深？"}
LABELS = {
    "en": ("Helpful", "Not this", "Ask staff"),
    "zh_CN": ("有帮助", "不是这个", "问管理员"),
}
in_both = pytest.mark.parametrize("language", ["en", "zh_CN"])


@pytest.fixture
async def harbour(opening: Opening) -> AsyncIterator[Town]:
    """Give the town with what answers there."""
    async with opening() as opened:
        opened.app._answerer = WordAnswerer(app=opened.app)
        yield opened


async def learned(town: Town, language: str) -> None:
    """Have a question asked and answered in the open."""
    first = await town.says(OWNER, "general", ASKED[language])
    post = town.page._space.posts[first]
    await town.says(STAFF, "general", TOLD[language], reply_to=post)
    await town.indexed()


@in_both
async def test_a_question_is_answered_alone_with_its_source(harbour: Town, language: str) -> None:
    await learned(harbour, language)
    await harbour.speaks(MEMBER, language)
    answer = await harbour.command(MEMBER, "introductions", f"/ask {ASKED[language]}")
    assert TOLD[language] in unmarked(answer), answer
    assert "kinfolk:message:playground:" in answer
    assert "Sam" in answer
    assert tuple(harbour.labels(MEMBER, "introductions")) == LABELS[language]
    assert answer not in [post.text for post in harbour.sees(OWNER, "introductions")]


class Writer:
    """Writes the same whatever it is asked."""

    name, languages = "writer", frozenset({"en"})

    def __init__(self, text: str) -> None:
        self.text = text

    async def generate(
        self,
        _turns: Sequence[Turn],
        *,
        most: int = 200,
        schema: Mapping[str, object] | None = None,
        temperature: float = 0.0,
    ) -> AsyncIterator[str]:
        for word in self.text.split(" "):
            yield f"{word} "


@pytest.mark.parametrize("written", [SHORT, "Superglue holds the broken teapot spout for 20 years."])
async def test_where_staff_want_words_the_quotes_become_fewer_if_all_of_it_was_said(
    opening: Opening, written: str
) -> None:
    def writing(app: App) -> tuple[()]:
        app._generator = Writer(written)
        app._answerer = WordAnswerer(app=app)
        return ()

    async with opening(beside=writing) as harbour:
        first = await harbour.says(OWNER, "general", ASKED["en"])
        await harbour.says(STAFF, "general", LONG, reply_to=harbour.page._space.posts[first])
        await harbour.indexed()
        assert LONG in unmarked(await harbour.command(MEMBER, "introductions", f"/ask {ASKED['en']}"))
        await harbour.command(OWNER, "staff-room", "/setup answers words")
        told = unmarked(await harbour.command(MEMBER, "introductions", f"/ask {ASKED['en']}"))
        is_so = written == SHORT
        assert (SHORT in told, LONG in told) == (is_so, not is_so), told
        assert "Sam" in told
        assert tuple(harbour.labels(MEMBER, "introductions")) == LABELS["en"]


async def test_what_is_quoted_aloud_is_for_all_who_read_along(harbour: Town) -> None:
    secret = "The spare glue for the teapot spout is behind the staff fridge."
    await harbour.says(OWNER, "staff-room", secret)
    await harbour.indexed()
    await harbour.says(OWNER, "general", "@Kinfolk where is the spare glue for the teapot spout?")
    assert secret not in unmarked(harbour.last(MEMBER, "general").text)
    alone = await harbour.command(OWNER, "general", "/ask where is the spare glue for the teapot spout?")
    assert secret in unmarked(alone)


@in_both
async def test_the_staff_is_asked_once_and_everybody_hears_and_the_next_is_answered(
    harbour: Town, language: str
) -> None:
    _helpful, _not_this, ask_staff = LABELS[language]
    for who in (MEMBER, STAFF):
        await harbour.speaks(who, language)
    answer = await harbour.command(MEMBER, "introductions", f"/ask {UNKNOWN[language]}")
    assert ("no sure answer" if language == "en" else "没有找到确切的答案") in answer
    assert harbour.labels(MEMBER, "introductions") == [ask_staff]
    await harbour.press(MEMBER, ask_staff)
    card = harbour.last(OWNER, "staff-room")
    assert UNKNOWN[language].rstrip("?？") in unmarked(card.text)
    await harbour.command(STAFF, "general", f"/ask {UNKNOWN[language]}")
    await harbour.press(STAFF, ask_staff)
    assert harbour.last(OWNER, "staff-room").id == card.id, "one card for one question"
    told = {"en": "Four hundred metres, and then the pumps fail.", "zh_CN": "四百米，再深水泵就不行了。"}[language]
    await harbour.says(OWNER, "staff-room", told, reply_to=card)
    for who in (MEMBER, STAFF):
        heard = [post.text for post in harbour._posts(who)]
        assert any(told in unmarked(one) for one in heard), heard[-3:]
    await harbour.indexed()
    again = await harbour.command("colm", "general", f"/ask {UNKNOWN[language]}")
    assert told in unmarked(again), again


async def test_what_the_staff_answer_in_a_closed_channel_is_told_nowhere_else(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", f"/ask {UNKNOWN['en']}")
    await harbour.press(OWNER, "Ask staff")
    first = harbour.last(STAFF, "staff-room")
    await harbour.command(MEMBER, "introductions", f"/ask {UNKNOWN['en']}")
    assert "I asked the staff" in await harbour.press(MEMBER, "Ask staff"), "a card of their own"
    second = harbour.last(STAFF, "staff-room")
    assert first.id != second.id
    await harbour.says(STAFF, "staff-room", "Forty metres, but keep it to yourselves.", reply_to=first)
    assert not any("Forty metres" in post.text for post in harbour._posts(MEMBER))
    await harbour.says(STAFF, "staff-room", "Deep enough.", reply_to=second)
    assert any("Deep enough" in post.text for post in harbour._posts(MEMBER))


async def test_of_many_who_wait_each_card_holds_so_many_that_all_are_told(
    harbour: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_staff, "WAITING", 1)
    cards = []
    for who in (MEMBER, "colm"):
        await harbour.command(who, "general", f"/ask {UNKNOWN['en']}")
        await harbour.press(who, "Ask staff")
        cards.append(harbour.last(OWNER, "staff-room").id)
    assert cards[0] != cards[1]


async def test_the_staff_reads_a_follow_up_with_what_it_follows_and_an_entry_goes_with_its_question(
    harbour: Town,
) -> None:
    asked = await harbour.says(MEMBER, "introductions", f"@Kinfolk {UNKNOWN['en']}")
    further = await harbour.says(
        MEMBER, "introductions", "@Kinfolk and how long?", reply_to=harbour.last(MEMBER, "introductions")
    )
    await harbour.press(MEMBER, "Ask staff")
    card = harbour.last(OWNER, "staff-room")
    assert "zanzibar quartz mining? and how long?" in unmarked(card.text)
    await harbour.says(OWNER, "staff-room", "Forty years.", reply_to=card)
    assert "zanzibar quartz mining? and how long?: Forty years" in unmarked(
        await harbour.command(OWNER, "staff-room", "/draft list")
    )
    await harbour.does(Remove(deed="remove", by=MEMBER, message=further))
    assert "Forty years" not in await harbour.command(OWNER, "staff-room", "/draft list"), "it rests on the question"
    assert asked


async def test_a_follow_up_keeps_the_question_before_it_and_thanks_get_nothing(harbour: Town) -> None:
    await learned(harbour, "en")
    await harbour.says(MEMBER, "introductions", f"@Kinfolk {ASKED['en']}")
    answer = harbour.last(MEMBER, "introductions")
    assert TOLD["en"] in unmarked(answer.text)
    before = len(harbour.sees(MEMBER, "introductions"))
    await harbour.says(MEMBER, "introductions", "thanks a lot!", reply_to=answer)
    assert len(harbour.sees(MEMBER, "introductions")) == before + 1
    await harbour.says(MEMBER, "introductions", "@Kinfolk thank you!")
    assert len(harbour.sees(MEMBER, "introductions")) == before + 2
    await harbour.says(MEMBER, "introductions", "and how long?", reply_to=answer)
    assert TOLD["en"] in unmarked(harbour.last(MEMBER, "introductions").text)


async def test_what_was_not_it_is_not_quoted_again_and_both_opinions_are_kept(harbour: Town) -> None:
    other = "For a broken teapot spout no glue holds but epoxy, somebody said."
    await harbour.says(STAFF, "general", other)
    await learned(harbour, "en")
    await harbour.command(MEMBER, "introductions", f"/ask {ASKED['en']}")
    assert "Thank you" in await harbour.press(MEMBER, "Helpful")
    again = await harbour.press(MEMBER, "Not this")
    assert TOLD["en"] not in unmarked(again)
    assert other in unmarked(again)
    assert "no sure answer" in await harbour.press(MEMBER, "Not this"), "what was refused first does not come again"
    community = await harbour.community()
    member = await harbour.member(MEMBER)
    async with harbour.app.database.read() as connection:
        [first, *_more] = await answers.since(
            connection, community, harbour.room("introductions").named.ref, datetime.min.replace(tzinfo=UTC)
        )
        assert await answers.opinion(connection, first.id, member.id) == "not_this"
        assert first.made is not None


async def test_where_the_bot_may_help_what_was_asked_before_is_answered_at_once(harbour: Town) -> None:
    await learned(harbour, "en")
    await harbour.says(MEMBER, "introductions", ASKED["en"])
    assert TOLD["en"] not in unmarked(harbour.last(MEMBER, "introductions").text)
    await harbour.command(
        OWNER, "staff-room", f"/setup speak helpful channel:{harbour.room('introductions').named.ref}"
    )
    await harbour.says(MEMBER, "introductions", ASKED["en"])
    assert TOLD["en"] in unmarked(harbour.last(MEMBER, "introductions").text)
    count = len(harbour.sees(MEMBER, "introductions"))
    await harbour.says(MEMBER, "introductions", ASKED["en"])
    assert len(harbour.sees(MEMBER, "introductions")) == count + 1, "twice in a moment is too much"


async def test_a_question_that_waits_is_answered_where_that_is_wanted_unless_somebody_took_it_up(harbour: Town) -> None:
    await learned(harbour, "en")
    await harbour.joins(MEMBER, "bread-and-ferments")
    again = "the broken teapot spout again, what glue holds it?"
    first = await harbour.says(MEMBER, "introductions", again)
    second = await harbour.says(MEMBER, "bread-and-ferments", again)
    await harbour.says("mei.c", "bread-and-ferments", "wait", reply_to=harbour.page._space.posts[second])
    await _waits(harbour, timedelta(minutes=11))
    await _looks(harbour)
    assert _told(harbour) == [], "nobody wanted it there"
    here = harbour.room("introductions").named.ref
    await harbour.command(OWNER, "staff-room", f"/mode answer watch channel:{here}")
    await harbour.command(OWNER, "staff-room", "/setup speak helpful")
    await _looks(harbour)
    assert _told(harbour) == [], "there it only watches, whatever it does elsewhere"
    await harbour.command(OWNER, "staff-room", "/mode answer watch")
    await harbour.command(OWNER, "staff-room", f"/mode answer act channel:{here}")
    await _looks(harbour)
    assert _told(harbour) == [first]
    await _looks(harbour)
    assert _told(harbour) == [first], "once is enough"


def _told(town: Town) -> list[str]:
    """Return the messages that got the answer."""
    seen = [*town.sees(MEMBER, "introductions"), *town.sees(MEMBER, "bread-and-ferments")]
    return [post.reply_to for post in seen if TOLD["en"] in unmarked(post.text)]


async def _waits(town: Town, long: timedelta) -> None:
    """Let what was said last have been said so long ago."""
    at = town.app.clock.now() - long
    late = update(MessageRow).where(col(MessageRow.sent_at) > at).values(sent_at=at)
    await town.app.database.write(lambda connection: connection.execute(late))


async def _looks(town: Town) -> None:
    """Let the moment come at which questions are looked at."""
    now = town.app.clock.now()
    for name in ("introductions", "bread-and-ferments"):
        channel = town.room(name).named.ref
        event = TimerFired(schedule="questions", planned=now, at=now, about=channel)
        await town.living.inbox.put(Arrival(space=HARBOUR, event=event))
    await town.settled()
