"""Finding conversations in real tables and vectors, and judging that on data small enough to check by eye."""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.core.errors import Mistake
from bot.core.sentences import parts
from brains.evals.archive import Archive, Text, archive
from brains.evals.discussed import discussed, opening, pairs, part_of, read_history
from brains.evals.retrieval import read_folder, retrieval
from storage import encodings, messages
from storage.rows import insert_new
from storage.tables import AnswerRow, AnswerSourceRow, OpinionRow, ReactionRow
from tests.hashing import HashingEncoder

DAY = datetime(2024, 5, 1, tzinfo=UTC)
HOUSE = "The kiln room is behind the blue door. " + "Nothing of note stands in this long sentence. " * 9
SAID = [
    ("kiln?", "when does the kiln open", "asker", "workshop", "kiln"),
    ("kiln!", "the kiln opens at nine", "helper", "workshop", "kiln"),
    ("bread", "rye bread needs a sour starter", "baker", "kitchen", "bread"),
    ("long", HOUSE, "warden", "workshop", "house"),
    ("again", "The kiln opens at nine!", "other", "news", ""),
]


def texts() -> list[Text]:
    return [
        Text(name=name, text=text, author=by, channel=channel, topic=topic, at=DAY + timedelta(hours=at))
        for at, (name, text, by, channel, topic) in enumerate(SAID)
    ]


async def found(place: Archive, question: str, **narrower: object) -> list[str]:
    reach = replace(place.reach, scope=replace(place.reach.scope, **narrower))
    return [one.best.source.id for one in await place.retrieval.find(question, reach=reach, limit=3)]


async def judge(place: Archive, *sources: str, helpful: bool) -> None:
    """Let somebody think so of an answer that cited these."""
    async with place.database.read() as connection:
        [first] = (await messages.by_number(connection, place.reach.scope, [1])).values()
    name = f"{sources}{helpful}"
    mine = {"community_id": place.community.id, "member_id": first.author, "channel": "c", "question": "?", "at": DAY}
    empty = dict.fromkeys(("thread", "asked", "trace_id", "made", "card"), "")
    answer = {"id": name, **mine, **empty, "alone": False, "confidence": 1.0, "standing": "given"}
    cited = [{"answer_id": name, "source": f"eval:{one}", "channel_id": 1, "digest": b""} for one in sources]
    vote = {"answer_id": name, "member_id": first.author, "helpful": helpful, "at": DAY}
    for model, rows in ((AnswerRow, [answer]), (AnswerSourceRow, cited), (OpinionRow, [vote])):
        await place.database.write(functools.partial(insert_new, model=model, rows=rows))


@pytest.mark.slow
async def test_conversations_are_found_whole_within_reach_and_as_members_took_them() -> None:
    encoder = HashingEncoder()
    async with archive(texts(), encoder=encoder) as place:
        [first, *_] = await place.retrieval.find("kiln opens at nine", reach=place.reach, limit=3)
        assert [one.source.id for one in first.passages] == ["kiln?", "kiln!"]
        assert (first.best.source.id, first.answered) == ("kiln!", True)
        assert [one.source.id for one in first.also] == ["again"]
        assert (await found(place, "kiln opens at nine", until=DAY + timedelta(hours=1)))[0] == "kiln?"
        workshop = next(number for number, one in place.reach.channels.items() if one.name == "kitchen")
        assert await found(place, "kiln opens at nine", channels=frozenset({workshop})) == ["bread"]
        assert (await found(place, "behind the blue door"))[0] == "long"

        before = {
            one.best.source.id: one.score for one in await place.retrieval.find("rye", reach=place.reach, limit=3)
        }
        await judge(place, "bread", helpful=False)
        await judge(place, "kiln!", "kiln?", helpful=True)
        after = {one.best.source.id: one.score for one in await place.retrieval.find("rye", reach=place.reach, limit=3)}
        assert after["bread"] < before["bread"]
        assert max(after[one] - before[one] for one in after.keys() & {"kiln?", "kiln!"}) > 0

        row = {"message_id": 4, "member_id": 1, "emoji": "🔥", "at": DAY}
        await place.database.write(functools.partial(insert_new, model=ReactionRow, rows=[row]))
        score = next(
            one.score for one in await place.retrieval.find("rye", reach=place.reach, limit=5) if one.best.number == 4
        )
        refused = {**row, "emoji": "👎", "member_id": 2}
        await place.database.write(functools.partial(insert_new, model=ReactionRow, rows=[refused]))
        again = next(
            one.score for one in await place.retrieval.find("rye", reach=place.reach, limit=5) if one.best.number == 4
        )
        assert again == pytest.approx(score)

        sentences = list(parts(HOUSE))
        kept = functools.partial(encodings.kept, fingerprint=encoder.fingerprint, texts=sentences)
        assert len(await place.database.look(kept)) == len(sentences) == 2
        with pytest.raises(Mistake, match="empty"):
            await place.retrieval.find(" ", reach=place.reach, limit=3)


