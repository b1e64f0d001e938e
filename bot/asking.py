"""Asks the skills about an event: whom it concerns, each within its time, whatever they do."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.core import commands
from bot.core.actions import Action
from bot.core.decisions import MANY, Decision, Mode, Step
from bot.core.errors import KinfolkError, Misconfigured, Mistake, NotAllowed, Overloaded, Unavailable
from bot.core.events import (
    ButtonPressed,
    CommandGiven,
    actor,
    is_spoken_to,
    place,
)
from bot.core.i18n import _
from bot.core.log import trail
from bot.core.wording import told
from bot.policy import may_hear
from brains.skills.skill import Press

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.core.events import Event
    from brains.skills.skill import Context, Skill
    from storage.acts import Pressable

log = logging.getLogger(__name__)

LONGEST = 900
"""Characters of an explanation at most: it may repeat what a member wrote, and every platform must take it."""
OURSELVES = "kinfolk"
"""Who answers where no skill does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The skills of one process, in the order of their table."""

    skills: Sequence[Skill]

    async def ask(
        self, context: Context, pressed: Pressable | None, modes: Mapping[str, Mode]
    ) -> list[tuple[Step, Decision | None]]:
        """Ask every skill that this event concerns; a command or a button concerns one, and has an answer for sure.

        Where somebody turned to the bot and it concerns none, a step says why.
        """
        try:
            context = _with_arguments(context)
            concerned = self._concerned(context, pressed, modes)
        except KinfolkError as error:
            step = Step(skill=OURSELVES, mode=Mode.ACT, outcome=error.say(context.translate), milliseconds=0)
            return [(step, _refusal(OURSELVES, error, context))]
        if not concerned and is_spoken_to(context.event):
            return [(_left(context), None)]
        if pressed is not None:
            press = Press(what=pressed.press.partition(".")[2], data=pressed.data, act=pressed.act)
            context = replace(context, press=press)
        return await asyncio.gather(
            *(self._one(skill, context, Mode.ACT if skill.owed else modes[skill.name]) for skill in concerned)
        )

    def _concerned(self, context: Context, pressed: Pressable | None, modes: Mapping[str, Mode]) -> list[Skill]:
        """Return whom to ask. Raises Mistake or NotAllowed for a command or a button that nobody may answer."""
        match context.event:
            case CommandGiven(command=name, arguments=given):
                command = commands.find(name)
                found = [skill for skill in self.skills if name in skill.commands]
                if command is None or not found:
                    raise Mistake(_("There is no /{name}. /help names what there is."), name=name)
                if context.rank < command.rank:
                    raise NotAllowed(_("/{name} is for the staff."), name=name)
                commands.check(command, given)
                return found
            case ButtonPressed():
                return self._pressed(context, pressed)
            case event:
                if _is_of_bot(event):
                    return []
                return [
                    skill for skill in self.skills if _asks(skill, context) or _hears(skill, context, modes[skill.name])
                ]

    def _pressed(self, context: Context, pressed: Pressable | None) -> list[Skill]:
        if pressed is None or pressed.expires_at < context.now:
            raise Mistake(_("This button is too old. Ask again, and you get a new one."))
        if pressed.only and context.member and pressed.only != str(context.member.ref):
            raise NotAllowed(_("This button is somebody else's."))
        if pressed.pressed_at is not None:
            raise Mistake(_("This was settled already."))
        found = [skill for skill in self.skills if skill.name == pressed.press.partition(".")[0]]
        if not found:
            raise Mistake(_("This button is too old. Ask again, and you get a new one."))
        return found

    async def _one(self, skill: Skill, context: Context, mode: Mode) -> tuple[Step, Decision | None]:
        """Ask one skill within its time. Whatever goes wrong is a line in the trace, and told to who asked."""
        started = time.perf_counter()
        decision, failed, refuse = None, True, _refusal if skill.is_asked(context.event) else _nothing
        try:
            async with asyncio.timeout(skill.patience):
                decision = _sound(await skill.propose(context))
            outcome, failed = (decision.reason if decision else context.translate(_("nothing to do"))), False
        except TimeoutError:
            slow = Mistake(
                _("This took longer than {seconds:g} s, so I stopped. Ask me again."), seconds=skill.patience
            )
            outcome, decision = slow.say(context.translate), refuse(skill.name, slow, context)
        except KinfolkError as error:
            outcome, decision = error.say(context.translate), refuse(skill.name, error, context)
        except Exception as error:  # noqa: BLE001 - a skill may do whatever it likes, the others live on
            log.error("the skill %s failed: %s", skill.name, trail(error))
            told = Mistake(_("Something went wrong here; it is written down for those who run me."))
            outcome, decision = f"{type(error).__name__}: {error}", refuse(skill.name, told, context)
        took = (time.perf_counter() - started) * 1000
        if decision is not None:
            decision = replace(decision, asked=skill.is_asked(context.event), owed=skill.owed)
        return Step(skill=skill.name, mode=mode, outcome=outcome, milliseconds=took, failed=failed), decision


def _with_arguments(context: Context) -> Context:
    """Read what stands after a command that was given in words, for who may use it. Raises Mistake."""
    match context.event:
        case CommandGiven(line=line) as event if line:
            command = commands.find(event.command)
            if command is None or context.rank < command.rank:
                return context
            return replace(context, event=replace(event, arguments=commands.read(command, line)))
        case _:
            return context


def _is_of_bot(event: Event) -> bool:
    """Say whether a bot did it, this one or another: none is ever answered."""
    author = actor(event)
    return author is not None and author.bot


def _asks(skill: Skill, context: Context) -> bool:
    """Say whether a skill is asked for an answer; of a stranger, of whom nothing is held, it never is."""
    return context.member is not None and skill.is_asked(context.event)


def _hears(skill: Skill, context: Context, mode: Mode) -> bool:
    """Say whether a skill wants to hear of an event that nobody asked it about, and may."""
    heard = skill.owed or may_hear(context.event, mode, context.here.read)
    return isinstance(context.event, skill.hears) and heard


def _left(context: Context) -> Step:
    """Say why somebody who turned to the bot is left without an answer."""
    why = _("I never answer a bot.") if _is_of_bot(context.event) else _("No skill of mine answers this.")
    return Step(skill=OURSELVES, mode=Mode.ACT, outcome=context.translate(why), milliseconds=0)


def _sound(decision: object) -> Decision | None:
    """Return what a skill proposed if it is something that can be proposed; raises TypeError otherwise."""
    if decision is None:
        return None
    if not isinstance(decision, Decision):
        raise TypeError(f"a skill proposed {type(decision).__name__} instead of a Decision")
    if not isinstance(decision.actions, tuple):
        raise TypeError(f"a skill proposed its actions as a {type(decision.actions).__name__} instead of a tuple")
    if len(decision.actions) > MANY:
        raise TypeError(f"a skill proposed {len(decision.actions)} actions at once; {MANY} are the most")
    if strange := {type(action).__name__ for action in decision.actions if not isinstance(action, Action)}:
        raise TypeError(f"a skill proposed {', '.join(sorted(strange))} as an action")
    if decision.undoes and len(decision.undoes) != len(decision.actions):
        raise TypeError(f"a skill undoes {len(decision.undoes)} acts by {len(decision.actions)} actions")
    return decision


def _refusal(skill: str, error: KinfolkError, context: Context) -> Decision | None:
    """Answer whoever asked with what went wrong, where an answer to them has a place."""
    if context.member is None or place(context.event) is None:
        return None
    shown = _for_member(error)
    words, reason = told(shown, context.translate)[:LONGEST], shown.say(context.translate)[:LONGEST]
    return Decision(skill=skill, actions=(context.answer(words),), reason=reason, settles=False, asked=True)


def _nothing(_skill: str, _error: KinfolkError, _context: Context) -> None:
    """Tell nobody: who did not ask is told nothing of what went wrong."""


def _for_member(error: KinfolkError) -> KinfolkError:
    """Return what a member can do something with; processes, files and settings are for the trace."""
    match error:
        case Overloaded():
            return Mistake(_("I have a lot to think about at the moment. Ask me again in a minute."))
        case Unavailable():
            return Mistake(_("I cannot think at the moment, and am being helped up again. Ask me again in a minute."))
        case Misconfigured():
            return Mistake(_("I am not set up for this yet. The staff finds the reason with /why."))
        case _:
            return error
