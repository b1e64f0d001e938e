"""A community's rules as staff write them: a preset, own words, expressions, links and limits, and what channels have
otherwise. The YAML form, both ways; what is wrong in it is told by line and field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from brains.moderation import yaml_form
from brains.moderation.expressions import LONGEST as LONGEST_EXPRESSION
from brains.moderation.expressions import MOST as MOST_EXPRESSIONS
from brains.moderation.expressions import Expression, Expressions
from brains.moderation.presets import Consequence, Limit, Preset
from brains.moderation.words import MOST as MOST_WORDS
from brains.moderation.words import Phrase, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic_core import ErrorDetails

    from brains.moderation.yaml_form import Path, Value

LONGEST_WINDOW = 600
"""Seconds; nothing that is older is kept."""
SHOWN = 40
"""Characters of a wrong value that are worth repeating."""

_LIMIT = re.compile(r"(\d{1,4}) in (\d{1,3})(?: ?s| seconds)?(?:, ?(flag|remove))?")


def _limit(value: object) -> object:
    """Read `7 in 10`, `7 in 10, remove` and `off`."""
    if value in ("off", False):
        return "off"
    if isinstance(value, Limit):
        return value
    match = _LIMIT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not (int(match[1]) >= 1 and 1 <= int(match[2]) <= LONGEST_WINDOW):
        raise ValueError("limit")
    return Limit(count=int(match[1]), seconds=int(match[2]), severity="remove" if match[3] == "remove" else "flag")


def _strings(value: object) -> object:
    """Read a list of words, of which YAML takes some for numbers."""
    return (
        [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in value]
        if isinstance(value, list)
        else value
    )


Bounded = Annotated[Limit | Literal["off"], BeforeValidator(_limit)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_strings)]
Hours = Annotated[int, Field(ge=0, le=24 * 365)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class WordRules(_Section):
    """Words and phrases: taken away, shown to staff, and those that are no offence though they hold one."""

    remove: Texts = Field(default=(), max_length=MOST_WORDS)
    flag: Texts = Field(default=(), max_length=MOST_WORDS)
    allow: Texts = Field(default=(), max_length=MOST_WORDS)


class ExpressionRule(_Section):
    """One regular expression in RE2's syntax."""

    match: str = Field(min_length=1, max_length=LONGEST_EXPRESSION)
    name: str = Field(default="", max_length=60)
    then: Literal["flag", "remove"] = "flag"
    case: bool = False


class LinkRules(_Section):
    """Where messages may lead. What is not given here is as the preset has it."""

    only: Texts = Field(default=(), max_length=1000)
    allow: Texts = Field(default=(), max_length=1000)
    block: Texts = Field(default=(), max_length=5000)
    file: str = Field(default="", max_length=500)
    invites: Consequence | None = None
    lookalikes: Consequence | None = None
    masked: Consequence | None = None
    shorteners: Consequence | None = None
    addresses: Consequence | None = None


class LimitRules(_Section):
    """How much of what one author may do in so many seconds, and how often the same may be said."""

    flood: Bounded | None = None
    duplicates: Bounded | None = None
    crossposts: Bounded | None = None
    mentions: Bounded | None = None
    links: Bounded | None = None
    attachments: Bounded | None = None
    emoji: Bounded | None = None


class NewcomerRules(_Section):
    """What is looked at in an author's first messages, or while their account or their membership is young."""

    messages: int | None = Field(default=None, ge=0, le=100)
    links: Consequence | None = None
    mentions: int | None = Field(default=None, ge=0, le=100)
    younger_than_hours: Hours | None = None
    joined_within_hours: Hours | None = None


class RaidRules(_Section):
    """When many coming in, or many newcomers saying alike, are a raid; how long it must be quiet until it is over."""

    joins: Bounded | None = None
    alike: Bounded | None = None
    quiet: int | None = Field(default=None, ge=60, le=86_400)


class Exceptions(_Section):
    """Whom and where nothing is examined by rules."""

    roles: Texts = Field(default=(), max_length=100)
    channels: Texts = Field(default=(), max_length=500)

    @field_validator("roles", "channels")
    @classmethod
    def _refs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Ref.parse(one)) for one in value)


class ChannelRules(_Section):
    """What one channel has otherwise. Words and expressions come on top; everything else takes the place."""

    preset: Preset | None = None
    words: WordRules = WordRules()
    expressions: tuple[ExpressionRule, ...] = Field(default=(), max_length=MOST_EXPRESSIONS)
    links: LinkRules = LinkRules()
    limits: LimitRules = LimitRules()
    newcomers: NewcomerRules = NewcomerRules()


