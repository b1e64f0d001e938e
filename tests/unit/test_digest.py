"""What a digest tells: sentences that were said, and nothing that its reader may not read."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.things import Audience, Community, Member, Ref
from bot.untangling import Untangling
from brains.evals.archive import Archive, Text, archive
from brains.moderation import rules
from brains.moderation.moderator import Moderator
from brains.moderation.rulebook import Rulebooks
from brains.rhythm import lines
from brains.rhythm.digest import Digest
from brains.rhythm.digester import Digester
from brains.rhythm.span import Share
from storage import channels, members, messages
from storage.rows import insert_new
from storage.tables import CaseRow, EvidenceRow, MembershipRow, MessageRow
from tests.clocks import HastyClock
from tests.hashing import HashingEncoder

DAY = datetime(2024, 5, 6, 9, tzinfo=UTC)
KILN = [
    ("k1", "ana", "The kiln in the workshop trips the fuse whenever the heating element warms up."),
    ("k2", "ben", "The heating element of the kiln is worn, I measured 12 ohm instead of 30 ohm."),
    ("k3", "cyd", "thanks!"),
    ("k4", "ana", "We decided to order a new heating element for the kiln from the supplier in Bristol."),
]
BREAD = [
    ("b1", "dan", "Rye bread with caraway needs a sour starter that was fed the evening before."),
    ("b2", "eve", "My rye starter doubles in four hours when the kitchen is warm enough for bread."),
    ("b3", "dan", "See https://bread.example/rye?utm_source=chat for the rye recipe with the starter."),
    ("b4", "eve", "I baked from https://www.bread.example/rye/ too, the rye crumb was wonderful."),
]
VAULT = [
    ("v1", "ana", "The auction of the old lathe brought 400 pounds, which nobody outside may know yet."),
    ("v2", "fay", "The old lathe auction money pays for the roof repair in autumn then."),
]
ALONE = [("q1", "gus", "Does anybody know which drill bit is right for glazed ceramic tiles?")]


def texts() -> list[Text]:
    rooms = {"workshop": KILN, "kitchen": BREAD, "board": VAULT, "help": ALONE}
    return [
        Text(name=name, text=text, author=by, channel=room, topic=room, at=DAY + timedelta(minutes=at))
        for room, said in rooms.items()
        for at, (name, by, text) in enumerate(said)
    ]


@pytest.fixture
async def place() -> AsyncIterator[Archive]:
    async with archive(texts(), encoder=HashingEncoder()) as made:
        await Untangling(database=made.database, clock=HastyClock()).catch_up()
        board = made.reach.named("board")
        closed = functools.partial(channels.describe, channel=board.id, description="", audience=Audience.MEMBERS)
        await made.database.write(closed)
        yield made


def digester(place: Archive, **more: object) -> Digester:
    return Digester(database=place.database, vectors=place.vectors, encoder=HashingEncoder(), **more)


async def who(place: Archive, name: str) -> Member:
    found = await place.database.look(lambda c: members.by_ref(c, place.community, Ref("eval", name)))
    assert found is not None
    return found


async def look(place: Archive, maker: Digester, reader: Member | None = None, **more: object) -> Digest:
    reach = await place.database.look(lambda c: channels.reach(c, place.community, reader))
    span = {"since": DAY - timedelta(hours=1), "until": DAY + timedelta(days=1)}
    return await maker.look(place.community, reach, **{**span, **more})


def cited(found: Digest) -> set[str]:
    return {ref.id for ref in found.sources}


async def test_each_line_is_made_of_sentences_that_stand_in_the_messages_it_cites(place: Archive) -> None:
    found = await look(place, digester(place))
    assert {line.channel.name for line in found.lines} == {"workshop", "kitchen"}
    text = {one.name: one.text for one in texts()}
    for line in found.every:
        assert line.quotes
        assert all(quote.text in text[quote.source.id] for quote in line.quotes)
        assert line.summary == (
            "\n".join(one.text for one in line.quotes) if line.kind == "conversation" else line.quotes[0].text
        )
    workshop = next(line for line in found.lines if line.channel.name == "workshop")
    assert (workshop.messages, workshop.people, workshop.title) == (4, ("ana", "ben", "cyd"), "workshop")
    assert "thanks!" not in workshop.summary
    assert (found.messages, found.people, found.newcomers) == (9, 6, 6)
    assert [(one.name, one.source.id) for one in found.named] == [
        *(("ana", "k1"), ("ben", "k2"), ("cyd", "k3"), ("dan", "b1"), ("eve", "b2"), ("gus", "q1"))
    ]
    assert found.quarters == ((DAY, 9),)


async def test_questions_that_wait_decisions_and_links_are_told_once(place: Archive) -> None:
    found = await look(place, digester(place))
    assert [line.summary for line in found.questions] == [ALONE[0][2]]
    decided = [
        quote.source.id
        for line in (*found.lines, *found.decisions)
        for quote in line.quotes
        if quote.text == KILN[3][2]
    ]
    assert decided == ["k4"]
    [link] = found.links
    assert (link.messages, link.people, [ref.id for ref in link.sources]) == (2, ("dan", "eve"), ["b3", "b4"])
    gus = await who(place, "gus")
    assert (await look(place, digester(place), gus, accounts=[gus.id])).questions == ()


async def test_a_closed_channel_is_told_to_its_members_alone(place: Archive) -> None:
    maker, fay = digester(place), await who(place, "fay")
    row = {"channel_id": place.reach.named("board").id, "member_id": fay.id, "joined_at": DAY}
    await place.database.write(functools.partial(insert_new, model=MembershipRow, rows=[row]))
    assert not cited(await look(place, maker)) & {"v1", "v2"}
    assert cited(await look(place, maker, fay)) & {"v1", "v2"}
    assert not cited(await look(place, maker)) & {"v1", "v2"}, "what was read for one is not shown to another"


async def test_what_is_withheld_erased_changed_or_under_review_goes_at_once(place: Archive) -> None:
    maker = digester(place)
    assert {"k1", "k2"} & cited(await look(place, maker))
    ben = await who(place, "ben")
    await place.database.write(lambda c: members.set_consent(c, ben.id, collected=False, now=DAY))
    found = await look(place, maker)
    assert "k2" not in cited(found)
    assert all("ben" not in line.people for line in found.every)
    case = {"id": "ABC123", "community_id": place.community.id, "member_id": ben.id, "kind": "spam", "opened_at": DAY}
    case |= {"detectors": [], "reason": "", "score": 1.0, "expires_at": DAY + timedelta(days=9)}
    shown = {
        "case_id": "ABC123",
        "message": "eval:b1",
        "member_id": ben.id,
        "channel": "eval:kitchen",
        "text": "",
        "sent_at": DAY,
    }
    before = cited(found)
    assert "b1" in before
    await place.database.write(functools.partial(insert_new, model=CaseRow, rows=[case]))
    await place.database.write(functools.partial(insert_new, model=EvidenceRow, rows=[shown]))
    found = await look(place, maker)
    assert "b1" not in cited(found)
    assert found.messages == 7
    await place.database.write(lambda c: messages.erase(c, MessageRow.ref == "eval:q1"))
    assert (await look(place, maker)).questions == ()


async def test_what_changed_while_a_digest_was_made_is_left_out(place: Archive) -> None:
    maker = digester(place)
    found = await look(place, maker)
    assert "q1" in cited(found)
    [(_mark, span)] = maker._held.values()
    reach = await place.database.look(lambda c: channels.reach(c, place.community, None))
    await place.database.write(lambda c: messages.erase(c, MessageRow.ref == "eval:q1"))
    stands = await maker._standing(reach.scope, found, [Share(span=span, channels=frozenset(reach.channels))])
    assert {ref.id for ref in stands} == cited(found) - {"q1"}


async def test_what_is_asked_of_this_very_moment_is_not_held(place: Archive) -> None:
    maker = digester(place)
    for minute in range(3):
        until = DAY + timedelta(hours=9, minutes=minute)
        assert cited(await look(place, maker, until=until, once=True)) == cited(await look(place, maker))
    assert (len(maker._held), len(maker._locks)) == (1, 1), "that of the planned moment"


async def test_what_somebody_likes_comes_first_and_only_their_channel_on_demand(place: Archive) -> None:
    maker = digester(place)
    likes = {"kiln": "workshop", "rye bread": "kitchen"}
    for words, room in likes.items():
        vector = await HashingEncoder().encode([words])
        found = await look(place, maker, interests=np.asarray(vector))
        assert found.lines[0].channel.name == room
    eve = await who(place, "eve")
    assert (await look(place, maker, eve, accounts=[eve.id])).lines[0].channel.name == "kitchen"
    kitchen = place.reach.named("kitchen").id
    found = await look(place, maker, channels={kitchen})
    assert {line.channel.id for line in found.every} == {kitchen}
    assert found.messages == 4


async def test_conversations_fit_into_a_message_by_their_first_sentences_before_any_is_left_out(place: Archive) -> None:
    told = (await look(place, digester(place))).lines
    assert [len(one.quotes) for one in told] == [2, 2]
    whole = sum(map(lines._length, told))
    assert lines.fit(told, whole) == list(told)
    first, second = lines.fit(told, whole - 1)
    assert (first, second.quotes, second.summary) == (told[0], told[1].quotes[:1], told[1].quotes[0].text)
    assert [len(one.quotes) for one in lines.fit(told, 10)] == [1]


async def test_nothing_worth_saying_is_an_empty_digest(place: Archive) -> None:
    found = await look(place, digester(place), since=DAY - timedelta(days=9), until=DAY - timedelta(days=2))
    assert (found.is_empty, found.every, found.messages) == (True, (), 0)
    assert not (await look(place, digester(place))).is_empty


def _spares_kilns() -> Callable[[Community], Awaitable[Moderator]]:
    moderator = Moderator(rules=Rulebooks(rules=rules.read("words:\n  flag: [kiln]\n")))

    async def of(_community: Community) -> Moderator:
        return moderator

    return of


async def test_what_moderation_would_look_at_is_quoted_nowhere(place: Archive) -> None:
    strict = await asyncio.to_thread(_spares_kilns)

    free = await look(place, digester(place))
    found = await look(place, digester(place, moderator=strict))
    assert {"k1", "k2", "k4"} & cited(free)
    assert cited(found) == cited(free) - {"k1", "k2", "k4"}


class Writer:
    """Writes the same of every conversation, word by word."""

    name = "writer"
    languages = frozenset({"en"})

    def __init__(self, text: str) -> None:
        self.text = text

    async def generate(self, turns, *, most=200, schema=None, temperature=0.0):
        for word in self.text.split(" "):
            yield word + " "


async def test_generated_words_stand_where_a_quote_supports_them_and_the_reader_speaks_so(place: Archive) -> None:
    maker, workshop = digester(place), place.reach.named("workshop").id
    quoted = await look(place, maker, channels={workshop})
    source = next(one for one in quoted.lines[0].quotes if one.source.id == "k1")
    fewer = Writer("The kiln in the workshop trips the fuse when the heating element warms up.")
    told = await look(place, maker, channels={workshop}, generator=fewer)
    [line] = told.lines
    assert (line.summary, line.quotes, line.quoted) == (fewer.text, (source,), False)
    moderated = digester(place, moderator=await asyncio.to_thread(_spares_kilns))
    assert (await look(place, moderated, channels={workshop}, generator=fewer)).lines == ()
    for writer, language in (
        (fewer, "zh_CN"),
        (Writer("The kiln costs 900 pounds."), "en"),
        (Writer("I sold it."), "en"),
    ):
        again = await look(place, maker, channels={workshop}, generator=writer, language=language)
        assert again == quoted


async def test_a_reach_into_another_community_is_refused(place: Archive) -> None:
    other = replace(place.reach, scope=replace(place.reach.scope, community=99))
    with pytest.raises(ValueError, match="another community"):
        await digester(place).look(place.community, other, since=DAY, until=DAY + timedelta(days=1))
    assert (await digester(place).look(place.community, place.reach, since=DAY, until=DAY + timedelta(days=1))).messages
