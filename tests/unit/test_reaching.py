"""Where members open a conversation first, whether they did is read from what was said to them there."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.event import listen, remove

from bot.core.actions import GrantRole, OpenDirect, Say
from bot.core.decisions import Decision, Mode, Receipt
from bot.core.events import MemberJoined, TimerFired
from bot.core.things import Ref
from brains.skills.reaching import may_write
from brains.skills.skill import Skill
from tests.recording import ANA, EVERYTHING, GENERAL, WEI, Plaza, SmallBot, small_bot

FAILED = Receipt(state="failed", error="nobody there")


async def greet(context) -> Decision:
    """Write to whoever comes, if that may be; the reason says whether."""
    assert context.member is not None
    actions = (OpenDirect(member=context.member.ref, text="hello"),) if await may_write(context, context.member) else ()
    return Decision(skill="greets", actions=actions, reason=str(bool(actions)))


async def do(context) -> Decision:
    """Do what the schedule's name says."""
    does = {
        "say": Say(to=ANA.ref, text="here"),
        "role": GrantRole(member=ANA.ref, role=Ref(ANA.ref.platform, "r")),
        "name": Say(to=GENERAL.ref, text="here", only=ANA.ref),
    }
    return Decision(skill="does", actions=(does[context.event.schedule],), reason="its time has come")


GREETS = Skill(name="greets", purpose="greets", propose=greet, hears=(MemberJoined,))
DOES = Skill(name="does", purpose="does", propose=do, hears=(TimerFired,))


async def greeted(bot: SmallBot, who=ANA) -> bool:
    trace = await bot.happens(bot.joined(who))
    bot.clock.pass_by(1)
    return trace is not None and any(isinstance(one.action, OpenDirect) for one in trace.verdict.rulings)


async def comes(bot: SmallBot, schedule: str) -> None:
    now = bot.clock.now()
    await bot.happens(TimerFired(schedule=schedule, planned=now, at=now))
    bot.clock.pass_by(1)


async def test_who_was_spoken_to_in_private_may_be_written_to_and_nobody_else(home: Path) -> None:
    plaza = Plaza(can=EVERYTHING | {"opened"})
    async with small_bot(home, skills=[GREETS, DOES], plaza=plaza) as bot:
        await bot.follow(bot.posted("hello"))
        for skill in ("greets", "does"):
            await bot.mode(skill, Mode.ACT)
        assert not await greeted(bot)
        for what, receipt in (("name", None), ("role", None), ("say", FAILED)):
            plaza.script.append(receipt)
            await comes(bot, what)
            assert not plaza.script, what
            assert not await greeted(bot), f"{what}, {receipt}"
        await comes(bot, "say")
        assert await greeted(bot)
        assert not await greeted(bot, WEI)


async def test_it_is_found_by_the_conversation_and_not_among_all_acts(home: Path) -> None:
    async with small_bot(home, skills=[GREETS], plaza=Plaza(can=EVERYTHING | {"opened"})) as bot:
        engine = bot.database.engine
        if engine.dialect.name != "sqlite":
            return  # its planner looks through small tables whatever indices there are
        asked: list[tuple[str, object]] = []

        def note(_connection, _cursor, statement: str, parameters: object, *_rest: object) -> None:
            asked.append((statement, parameters))

        await bot.mode("greets", Mode.ACT)
        listen(engine, "before_cursor_execute", note)
        assert not await greeted(bot)
        remove(engine, "before_cursor_execute", note)

        def plans_of(connection) -> list[str]:
            return [
                step[3]
                for statement, parameters in asked
                if statement.startswith("SELECT") and "FROM act" in statement
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]

        [plan, *_rest] = await bot.database.look(lambda connection: connection.run_sync(plans_of))
        assert "ix_act_channel (channel=?)" in plan
