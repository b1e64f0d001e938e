"""What staff tune, one field each with its meaning, default and bounds. `/setup` shows and sets these by name."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.decisions import Mode
from bot.core.errors import Mistake
from bot.core.i18n import _


class Policy(BaseModel):
    """How one community wants the bot."""

    model_config = ConfigDict(frozen=True)

    staff_channel: str = Field(
        default="", max_length=200, description=_("The channel where proposals and alerts for staff go.")
    )
    welcome_channel: str = Field(
        default="",
        max_length=200,
        description=_("The channel where newcomers are welcomed; empty for where they come in."),
    )
    language: Literal["", "en", "zh_CN"] = Field(
        default="", description=_("The language I speak here where a member has chosen none: en or zh_CN.")
    )
    confidence: float = Field(
        default=0.0, ge=0, le=1, description=_("How sure a skill must be before it acts unasked, from 0 to 1.")
    )
    retention_days: int = Field(
        default=0, ge=0, le=36500, description=_("Days after which messages are erased here; 0 keeps them.")
    )
    trace_days: int = Field(
        default=30, ge=1, le=365, description=_("Days for which I can say why I did something, and undo it.")
    )


FIELDS = tuple(Policy.model_fields)
SHOWN = 40
"""Characters of a wrong value that are worth repeating."""
MODE = "mode."
"""Prefix of the name under which a skill's mode is kept."""


def check(name: str, value: str) -> str:
    """Return the value as it is kept; raises Mistake that says what the setting may be."""
    if name not in FIELDS:
        raise Mistake(_("There is no setting {name!r}. There are: {names}."), name=name, names=", ".join(FIELDS))
    try:
        return str(getattr(Policy.model_validate({name: value}), name))
    except ValidationError:
        sentence = _("{name} may be {allowed}, not {value!r}.")
        raise Mistake(sentence, name=name, allowed=_allowed(name), value=value[:SHOWN]) from None


def _allowed(name: str) -> str:
    """Say what a setting may be, in no language: its choices or its bounds."""
    bounds = Policy.model_json_schema()["properties"][name]
    if "enum" in bounds:
        return ", ".join(choice for choice in bounds["enum"] if choice)
    return f"{bounds.get('minimum', 0)} … {bounds.get('maximum', bounds.get('maxLength'))}"


def mode_of(modes: dict[tuple[str, str], Mode], skill: str, channel: str) -> Mode:
    """Return a skill's mode in a channel: the channel's own, else the community's, else watch."""
    return modes.get((skill, channel)) or modes.get((skill, "")) or Mode.WATCH
