"""The skills: one file for each ability, and its line in this table."""

from __future__ import annotations

from brains.skills import (
    alerts,
    answer,
    draft,
    elsewhere,
    foryou,
    growing,
    guide,
    match,
    mod,
    moderate,
    moderation_note,
    people,
    privacy,
    pulse,
    report,
    schedule,
    search,
    setup,
    staff,
    standing,
    welcome,
)
from brains.skills import help as help_

SKILLS = (
    help_.SKILL,
    match.SKILL,
    people.SKILL,
    foryou.SKILL,
    answer.SKILL,
    draft.SKILL,
    growing.SKILL,
    pulse.SKILL,
    elsewhere.SKILL,
    search.SKILL,
    welcome.SKILL,
    privacy.SKILL,
    staff.SKILL,
    setup.SKILL,
    schedule.SKILL,
    guide.SKILL,
    report.SKILL,
    mod.SKILL,
    moderate.SKILL,
    moderation_note.SKILL,
    standing.SKILL,
    alerts.SKILL,
)