class Rules(ChannelRules):
    """All rules of one community. Without a preset, the community's `strictness` holds."""

    raid: RaidRules = RaidRules()
    excepted: Exceptions = Field(default=Exceptions(), alias="except")
    channels: dict[str, ChannelRules] = Field(default={}, max_length=500)

    @field_validator("channels")
    @classmethod
    def _refs(cls, value: dict[str, ChannelRules]) -> dict[str, ChannelRules]:
        return {str(Ref.parse(name)): one for name, one in value.items()}


def phrases(words: WordRules) -> list[Phrase]:
    """Return the words that are not wanted."""
    return [
        *(Phrase(text=one, severity="remove") for one in words.remove),
        *(Phrase(text=one, severity="flag") for one in words.flag),
    ]


def expressions(rules: tuple[ExpressionRule, ...]) -> list[Expression]:
    """Return the expressions as they are compiled."""
    return [Expression(match=one.match, name=one.name, severity=one.then, case=one.case) for one in rules]


def read(text: str) -> Rules:
    """Read rules from YAML, and try that they can be used; raises Mistake that names line, field and reason."""
    value, lines = yaml_form.read(text)
    if value is None:
        return Rules()
    if not isinstance(value, dict):
        raise Mistake(_("Line 1: rules are fields with a colon, such as `preset: gentle`."))
    try:
        rules = Rules.model_validate(value)
    except ValidationError as error:
        raise _mistake(error.errors()[0], value, lines) from None
    channels = value.get("channels")
    parts: list[tuple[Path, ChannelRules]] = [((), rules)]
    names = channels if isinstance(channels, dict) else ()
    parts += [(("channels", name), rules.channels[str(Ref.parse(name))]) for name in names]
    for path, part in parts:
        _counted(rules, part, path, lines)
    for path, part in parts:
        _tried(part, path, lines)
    return rules


def _counted(common: Rules, own: ChannelRules, path: Path, lines: dict[Path, int]) -> None:
    """Raise Mistake where what a channel has together with its community is more than can be compiled."""
    both = (common,) if own is common else (common, own)
    words = sum(len(one.words.remove) + len(one.words.flag) + len(one.words.allow) for one in both)
    if words > MOST_WORDS:
        raise Mistake(
            _("Line {line}: {count} words and exceptions hold here together; {most} may be there."),
            line=_line((*path, "words"), lines),
            count=words,
            most=MOST_WORDS,
        )
    count = sum(len(one.expressions) for one in both)
    if count > MOST_EXPRESSIONS:
        raise Mistake(
            _("Line {line}: {count} expressions hold here together; {most} may be there."),
            line=_line((*path, "expressions"), lines),
            count=count,
            most=MOST_EXPRESSIONS,
        )


def _tried(rules: ChannelRules, path: Path, lines: dict[Path, int]) -> None:
    """Compile what has to be compiled, one by one, so that a Mistake names its line."""
    for part in ("remove", "flag", "allow"):
        for place, word in enumerate(getattr(rules.words, part)):
            _at(lambda word=word: Words([Phrase(text=word)]), (*path, "words", part, place), lines)  # type: ignore[misc]
    for place, one in enumerate(expressions(rules.expressions)):
        _at(lambda one=one: Expressions([one]), (*path, "expressions", place), lines)  # type: ignore[misc]


def _at(attempt: Callable[[], object], path: Path, lines: dict[Path, int]) -> None:
    try:
        attempt()
    except Mistake as mistake:
        line = _line(path, lines)
        raise Mistake(_("Line {line}, {field}: {reason}"), line=line, field=_named(path), reason=str(mistake)) from None


def _line(path: Path, lines: dict[Path, int]) -> int:
    """Return the line of a field, or of what it stands in where it is missing."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _named(path: Path) -> str:
    """Return a field's name as staff see it: `links.invites`, `expressions, number 2`."""
    name = ""
    for part in path:
        name += f" #{part + 1}" if isinstance(part, int) else f".{part}" if name else part
    return name


_REASONS = {
    "extra_forbidden": _("Line {line}: there is no field {field}. There are: {allowed}."),
    "literal_error": _("Line {line}: {field} may be {allowed}, not {value!r}."),
    "limit": _(
        "Line {line}: {field} is written `7 in 10` or `7 in 10, remove` (seconds, up to 600) or `off`, not {value!r}."
    ),
    "reference": _("Line {line}: {field} must be a reference such as discord:10/20, not {value!r}."),
    "too_long": _("Line {line}: {field} has too many entries: {allowed} may be there."),
    "string_too_long": _("Line {line}: {field} is too long: {allowed} characters may be there."),
    "string_too_short": _("Line {line}: {field} is empty."),
    "missing": _("Line {line}: {field} is missing."),
    "number": _("Line {line}: {field} must be a whole number ({allowed}), not {value!r}."),
    "tuple_type": _("Line {line}: {field} must be a list, a line each that begins with a dash."),
    "model_type": _("Line {line}: {field} must have fields of its own: {allowed}."),
    "dict_type": _("Line {line}: {field} must have fields of its own: {allowed}."),
    "string_type": _("Line {line}: {field} must be words; put them between quotes."),
    "bool_parsing": _("Line {line}: {field} must be true or false, not {value!r}."),
    "": _("Line {line}: {field} cannot be {value!r}."),
}


