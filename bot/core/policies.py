"""What staff tune, one field each with its meaning, default and bounds. `/setup` shows and sets these by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.core import zones
from bot.core.decisions import Mode
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.outreach import NO_HOURS, Quiet, quiet_hours
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

Speak = Literal["silent", "commands", "mentioned", "helpful"]
"""What the bot says aloud: nothing; what it was asked for by commands; by words too; also what nobody asked for."""

SANCTIONS = ("delete", "warn", "timeout", "kick", "ban")
"""What may want a human's word before it is done unasked."""
NOTHING = "nothing"
"""How staff says that none of them does."""


class Policy(BaseModel):
    """How one community wants the bot."""

    model_config = ConfigDict(frozen=True)

    staff_channel: str = Field(
        default="",
        max_length=200,
        description=_("The channel where proposals and alerts for staff go."),
        json_schema_extra={"names": "channel"},
    )
    welcome_channel: str = Field(
        default="",
        max_length=200,
        description=_("The channel where newcomers are welcomed; empty for where they come in."),
        json_schema_extra={"names": "channel"},
    )
    welcome: Literal["channel", "private"] = Field(
        default="channel", description=_("Where I welcome newcomers: in that channel, or in private.")
    )
    digest_channel: str = Field(
        default="",
        max_length=200,
        description=_("The channel where I post a digest of the community; empty for none."),
        json_schema_extra={"names": "channel"},
    )
    digest: Literal["off", "daily", "weekly"] = Field(
        default="weekly",
        description=_(
            "How often I post what happened, in digest_channel. A channel may have its own, or be left out by off."
        ),
        json_schema_extra={"per_channel": True},
    )
    daily_hour: int = Field(
        default=16,
        ge=0,
        le=23,
        description=_("The hour here (time_zone) at which I write what is due once a day, such as to newcomers."),
    )
    time_zone: str = Field(
        default="UTC",
        max_length=64,
        description=_("The time zone of this community, by which I tell days and hours."),
        examples=["Europe/Berlin"],
    )
    quiet_hours: str = Field(
        default="22-8",
        max_length=10,
        description=_("Hours at which I write to no member in private who did not ask; `none` for no such hours."),
        examples=["22-8", "none"],
    )
    most_a_week: int = Field(
        default=3,
        ge=0,
        le=50,
        description=_("Messages a week, at most, that I write to a member in private who did not ask for them."),
    )
    language: Literal["", "en", "zh_CN"] = Field(
        default="", description=_("The language I speak here where a member has chosen none: en or zh_CN.")
    )
    staff_roles: str = Field(
        default="",
        max_length=1000,
        description=_("Roles whose members are staff to me, whatever the platform says of them."),
        examples=["discord:10/&5, discord:10/&6"],
        json_schema_extra={"names": "role"},
    )
    opened_by: str = Field(
        default="",
        max_length=200,
        description=_("The role that whoever joins a channel by me is given, where the channel needs one."),
        examples=["discord:10/&7"],
        json_schema_extra={"names": "role", "per_channel": True},
    )
    speak: Speak = Field(
        default="mentioned",
        description=_("When I say something aloud: never, to commands, when I am mentioned too, or also unasked."),
        json_schema_extra={"per_channel": True},
    )
    read: Literal["yes", "no"] = Field(
        default="yes",
        description=_("Whether I read what is written: what I do not read is neither kept nor used."),
        json_schema_extra={"per_channel": True},
    )
    consent: Literal["opt_out", "opt_in"] = Field(
        default="opt_out",
        description=_("Whose words I use: of all who do not refuse (opt_out), or only of those who agree (opt_in)."),
    )
    contact: str = Field(
        default="", max_length=200, description=_("Who answers questions about me, as the privacy notice names them.")
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

    strictness: Literal["gentle", "standard", "strict"] = Field(
        default="gentle",
        description=_("How strict I am with what members write: gentle, standard or strict."),
        json_schema_extra={"per_channel": True},
    )
    rules: str = Field(
        default="",
        max_length=60_000,
        description=_("Your own words, links and limits, as `kinfolk rules set FILE` wrote them; empty for none."),
        json_schema_extra={"document": True},
    )
    evidence_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description=_("Days for which the evidence of a case is kept, whatever becomes of it."),
    )
    points_days: int = Field(
        default=30, ge=1, le=3650, description=_("Days after which the points of a case count no more.")
    )
    quarantine_hours: int = Field(
        default=24,
        ge=0,
        le=720,
        description=_("Hours for which what a verdict teaches me makes me ask only, and nothing more."),
    )
    ask_first: str = Field(
        default="delete, kick, ban",
        max_length=100,
        description=_(
            "What I ask the staff about before I do it unasked: of delete, warn, timeout, kick, ban; or nothing."
        ),
        examples=["delete, warn, timeout, kick, ban", "nothing"],
    )

    help_line: str = Field(
        default="https://findahelpline.com",
        max_length=500,
        description=_("Where somebody who may harm themselves finds help: a link, or the numbers of your country."),
    )

    answer_after_minutes: int = Field(
        default=10,
        ge=1,
        le=1440,
        description=_("Minutes for which a question waits for members before I answer it unasked, where I may."),
    )
    answer_confidence: float = Field(
        default=0.8, ge=0, le=1, description=_("How sure I must be of an answer that nobody asked me for, from 0 to 1.")
    )

    answers: Literal["quotes", "words"] = Field(
        default="quotes",
        description=_("How I answer questions: in quotes, or in fewer words where all of these are in the quotes."),
        json_schema_extra={"per_channel": True},
    )

    @field_validator("ask_first")
    @classmethod
    def _sanctions(cls, value: str) -> str:
        """Write what wants asking in one order; raises ValueError for anything else."""
        wanted = [word.strip() for word in value.split(",") if word.strip()]
        if wanted == [NOTHING]:
            return NOTHING
        if not wanted or set(wanted) - set(SANCTIONS):
            raise ValueError(f"not of {', '.join(SANCTIONS)}: {value}")
        return ", ".join(one for one in SANCTIONS if one in wanted)

    @field_validator("quiet_hours")
    @classmethod
    def _quiet(cls, value: str) -> str:
        """Write quiet hours in one way; raises ValueError for anything else."""
        return str(quiet_hours(value) or NO_HOURS)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        """Take the name of a time zone; raises ValueError for anything else."""
        if value not in zones.NAMES:
            raise ValueError(f"no time zone: {value}")
        return value

    @field_validator("staff_roles", "opened_by")
    @classmethod
    def _refs(cls, value: str) -> str:
        """Write roles as references, one after the other; raises ValueError for anything else."""
        return ", ".join(str(role) for role in _roles(value))

    @property
    def quiet(self) -> Quiet | None:
        """Return the hours of a day, local, in which nobody is written to unasked; None for no such hours."""
        return quiet_hours(self.quiet_hours)

    @property
    def asked_first(self) -> frozenset[str]:
        """Return what the staff is asked about before it is done unasked."""
        return frozenset(self.ask_first.split(", ")) - {NOTHING}

    @property
    def staff(self) -> frozenset[Ref]:
        """Return the roles whose members are staff."""
        return frozenset(_roles(self.staff_roles))


