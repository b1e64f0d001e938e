"""Learning in the background: lessons lose their words, heads are corrected, and what is taken back is unlearned."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.core.actions import Exhibit, KeepCase, SettleCase
from bot.core.events import TimerFired
from bot.core.things import Ref
from bot.learning import Learner
from brains.moderation.detection import Post
from brains.moderation.features import BITS, SCRIPTS
from brains.moderation.heads import Head, Heads, Thresholds
from brains.moderation.moderators import Moderators
from brains.moderation.trial import Joined, try_out
from brains.skills import moderation_note
from storage import encodings, lessons
from tests.hashing import HashingEncoder
from tests.recording import ANA, GENERAL, PLATFORM, SmallBot, small_bot
from tests.words import MONDAY

BAD = "cheap crypto signals join my channel profit guaranteed wallet number"
GOOD = "the ferry rope needs splicing before the market opens on pier number"
WORDS = [
    "anchor",
    "ballast",
    "cabin",
    "deck",
    "engine",
    "fender",
    "galley",
    "hatch",
    "island",
    "jetty",
    "keel",
    "ladder",
    "mast",
    "net",
    "oar",
    "port",
]
STAFF = (Ref(PLATFORM, "mia"), Ref(PLATFORM, "olu"))


def unsure() -> Heads:
    """Return heads that know nothing: every message is one in two."""
    head = Head(
        weights=np.zeros(1 << BITS, dtype=np.int8),
        largest=1.0,
        bias=0.0,
        mix=(1.0, 0.0, 0.0),
        alone=(1.0, -2.0),
        thresholds_alone=dict.fromkeys(SCRIPTS, Thresholds(flag=0.6, remove=0.95)),
    )
    return Heads(heads={"spam": head}, encoder="another", made="test")


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home, skills=[moderation_note.SKILL]) as opened:
        await opened.follow(*[opened.posted(f"{GOOD} {n}") for n in range(40)])
        yield opened


async def knows_its_own_chat(bot: SmallBot) -> None:
    """Keep vectors of what was said, as the index does."""
    texts = [f"{GOOD} {n}" for n in range(40)]
    vectors = dict(zip(texts, await HashingEncoder().encode(texts), strict=True))
    await bot.database.write(functools.partial(encodings.keep, fingerprint="hashing-words", vectors=vectors))


async def rules_on(bot: SmallBot, case: str, text: str, verdict: str, by: Ref = STAFF[0]) -> SettleCase:
    exhibit = Exhibit(message=Ref(PLATFORM, f"x{case}"), channel=GENERAL.ref, text=text, at=bot.clock.now())
    opened = KeepCase(case=case, member=ANA.ref, about="spam", reason="", detectors=("spam",), exhibits=(exhibit,))
    settled = SettleCase(case=case, verdict=verdict, by=by)
    for action in (opened, settled):
        assert (await bot.performer.keeper.act(bot.community, action)).state == "done"
    return settled


async def rules_on_many(bot: SmallBot, count: int = 32) -> None:
    for n in range(count):
        bad = n % 2
        text = f"{BAD if bad else GOOD} {WORDS[n // 2]} {WORDS[n % 16]}"
        await rules_on(bot, f"C{n:05}", text, "spam" if bad else "fine", STAFF[n // 2 % 2])


def learner(bot: SmallBot) -> Learner:
    heads = unsure()

    async def encoder() -> HashingEncoder:
        return HashingEncoder()

    return Learner(database=bot.database, clock=bot.clock, encoder=encoder, heads=lambda: heads)


async def of(bot: SmallBot) -> list[lessons.Lesson]:
    return await bot.database.look(functools.partial(lessons.of, community=bot.community))


async def test_a_lesson_loses_its_words_and_keeps_what_was_made_of_them(bot: SmallBot) -> None:
    await rules_on(bot, "AAAAAA", BAD, "spam")
    [before] = await of(bot)
    assert (before.text, before.vector, before.label, before.by) == (BAD, None, 1, str(STAFF[0]))
    assert await learner(bot).encode() == 1
    [after] = await of(bot)
    assert after.text == ""
    assert after.vector is not None
    assert (len(after.signature), after.made_by) == (256, "hashing-words test")
    assert after.logit == pytest.approx(-2.0, abs=0.01)
    assert await learner(bot).encode() == 0


async def test_what_has_matured_is_learned_once_and_again_when_it_changes(bot: SmallBot) -> None:
    await knows_its_own_chat(bot)
    await rules_on_many(bot)
    teacher = learner(bot)
    await teacher.encode()
    assert await teacher.learn(bot.community) == {"heads": {}}, "nothing has matured"
    bot.clock.pass_by(2 * 86_400)
    assert await teacher.learn_changed() == 1
    fingerprint = "hashing-words test"
    kept = await bot.database.look(lambda c: lessons.learned(c, bot.community, fingerprint))
    assert kept is not None
    report = kept.report["heads"]["spam"]
    assert (report["lessons"], report["promoted"], report["ordinary"]) == (32, True, 40), report["why"]
    assert await learner(bot).learn_changed() == 0, "another start learns nothing anew"
    taken_back = SettleCase(case="C00001", verdict="", by=STAFF[0], before="spam")
    assert (await bot.performer.keeper.act(bot.community, taken_back)).state == "done"
    assert await teacher.learn_changed() == 0, "not before the hour is over"
    bot.clock.pass_by(3_700)
    assert await teacher.learn_changed() == 1
    again = await bot.database.look(lambda c: lessons.learned(c, bot.community, fingerprint))
    assert again is not None
    assert again.report["heads"]["spam"]["lessons"] == 31


async def test_nothing_is_promoted_where_no_ordinary_message_says_what_to_spare(bot: SmallBot) -> None:
    await rules_on_many(bot)
    teacher = learner(bot)
    await teacher.encode()
    bot.clock.pass_by(2 * 86_400)
    report = await teacher.learn(bot.community)
    assert report is not None
    told = report["heads"]["spam"]
    assert (told["promoted"], told["why"]) == (False, "0 ordinary messages to be spared are known; it takes 20")


async def test_what_a_forget_dropped_is_learned_anew_though_no_lesson_changed(bot: SmallBot) -> None:
    for n in range(4):
        await rules_on(bot, f"C{n:05}", f"{BAD} {WORDS[n]}", "spam")
    teacher = learner(bot)
    await teacher.encode()
    bot.clock.pass_by(2 * 86_400)
    assert await teacher.learn_changed() == 1
    await bot.database.write(lambda c: lessons.drop(c, bot.community.id))
    assert await teacher.learn_changed() == 0, "not before the hour is over"
    bot.clock.pass_by(3_700)
    assert await teacher.learn_changed() == 1
    assert await bot.database.look(lambda c: lessons.learned_version(c, bot.community)) != ""
    bot.clock.pass_by(3_700)
    assert await teacher.learn_changed() == 0


class Interrupted(HashingEncoder):
    """Something happens while it encodes, once."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._happens: Callable[[], Awaitable[object]] | None = happens

    async def encode(self, texts, *, kind="passage"):
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()
        return await super().encode(texts, kind=kind)


