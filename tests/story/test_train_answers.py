"""What weighs answers is fitted, from a history and questions about it to the file that the bot reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from blockbuster import BlockBuster

from bot.app import open_app
from bot.cli.answers import imported
from bot.core.settings import Settings
from brains.evals.answers import judge
from brains.knowledge import confidence
from brains.training.answers import train, write
from brains.training.questions import read
from storage.encodings import CachedEncoder
from tests.hashing import HashingEncoder

pytestmark = pytest.mark.slow

THINGS = "lathe kiln loom canoe anvil tent drum ladder kettle compass saddle violin telescope abacus".split()  # noqa: SIM905
PLACES = "attic cellar barn stable garage pantry tower chapel shed loft".split()  # noqa: SIM905
KNOWN = len(PLACES)
STARTED = 1_700_000_000


def history(path: Path) -> Path:
    """Write a chat of one channel, where somebody asks for each thing and somebody tells, if anybody knows."""
    rows = []
    for at, (thing, place) in enumerate(zip(THINGS, PLACES, strict=False)):
        told = (
            f"Does anybody know in which place the {thing} of our club is kept?",
            f"You find the {thing} of our club in the {place}, on the left behind the door.",
            f"Thanks, the {thing} was there.",
        )
        rows += [
            {"id": f"{thing}{n}", "channel": "club", "topic": thing, "user": f"u{n % 2}", "ts": STARTED + at * 60 + n}
            | {"text": text}
            for n, text in enumerate(told)
        ]
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


def asked(path: Path) -> Path:
    """Write a question about each thing: the last ones were never spoken of."""
    rows = [
        {
            "id": thing,
            "split": "dev",
            "question": f"In which place is the {thing} kept?",
            "answerable": at < KNOWN,
            "messages": [f"{thing}1"] if at < KNOWN else [],
        }
        for at, thing in enumerate(THINGS)
    ]
    path.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return path


async def test_what_was_fitted_on_a_history_answers_from_it(
    home: Path, tmp_path: Path, nobody_blocks_the_loop: BlockBuster
) -> None:
    nobody_blocks_the_loop.deactivate()  # a verb of the command line serves nobody meanwhile
    data, questions = history(tmp_path / "history.jsonl"), read(asked(tmp_path / "questions.jsonl"))
    file = tmp_path / "fitted" / "answers.json"
    async with open_app(Settings(_env_file=None, home=home, generator="none")) as app:
        app._encoder = CachedEncoder(HashingEncoder(), app.database)
        async with imported(app, data) as found:
            within = {"reach": found.reach, "numbers": found.numbers}
            fitted = await train(found.answerer, questions, said=found.in_order, most=4, **within)
            write(fitted, file)
            model = confidence.read(orjson.loads(file.read_bytes()))
            answerer = replace(found.answerer, model=model)
            judged = await judge(answerer, questions, points=found.points, **within)
    ours = judged.judges["kinfolk"]
    assert ours["answered, of the answerable"] >= 0.8
    assert ours["answered, of the unanswerable"] == 0
    assert ours["citation precision"] >= 0.9
    assert file.with_suffix(".md").read_text().startswith("# How likely a passage answers")
