"""The acts of a case: which were done for it, what takes them back, which of its messages stay, and its cards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.actions import AskStaff, Ban, Button, Delete, Edit, Say, Timeout, Unban, inverse
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape, quote
from brains.skills.casework import NAME, QUOTED
from brains.skills.steering import close_message, for_all, who
from storage import acts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action, Exhibit
    from bot.core.things import Ref
    from brains.skills.skill import Context
    from storage.acts import Act
    from storage.cases import Case

POSTED_AGAIN = 5
"""Messages that are posted again by one press at most."""


async def done(context: Context, case: Case) -> list[Act]:
    """Return the acts of all traces that name a case, in their order; those that were taken back are left out."""
    async with context.faculties.database.read() as connection:
        naming = await acts.naming(connection, context.community, case.id)
        traces = dict.fromkeys([*([case.trace] if case.trace else []), *(act.trace for act in naming)])
        every = [act for trace in traces for act in await acts.of_trace(connection, trace)]
    return sorted((act for act in every if act.undone_by is None), key=lambda act: act.id)


async def stays(context: Context, case: Case) -> list[Exhibit]:
    """Return the messages of a case that were not deleted for it."""
    gone = _deleted(await done(context, case))
    return [one for one in case.exhibits if one.message not in gone]


def _deleted(every: Sequence[Act]) -> set[Ref]:
    return {act.action.message for act in every if act.state == "done" and isinstance(act.action, Delete)}


async def relieved(context: Context, case: Case) -> tuple[list[tuple[Action, int | None]], bool]:
    """Return what takes back the sanctions of a case, each with the act it undoes; and whether words were deleted.

    Of a sanction whose act is not kept any more, the case itself tells.
    """
    every = [act for act in await done(context, case) if act.state == "done"]
    mine = [act for act in every if isinstance(act.action, Timeout | Ban) and act.action.member == case.member.ref]
    back: list[tuple[Action, int | None]] = [
        (undone, act.id) for act in reversed(mine) if (undone := inverse(act.action, act.receipt)) is not None
    ]
    if not mine and case.step == "timeout":
        back.append((Timeout(member=case.member.ref, minutes=0, space=case.space), None))
    if not mine and case.step == "ban":
        back.append((Unban(member=case.member.ref, space=case.space), None))
    wordy = {one.message for one in case.exhibits if one.text}
    return back, bool(_deleted(every) & wordy)


async def edited(context: Context, case: Case, words: str, *, press: str = "verdict") -> list[Edit]:
    """Write under the cards of a case how it ended; `press` names what the buttons under them are for."""
    async with context.faculties.database.read() as connection:
        naming = await acts.naming(connection, context.community, case.id)
        cards = [act for act in naming if isinstance(act.action, AskStaff) and _offers(act.action.buttons, press)]
        latest = [await _latest(context, act) for act in cards]
    waiting = [act for act in latest if _offers(getattr(act.action, "buttons", ()), press)]
    return [
        replace(edit, offered=getattr(act.action, "buttons", ()))
        for act in waiting
        for edit in close_message(act, words)
    ]


async def card(context: Context, case: Case) -> Act | None:
    """Return the act by which the card of a case reads as it does now, None where there is none."""
    async with context.faculties.database.read() as connection:
        naming = await acts.naming(connection, context.community, case.id)
    cards = [act for act in naming if isinstance(act.action, AskStaff) and _offers(act.action.buttons, "verdict")]
    return await _latest(context, cards[-1]) if cards else None


async def is_card_coming(context: Context, case: Case) -> bool:
    """Say whether the card with which a case was opened is being posted just now."""
    async with context.faculties.database.read() as connection:
        opened = await acts.of_trace(connection, case.trace)
    cards = [act for act in opened if isinstance(act.action, AskStaff) and _offers(act.action.buttons, "verdict")]
    return any(act.state == "intended" for act in cards)


def _offers(buttons: Sequence[Button], press: str) -> bool:
    return any(one.press == f"{NAME}.{press}" for one in buttons)


async def _latest(context: Context, card: Act) -> Act:
    made = card.receipt.made
    if made is None:
        return card
    async with context.faculties.database.read() as connection:
        later = await acts.naming(connection, context.community, made)
    edits = (act for act in reversed(later) if isinstance(act.action, Edit) and act.action.message == made)
    return next(edits, card)


def answered(context: Context, case: Case, lines: Sequence[str], *, restorable: bool = False) -> Say:
    """Answer whoever decided; where words were deleted, offer to post them again."""
    head = context.translate(_("Case {case}:")).format(case=case.id)
    button = Button(label=context.translate(_("Post the words again")), press=f"{NAME}.restore", data={"case": case.id})
    return context.answer(" ".join([head, *lines]), buttons=(button,) if restorable else ())


async def restore(context: Context, case: Case) -> Decision:
    """Post again, as quotes, what was deleted for a case. Raises Mistake where its words are not kept."""
    kept = {one.message for one in await stays(context, case)}
    gone = [one for one in case.exhibits if one.message not in kept and one.text][:POSTED_AGAIN]
    if not gone:
        raise Mistake(_("None of its words is kept any more."))
    translate = await for_all(context)
    sentence = translate(_("{member} wrote this here. I took it away by mistake; the staff says it was fine:"))
    head = sentence.format(member=escape(case.member.name))
    said = [Say(to=one.channel, text=f"{head}\n{quote(one.text[:QUOTED])}") for one in gone]
    reason = translate(_("{member}: posts the words of case {case} again")).format(member=who(context), case=case.id)
    answer = context.answer(context.translate(_("Done.")))
    return Decision(skill=NAME, actions=(*said, answer), reason=reason, about=(case.member.ref,))