def _roles(value: str) -> list[Ref]:
    return [Ref.parse(word.strip()) for word in value.split(",") if word.strip()]


def _marked(mark: str) -> dict[str, str]:
    """Return the fields that carry a mark, with what it says of them."""
    extras = {name: one.json_schema_extra for name, one in Policy.model_fields.items()}
    return {name: str(extra[mark]) for name, extra in extras.items() if isinstance(extra, dict) and mark in extra}


FIELDS = tuple(Policy.model_fields)
PER_CHANNEL = tuple(_marked("per_channel"))
"""Fields that a channel may have otherwise than its community."""
NAMES = _marked("names")
"""What is named by the values of a field, by references: a `channel`, or each `role` of a list."""
CHANNELS = tuple(name for name, kind in NAMES.items() if kind == "channel")
"""Fields whose value is a channel: `/setup` sets it, `kinfolk doctor` looks whether the bot can write there."""
SHOWN = 40
"""Characters of a wrong value that are worth repeating."""
DOCUMENTS = tuple(_marked("document"))
"""Fields whose value is a whole text: it is set from a file, and shown by its length."""
MODE = "mode."
"""Prefix of the name under which a skill's mode is kept."""
PRESET = "preset"
"""What `/setup` calls the choice of all modes at once."""
DEFAULT = "default"
"""What `/setup` calls the default of any setting."""
PRESETS: dict[str, dict[str, Mode]] = {
    "quiet": {"": Mode.WATCH},
    "helpful": {
        "": Mode.WATCH,
        "welcome": Mode.ACT,
        "moderate": Mode.ASK,
        "moderation_note": Mode.ACT,
        "digest": Mode.ACT,
        "alerts": Mode.ACT,
    },
    "careful": {"": Mode.ASK},
}
"""The modes of skills by the name of a choice; the empty name stands for all the others."""


