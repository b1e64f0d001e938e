"""/match and its buttons: from one's own words, from interests, from nothing; joined, declined, explained."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.markup import plain
from adapters.playground.asked import Write
from adapters.playground.refusals import Refused
from adapters.playground.space import Post
from bot.core.actions import Invite
from bot.core.things import Audience
from storage import members, messages
from tests.story.conftest import Opening
from tests.story.town import OWNER, STAFF, Town

pytestmark = pytest.mark.slow

BAKER, QUIET, READER = "mei.c", "colm", "fang"
LANGUAGES = ["en", "zh_CN"]
HEADS = {
    "own": {"en": "From what you wrote, you may belong here:", "zh_CN": "根据你发过的消息，这些频道可能适合你："},
    "interests": {"en": "You may belong here:", "zh_CN": "这些频道可能适合你："},
    "newcomer": {"en": "I know too little of you yet.", "zh_CN": "我对你的了解还太少。"},
}
NOT_FOR_ME = {"en": "Not for me", "zh_CN": "不感兴趣"}
WHY = {"en": "Why?", "zh_CN": "为什么？"}
JOIN = {"en": "Join #{}", "zh_CN": "加入 #{}"}
RYE = "/match sourdough rye flour dough starter"

in_both = pytest.mark.parametrize("language", LANGUAGES)


def offered(answer: str) -> list[str]:
    return re.findall(r"^\*\*\[#(.+)\]\(kinfolk:channel:\S+\)\*\*$", answer, re.MULTILINE)


@in_both
async def test_interests_lead_to_the_channel_where_they_are_shared(harbour: Town, language: str) -> None:
    await harbour.speaks(QUIET, language)
    answer = await harbour.command(QUIET, "general", RYE)
    assert answer.startswith(HEADS["interests"][language])
    assert offered(answer)[0] == "bread-and-ferments"
    assert harbour.labels(QUIET, "general")[:3] == [
        JOIN[language].format("bread-and-ferments"),
        NOT_FOR_ME[language],
        WHY[language],
    ]
    assert answer not in [post.text for post in harbour.sees(OWNER, "general")]


@in_both
async def test_ones_own_words_lead_to_channels_that_one_is_not_in(harbour: Town, language: str) -> None:
    await harbour.speaks(BAKER, language)
    for text in ("my mandolin needs new strings for the reel", "tune the fiddle, then play the jig and the reel"):
        await harbour.says(BAKER, "general", text)
    await harbour.says(BAKER, "general", "which key is the waltz in at the session, my mandolin is tuned low")
    await harbour.indexed()
    answer = await harbour.command(BAKER, "general", "/match")
    assert answer.startswith((HEADS["own"][language], HEADS["newcomer"][language]))
    assert offered(answer)
    assert not [name for name in offered(answer) if harbour.is_in(BAKER, name)]


@in_both
async def test_a_newcomer_without_words_is_shown_where_newcomers_go(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    answer = await harbour.command(newcomer, "general", "/match")
    assert answer.startswith(HEADS["newcomer"][language])
    assert len(offered(answer)) == 3
    assert "staff-room" not in offered(answer)


@in_both
async def test_join_really_joins_and_the_channel_is_not_suggested_again(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    answer = await harbour.command(newcomer, "general", "/match")
    first = offered(answer)[0]
    assert not harbour.is_in(newcomer, first)
    told = await harbour.press(newcomer, JOIN[language].format(first))
    assert f"**[#{first}](" in told
    assert harbour.is_in(newcomer, first)
    assert await harbour.opinions(newcomer) == {first: "joined"}
    assert first not in offered(await harbour.command(newcomer, "general", "/match"))
    await harbour.says(newcomer, first, "hello!")


@in_both
async def test_not_for_me_is_kept_and_the_channel_never_suggested_again(harbour: Town, language: str) -> None:
    newcomer = await harbour.arrives("Mo", language)
    first, *others = offered(await harbour.command(newcomer, "general", "/match"))
    told = await harbour.press(newcomer, NOT_FOR_ME[language])
    assert f"#{first}" in told
    assert await harbour.opinions(newcomer) == {first: "declined"}
    assert not harbour.is_in(newcomer, first)
    again = offered(await harbour.command(newcomer, "general", "/match"))
    assert first not in again
    assert set(others) <= set(again)


async def test_what_was_declined_is_not_suggested_by_interests_either(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    await harbour.press(QUIET, NOT_FOR_ME["en"])
    declined = set(await harbour.opinions(QUIET))
    assert declined
    assert not declined & set(offered(await harbour.command(QUIET, "general", RYE)))


@in_both
async def test_why_shows_what_one_said_beside_what_was_said_there(harbour: Town, language: str) -> None:
    await harbour.speaks(QUIET, language)
    answer = await harbour.command(QUIET, "general", RYE)
    top = offered(answer)[0]
    post = harbour.last(QUIET, "general")
    why = await harbour._answer(QUIET, harbour.pressing(QUIET, post, WHY[language]))
    assert f"**[#{top}](" in why.splitlines()[0]
    assert re.search(r"\d+%", why)
    there = {"en": "> There: ", "zh_CN": "> 那里："}[language]
    quotes = [line.removeprefix(there).rstrip("…") for line in plain(why).splitlines() if line.startswith(there)]
    assert quotes
    said = [" ".join(post.text.split()) for post in harbour.sees(QUIET, top)]
    assert all(any(text.startswith(quote) for text in said) for quote in quotes), "a quote is a message"
    again = await harbour._answer(QUIET, harbour.pressing(QUIET, post, WHY[language]))
    assert again == why, "asking why settles nothing"


async def test_why_repeats_no_reason_that_may_rest_on_who_withheld_consent_since(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    post = harbour.last(QUIET, "general")
    why = plain(await harbour._answer(QUIET, harbour.pressing(QUIET, post, WHY["en"])))
    reasons = [line for line in why.splitlines() if line.startswith("- ")]
    quiet, community, now = await harbour.member(QUIET), await harbour.community(), harbour.app.clock.now()

    async def withhold(connection) -> None:
        for one in await members.every(connection, community):
            if one.id != quiet.id:
                await members.set_consent(connection, one.id, collected=False, now=now)

    await harbour.app.database.write(withhold)
    after = plain(await harbour._answer(QUIET, harbour.pressing(QUIET, post, WHY["en"])))
    assert "is not there any more" in after
    assert "> There:" not in after
    assert reasons[0] not in after


async def test_a_channel_that_became_private_is_not_explained_any_more(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    post = harbour.last(QUIET, "general")
    room = harbour.room("bread-and-ferments")
    space = harbour.page._space
    space.keep_room(replace(room, named=replace(room.named, audience=Audience.MEMBERS)))
    from adapters.playground.asked import Arrange

    await harbour.does(
        Arrange(deed="arrange", by="ana", room="garden", name="garden", description="Closed now.", private=True)
    )
    answer = await harbour.command(QUIET, "general", "/match compost seeds allotment balcony tomatoes")
    assert "garden" not in offered(answer)
    assert post.buttons


@in_both
async def test_who_withheld_consent_gets_the_reason(harbour: Town, language: str) -> None:
    await harbour.speaks(BAKER, language)
    await harbour.command(BAKER, "general", "/privacy off")
    answer = await harbour.command(BAKER, "general", "/match")
    assert "/privacy on" in answer
    assert not offered(answer)
    await harbour.command(BAKER, "general", "/privacy on")
    assert offered(await harbour.command(BAKER, "general", "/match"))


async def test_a_button_serves_its_own_member_once(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    post = harbour.last(QUIET, "general")
    join = harbour.pressing(QUIET, post, "Join #bread-and-ferments")
    with pytest.raises(Refused):
        await harbour.does(join.model_copy(update={"by": READER}))
    assert "You are in" in await harbour._answer(QUIET, join)
    assert await harbour._answer(QUIET, join) == "This was settled already."
    trace = await harbour.latest("general")
    assert not any(isinstance(ruling.action, Invite) for ruling in trace.verdict.rulings)


async def test_two_presses_at_once_join_once(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    post = harbour.last(QUIET, "general")
    join = harbour.pressing(QUIET, post, "Join #bread-and-ferments")
    await harbour.page._do(join)
    await harbour.page._do(join)
    await harbour.settled()
    texts = [one.text for one in harbour.sees(QUIET, "general")]
    assert sum(text.startswith("You are in") for text in texts) == 1
    assert texts.count("This was settled already.") == 1


async def test_what_one_joined_can_be_taken_back_by_staff_exactly(harbour: Town) -> None:
    await harbour.command(QUIET, "general", RYE)
    await harbour.press(QUIET, "Join #bread-and-ferments")
    assert harbour.is_in(QUIET, "bread-and-ferments")
    told = await harbour.command(STAFF, "general", "/undo")
    assert told.startswith("Taken back:")
    assert "bring @colm into #bread-and-ferments" in plain(told)
    assert not harbour.is_in(QUIET, "bread-and-ferments")
    assert await harbour.opinions(QUIET) == {}


@pytest.mark.parametrize("encoder", ["openai:http://127.0.0.1:1#nobody"])
async def test_without_a_worker_help_answers_and_match_says_so(opening: Opening, encoder: str) -> None:
    async with opening(model=True, encoder=encoder) as town:
        assert "/match" in await town.command(QUIET, "general", "/help")
        told = await town.command(QUIET, "general", RYE)
        assert told == "I cannot think at the moment, and am being helped up again. Ask me again in a minute."
        await town.says(QUIET, "general", "is anybody there?")
        assert town.last(OWNER, "general").text == "is anybody there?"
        outcome = (await town.latest("general")).steps[0].outcome
        assert "127.0.0.1" in outcome, "the trace tells staff what is away"


# In words

ASKS = {
    "en": "@Kinfolk where do people talk about sourdough rye flour dough starter?",
    "zh_CN": "@Kinfolk sourdough rye dough",
}
NONSENSE = "🤷 ?!"
"""What holds no word at all: any other may sit near one of the town's, depending on what was learned by then."""
ALONE = {
    "en": "Not everybody here may read the channels that fit. /match answers you alone.",
    "zh_CN": "适合的频道不是这里人人都能看的。用 /match 问我，我只回答你一个人。",
}
NOTHING = {"en": "No channel fits these words well.", "zh_CN": "没有频道很适合这些话。"}


