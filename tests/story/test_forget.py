"""A member is forgotten: two hundred questions about them, asked before and after, and a look into every file."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from blockbuster import BlockBuster

from bot.app import open_app
from bot.core.settings import Settings
from storage import communities, exporting, members
from tests.command import VECTORS, Kinfolk
from tests.finding import find
from tests.story.conftest import IMPORT, SAMPLE

pytestmark = pytest.mark.slow

WHO, NAME = "fatima", "Fatima Haddad"
READERS = (None, "sam.o", "ana", "teo", "keiran")
ASKERS = ("sunita", "colm", "petra", "aisha", "nils", "he.x")
PROBES = 200


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the sample."""

    user: str
    text: str
    channel: str


def sample() -> list[Said]:
    rows = map(json.loads, (SAMPLE / "messages.jsonl").read_text().splitlines())
    return [Said(row["user"], row["text"], row["channel"]) for row in rows]


def words(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.casefold())


LINES = sample()
THEIRS = [line.text for line in LINES if line.user == WHO]
DESCRIPTIONS = (SAMPLE / "channels.jsonl").read_text()
OTHERS = "\n".join([DESCRIPTIONS, *(line.text for line in LINES if line.user != WHO)])
"""What others wrote stays, even where it names the member or says the same words."""
DISTINCT = [text for text in THEIRS if len(text) >= 20 and text not in OTHERS]
RARE = sorted({word for text in THEIRS for word in words(text) if len(word) > 4} - set(words(OTHERS)))