@pytest.mark.slow
async def test_what_is_taken_back_while_it_is_learned_is_not_kept(bot: SmallBot) -> None:
    await knows_its_own_chat(bot)
    await rules_on_many(bot)
    await learner(bot).encode()
    bot.clock.pass_by(2 * 86_400)
    taken_back = SettleCase(case="C00001", verdict="", by=STAFF[0], before="spam")
    encoder = Interrupted(lambda: bot.performer.keeper.act(bot.community, taken_back))

    async def interrupted() -> HashingEncoder:
        return encoder

    assert await replace(learner(bot), encoder=interrupted).learn(bot.community) is None
    assert await bot.database.look(lambda c: lessons.learned_version(c, bot.community)) == ""
    report = await learner(bot).learn(bot.community)
    assert report is not None
    assert report["heads"]["spam"]["lessons"] == 31


async def test_one_report_and_many_teach_nothing(bot: SmallBot) -> None:
    exhibit = Exhibit(message=Ref(PLATFORM, "x"), channel=GENERAL.ref, text=BAD, at=bot.clock.now())
    for n in range(30):
        case = KeepCase(case=f"R{n:05}", member=ANA.ref, about="reported", reason="spam", exhibits=(exhibit,))
        assert (await bot.performer.keeper.act(bot.community, case)).state == "done"
    assert await of(bot) == []
    assert await learner(bot).learn_changed() == 0