def write(path: Path, rows: list[dict]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def folder(path: Path, *, when: bool = False) -> Path:
    path.mkdir(exist_ok=True)
    docs = [
        {"id": name, "text": text} | ({"ts": 1000 + at} if when else {}) for at, (name, text, *_) in enumerate(SAID)
    ]
    asked = [{"id": "q1", "text": "rye starter"}, {"id": "q2", "text": "blue door"}]
    write(path / "corpus.jsonl.gz", docs)
    write(path / "queries.jsonl", [one | ({"ts": 1003} if when else {}) for one in asked])
    (path / "qrels.tsv").write_text("q1\tbread\t1\nq2\tlong\t1\nq2\tbread\t0\n")
    return path


@pytest.mark.slow
async def test_no_part_of_finding_reads_through_the_whole_community() -> None:
    """SQLite would begin with the index of the community's messages, and read every one of them."""
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    async with archive(texts(), encoder=HashingEncoder()) as place:
        event.listen(place.database.engine, "before_cursor_execute", note)
        heard = frozenset(place.reach.channels)
        assert await found(place, "kiln", channels=heard)
        event.remove(place.database.engine, "before_cursor_execute", note)
        async with place.database.read() as connection:
            plans = [
                step[3]
                for statement, parameters in asked
                if statement.startswith(("SELECT message.", "SELECT member."))
                for step in await connection.run_sync(
                    lambda inner, one=statement, values=parameters: inner.exec_driver_sql(
                        f"EXPLAIN QUERY PLAN {one}", values
                    ).all()
                )
            ]
    assert len(plans) > 2
    assert not [
        plan for plan in plans if plan.startswith("SCAN") or ("autoindex_m" in plan and "community_id=?" in plan)
    ]


@pytest.mark.slow
async def test_retrieval_is_judged_beside_its_rivals_and_a_query_sees_only_what_is_older(tmp_path: Path) -> None:
    ever = await retrieval(folder(tmp_path / "ever"), encoder=HashingEncoder())
    then = await retrieval(folder(tmp_path / "then", when=True), encoder=HashingEncoder())

    assert (ever.task, ever.n, ever.ours["hit@1"]) == ("retrieval", 2, 1.0)
    assert set(ever.baselines) == {"dense", "bm25", "rrf", "tfidf"}
    assert ever.comparison.ours.low <= ever.ours["hit@1"] <= ever.comparison.ours.high
    assert then.ours["hit@10"] == 0.5
    assert {one["hit@10"] for one in then.baselines.values()} == {0.5}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("corpus.jsonl.gz", None, "neither corpus.jsonl nor corpus.jsonl.gz"),
        ("queries.jsonl", '{"id": "q1"}', "queries.jsonl, line 1: the column `text` is missing"),
        ("queries.jsonl", '{"text": "kiln"}', "line 1: the column `id` is missing"),
        ("qrels.tsv", "q1 bread 1", r"qrels.tsv, line 1: needs the columns"),
        ("qrels.tsv", "q1\tbread\tgood\nq2\tlong\tgood", r"qrels.tsv, line 1: needs the columns"),
        ("qrels.tsv", "q1\tnobody\t1", "no query of qrels.tsv has an answer"),
    ],
)
def test_what_is_wrong_with_a_folder_is_named(tmp_path: Path, name: str, text: str | None, complaint: str) -> None:
    data = folder(tmp_path / "data")
    assert len(read_folder(data, data).queries) == 2
    (data / name).unlink()
    if text is not None:
        (data / name).write_text(text)

    with pytest.raises(Mistake, match=complaint):
        read_folder(data, data)


LINKING = "https://town.zulipchat.com/#narrow/stream/12-workshop/topic/the.20old.20kiln/near/1"


def history(path: Path) -> Path:
    rows = [
        (1, "workshop", "the old kiln", "the kiln shelves crack when fired hot"),
        (2, "workshop", "bread", "bread and rye"),
        (
            3,
            "workshop",
            "new trouble",
            f"fired shelves crack, see [#workshop > the old kiln]({LINKING}) and The Old Kiln",
        ),
        (4, "workshop", "named", "shelves again crack when hot #**workshop>the old kiln**"),
        (5, "workshop", "the old kiln", f"{LINKING} is here"),
        (6, "workshop", "nowhere", LINKING.replace("kiln", "oven").replace("near/1", "near/99")),
    ]
    write(
        path, [{"id": i, "channel": c, "topic": t, "text": x, "user": f"u{i}", "ts": 1000 + i} for i, c, t, x in rows]
    )
    return path


def test_topics_that_link_to_older_ones_ask_without_saying_which(tmp_path: Path) -> None:
    known = read_history(history(tmp_path / "history.jsonl"))

    asked = {one.name: one for one in pairs(known)}

    assert set(asked) == {"workshop/new trouble", "workshop/named"}
    assert {one.relevant for one in asked.values()} == {frozenset({"workshop/the old kiln"})}
    assert asked["workshop/new trouble"].text.split() == ["fired", "shelves", "crack,", "see", "and"]
    assert asked["workshop/named"].text == "shelves again crack when hot"
    assert {part_of(one) for one in asked.values()} <= {"tune", "test"}
    assert opening(known.texts[:1], []) == known.texts[0].text


@pytest.mark.slow
async def test_the_older_topic_is_found(tmp_path: Path) -> None:
    found = await discussed(history(tmp_path / "history.jsonl"), encoder=HashingEncoder(), part="all")

    assert (found.n, found.ours["hit@1"]) == (2, 1.0)
    assert set(found.baselines) == {"dense", "bm25", "rrf", "tfidf messages", "tfidf topics"}
    (tmp_path / "none.jsonl").write_text('{"channel": "c", "topic": "t", "text": "x", "user": "u", "ts": 1}')
    with pytest.raises(Mistake, match="no topic links"):
        await discussed(tmp_path / "none.jsonl", encoder=HashingEncoder())