def reworded(text: str) -> str:
    """Say nearly the same: every third word is left out, and the halves are told in the other order."""
    kept = [word for number, word in enumerate(words(text)) if number % 3 != 1]
    return " ".join(kept[len(kept) // 2 :] + kept[: len(kept) // 2])


def searches() -> list[tuple[str | None, str]]:
    """Give who looks for what: their sentences as several readers, near paraphrases, the words that only they use."""
    readers = itertools.cycle(READERS)
    exact = [(next(readers), text) for text in DISTINCT * 4]
    return [*exact, *((None, reworded(text)) for text in DISTINCT), *((None, word) for word in RARE)]


def interests() -> list[str]:
    """Give the texts that are matched to channels, whose evidence quotes what is said there."""
    return [*DISTINCT, *map(reworded, DISTINCT)]


async def ask(kinfolk: Kinfolk) -> list[str]:
    """Ask everything and return what was answered, a text for each question."""
    async with open_app(Settings(home=kinfolk.home)) as app:
        async with app.database.read() as connection:
            community = await communities.find(connection, None)
            known = {one.ref.id: one for one in await members.every(connection, community)}
        retrieval, matchmaker = await app.retrieval(), await app.matchmaker()
        answers = []
        for reader, query in searches():
            found = await find(retrieval, community, query, reader=known[reader] if reader else None)
            answers.append(repr([one.message.text for one in found]))
        answers += [repr(offers) async for offers in matchmaker.for_texts(community, interests(), k=5)]
        answers += [repr(await matchmaker.for_member(community, known[other], k=10)) for other in ASKERS]
        answers += [repr(await exporting.export(app.database, community, known[other])) for other in ASKERS[:2]]
        return answers


async def others_are_served(kinfolk: Kinfolk) -> bool:
    """Say whether what others said is found by its own words, and they are still offered channels."""
    theirs = [line.text for line in LINES if line.user == "keiran" and line.channel != "staff-room"]
    async with open_app(Settings(home=kinfolk.home)) as app:
        async with app.database.read() as connection:
            community = await communities.find(connection, None)
            petra = await members.find(connection, community, "petra")
        retrieval, matchmaker = await app.retrieval(), await app.matchmaker()
        found = [await find(retrieval, community, text, limit=3) for text in theirs]
        offers = await matchmaker.for_member(community, petra, k=3)
    quoted = [text in [one.message.text for one in some] for text, some in zip(theirs, found, strict=True)]
    return len(theirs) >= 15 and all(quoted) and bool(offers)


def tells(answer: str) -> bool:
    """Say whether an answer holds what only the member said, or who they are."""
    return any(repr(text)[1:-1] in answer for text in DISTINCT) or NAME in answer or f"import:{WHO}" in answer


def held(home: Path, *fragments: bytes) -> set[bytes]:
    """Return what of these is in any file of the home, logs and write-ahead logs too; the encoder is left out."""
    files = [path for path in home.rglob("*") if path.is_file() and "models" not in path.parts]
    assert {"kinfolk.db", "refusal.key"} <= {path.name for path in files}
    content = [path.read_bytes() for path in files]
    return {one for one in fragments if any(one in file for file in content)}


def fragments() -> list[bytes]:
    """Cut their sentences into pieces of 24 bytes that nobody else wrote: even half of one must not be left."""
    known = OTHERS.encode()
    cut = [text.encode()[at : at + 24] for text in DISTINCT for at in range(0, len(text.encode()) - 24, 3)]
    return [one for one in cut if one not in known]


@pytest.mark.long
async def test_after_a_forget_nobody_finds_anything_of_them_anywhere(
    kinfolk_imported: Kinfolk, nobody_blocks_the_loop: BlockBuster
) -> None:
    for function in nobody_blocks_the_loop.functions.values():
        function.can_block_in("bot/core/settings.py", "prepare_home")  # before anybody is served
    kinfolk = kinfolk_imported
    before = await ask(kinfolk)
    assert len(before) == PROBES
    assert sum(map(tells, before)) > PROBES / 2
    names = (NAME.encode(), f"import:{WHO}".encode())
    pieces = fragments()
    assert held(kinfolk.home, *names, *pieces) == {*names, *pieces}
    assert await others_are_served(kinfolk)
    exported = await asyncio.to_thread(kinfolk.json, "member", "export", NAME, "--json")
    assert [one["text"] for one in exported["message"]] == THEIRS

    done = await asyncio.to_thread(kinfolk.json, "member", "forget", NAME, "--yes", "--json")
    assert (done["left"], done["erased"]["message"], done["erased"]["vectors"]) == (0, len(THEIRS), len(THEIRS))
    after = await ask(kinfolk)
    assert [number for number, answer in enumerate(after) if tells(answer)] == []
    assert held(kinfolk.home, *names, *pieces) == set()
    assert await others_are_served(kinfolk)
    assert "no member" in (await asyncio.to_thread(kinfolk.run, "member", "export", NAME, expect=2)).stderr
    again = await asyncio.to_thread(kinfolk.json, *IMPORT)
    assert (again["messages"], again["members"], again["withheld"]) == (0, 0, len(THEIRS))


def test_the_vector_store_never_holds_a_word(kinfolk_with_models: Kinfolk, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"channel": "c", "user": "u", "text": "zymurgical cormorants", "ts": 1_700_000_000}))
    kinfolk_with_models.run("import", "jsonl", file, "--community", "c", "--wait")
    assert kinfolk_with_models.json("search", "zymurgical", "--json")[0]["text"] == "zymurgical cormorants"
    files = [path for path in (kinfolk_with_models.home / "vectors").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert len(content) > 0
    assert [word for word in (b"zymurg", b"cormorant") if word in content] == []


@pytest.mark.parametrize("verb", ["export", "forget"])
def test_an_unknown_member_is_one_clear_line(kinfolk: Kinfolk, tmp_path: Path, verb: str) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"channel": "c", "user": "fatima", "text": "hello", "ts": 1_700_000_000}))
    kinfolk.run("import", "jsonl", file, "--community", "c")
    done = kinfolk.run("member", verb, "fatma", expect=2)
    assert "Did you mean fatima?" in done.stderr
    assert done.stdout == ""


def test_without_a_terminal_forgetting_needs_a_yes(kinfolk: Kinfolk, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps({"channel": "c", "user": "fatima", "text": "hello", "ts": 1_700_000_000}))
    kinfolk.run("import", "jsonl", file, "--community", "c")
    assert "--yes" in kinfolk.run("member", "forget", "fatima", expect=2).stderr
    assert kinfolk.json("member", "export", "fatima", "--json")["message"][0]["text"] == "hello"
    done = kinfolk.json("member", "forget", "fatima", "--yes", "--json")
    assert done["left"] == 0
    assert done["erased"]["message"] == 1
    assert not kinfolk.companions(VECTORS), "nothing was encoded, so no vector store is started for it"