async def test_words_are_encoded_anew_for_other_heads_where_the_evidence_has_them(bot: SmallBot) -> None:
    await rules_on(bot, "AAAAAA", BAD, "spam")
    await learner(bot).encode()
    assert await bot.database.write(lambda c: lessons.restore(c, "hashing-words test")) == 0
    assert await bot.database.write(lambda c: lessons.restore(c, "hashing-words newer")) == 1
    [lesson] = await of(bot)
    assert lesson.text == BAD
    await learner(bot).learn_changed()
    await learner(bot).encode()
    [again] = await of(bot)
    assert (again.text, again.made_by) == ("", "hashing-words test")


async def test_a_moderator_is_kept_until_its_lessons_change(bot: SmallBot) -> None:
    known = Moderators(bot.database, bot.clock, heads=lambda: None, encoder=lambda: "")
    first = await known.of(bot.community)
    assert await known.of(bot.community) is first
    await rules_on(bot, "AAAAAA", BAD, "spam")
    assert await known.of(bot.community) is first, "nobody looks for a second"
    known.changed()
    assert (taught := await known.of(bot.community)) is not first
    assert len(taught.memory) == 1
    bot.clock.pass_by(5)
    assert await known.of(bot.community) is taught, "looked, and nothing had changed"


async def test_rules_on_trial_see_messages_in_their_own_time_and_change_nothing(bot: SmallBot) -> None:
    known = Moderators(bot.database, bot.clock, heads=lambda: None, encoder=lambda: "")
    strict = await known.trial(bot.community, written="words:\n  remove: [lanterns]\n", strictness=None)
    said = [
        Post(
            text=text,
            author=ANA.ref,
            channel=GENERAL.ref,
            at=MONDAY + timedelta(hours=n),
            message=Ref(PLATFORM, f"{n}"),
        )
        for n, text in enumerate(["the LANTERNS are lit", "good evening", "l.a.n.t.e.r.n.s again"])
    ]
    found = try_out(strict, [*reversed(said), Joined(member=ANA.ref, at=MONDAY)])
    assert (found.messages, found.flagged, found.removed) == (3, 0, 2)
    words = found.detectors["words"]
    assert [str(one.message) for one in words.examples] == [f"{PLATFORM}:0", f"{PLATFORM}:2"]
    ordinary = await known.of(bot.community)
    assert ordinary.examine(said[0]).detections == ()


async def test_the_note_says_how_often_each_detector_was_right(bot: SmallBot) -> None:
    await bot.mode("moderation_note", "act")
    await bot.tune("staff_channel", str(GENERAL.ref))
    for n, verdict in enumerate(["spam"] * 5 + ["fine"]):
        await rules_on(bot, f"C{n:05}", f"{BAD} {n}", verdict)
    bot.clock.pass_by(86_400)
    now = bot.clock.now()
    event = TimerFired(schedule="moderation.weekly", planned=now, at=now)
    trace = await bot.happens(event)
    assert trace is not None
    [said] = [act.action for act in await bot.acts(trace)]
    assert said.to == GENERAL.ref
    assert "**spam**: 6 cases, 1 of them overturned: right in 83%" in said.text
    other = TimerFired(schedule="something else", planned=now, at=now)
    assert await bot.happens(other) is None