async def asks_alone(town: Town, who: str, text: str) -> Post:
    """Write to the bot in the conversation with it alone, and return its answer."""
    space = town.page._space
    room = space.direct(space.account(who))
    await town.does(Write(deed="write", by=who, room=room.id, text=text))
    return town._posts(who)[-1]


@in_both
async def test_who_asks_the_bot_in_words_is_answered_aloud_in_reply(harbour: Town, language: str) -> None:
    await harbour.speaks(QUIET, language)
    await harbour.says(QUIET, "general", "sourdough rye flour dough starter")
    assert harbour.last(OWNER, "general").author == QUIET, "nobody asked the bot"
    asked = await harbour.says(QUIET, "general", ASKS[language])
    answer = harbour.last(OWNER, "general")
    assert (answer.author, answer.only, answer.reply_to) == ("kinfolk", "", asked)
    assert answer.text.startswith(HEADS["interests"][language])
    assert offered(answer.text)[0] == "bread-and-ferments"
    await harbour.press(QUIET, JOIN[language].format("bread-and-ferments"))
    assert harbour.is_in(QUIET, "bread-and-ferments")


@in_both
async def test_where_a_guest_hears_the_answer_only_the_command_offers_channels(harbour: Town, language: str) -> None:
    await harbour.speaks(QUIET, language)
    guest = await harbour.arrives("Gus")
    await harbour.joins(guest, "general")
    await harbour.is_guest(guest)
    await harbour.says(QUIET, "general", ASKS[language])
    answer = harbour.last(guest, "general").text
    assert (answer, harbour.labels(QUIET, "general")) == (ALONE[language], [])
    assert offered(await harbour.command(QUIET, "general", RYE))[0] == "bread-and-ferments"
    assert offered((await asks_alone(harbour, QUIET, "sourdough rye flour dough starter")).text)