def _mistake(error: ErrorDetails, value: Value, lines: dict[Path, int]) -> Mistake:
    """Say an error of the model in a sentence."""
    path: Path = tuple(
        part for part in error["loc"] if not (isinstance(part, str) and ("[" in part or part == "literal['off']"))
    )
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        kind = "limit" if "limit" in str(context.get("error")) else "reference"
    elif kind in {"int_type", "int_parsing", "int_from_float", "greater_than_equal", "less_than_equal"}:
        kind = "number"
    allowed = str(context.get("expected") or context.get("max_length") or "").replace("'", "")
    if kind in {"extra_forbidden", "model_type", "dict_type"}:
        allowed = ", ".join(_fields(path[:-1] if kind == "extra_forbidden" else path))
    elif kind == "number":
        allowed = f"{context['ge']} …" if "ge" in context else f"… {context['le']}" if "le" in context else "0 …"
    given = error["input"]
    if kind == "reference" and isinstance(given, list | tuple | dict):
        entry, given = _no_reference(given)
        path = (*path, entry)
    return Mistake(
        _REASONS.get(kind, _REASONS[""]),
        line=_line(path, lines),
        field=_named(path),
        value=given if isinstance(given, int | float) else str(given)[:SHOWN],
        allowed=allowed,
    )


def _no_reference(given: Iterable[object]) -> tuple[str | int, object]:
    """Return the place of the first entry that is no reference, and the entry."""
    for place, one in enumerate(given):
        try:
            Ref.parse(str(one))
        except ValueError:
            return (str(one) if isinstance(given, dict) else place), one
    return 0, ""


def _fields(path: Path) -> list[str]:
    """Return what fields there are at a place."""
    model: type[BaseModel] = Rules
    for part in path[2:] if path[:1] == ("channels",) and len(path) > 1 else path:
        if isinstance(part, str):
            model = _MODELS.get(part, model)
    if path[:1] == ("channels",) and model is Rules:
        model = ChannelRules
    return [field.alias or name for name, field in model.model_fields.items()]


_MODELS: dict[str, type[BaseModel]] = {
    "words": WordRules,
    "expressions": ExpressionRule,
    "links": LinkRules,
    "limits": LimitRules,
    "newcomers": NewcomerRules,
    "raid": RaidRules,
    "except": Exceptions,
}
_COMMENTS = {
    "preset": "gentle asks staff only, standard is for most, strict removes",
    "words": "remove takes a message away, flag shows it to staff, allow spares; * stands for any letters of a word",
    "expressions": "RE2 regular expressions; then: flag or remove",
    "links": "only: nothing else may be linked; file: a file of domains, read again when it changes",
    "limits": "so many in so many seconds of one author: 7 in 10, or: 7 in 10, remove, or: off",
    "newcomers": "an author's first messages, young accounts, and who has just come in",
    "raid": "many coming in or saying alike at once; over after quiet seconds",
    "except": "references of roles and channels where these rules look away",
    "channels": "what one channel has otherwise, by its reference",
}


def write(rules: Rules) -> str:
    """Write rules as YAML that `read` reads back: what is set, with a comment above each part."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    document = CommentedMap()
    for name, value in rules.model_dump(mode="python", by_alias=True, exclude_defaults=True).items():
        document[name] = _plain(value)
        document.yaml_set_comment_before_after_key(name, before=_COMMENTS.get(name, ""))
    if not document:
        return "# These rules are those of the preset: /setup strictness names it.\n"
    out = StringIO()
    yaml = YAML()
    yaml.width, yaml.allow_unicode = 1000, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(document, out)
    return out.getvalue()


def _plain(value: object) -> object:
    match value:
        case Limit():
            return f"{value.count} in {value.seconds}" + (", remove" if value.severity == "remove" else "")
        case dict():
            if {"count", "seconds"} <= set(value):
                return _plain(Limit(**value))
            return {key: _plain(one) for key, one in value.items() if one is not None}
        case list() | tuple():
            return [_plain(one) for one in value]
    return value
