"""Cases in the tables: opened, raised, reported, settled once, appealed, taken back; what counts, waits and teaches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.core.actions import Exhibit, KeepAppeal, KeepCase, KeepReport, Ruled, SettleCase, inverse
from bot.core.decisions import Receipt
from bot.core.events import Named
from bot.core.things import Member, Ref
from storage import casebook, cases, communities, members, retention
from storage.casebook import lessons
from storage.cases import Case, Tally
from storage.tables import EvidenceRow, LessonRow
from tests.recording import ANA, GENERAL, PLATFORM, WEI, SmallBot, small_bot
from tests.words import MONDAY

DONE = Receipt(state="done")
SAM = Named(ref=Ref(PLATFORM, "sam"), name="Sam")
SPAM = Exhibit(message=Ref(PLATFORM, "m1"), channel=GENERAL.ref, text="buy lanterns", at=MONDAY)
CASE = KeepCase(
    case="K7QX3M",
    member=ANA.ref,
    about="spam",
    reason="looks like spam",
    detectors=("head.spam", "links"),
    score=0.93,
    exhibits=(SPAM,),
    step="warn",
    points=3,
)
SETTLE = SettleCase(case="K7QX3M", verdict="spam", by=SAM.ref)


@pytest.fixture
async def bot(home: Path) -> AsyncIterator[SmallBot]:
    async with small_bot(home) as opened:
        for who in (ANA, WEI, SAM):
            await opened.follow(opened.posted("hello", by=who))
        yield opened


async def keep(bot: SmallBot, *actions) -> list[Receipt]:
    return [await bot.performer.keeper.act(bot.community, action, trace="t1") for action in actions]


async def case(bot: SmallBot, name: str = "K7QX3M") -> Case:
    async with bot.database.read() as connection:
        found = await cases.by_id(connection, bot.community, name)
    assert found is not None
    return found


async def member(bot: SmallBot, who: Named = ANA) -> Member:
    async with bot.database.read() as connection:
        found = await members.by_ref(connection, bot.community, who.ref)
    assert found is not None
    return found


async def points(bot: SmallBot, *, days: int = 0) -> int:
    async with bot.database.read() as connection:
        return await cases.points(connection, (await member(bot)).id, bot.clock.now() + timedelta(days=days))


async def taught(bot: SmallBot) -> list[tuple[str, int, str]]:
    async with bot.database.read() as connection:
        rows = await connection.execute(select(LessonRow.__table__).order_by(LessonRow.__table__.c.id))
        return [(row.head, row.label, row.text) for row in rows]


async def test_a_case_is_opened_once_and_holds_all_that_it_rests_on(bot: SmallBot) -> None:
    assert await keep(bot, CASE, CASE) == [DONE, DONE]
    found = await case(bot, "k7qx3m")
    assert (found.member.ref, found.kind, found.trace, found.standing) == (ANA.ref, "spam", "t1", "open")
    assert (found.detectors, found.score, found.step, found.points) == (("head.spam", "links"), 0.93, "warn", 3)
    assert found.exhibits == (replace(SPAM, author=ANA.ref),)
    assert (await points(bot), await points(bot, days=31)) == (3, 0), "points expire"


async def test_the_same_case_again_adds_evidence_and_climbs_and_never_down(bot: SmallBot) -> None:
    copy = replace(SPAM, message=Ref(PLATFORM, "m2"), author=WEI.ref)
    higher = replace(CASE, exhibits=(SPAM, copy), step="timeout", minutes=60, points=6, detectors=("duplicates",))
    await keep(bot, CASE, higher, CASE)
    found = await case(bot)
    assert (found.step, found.minutes, found.points) == ("timeout", 60, 6)
    assert found.detectors == ("head.spam", "links", "duplicates")
    assert [(one.message.id, one.author) for one in found.exhibits] == [("m1", ANA.ref), ("m2", WEI.ref)]
    assert await keep(bot, replace(CASE, member=WEI.ref)) == [
        Receipt(state="failed", error="case K7QX3M is about somebody else")
    ]


async def test_a_case_taken_back_counts_no_more_and_stands_again_as_it_stood(bot: SmallBot) -> None:
    await keep(bot, CASE, SETTLE)
    back = inverse(CASE, DONE)
    await keep(bot, back)
    assert ((await case(bot)).standing, await points(bot), await taught(bot)) == ("withdrawn", 0, [])
    await keep(bot, inverse(back, DONE))
    assert ((await case(bot)).standing, await points(bot)) == ("settled", 3)
    assert await taught(bot) == [("spam", 1, "buy lanterns")], "its verdict teaches again"


async def test_a_case_of_another_community_is_neither_added_to_nor_withdrawn(bot: SmallBot) -> None:
    await keep(bot, CASE)
    ana = await member(bot)

    async def elsewhere(connection) -> list[str]:
        there = await communities.find_or_make(connection, "Far", bot.clock.now())
        copy = replace(CASE, exhibits=(replace(SPAM, message=Ref(PLATFORM, "m2")),))
        return [
            await casebook.keep(connection, there, ana, action, quarantine=timedelta(), trace="t2", now=bot.clock.now())
            for action in (copy, inverse(CASE, DONE))
        ]

    assert await bot.database.write(elsewhere) == ["case K7QX3M is about somebody else"] * 2
    found = await case(bot)
    assert (found.standing, [one.message.id for one in found.exhibits]) == ("open", ["m1"])


async def test_the_first_verdict_wins_by_name(bot: SmallBot) -> None:
    await keep(bot, CASE)
    other = replace(SETTLE, verdict="fine", by=WEI.ref)
    assert await keep(bot, SETTLE, SETTLE, other) == [
        DONE,
        DONE,
        Receipt(state="failed", error="settled already by Sam"),
    ]
    assert (await case(bot)).verdict == "spam"
    await keep(bot, inverse(SETTLE, DONE))
    assert ((await case(bot)).standing, (await case(bot)).verdict_by) == ("open", None)
    assert await keep(bot, other) == [DONE]


async def test_a_verdict_adds_points_once_and_gives_them_back(bot: SmallBot) -> None:
    reported = replace(CASE, about="reported", detectors=(), step="", points=0)
    raising = replace(SETTLE, verdict="rude", step="timeout", minutes=60, points=2)
    await keep(bot, reported)
    assert await points(bot) == 0
    await keep(bot, raising, raising)
    found = await case(bot)
    assert (await points(bot), found.step, found.minutes) == (2, "timeout", 60)
    await keep(bot, inverse(raising, DONE), inverse(raising, DONE))
    found = await case(bot)
    assert (await points(bot), found.step, found.minutes) == (0, "", 0)


async def test_a_verdict_teaches_after_its_quarantine_and_an_undo_unlearns(bot: SmallBot) -> None:
    await bot.tune("quarantine_hours", "48")
    await keep(bot, CASE, SETTLE, SETTLE)
    assert await taught(bot) == [("spam", 1, "buy lanterns")]
    async with bot.database.read() as connection:
        [row] = await connection.execute(select(LessonRow.__table__))
    assert (row.matures_at - row.at, row.vector) == (timedelta(hours=48), None)
    await keep(bot, inverse(SETTLE, DONE))
    assert await taught(bot) == []
    await keep(bot, replace(SETTLE, verdict="fine"))
    assert await taught(bot) == [("spam", 0, "buy lanterns")]


@pytest.mark.parametrize(
    ("kind", "detectors", "verdict", "wanted"),
    [
        ("spam", [], "spam", {("spam", 1), ("picture", 1)}),
        ("reported", [], "compromised", {("spam", 1), ("picture", 1)}),
        ("reported", [], "rude", {("toxicity", 1)}),
        ("spam", ["links"], "off_topic", set()),
        ("reported", [], "fine", set()),
        ("toxicity", ["head.hate"], "fine", {("toxicity", 0), ("hate", 0)}),
        ("scam", ["pictures"], "fine", {("spam", 0), ("picture", 0)}),
        ("flood", ["flood"], "fine", set()),
        ("spam", [], "", set()),
    ],
)
def test_each_verdict_teaches_the_heads_that_it_is_about(
    kind: str, detectors: list[str], verdict: Ruled, wanted: set[tuple[str, int]]
) -> None:
    assert set(lessons(kind, detectors, verdict)) == wanted


async def test_pictures_teach_by_their_hash_and_words_that_are_not_held_teach_nothing(bot: SmallBot) -> None:
    unread = replace(SPAM, text="", picture="ff00")
    await keep(bot, replace(CASE, exhibits=(unread,)), SETTLE)
    assert await taught(bot) == [("picture", 1, "")]


async def test_reports_are_kept_once_each_and_teach_nothing(bot: SmallBot) -> None:
    report = KeepReport(case="K7QX3M", member=WEI.ref, reason="rude")
    await keep(bot, CASE, report, report, KeepReport(case="K7QX3M", member=SAM.ref))
    found = await case(bot)
    assert [(one.by.ref, one.reason) for one in found.reports] == [(WEI.ref, "rude"), (SAM.ref, "")]
    assert await taught(bot) == []
    wei = (await member(bot, WEI)).id
    async with bot.database.read() as connection:
        assert await cases.wrong_reports(connection, wei, MONDAY - timedelta(days=9999)) == 0
    await keep(bot, replace(SETTLE, verdict="fine"))
    async with bot.database.read() as connection:
        assert await cases.wrong_reports(connection, wei, MONDAY - timedelta(days=9999)) == 1


async def test_an_appeal_is_decided_once_and_granted_unlearns(bot: SmallBot) -> None:
    appeal = KeepAppeal(case="K7QX3M", member=ANA.ref, text="a joke", state="open")
    grant = replace(appeal, state="granted", before="open")
    await keep(bot, CASE, SETTLE, appeal)
    async with bot.database.read() as connection:
        assert [one.appeal for one in await cases.appealed(connection, bot.community)] == ["a joke"]
    assert await keep(bot, grant, grant) == [DONE, DONE]
    assert (await points(bot), await taught(bot)) == (0, [])
    assert await keep(bot, replace(grant, state="refused")) == [
        Receipt(state="failed", error="this appeal was decided already")
    ]
    await keep(bot, inverse(grant, DONE))
    assert ((await case(bot)).appeal_state, await points(bot)) == ("open", 3)
    assert await taught(bot) == [("spam", 1, "buy lanterns")]
    await keep(bot, inverse(appeal, DONE))
    assert ((await case(bot)).appeal_state, (await case(bot)).appeal) == ("", "")


async def test_the_queue_shows_the_uncertain_first_and_then_the_oldest(bot: SmallBot) -> None:
    for name, score in (("SURE22", 0.97), ("UNSURE", 0.52), ("EARLY2", 0.7), ("LATER2", 0.7)):
        await keep(bot, replace(CASE, case=name, score=score, exhibits=()))
        await bot.clock.sleep(60)
    await keep(bot, replace(CASE, case="DONE22"), replace(SETTLE, case="DONE22"))
    async with bot.database.read() as connection:
        waiting = [one.id for one in await cases.queue(connection, bot.community)]
    assert waiting == ["UNSURE", "EARLY2", "LATER2", "SURE22"]


async def test_precision_counts_what_was_settled_overturned_and_missed(bot: SmallBot) -> None:
    verdicts: list[tuple[str, Ruled]] = [("AAAAA2", "spam"), ("AAAAA3", "fine"), ("AAAAA4", "")]
    for name, verdict in verdicts:
        await keep(bot, replace(CASE, case=name, detectors=("memory",) if name == "AAAAA3" else ("memory", "links")))
        await keep(bot, *([replace(SETTLE, case=name, verdict=verdict)] if verdict else []))
    missed = replace(CASE, case="AAAAA5", about="reported", detectors=())
    await keep(bot, missed, replace(SETTLE, case="AAAAA5", verdict="rude"))
    await keep(bot, replace(CASE, case="AAAAA6", about="hand", detectors=()))
    async with bot.database.read() as connection:
        told = await cases.precision(connection, bot.community, bot.clock.now() - timedelta(days=7))
        none = await cases.precision(connection, bot.community, bot.clock.now() + timedelta(days=1))
        late = await cases.precision(connection, bot.community, MONDAY - timedelta(days=7), MONDAY)
    assert told == [
        Tally(detector="links", settled=1),
        Tally(detector="memory", settled=2, overturned=1),
        Tally(detector="", missed=1),
    ]
    assert none == late == [Tally(detector="")], "what came after the week belongs to the next"


async def test_evidence_outlives_its_message_and_not_its_time(bot: SmallBot) -> None:
    await keep(bot, CASE, KeepReport(case="K7QX3M", member=WEI.ref, reason="rude"), SETTLE)

    async def purge(days: int) -> int:
        later = bot.clock.now() + timedelta(days=days)
        return await bot.database.write(lambda c: retention.purge(c, bot.community, later))

    assert await purge(89) == 0
    assert await purge(91) == 3
    found = await case(bot)
    assert (found.exhibits, [one.reason for one in found.reports], found.verdict) == ((), [""], "spam")
    async with bot.database.read() as connection:
        assert (await connection.execute(select(EvidenceRow.__table__))).all() == []
    assert await purge(91) == 0


async def test_an_appeal_and_a_report_on_an_old_case_have_their_own_time_and_words_wait_no_longer(
    bot: SmallBot,
) -> None:
    await keep(bot, CASE)
    bot.clock.pass_by(91 * 86_400)
    ban = replace(CASE, case="M4X7QK", exhibits=(replace(SPAM, message=Ref(PLATFORM, "m2")),))
    plea = KeepAppeal(case="K7QX3M", member=ANA.ref, text="it was my brother", state="open")
    await keep(bot, ban, plea, KeepReport(case="K7QX3M", member=WEI.ref, reason="rude"))

    async def purge(days: int) -> int:
        later = bot.clock.now() + timedelta(days=days)
        return await bot.database.write(lambda c: retention.purge(c, bot.community, later))

    assert await purge(0) == 1
    found = await case(bot)
    assert (found.exhibits, found.appeal, found.reports[0].reason) == ((), "it was my brother", "rude")
    await keep(bot, replace(SETTLE, case="M4X7QK"))
    assert await taught(bot) == [("spam", 1, "buy lanterns")]
    assert await purge(91) == 4
    assert ((await case(bot)).appeal, (await case(bot)).reports[0].reason, await taught(bot)) == ("", "", [])


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (replace(CASE, member=Ref(PLATFORM, "nobody")), "plaza:nobody is not known here"),
        (SETTLE, "case K7QX3M is not known here"),
        (KeepReport(case="K7QX3M", member=WEI.ref), "case K7QX3M is not known here"),
        (KeepAppeal(case="K7QX3M", member=ANA.ref, text="", state="open"), "case K7QX3M is not known here"),
    ],
)
async def test_what_nobody_knows_fails_by_name(bot: SmallBot, action, error: str) -> None:
    assert await keep(bot, action) == [Receipt(state="failed", error=error)]
