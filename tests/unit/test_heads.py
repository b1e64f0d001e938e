"""The heads, fitted to our own sentences alone: the same every time, explained, and of use without a vector."""

from __future__ import annotations

import itertools
import time
import zlib
from dataclasses import replace

import numpy as np
import pytest

from brains.moderation import heads as moderation
from brains.moderation.features import LIMIT, featurize, grams, script, shown
from brains.moderation.heads import HEADS, Heads, Thresholds, load, save, shipped
from brains.training import fairness, texts
from brains.training.examples import own
from brains.training.fitting import Lesson, fit_head
from brains.training.heads import LEAST, Read, Spared, chosen, train
from brains.training.sentences import harmless, sentences

ENCODER = "hashed-words"


def vectors(written: list[str]) -> np.ndarray:
    """Hash words into 64 places: texts that share words are near."""
    found = np.full((len(written), 64), 0.01, np.float32)
    for row, text in zip(found, written, strict=True):
        for word in text.casefold().split():
            row[zlib.crc32(word.encode()) % 64] += 1
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def lesson(*, with_vectors: bool = True) -> Lesson:
    some = sentences("self_harm")[::3]
    read = texts.read([one.text for one in some])
    return Lesson(
        features=featurize(read.texts, read.plains, read.tricks),
        vectors=vectors(read.plains) if with_vectors else None,
        labels=np.array([one.positive for one in some], np.float32),
        weights=np.ones(len(some), np.float32),
        groups=read.groups(),
        prior=0.02,
    )


@pytest.fixture(scope="module")
def fitted():
    return fit_head(lesson(), folds=2)


@pytest.fixture(scope="module")
def ours(fitted) -> Heads:
    return Heads(heads={"self_harm": fitted.head}, encoder=ENCODER, made="2026-01-01")


def test_the_same_lesson_and_seed_give_the_same_head(fitted):
    again = fit_head(lesson(), folds=2)
    assert (again.head.weights == fitted.head.weights).all()
    assert (again.head.network.hidden == fitted.head.network.hidden).all()
    assert again.head.mix == fitted.head.mix


def test_unseen_sentences_are_ranked_by_what_others_taught(fitted):
    labels = lesson().labels
    better = fitted.unseen[labels == 1][:, None] > fitted.unseen[labels == 0][None, :]
    assert better.mean() > 0.6


def test_a_file_gives_the_same_heads_and_the_same_heads_the_same_bytes(ours, tmp_path):
    save(ours, tmp_path / "a")
    again = load(tmp_path / "a")
    save(again, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    said = ["i want to die", "kill the process with SIGKILL"]
    kept, read = (one.scores(said, said, vectors(said))["self_harm"] for one in (ours, again))
    assert kept == pytest.approx(read, abs=1e-3)
    assert (again.encoder, again.made) == (ENCODER, "2026-01-01")


def test_a_file_of_another_format_is_refused(ours, tmp_path, monkeypatch):
    save(ours, tmp_path / "heads")
    monkeypatch.setattr(moderation, "FORMAT", "another")
    with pytest.raises(ValueError, match="make them anew with `kinfolk train heads`"):
        load(tmp_path / "heads")


def test_without_a_vector_the_ngrams_judge_alone(ours):
    assert ours.serves(ENCODER)
    assert not ours.serves("another")
    assert not ours.serves(None)
    said = ["I want to kill myself tonight", "kill the process"]
    bad, good = ours.scores(said, said)["self_harm"]
    assert bad > good
    assert not np.allclose([bad, good], ours.scores(said, said, vectors(said))["self_harm"])


def test_a_head_fitted_without_vectors_needs_none(fitted):
    alone = fit_head(lesson(with_vectors=False), folds=2).head
    assert alone.network is None
    assert alone.alone == pytest.approx(fitted.head.alone, rel=1e-3)


def test_scores_do_not_depend_on_what_else_is_asked(ours):
    said = ["不想活了", "杀进程用 kill -9", "", "hello " * 3_000]
    together = ours.scores(said, said)["self_harm"]
    alone = [float(ours.scores([one], [one])["self_harm"][0]) for one in said]
    assert together == pytest.approx(alone, abs=1e-5)
    assert ours.scores([], [])["self_harm"].shape == (0,)


def test_what_spoke_most_is_named(ours):
    named = ours.explain("Well, I really want to kill myself.", "self_harm")
    assert 1 <= len(named) <= 3
    assert {"myself", "kill", "want"} & set(named)
    assert any(piece in "我不想活了" for piece in ours.explain("我不想活了", "self_harm"))
    assert ours.explain("", "self_harm") == []


def test_thresholds_let_few_harmless_texts_through_and_are_never_low():
    chat = Spared(script="other", source="chat", flagged=1e-3, removed=1e-4)
    contested = Spared(script="other", source="contested", flagged=0.01)
    ordinary = np.linspace(0, 0.999, 30_000, dtype=np.float32)
    found = chosen([(chat, ordinary)])
    assert 0 < (ordinary >= found.flag).mean() <= 1e-3
    assert found.flag <= found.remove
    assert (ordinary >= found.remove).mean() <= 1e-4
    assert chosen([(chat, ordinary / 100)]) == chosen([]) == LEAST
    assert chosen([(chat, np.array([0.2, 0.7], np.float32))]).flag == pytest.approx(0.85)
    disputed = np.linspace(0.9, 0.999, 20_000, dtype=np.float32)
    both = chosen([(chat, ordinary / 100), (contested, disputed)])
    assert (disputed >= both.flag).mean() == pytest.approx(0.01)


def test_each_script_has_thresholds_of_its_own(fitted):
    chinese, rest = Thresholds(flag=0.6, remove=0.9), Thresholds(flag=0.8, remove=0.95)
    head = replace(fitted.head, thresholds={"han": chinese, "other": rest})
    heads = Heads(heads={"self_harm": head}, encoder=ENCODER)
    assert heads.thresholds(with_vector=True, text="不想活了")["self_harm"] == chinese
    assert heads.thresholds(with_vector=True, text="i want to die")["self_harm"] == rest
    assert heads.thresholds(with_vector=False, text="不想活了")["self_harm"] == LEAST
    many = heads.limits(["i want to die", "不想活了"], with_vector=True)["self_harm"]
    assert many.flag == pytest.approx([0.8, 0.6])
    assert many.remove == pytest.approx([0.95, 0.9])
    assert heads.lowest(with_vector=True) == {"self_harm": 0.6}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("大家早上好", "han"),
        ("把 pull request 合并一下，再跑一次测试", "han"),
        ("the word 你好 means hello", "other"),
        ("Добрый день", "other"),
        ("ありがとうございます", "other"),
        ("404 :-)", "other"),
        ("", "other"),
    ],
)
def test_a_text_is_chinese_when_more_than_a_third_of_its_letters_are(text, expected):
    assert script(text) == expected