@in_both
async def test_what_fits_nothing_is_said_in_one_sentence_and_thanks_want_no_answer(
    harbour: Town, language: str
) -> None:
    await harbour.speaks(QUIET, language)
    await harbour.says(QUIET, "general", f"@Kinfolk {NONSENSE}")
    told = harbour.last(OWNER, "general")
    assert told.text.startswith(NOTHING[language])
    assert "/match" in told.text
    assert "/help" in told.text
    await harbour.says(QUIET, "general", NONSENSE, reply_to=told)
    assert harbour.last(OWNER, "general").author == QUIET
    await harbour.says(QUIET, "general", "@Kinfolk")
    assert harbour.last(OWNER, "general").author == QUIET


async def test_where_staff_want_commands_alone_the_trace_says_why_the_bot_was_silent(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup speak commands")
    asked = await harbour.says(QUIET, "general", ASKS["en"])
    assert harbour.last(OWNER, "general").id == asked
    told = await harbour.command(STAFF, "staff-room", f"/why {asked}")
    assert "Here I answer commands alone (/setup speak)." in told
    assert offered(await harbour.command(QUIET, "general", RYE))


async def test_with_the_bot_alone_one_is_answered_and_nothing_is_kept(harbour: Town) -> None:
    await harbour.command(OWNER, "staff-room", "/setup speak silent")
    answer = await asks_alone(harbour, QUIET, "sourdough rye flour dough starter, and my secret")
    assert offered(answer.text)[0] == "bread-and-ferments"
    assert (answer.reply_to, answer.only) == ("", "")
    await harbour.indexed()
    async with harbour.app.database.read() as connection:
        said = await messages.since(connection, await harbour.community(), datetime.min.replace(tzinfo=UTC))
    assert said
    assert not [one for one in said if "my secret" in one.message.text]


async def test_what_nobody_answers_gives_way_to_others(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    shown = [offered(await harbour.command(newcomer, "general", "/match")) for _ in range(8)]
    assert shown[0] == shown[1]
    assert shown[0][0] not in shown[-1], "what was offered again and again makes room"
    assert set(shown[-1]) - set(shown[0])


async def test_who_only_told_what_they_like_hears_that_and_how_a_refusal_is_taken_back(harbour: Town) -> None:
    newcomer = await harbour.arrives("Mo")
    await harbour.command(newcomer, "general", RYE)
    told = await harbour.command(newcomer, "general", "/match")
    assert told.startswith("From what you told me, you may belong here:")
    await harbour.joins(newcomer, "general")
    await harbour.says(newcomer, "general", "compost, seeds and tomatoes on the balcony")
    told = await harbour.command(newcomer, "general", "/match")
    assert told.startswith("From what you told me and wrote, you may belong here:")
    assert "/match refused" in await harbour.press(newcomer, NOT_FOR_ME["en"])
