"""The choices of all modes at once: what each is called, which one holds, and the buttons to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import Button, SetPolicy
from bot.core.i18n import _
from bot.core.policies import MODE, PRESETS, mode_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.decisions import Mode
    from bot.core.i18n import Translate
    from bot.core.things import Ref
    from brains.skills.skill import Context

LABELS = {
    "quiet": _("Quiet: only watch"),
    "helpful": _("Helpful (recommended)"),
    "careful": _("Careful: ask the staff"),
}


def steered() -> Sequence[str]:
    """Return the names of the skills that do something unasked, which modes govern."""
    from brains.skills import SKILLS  # the table lists those who ask, too

    return [skill.name for skill in SKILLS if skill.acts_unasked]


def holding(context: Context) -> str:
    """Return the name of the choice that holds in the community; empty where modes were set one by one."""
    modes = {skill: mode_of(dict(context.modes), skill, "") for skill in steered()}
    return next((name for name in PRESETS if modes == {skill: _mode(name, skill) for skill in modes}), "")


def changes(context: Context, name: str) -> list[SetPolicy]:
    """Return what a choice changes in the modes of the community; those of single channels stay."""
    before = {skill: context.modes.get((skill, "")) for skill in steered()}
    return [
        SetPolicy(name=MODE + skill, value=_mode(name, skill), before=was or "")
        for skill, was in before.items()
        if was != _mode(name, skill)
    ]


def buttons(translate: Translate, only: Ref, *, without: str = "") -> list[Button]:
    """Return a button for each choice but one."""
    return [
        Button(label=translate(label), press="setup.preset", data={"value": name}, only=only)
        for name, label in LABELS.items()
        if name != without
    ]


def _mode(name: str, skill: str) -> Mode:
    modes = PRESETS[name]
    return modes.get(skill, modes[""])