def test_ngrams_are_those_of_each_text_and_none_between_texts():
    first, second = shown("ab"), shown("cd")
    together = grams([first, second])
    for row, form in enumerate((first, second)):
        apart = grams([form])
        assert sorted(together.buckets[together.rows == row]) == sorted(apart.buckets)
    assert len(grams([" "]).buckets) == 1


def test_a_million_characters_are_read_as_far_as_a_message_goes(ours):
    long = "kill " * 200_000
    started = time.process_time()
    whole = ours.scores([long], [long])["self_harm"]
    assert time.process_time() - started < 1
    assert whole == pytest.approx(ours.scores([long[:LIMIT]], [long[:LIMIT]])["self_harm"])


def test_the_shipped_heads_know_their_thresholds_and_their_encoder():
    heads = shipped()
    assert tuple(heads.heads) == HEADS
    for with_vector, text in itertools.product((True, False), ("hello", "你好")):
        for one in heads.thresholds(with_vector=with_vector, text=text).values():
            assert 0.5 <= one.flag <= one.remove <= 1
    card = moderation.SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
    assert heads.encoder in card
    assert heads.made in card
    assert moderation.SHIPPED.stat().st_size < 8_000_000


def family(flagged: dict[str, tuple[int, int]]) -> fairness.Family:
    groups = [name for name, (_some, n) in flagged.items() for _ in range(n)]
    yes = np.array([at < some for some, n in flagged.values() for at in range(n)])
    return fairness.Family(name="town", groups=groups, flagged=yes, loosely=yes)


@pytest.mark.parametrize(
    ("flagged", "above"),
    [
        ({"a": (0, 100), "b": (0, 100)}, set()),
        ({"a": (5, 100), "b": (6, 100), "c": (4, 100)}, set()),
        ({"a": (40, 100), "b": (1, 100), "c": (1, 100)}, {"a"}),
        ({"a": (3, 20), "b": (3, 100), "c": (2, 100)}, set()),  # more than twice, but three may be chance
        ({"a": (9, 10), "b": (3, 100), "c": (2, 100)}, set()),  # too few to judge
    ],
)
def test_a_group_is_above_the_bar_beyond_chance_only(flagged, above):
    lines = fairness.judged([family(flagged)])
    assert {line.group for line in lines if line.above} == above
    assert all(line.low <= line.rate <= line.high for line in lines)


def test_no_harmless_sentence_is_both_learned_from_and_judged():
    learned, judged = ({one.text for one in harmless(half)} for half in ("train", "test"))
    assert learned
    assert judged
    assert not learned & judged
    assert not {one.text for one in own()} & judged


def test_enough_was_written_for_what_no_data_covers():
    for head in ("sexual", "self_harm"):
        for language in ("en", "zh"):
            some = [one for one in sentences(head) if one.language == language]
            assert sum(one.positive for one in some) >= 120
            assert sum(not one.positive for one in some) >= 80


@pytest.mark.slow
def test_heads_are_trained_on_our_own_sentences():
    examples = own()[::9]
    read = texts.read([one.text for one in examples])
    features = featurize(read.texts, read.plains, read.tricks)
    learned = Read(examples=examples, texts=read, features=features, vectors=vectors(read.plains))
    told: list[str] = []
    trained = train(learned, encoder=ENCODER, made="today", tell=told.append)
    assert tuple(told) == HEADS
    assert set(HEADS) - set(trained.heads.heads) == {"hate"}  # nothing was written for it: COLD and Davidson teach it
    assert all(len(values) == len(examples) for values in trained.unseen.values())
