"""How a community wants the bot: `/setup` shows what is missing first, and sets one thing, or all modes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import policies, wording
from bot.core.actions import Button, SetPolicy
from bot.core.decisions import Decision, Mode
from bot.core.errors import Mistake, NotAllowed
from bot.core.i18n import _
from bot.core.policies import CHANNELS, DEFAULT, DOCUMENTS, FIELDS, PRESET, PRESETS, Policy, mode_of
from bot.core.things import Audience, Rank
from bot.core.wording import escape
from brains.skills import joining, presets
from brains.skills.skill import Skill
from brains.skills.steering import changed, channel, staff_channel
from storage import channels, spaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.core.events import Named
    from bot.core.things import Ref
    from brains.skills.skill import Context

GROUPS = {
    _("Who and where"): (*CHANNELS, "staff_roles", "contact"),
    _("What I say and read"): ("speak", "read", "language"),
    _("What I keep and use"): ("consent", "retention_days", "trace_days"),
}
OTHERS = _("And")
CHOICES = {
    "language": {"en": "English", "zh_CN": "中文"},
    "speak": {
        "silent": _("Say nothing aloud"),
        "commands": _("Answer commands only"),
        "mentioned": _("Answer who mentions me"),
        "helpful": _("Answer unasked too"),
    },
    "consent": {"opt_in": _("Use words of those who agree only"), "opt_out": _("Use words of all who do not refuse")},
}
"""What is chosen by a button, and what the buttons say."""


async def propose(context: Context) -> Decision | None:
    """Answer the command, or a button that stands for it."""
    if context.press is not None:
        return await _pressed(context, context.press.data)
    name, value, where = (context.command.arguments.get(key, "") for key in ("setting", "value", "channel"))
    if not name:
        return await _overview(context)
    if name == PRESET:
        return await _preset(context, value, where)
    if name == joining.LINK:
        code, _space, sure = value.partition(" ")
        return await joining.link(context, code, sure=sure.strip() == "yes")
    return await _set(context, name, value, where)


async def _pressed(context: Context, data: Mapping[str, str]) -> Decision:
    if context.rank < Rank.OWNER:
        raise NotAllowed(_("Only the owner sets me up."))
    if context.press and context.press.what == joining.LINK:
        return await joining.link(context, data["code"], sure=True)
    if context.press and context.press.what == "stop":
        return joining.stop(context, data["code"])
    if context.press and context.press.what == PRESET:
        return await _preset(context, data["value"], "")
    return await _set(context, data["name"], data["value"], "")


async def _preset(context: Context, value: str, where: str) -> Decision:
    """Set the modes of all skills at once."""
    if value not in PRESETS:
        sentence = _("{name} may be {allowed}, not {value!r}.")
        raise Mistake(sentence, name=PRESET, allowed=", ".join(PRESETS), value=value[: policies.SHOWN])
    if where:
        raise Mistake(_("A preset holds for the whole community. For one channel: /mode SKILL MODE channel"))
    changes = presets.changes(context, value)
    if not changes:
        return _already(context)
    more = []
    if value == "careful" and await staff_channel(context) is None:
        more = [context.translate(_("There is no staff channel yet to ask in: /setup staff_channel #channel"))]
    return changed(context, SKILL.name, changes, more=more)


async def _set(context: Context, name: str, value: str, where: str) -> Decision:
    if name in CHANNELS and not value:
        value, where = where, ""
    if not value:
        raise Mistake(_("Say the new value of {name}, or `default`."), name=name)
    if name == "opened_by" and not where:
        raise Mistake(_("Say of which channel: /setup opened_by ROLE channel:#channel"))
    kept = await _kept(context, name, value, one_channel=bool(where))
    room = await _place(context, where) if where else None
    before = _before(context, name, str(room or ""))
    if kept == before:
        return _already(context)
    change = SetPolicy(name=name, value=kept, before=before, channel=room)
    return changed(context, SKILL.name, [change], more=await _caution(context, name, kept))


async def _place(context: Context, where: str) -> Ref:
    """Return the channel that is called so, or a linked space that has settings, as which its new channels begin."""
    try:
        return (await channel(context, where)).ref
    except Mistake:
        own = {place for _name, place in context.overrides}
        for one in await _spaces(context):
            if str(one.ref) in own and where.removeprefix("#").casefold() in {
                one.name.casefold(),
                str(one.ref).casefold(),
            }:
                return one.ref
        raise


async def _spaces(context: Context) -> Sequence[Named]:
    async with context.faculties.database.read() as connection:
        return await spaces.of(connection, context.community)


async def _kept(context: Context, name: str, value: str, *, one_channel: bool) -> str:
    """Return a value as it is kept; raises Mistake that says what the setting may be."""
    if value == DEFAULT and name in FIELDS:
        policies.check(name, str(Policy.model_fields[name].default), one_channel=one_channel)
        return ""
    if name in CHANNELS and not one_channel:
        return str((await channel(context, value)).ref)
    if name == "staff_roles":
        value = ", ".join(value.replace(",", " ").split())
    return policies.check(name, value, one_channel=one_channel)


def _before(context: Context, name: str, room: str) -> str:
    """Return what was set until now; empty for the default."""
    if room:
        return context.overrides.get((name, room), "")
    return str(getattr(context.policy, name)) if name in context.policy.model_fields_set else ""


async def _caution(context: Context, name: str, value: str) -> list[str]:
    """Say what an owner may not have thought of."""
    translate = context.translate
    if name == "staff_channel" and value and (await channel(context, value)).audience is Audience.EVERYONE:
        warning = _("Everybody may read that channel, and with it what members report. Is that what you want?")
        return [translate(warning)]
    if name in {"digest", "digest_channel"} and value and mode_of(dict(context.modes), "digest", "") is not Mode.ACT:
        return [
            translate(
                _("I post no digest before you let me: `/mode digest act`; with `ask`, the staff is asked each time.")
            )
        ]
    if name == "consent" and value == "opt_in":
        return [translate(_("Whoever did not agree yet is left out from now on. They agree by /privacy on."))]
    return []


def _already(context: Context) -> Decision:
    words = context.translate(_("It is so already."))
    return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=words, settles=False)


async def _overview(context: Context) -> Decision:
    """Show how things stand, with what is missing first."""
    async with context.faculties.database.read() as connection:
        known = (await channels.every(connection, context.community)).values()
    whole = {str(one.ref): escape(one.name) for one in await _spaces(context)}
    rooms = whole | {str(one.ref): wording.channel(one.ref, one.name) for one in known}
    lines = [await _next(context), "", *_modes(context)]
    grouped = {name for names in GROUPS.values() for name in names}
    rest = tuple(name for name in FIELDS if name not in grouped)
    for title, names in {**GROUPS, OTHERS: rest}.items():
        shown = [line for name in names for line in _field(context, name, rooms)]
        lines += ["", f"**{context.translate(title)}**", *shown]
    answer = context.answer("\n".join(lines), buttons=_buttons(context))
    return Decision(skill=SKILL.name, actions=(answer,), reason=context.translate(_("asked for the settings")))


async def _next(context: Context) -> str:
    """Name the step that is missing first."""
    step = _("Everything is set. /privacy notice tells members here what I read and why.")
    if await staff_channel(context) is None:
        step = _("Next: name a channel where I reach the staff with what is reported: /setup staff_channel #channel")
    elif not context.policy.welcome_channel:
        step = _("Next: name a channel where I welcome newcomers: /setup welcome_channel #channel")
    elif not any(skill in presets.steered() for skill, _channel in context.modes):
        step = _("Next: choose what I may do unasked. Until then I only watch: /setup preset helpful")
    return context.translate(step)


def _modes(context: Context) -> list[str]:
    held = presets.holding(context)
    meaning = context.translate(_("What I may do unasked, all at once; /mode steers one skill, or one channel."))
    return [f"- **{PRESET}** = {held or '-'}: {meaning}"]


def _field(context: Context, name: str, rooms: Mapping[str, str]) -> Iterator[str]:
    """Show a setting with its meaning, and the channels that have it otherwise."""
    value = str(getattr(context.policy, name))
    if name in DOCUMENTS and value:
        value = context.translate(_("{count} lines")).format(count=value.count("\n") + 1)
    shown = (
        ", ".join(wording.role(one, one.id) for one in sorted(context.policy.staff)) if name == "staff_roles" else ""
    )
    meaning = context.translate(Policy.model_fields[name].description or "")
    yield f"- **{name}** = {shown or rooms.get(value, escape(value)) or '-'}: {meaning}"
    for (field, room), own in context.overrides.items():
        if field == name:
            yield f"  - {rooms.get(room, escape(room))}: {own}"


def _buttons(context: Context) -> Sequence[Button]:
    """Offer the common choices, a row for each, without what holds already."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    translate, only = context.translate, context.member.ref
    found = presets.buttons(translate, only, without=presets.holding(context))
    for row, (name, labels) in enumerate(CHOICES.items(), start=1):
        holds = str(getattr(context.policy, name))
        found += [
            Button(label=translate(label), press="setup.set", data={"name": name, "value": value}, only=only, row=row)
            for value, label in labels.items()
            if value != holds
        ]
    return found


SKILL = Skill(
    name="setup",
    purpose=_("Shows and sets how this community wants me"),
    propose=propose,
    commands=("setup",),
)
