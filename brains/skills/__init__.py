"""The skills: one file for each ability, and its line in this table."""

from __future__ import annotations

from brains.skills import help as help_
from brains.skills import match, privacy, staff, welcome

SKILLS = (
    help_.SKILL,
    match.SKILL,
    welcome.SKILL,
    privacy.SKILL,
    staff.SKILL,
)
