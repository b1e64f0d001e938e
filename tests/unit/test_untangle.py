"""Which earlier message one answers: names, words and time, in English and Chinese."""

from __future__ import annotations

import numpy as np
import pytest

from brains.knowledge.untangle import SILENCE, Said, Untangler, load, save
from brains.knowledge.untangle_features import FEATURES, WINDOW, Stretch
from brains.knowledge.untangle_names import Roll, seems_addressed
from brains.knowledge.untangle_terms import kinds, terms
from brains.training.untangle_irc import joined

ANA, WEI, BEN, LIN = 1, 2, 3, 4
NAMES = {ANA: "Ana", WEI: "小明", BEN: "Ben Okafor", LIN: "lin_99"}

ENGLISH = (
    (ANA, "How do I get the sourdough starter to rise when the kitchen is cold?"),
    (BEN, "Does anyone know which chain fits an eight speed gravel bike?"),
    (WEI, "Ana: put the starter into the oven with only the light on"),
    (LIN, "@Ben Okafor any eight speed chain will do, KMC makes a cheap one"),
    (ANA, "小明: good idea, will the light alone make the starter rise?"),
    (BEN, "@lin_99 thanks, do I need a tool for the chain?"),
    (WEI, "Ana: yes, mine doubles in six hours"),
    (LIN, "@Ben Okafor a chain tool, yes, or a quick link"),
)
CHINESE = (
    (ANA, "请问厨房太冷的时候，酸面团的酵头怎么才能发起来？"),
    (BEN, "有人知道八速的砾石车用哪种链条吗？"),
    (WEI, "@Ana 把酵头放进烤箱，只开灯就行"),
    (LIN, "@Ben Okafor 八速链条都可以，便宜的就好"),
    (ANA, "@小明 好主意，只开灯酵头就能发起来吗？"),
    (BEN, "@lin_99 谢谢，换链条需要工具吗？"),
    (WEI, "@Ana 可以的，我的酵头六个小时就翻倍了"),
    (LIN, "@Ben Okafor 要链条工具，或者用快拆扣"),
)


def told(lines, *, every: float = 40.0) -> list[Said]:
    return [Said(author=who, at=1e9 + every * number, text=text) for number, (who, text) in enumerate(lines)]


def apart(said: list[Said]) -> list[int]:
    return joined(len(said), enumerate(load().answers(said, NAMES, range(len(said)))))


@pytest.mark.parametrize("lines", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_two_conversations_that_run_through_each_other_come_apart(lines) -> None:
    label = apart(told(lines))
    assert label == [0, 1, 0, 1, 0, 1, 0, 1]


def test_a_silence_begins_anew_unless_somebody_is_named() -> None:
    said = told([(ANA, "the bread is done"), (WEI, "it looks good")])
    late = said[-1].at + SILENCE + 60
    plain, named = (Said(author=BEN, at=late, text=text) for text in ("what is new", "@Ana how was the bread"))
    untangler = load()
    assert untangler.answers([*said, plain], NAMES, [2]) == [2]
    assert untangler.answers([*said, named], NAMES, [2]) != [2]


def test_the_first_message_and_no_message_answer_nothing() -> None:
    assert load().answers(told(ENGLISH[:1]), NAMES, [0]) == [0]
    assert load().answers([], {}, []) == []


@pytest.mark.parametrize(
    ("text", "addressed", "mentioned"),
    [
        ("Ana: yes", {ANA}, set()),
        ("ana, yes", {ANA}, set()),
        ("小明：好的", {WEI}, set()),
        ("@小明你好", {WEI}, set()),
        ("so @**Ben Okafor** said", {BEN}, set()),
        ("@Ben what now", {BEN}, set()),
        ("@Benjamin what now", set(), set()),
        ("ask lin_99 about it", set(), {LIN}),
        ("write to me at x@ana.example", set(), set()),
        ("http://ana: no", set(), set()),
        ("the ana of things", set(), set()),
    ],
)
def test_who_is_named(text: str, addressed: set[int], mentioned: set[int]) -> None:
    assert Roll(NAMES).named(text) == (addressed, mentioned)


def test_a_name_that_two_have_names_neither() -> None:
    roll = Roll({ANA: "Kim", WEI: "kim", BEN: "Robin Hood", LIN: "Robin Goodfellow"})
    assert roll.named("@kim and @Robin and @Robin Hood") == ({BEN}, set())


def test_what_seems_addressed_and_what_kind_of_sentence_it_is() -> None:
    assert [seems_addressed(one) for one in ("zoe: hi there", "@zoe hi", "well then", "10:30")] == [
        *(True, True, False, True)
    ]
    asks, greets, thanks, assents, links = zip(
        *map(kinds, ("what is it", "大家好", "谢谢", "嗯，可以", "see https://example.org")), strict=True
    )
    assert [asks[0], greets[1], thanks[2], assents[3], links[4]] == [True] * 5
    assert not any((asks[1], greets[0], thanks[0], assents[4], links[0]))
    assert terms("Rust的编译器rust 1.70, a C++ one") == ("rust", "的编", "编译", "译器", "1.70", "one")


def test_features_are_bounded_and_look_no_further_than_the_window() -> None:
    said = told(ENGLISH * 20, every=3000)
    stretch = Stretch(said, NAMES)
    rows = [stretch.features(at) for at in (0, 1, 90, 159)]
    assert [row.shape for row in rows] == [(1, FEATURES), (2, FEATURES), *[(WINDOW + 1, FEATURES)] * 2]
    assert all(np.isfinite(row).all() and np.abs(row).max() <= 3 for row in rows)


def test_what_is_written_is_what_is_read_and_another_version_is_refused(tmp_path) -> None:
    save(load(), tmp_path / "same.safetensors")
    again = load(tmp_path / "same.safetensors")
    row = Stretch(told(ENGLISH), NAMES).features(7)
    assert np.allclose(again.scores(row), load().scores(row))
    short = Untangler(
        into=again.into[1:],
        into_shift=again.into_shift,
        through=again.through,
        through_shift=again.through_shift,
        out=again.out,
    )
    save(short, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="another version"):
        load(tmp_path / "other.safetensors")
