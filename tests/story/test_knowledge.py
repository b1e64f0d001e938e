"""Files that staff give are cited by their headings and followed as they change; what staff correct stays so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bot.reading import Given, Reading
from storage import channels
from tests.answering import WordAnswerer
from tests.story.town import MEMBER, STAFF, Town

if TYPE_CHECKING:
    from pathlib import Path

    from tests.command import Kinfolk
    from tests.story.conftest import Opening

pytestmark = pytest.mark.slow

HANDBOOK = "# Kiln\n\nThe kiln is lit on {day}.\n\n# 窑炉\n\n窑炉 {tag} 点火。\n"
QUESTIONS = {"en": "the kiln is lit on which day?", "zh_CN": "窑炉 哪天 点火？"}


@pytest.mark.parametrize(
    ("language", "heading", "days"),
    [("en", "Kiln", ("lit on Tuesday", "lit on Friday")), ("zh_CN", "窑炉", ("周二 点火", "周五 点火"))],
)
async def test_a_file_is_answered_from_and_its_answers_change_as_it_does(
    opening: Opening, tmp_path: Path, language: str, heading: str, days: tuple[str, str]
) -> None:
    before, after = days
    file = tmp_path / "handbook.md"
    async with opening() as town:
        town.app._answerer = WordAnswerer(app=town.app)
        await town.speaks(MEMBER, language)
        reading = Reading(town.app.database, town.app.clock)
        file.write_text(HANDBOOK.format(day="Tuesday", tag="周二"))
        await reading.take(await town.community(), await given(town, file), file.read_bytes())
        await town.indexed()
        told = await town.command(MEMBER, "introductions", f"/ask {QUESTIONS[language]}")
        assert (before in told, heading in told, "handbook.md" in told) == (True, True, True), told
        file.write_text(HANDBOOK.format(day="Friday", tag="周五"))
        os.utime(file, (1, 1))
        assert [one.state for one in await reading.look()] == ["read"]
        await town.indexed()
        told = await town.command(MEMBER, "introductions", f"/ask {QUESTIONS[language]}")
        assert (before in told, after in told) == (False, True), told


async def given(town: Town, file: Path) -> Given:
    async with town.app.database.read() as connection:
        room = await channels.find(connection, await town.community(), "general")
    return Given(name=file.name, channel=room.id, path=str(file))


async def test_what_staff_keep_and_correct_is_told_to_whoever_asks_next(opening: Opening) -> None:
    async with opening() as town:
        town.app._answerer = WordAnswerer(app=town.app)
        question = "who guards the lighthouse lantern?"
        kept = await town.command(STAFF, "general", f"/draft faq {question} answer:Bela guards the lantern.")
        assert "Kept" in kept, kept
        await town.indexed()
        assert "Bela guards" in await town.command(MEMBER, "introductions", f"/ask {question}")
        await town.says(MEMBER, "introductions", f"@Kinfolk {question}")
        answer = town.last(MEMBER, "introductions")
        assert "Bela guards" in answer.text
        await town.joins(STAFF, "introductions")
        await town.says(STAFF, "introductions", "Correction: Chen guards the lantern now.", reply_to=answer)
        assert "Chen guards" in town.page._space.posts[answer.id].text, town.last(STAFF, "introductions").text
        listed = await town.command(STAFF, "introductions", "/draft list")
        assert ("Chen guards" in listed, "Bela" in listed) == (True, False), listed


def test_files_are_added_listed_read_again_and_removed_by_the_command_line(
    kinfolk_imported: Kinfolk, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "kiln.md").write_text(HANDBOOK.format(day="Tuesday", tag="周二"))
    (folder / "rules.txt").write_text("Be kind.")
    add = ("knowledge", "add", folder, "--channel", "general")
    [kiln, rules] = kinfolk_imported.json(*add, "--json")
    assert (kiln["name"], kiln["state"], kiln["new"], rules["new"]) == ("papers/kiln.md", "read", 2, 1)
    assert [one["state"] for one in kinfolk_imported.json(*add, "--json")] == ["unchanged", "unchanged"]
    (folder / "kiln.md").write_text(HANDBOOK.format(day="Friday", tag="周二"))
    (folder / "rules.txt").unlink()
    [kiln, rules] = kinfolk_imported.json("knowledge", "refresh", "--json")
    assert (kiln["new"], kiln["same"], kiln["gone"], rules["state"]) == (1, 1, 1, "gone")
    listed = kinfolk_imported.json("knowledge", "list", "--json")
    assert [(one["name"], one["channel"], one["pieces"]) for one in listed] == [
        ("papers/kiln.md", "general", 2),
        ("papers/rules.txt", "general", 0),
    ]
    assert kinfolk_imported.json("knowledge", "remove", "papers/kiln.md", "--json")["pieces"] == 2
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7")
    refused = kinfolk_imported.run("knowledge", "add", folder / "bad.pdf", "--channel", "general", expect=2)
    assert "This PDF is broken" in refused.stderr
    missing = kinfolk_imported.run("knowledge", "remove", "nothing.md", expect=2)
    assert "There is no file 'nothing.md'. There are: papers/rules.txt." in missing.stderr
