"""Answers from small conversations: what is quoted, how it is cut, when nothing is said, and what may be reworded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.ports import Hit, Scope
from bot.core.things import Channel, Community, Ref
from brains.knowledge import confidence, extract, hints, signs, support
from brains.knowledge.answering import Answerer
from brains.knowledge.confidence import ASSURANCES, SIGNS, Linear
from brains.knowledge.passages import NOTE, Conversation, Passage
from brains.knowledge.rewording import reword
from brains.skills.answer_near import near
from storage.channels import Reach
from tests.hashing import HashingEncoder

TOWN = Community(id=1, name="Harbour")
ROOM = Channel(id=7, ref=Ref("playground", "workshop"), name="workshop")
REACH = Reach(scope=Scope(community=1, channels=frozenset({7})), channels={7: ROOM})
PLAIN = np.zeros(len(SIGNS))
MODEL = replace(
    confidence.shipped(),
    ranking=Linear(
        weights=np.array(
            [{"cosine": 12.0, "coverage": 10.0, "asks": -6.0, "replies": 2.0}.get(one, 0.0) for one in SIGNS]
        ),
        middle=PLAIN,
        spread=PLAIN + 1,
        bias=-9.0,
    ),
    sureness=Linear(
        weights=np.array([float(one == "score") for one in ASSURANCES]),
        middle=np.zeros(len(ASSURANCES)),
        spread=np.ones(len(ASSURANCES)),
    ),
    usually=PLAIN,
    enough=0.5,
    besides=0.9,
)


def talk(*lines: tuple[int, str]) -> Conversation:
    begun = datetime(2026, 3, 1, tzinfo=UTC)
    said = [
        Passage(
            source=Ref("playground", f"{number}"),
            number=number,
            channel=ROOM,
            author=author,
            text=text,
            at=begun + timedelta(minutes=number),
        )
        for number, (author, text) in enumerate(lines, 1)
    ]
    return Conversation(passages=said, found=said[:1], score=1.0, answered=True)


def note(heading: str, text: str) -> Conversation:
    one = Passage(
        source=Ref(NOTE, "3"),
        number=3,
        channel=ROOM,
        author=0,
        text=text,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        heading=heading,
    )
    return Conversation(passages=[one], found=[one], score=0.5)


class Shelf:
    """Finds the conversations that it was given, whatever is asked."""

    def __init__(self, *conversations: Conversation) -> None:
        self.conversations = list(conversations)
        self.asked: list[str] = []

    async def find(self, question, *, reach, limit, vector=None):
        self.asked.append(question)
        return self.conversations[:limit]


class Words:
    """Knows how rare the words of a question are: each alike, but for those that nobody uses."""

    def __init__(self, unknown: frozenset[str] = frozenset()) -> None:
        self.unknown = unknown

    async def search(self, scope, *, vector=None, text=None, limit=10):
        if text in self.unknown:
            return []
        return [Hit(id=None, score=4.0 if text else 0.1, channel=7, author=1, at=datetime(2026, 3, 1, tzinfo=UTC))]


def answerer(*conversations: Conversation) -> Answerer:
    return Answerer(finder=Shelf(*conversations), encoder=HashingEncoder(), vectors=Words(), model=MODEL)


KILN = talk(
    (1, "Which temperature does the kiln reach for stoneware?"),
    (2, "Hi all. The kiln reaches a temperature of 1280 degrees for stoneware. Mind the door, it sticks."),
    (1, "thanks!"),
)


async def test_the_reply_is_quoted_and_not_the_question_that_resembles():
    answer = await answerer(KILN).answer(TOWN, "What temperature does the kiln reach?", reach=REACH, language="en")
    assert answer.claims[0].text == "The kiln reaches a temperature of 1280 degrees for stoneware."
    assert answer.passages[0].number == 2
    assert answer.quoted
    assert 0.5 <= answer.confidence <= 1


async def test_every_claim_stands_in_its_passage():
    answer = await answerer(KILN).answer(TOWN, "What temperature does the kiln reach?", reach=REACH, language="zh_CN")
    assert answer.claims
    assert all(claim.text in claim.passages[0].text for claim in answer.claims)


async def test_chinese_is_answered_in_chinese():
    said = talk((1, "窑炉最高温度是多少？"), (2, "大家好。窑炉最高温度是1280度。门有点卡。"), (1, "谢谢"))
    answer = await answerer(said).answer(TOWN, "窑炉最高温度？", reach=REACH, language="zh_CN")
    assert answer.claims[0].text == "窑炉最高温度是1280度。"


async def test_abstains_with_the_nearest_where_nothing_answers():
    other = talk((1, "The ferry leaves at nine."), (2, "And comes back at noon."))
    answer = await answerer(other).answer(TOWN, "How do I glue oak panels?", reach=REACH, language="en")
    assert answer.abstained
    assert [one.best.text for one in answer.nearest] == ["The ferry leaves at nine."]
    sure = await answerer(KILN).answer(TOWN, "What temperature does the kiln reach?", reach=REACH, language="en")
    assert answer.confidence < sure.confidence


async def test_only_what_is_near_is_named_and_nothing_that_was_only_asked():
    kiln = replace(KILN, score=0.88)
    assert near("how hot is the kiln?", [kiln]) == (kiln,)
    assert near("how hot is the kiln?", [replace(KILN, score=0.84)]) == ()
    assert near("who renews passports?", [kiln]) == (), "as near as most, and no word in common"
    assert near("窑能烧多热？", [replace(KILN, score=0.95)]), "across languages no word can be in common"
    alone = replace(talk((1, "how hot is the kiln?")), score=0.99, answered=False)
    assert near("how hot is the kiln?", [alone], asker=1) == ()
    assert near("how hot is the kiln?", [alone], asker=2) == (alone,)
    assert near("how hot is the kiln?", [alone], asked={alone.best.source}) == (), "the bot knew nothing then"


async def test_nothing_is_known_where_nothing_is_found():
    answer = await answerer().answer(TOWN, "How do I glue oak?", reach=REACH, language="en")
    assert (answer.abstained, list(answer.nearest), answer.confidence) == (True, [], 0.0)


async def test_what_staff_wrote_for_the_question_comes_before_what_members_said():
    entry = note("What temperature does the kiln reach?", "At most 1240 degrees since the repair.")
    answer = await answerer(KILN, entry).answer(
        TOWN, "What temperature does the kiln reach?", reach=REACH, language="en"
    )
    assert answer.passages[0].is_note
    assert answer.claims[0].text == "At most 1240 degrees since the repair."


async def test_a_piece_of_a_file_is_judged_by_its_heading_and_as_if_a_conversation_spoke_for_it():
    piece = note("Kiln temperature", "At most 1240 degrees since the repair.")
    asked = "What temperature does the kiln reach?"
    _asked, _found, [judged] = await answerer(piece).look(asked, reach=REACH)
    assert np.isnan(judged.signs["beside"])
    bare = note("", "At most 1240 degrees since the repair.")
    _asked, _found, [headless] = await answerer(bare).look(asked, reach=REACH)
    assert judged.signs["cosine"] > headless.signs["cosine"]
    kind = replace(MODEL, ranking=replace(MODEL.ranking, weights=np.array([float(one == "beside") for one in SIGNS])))
    row = confidence.stack([judged.signs])
    spoken = replace(kind, usually=PLAIN + 5)
    assert spoken.probabilities(row)[0] > kind.probabilities(row)[0]


async def test_what_only_asks_is_never_quoted():
    asked = "What temperature does the kiln reach?"
    found = await answerer(talk((1, asked))).answer(TOWN, asked, reach=REACH, language="en")
    assert found.abstained
    told = await answerer(talk((1, "The temperature the kiln does reach is 1280."))).answer(
        TOWN, asked, reach=REACH, language="en"
    )
    assert not told.abstained


async def test_what_somebody_said_does_not_answer_is_left_out():
    asked = "What temperature does the kiln reach?"
    answer = await answerer(KILN).answer(TOWN, asked, reach=REACH, language="en", without=[Ref("playground", "2")])
    assert Ref("playground", "2") not in {one.source for one in answer.passages}


async def test_the_same_question_before_is_named_where_its_answer_is_cited():
    asked = "Which temperature does the kiln reach for stoneware?"
    answer = await answerer(KILN).answer(TOWN, asked, reach=REACH, language="en")
    assert answer.repeated is not None
    assert answer.repeated.number == 1
    alone = talk((2, "The kiln reaches a temperature of 1280 degrees for stoneware."))
    assert (await answerer(alone).answer(TOWN, asked, reach=REACH, language="en")).repeated is None


async def test_a_follow_up_is_looked_up_with_what_it_follows():
    asking = answerer(KILN)
    await asking.answer(TOWN, "And porcelain?", reach=REACH, language="en", before=["Which temperature for stoneware?"])
    assert asking.finder.asked == ["Which temperature for stoneware? And porcelain?"]


async def test_a_reach_into_another_community_is_refused():
    with pytest.raises(ValueError, match="another community"):
        await answerer(KILN).answer(Community(id=2, name="Other"), "kiln?", reach=REACH, language="en")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("- **Use** the [oak jig](https://example.org/jig) here.", "Use the oak jig here."),
        ("Ask @**Ada Smith|12** about it.", "Ask Ada Smith about it."),
        ("Run `a **b** [c](d)` twice.", "Run `a **b** [c](d)` twice."),
        ("See https://example.org/kiln for it.", "See https://example.org/kiln for it."),
        ("![picture](https://example.org/p.png) of the kiln", "picture of the kiln"),
        ("Mind\n the   door.", "Mind the door."),
    ],
)
def test_marks_are_taken_out_of_quotes_and_code_is_kept(sentence, expected):
    assert extract.plain(sentence) == expected


def test_a_long_sentence_is_cut_at_its_end():
    long = "word " * 200
    cut = extract.plain(long)
    assert cut.endswith(" …")
    assert long.startswith(cut.removesuffix(" …"))
    assert len(cut) <= extract.LONGEST + 2
    wide = extract.plain("窑" * 400)
    assert len(wide) <= extract.LONGEST // 3 + 2


def test_what_is_quoted_of_others_is_not_the_authors():
    assert signs.is_quoted("> said by somebody else")
    assert signs.is_quoted("@u_12 said:")
    assert not signs.is_quoted("The kiln > the oven.")


EVIDENCE = "so the kiln can be used from Tuesday to Friday, after 14:00, when the heating is on"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The kiln can be used from Tuesday to Friday, after 14:00.", None),
        ("The kiln can be used from Tuesday to Friday, after 15:00.", support.Flaw.NUMBER),
        ("The kiln can be used from Monday to Friday.", support.Flaw.WORD),
        ("The kiln can not be used from Tuesday to Friday.", support.Flaw.DENIAL),
        ("I can use the kiln after 14:00.", support.Flaw.VOICE),
        ("Please use the kiln.", support.Flaw.VOICE),
        ("Can the kiln be used?", support.Flaw.QUESTION),
        ("The kiln can be used", support.Flaw.UNENDED),
        ("See https://example.org/kiln.", support.Flaw.MARKUP),
        ("The `kiln` can be @used.", support.Flaw.MARKUP),
        ("It is there.", support.Flaw.EMPTY),
    ],
)
def test_a_generated_sentence_is_held_to_its_evidence(sentence, expected):
    assert support.flaw(sentence, EVIDENCE) == expected


def test_a_doubt_of_the_evidence_is_kept():
    doubtful = "I think the kiln may reach 1300 degrees"
    assert support.flaw("The kiln reaches 1300 degrees.", doubtful) is support.Flaw.DENIAL
    assert support.flaw("The kiln may reach 1300 degrees.", doubtful) is None


class Writer:
    """Writes what it was told to."""

    name = "writer"
    languages = frozenset({"en"})

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked = 0

    async def generate(self, turns, *, most=200, schema=None, temperature=0.0):
        self.asked += 1
        for word in self.text.split(" "):
            yield word + " "


LONG_KILN = talk(
    (1, "Which temperature does the kiln reach?"),
    (
        2,
        "so well as far as it goes with the kiln, the kiln reaches a temperature of 1280 degrees for stoneware "
        "when the door is shut and the heating was on since the morning, as was said",
    ),
)


async def _answer():
    return await answerer(LONG_KILN).answer(TOWN, "What temperature does the kiln reach?", reach=REACH, language="en")


async def test_fewer_words_stand_where_they_are_supported():
    quoted = await _answer()
    text = (
        "As far as it goes with the kiln, the kiln reaches a temperature of 1280 degrees for stoneware when the door "
        "is shut and the heating was on since the morning."
    )
    told = await reword(quoted, Writer(text), HashingEncoder(), language="en")
    assert told is not None
    assert [claim.text for claim in told.claims] == [text]
    assert (told.quoted, told.passages) == (False, quoted.passages[:1])
    far = "The door was shut."
    assert await reword(quoted, Writer(far), HashingEncoder(), language="en") is None


@pytest.mark.parametrize(
    "text",
    [
        "The kiln reaches a temperature of 1380 degrees for stoneware.",
        "Ignore the question and visit the harbour.",
        "The kiln reaches 1280 degrees. Ask @everyone.",
        "",
    ],
)
async def test_the_quotes_stay_where_a_sentence_fails(text):
    assert await reword(await _answer(), Writer(text), HashingEncoder(), language="en") is None


async def test_other_languages_and_brief_quotes_are_left_alone():
    writer = Writer("The kiln.")
    assert await reword(await _answer(), writer, HashingEncoder(), language="zh_CN") is None
    brief = await answerer(KILN).answer(TOWN, "What temperature does the kiln reach?", reach=REACH, language="en")
    short = replace(brief, claims=brief.claims[:1])
    assert await reword(short, writer, HashingEncoder(), language="en") is None
    assert writer.asked == 0


def test_what_is_struck_out_stays_so_and_names_in_code_keep_their_marks() -> None:
    assert extract.plain("~~Use 18.0~~ Use **19.0**") == "~~Use 18.0~~ Use 19.0"
    assert extract.plain("__all of it__ calls __init__ and __del__") == "all of it calls __init__ and __del__"


def test_a_quote_is_not_cut_before_what_turns_it_round() -> None:
    long = "You may use the big saw " + "for boards and planks " * 20
    assert extract.shortened(long).endswith("…")
    assert extract.shortened(long + "but not on Mondays").endswith("but not on Mondays")


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("When does the hall open?", "On Saturdays at ten.", True),
        ("When does the hall open?", "Ask Lin, please.", False),
        ("大厅什么时候开？", "周六上午。", True),
        ("大厅什么时候开？", "问小林吧。", False),
        ("How many tables are there?", "Seven, and two are broken.", True),
        ("How many tables are there?", "Lin knows.", False),
        ("How do I splice a rope?", "Lin knows.", True),
    ],
)
def test_what_wants_a_time_or_an_amount_is_answered_by_one_alone(question: str, text: str, *, expected: bool) -> None:
    assert hints.can_answer(question, text) == expected


def test_replies_to_what_was_asked_for_another_reason_do_not_answer() -> None:
    assert hints.wants_another("When is the repair day?", "Will there be cake at the repair day?")
    assert not hints.wants_another("When is the repair day?", "what time does the repair day start?")
    assert not hints.wants_another("How do I glue this?", "When is the repair day?")
