"""What the staff reads of a case before they judge, and the buttons of their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import AskStaff, Button
from bot.core.i18n import _
from bot.core.wording import VERDICTS, escape, marked
from brains.skills.casework import CHOICES, KINDS, NAME, QUOTED, Record, lasting, planned, record
from brains.skills.steering import for_staff, staff_channel
from storage import channels, members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, KeepCase
    from bot.core.i18n import Translate
    from bot.core.things import Ref
    from brains.moderation.ladder import Step
    from brains.skills.skill import Context
    from storage.cases import Report

SHOWN = 3
"""Messages that a card quotes; the others are counted."""


async def card(
    context: Context, kept: KeepCase, *, reports: Sequence[Report] = (), done: Sequence[Action] = ()
) -> AskStaff | None:
    """Return what puts a case before the staff, with a button for each verdict; None where there is no staff channel.

    `done` is what is done already, in the same decision or before.
    """
    staff = await staff_channel(context)
    if staff is None:
        return None
    translate = await for_staff(context)
    text = await sheet(context, kept, translate, reports=reports, done=done)
    return AskStaff(to=staff.ref, text=text, skill=NAME, proposed=(), buttons=verdicts(kept.case, translate))


def verdicts(case: str, translate: Translate) -> tuple[Button, ...]:
    """Return a button for each verdict; pressing one settles the others."""
    return tuple(
        Button(
            label=translate(VERDICTS[one]),
            press=f"{NAME}.verdict",
            data={"case": case, "verdict": one},
            choice="verdict",
        )
        for one in CHOICES
    )


async def sheet(
    context: Context,
    kept: KeepCase,
    translate: Translate,
    *,
    reports: Sequence[Report] = (),
    done: Sequence[Action] = (),
    outlook: bool = True,
) -> str:
    """Write all that staff should know before they judge; with `outlook`, what each verdict would do."""
    async with context.faculties.database.read() as connection:
        member = await members.by_ref(connection, context.community, kept.member)
        rooms = {
            one: await channels.by_ref(connection, context.community, one)
            for one in dict.fromkeys(shown.channel for shown in kept.exhibits)
        }
    known = await record(context, member, beside=kept.case) if member else Record()
    named = wording.member(kept.member, member.name if member else kept.member.id)
    lines = [
        translate(_("**Case {case}**: {member}, {kind}")).format(
            case=kept.case, member=named, kind=translate(KINDS[kept.about])
        )
    ]
    names = {ref: room.name if room else ref.id for ref, room in rooms.items()}
    lines += _quoted(kept, names, translate)
    lines += [_reason(kept, translate), *reported(reports, translate), _held(known, translate)]
    if done:
        told = "; ".join(marked(one, translate) for one in done)
        lines.append(translate(_("Done already: {acts}.")).format(acts=told))
    if outlook:
        lines.append(_outlook(context, kept, known, translate))
    return "\n".join(line for line in lines if line)


def _quoted(kept: KeepCase, rooms: dict[Ref, str], translate: Translate) -> list[str]:
    """Quote the latest messages, each with where it was said and a link to it."""
    lines: list[str] = []
    for one in kept.exhibits[-SHOWN:]:
        where = translate(_("In {channel}, {link}:")).format(
            channel=wording.channel(one.channel, rooms[one.channel]),
            link=wording.message(one.message, translate(_("this message"))),
        )
        unread = escape(translate(_("I collect nothing of this, so its words are behind the link alone.")))
        quoted = wording.quote(one.text[:QUOTED]) if one.text else f"_{unread}_"
        lines += [where, quoted + "\n"]
    if more := len(kept.exhibits) - SHOWN:
        lines += [translate(_("And {count} more messages.")).format(count=more)] if more > 0 else []
    return lines


def _reason(kept: KeepCase, translate: Translate) -> str:
    if not kept.detectors:
        return escape(kept.reason)
    sentence = translate(_("{reason} ({detectors}; {sure:.0%} sure)"))
    return sentence.format(reason=escape(kept.reason), detectors=escape(", ".join(kept.detectors)), sure=kept.score)


def reported(reports: Sequence[Report], translate: Translate) -> list[str]:
    """Say who reported something, and why."""
    told = _("Reported by {member}: {reason}")
    bare = _("Reported by {member}, without a reason.")
    return [
        translate(told if one.reason else bare).format(member=escape(one.by.name), reason=escape(one.reason))
        for one in reports
    ]


def _held(known: Record, translate: Translate) -> str:
    """Say what is held against a member."""
    if not known.earlier:
        return translate(_("No case before this one."))
    names = ", ".join(one.id for one in known.earlier[:5])
    sentence = translate(_("Points held: {points}. Cases before this one: {count} ({cases})."))
    return sentence.format(points=known.points, count=len(known.earlier), cases=names)


def _outlook(context: Context, kept: KeepCase, known: Record, translate: Translate) -> str:
    """Say what each verdict would do."""
    told = [
        f"{translate(VERDICTS[one])}: {words(planned(context, kept, one, known.points), translate)}"
        for one in CHOICES
        if one != "fine"
    ]
    back = translate(_("nothing, and what was done is taken back"))
    return "_" + "; ".join([*told, f"{translate(VERDICTS['fine'])}: {back}"]) + "_"


def words(step: Step, translate: Translate) -> str:
    """Say a step in a word or two, beside the deletion that comes with it."""
    steps = {
        "": _("delete"),
        "note": _("delete"),
        "warn": _("delete, warn"),
        "timeout": _("delete, time out for {time}"),
        "kick": _("delete, kick"),
        "ban": _("delete, ban"),
    }
    return translate(steps[step.rung]).format(time=lasting(step.minutes, translate))