def check(name: str, value: str, *, one_channel: bool = False) -> str:
    """Return the value as it is kept, for the community or `one_channel`; raises Mistake that says what may be set."""
    if name not in FIELDS:
        raise Mistake(_("There is no setting {name!r}. There are: {names}."), name=name, names=", ".join(FIELDS))
    if one_channel and name not in PER_CHANNEL:
        sentence = _("{name} holds for the whole community. A channel may have its own: {names}.")
        raise Mistake(sentence, name=name, names=", ".join(PER_CHANNEL))
    if name == "time_zone":
        value = zones.named(value)
    if name in DOCUMENTS and value:
        raise Mistake(_("{name} come from a file: `kinfolk {name} set FILE`."), name=name)
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
    if "examples" in bounds:
        return str(bounds["examples"][0])
    return f"{bounds.get('minimum', 0)} … {bounds.get('maximum', bounds.get('maxLength'))}"


def values(name: str) -> tuple[str, ...]:
    """Return what may be chosen for a setting, where that is a choice; the default is always one."""
    if name == PRESET:
        return tuple(PRESETS)
    if name not in FIELDS:
        return ()
    if name == "time_zone":
        return tuple(sorted(zones.NAMES))
    choices = Policy.model_json_schema()["properties"][name].get("enum", [])
    return (*(choice for choice in choices if choice), DEFAULT)


def at(policy: Policy, overrides: Mapping[tuple[str, str], str], channel: str) -> Policy:
    """Return how a channel wants the bot: as the community does, but for what was set for the channel itself.

    `overrides` are by the name of the field and the reference of the channel.
    """
    own = {name: value for (name, where), value in overrides.items() if where == channel}
    return policy.model_copy(update=own) if own else policy


def speaking(overrides: Mapping[tuple[str, str], str]) -> dict[Ref, Speak]:
    """Return when to speak in the channels that have their own word on it."""
    levels: tuple[Speak, ...] = get_args(Speak)
    return {
        Ref.parse(channel): level
        for (name, channel), value in overrides.items()
        for level in levels
        if (name, value) == ("speak", level)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that staff set in one community: its policy, the modes of skills, and what channels have otherwise."""

    policy: Policy = field(default_factory=Policy)
    modes: Mapping[tuple[str, str], Mode] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def reads(self, channel: Ref) -> bool:
        """Say whether what is written in a channel is read."""
        return self.overrides.get(("read", str(channel)), self.policy.read) == "yes"


def mode_of(modes: Mapping[tuple[str, str], Mode], skill: str, channel: str) -> Mode:
    """Return a skill's mode in a channel: the channel's own, else the community's, else watch."""
    return modes.get((skill, channel)) or modes.get((skill, "")) or Mode.WATCH
