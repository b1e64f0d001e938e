"""What the bot does of its own accord and when: `/schedule` shows it, and staff change, pause and set it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import recurring, zones
from bot.core.actions import RunSchedule, SetSchedule
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.policies import DEFAULT
from bot.core.wording import escape
from brains.skills.skill import Skill
from brains.skills.steering import changed, ref, who
from storage import schedules
from storage.schedules import OFF

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from brains.skills.skill import Context
    from storage.schedules import Kept, Schedule, Standing

NAME = "schedule"


async def propose(context: Context) -> Decision | None:
    """Show the schedules, or change one of them."""
    given = context.command.arguments
    action = given.get("action", "list")
    if action == "list":
        return await _list(context)
    schedule = _named(context, given.get("name", ""))
    if action == "run":
        return _run(context, schedule)
    async with context.faculties.database.read() as connection:
        kept = (await schedules.of(connection, context.community)).get(schedule.name)
    before = kept.value if kept else ""
    value = _value(context, schedule, before, action, given.get("when", ""))
    if value == before:
        words = context.translate(_("It is so already."))
        return Decision(skill=NAME, actions=(context.answer(words),), reason=words, settles=False)
    change = SetSchedule(name=schedule.name, value=value, before=before, by=ref(context))
    return changed(context, NAME, [change], more=[await _next(context, schedule, value)])


def _named(context: Context, wanted: str) -> Schedule:
    """Return the schedule that is called so, or the only one whose name holds that. Raises Mistake."""
    known = {one.name: one for one in context.faculties.schedules}
    found = [one for name, one in known.items() if wanted and wanted.casefold() in name]
    if wanted.casefold() in known:
        return known[wanted.casefold()]
    if len(found) != 1:
        names = ", ".join(one.name for one in found) or ", ".join(known)
        raise Mistake(_("Say which schedule: {names}."), names=names)
    return found[0]


def _value(context: Context, schedule: Schedule, before: str, action: str, words: str) -> str:
    """Return what is kept of a schedule from now on. Raises Mistake."""
    own = before.removeprefix(OFF).strip()
    if action == "pause" or (action == "set" and words.casefold() == OFF):
        return f"{OFF} {own}".strip()
    if action == "resume":
        return own
    if not words:
        raise Mistake(_("Say when, for instance: /schedule set {name} mon 09:00"), name=schedule.name)
    if words.casefold() == DEFAULT:
        return ""
    usual = schedules.when(schedule, None, context.policy.daily_hour)
    if usual.is_often:
        sentence = _("{name} is for times that are not yours to set: I look {when}. It can be paused.")
        raise Mistake(sentence, name=schedule.name, when=str(usual))
    when = recurring.read(words)
    if when.is_often:
        raise Mistake(_("{name} comes once a day at most."), name=schedule.name)
    return "" if when == usual else str(when)


async def _next(context: Context, schedule: Schedule, value: str) -> str:
    """Say when it comes next."""
    if value.startswith(OFF):
        return context.translate(_("It rests until /schedule resume {name}.")).format(name=schedule.name)
    when = recurring.read(value) if value else schedules.when(schedule, None, context.policy.daily_hour)
    zone = await zones.opened(context.policy.time_zone)
    shown = _shown(when.after(context.now, zone), zone)
    return context.translate(_("Next: {at} ({zone}).")).format(at=shown, zone=escape(context.policy.time_zone))


def _run(context: Context, schedule: Schedule) -> Decision:
    """Let a schedule come out of turn, on the path that it always takes."""
    ask = RunSchedule(name=schedule.name, at=context.now, by=ref(context))
    words = _(
        "**{name}** comes now, out of turn. What I may do unasked holds for it too (/mode); "
        "/schedule shows what came of it."
    )
    reason = context.translate(_("{member} lets {name} come out of turn")).format(
        member=who(context), name=schedule.name
    )
    answer = context.answer(context.translate(words).format(name=schedule.name))
    return Decision(skill=NAME, actions=(ask, answer), reason=reason, settles=False)


async def _list(context: Context) -> Decision:
    """Show every schedule, when it comes next, and what became of the last time."""
    zone = await zones.opened(context.policy.time_zone)
    async with context.faculties.database.read() as connection:
        found = await schedules.standings(
            connection,
            context.community,
            context.faculties.schedules,
            policy=context.policy,
            zone=zone,
            now=context.now,
        )
    head = context.translate(_("What I do of my own accord. Times are those of {zone} (/setup time_zone)."))
    lines = [head.format(zone=escape(context.policy.time_zone)), *(_line(context, one, zone) for one in found)]
    reason = context.translate(_("asked for the schedules"))
    return Decision(skill=NAME, actions=(context.answer("\n".join(lines)),), reason=reason, settles=False)


def _line(context: Context, one: Standing, zone: tzinfo) -> str:
    translate = context.translate
    does = translate(one.schedule.does)
    if one.next_at is None:
        comes = translate(_("{when}, paused")).format(when=one.when)
    else:
        comes = translate(_("{when}, next {at}")).format(when=one.when, at=_shown(one.next_at, zone))
    last = _last(context, one, zone)
    return f"- **{one.schedule.name}**: {escape(comes)}. _{escape(does)}_" + (f"\n  {last}" if last else "")


def _last(context: Context, one: Standing, zone: tzinfo) -> str:
    """Say what became of the last time, and of what was missed; empty where it never came."""
    kept, translate = one.kept, context.translate
    if kept is None or kept.planned_at is None:
        return ""
    became = translate(_BECAME[kept.outcome]).format(at=_shown(kept.planned_at, zone))
    told = f"{became}: {escape(one.said)}" if one.said else became
    return f"{told}. {_missed(context, kept, zone)}" if kept.missed_at else told


_BECAME = {
    "came": _("Came {at}"),
    "nobody": _("Nobody was due {at}"),
    "missed": _("Missed {at}, since I noticed too late"),
}
"""What became of the last time."""


def _missed(context: Context, kept: Kept, zone: tzinfo) -> str:
    assert kept.missed_at is not None  # noqa: S101 - asked where something was missed
    words = context.translate(_("Missed so far: {count}, the last one {at}"))
    return words.format(count=kept.missed, at=_shown(kept.missed_at, zone))


def _shown(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


SKILL = Skill(
    name=NAME,
    purpose=_("Shows what I do of my own accord, and when"),
    propose=propose,
    commands=("schedule",),
)
