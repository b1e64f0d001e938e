"""What skills that steer the bot share: who did it, what was set, how something ended, and whose language is spoken."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bot.core.actions import AskStaff, Edit, Say, SetPolicy, SetSchedule
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _, catalogue
from bot.core.things import Ref
from bot.core.wording import describe, marked
from storage import acts, channels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Button
    from bot.core.i18n import Translate
    from bot.core.things import Channel, Member
    from brains.skills.skill import Context
    from storage.acts import Act


def who(context: Context) -> str:
    """Return the name of whoever asks, as plain text."""
    return context.member.name if context.member else "?"


def member_of(context: Context) -> Member:
    """Return whoever asks: by a command or a button, which only somebody who is met can use."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    return context.member


def ref(context: Context) -> Ref | None:
    """Return the reference of whoever asks."""
    return context.member.ref if context.member else None


def message_ref(context: Context, wanted: str) -> Ref:
    """Read the reference of a message; without a platform it is one of where the event comes from."""
    try:
        return Ref.parse(wanted)
    except ValueError:
        return Ref(context.space.platform, wanted)


async def channel(context: Context, wanted: str) -> Channel:
    """Find a channel by reference or name; raises Mistake that suggests near names."""
    async with context.faculties.database.read() as connection:
        return await channels.find(connection, context.community, wanted)


async def staff_channel(context: Context) -> Channel | None:
    """Return the channel of the staff, None where there is none."""
    if not context.policy.staff_channel:
        return None
    with contextlib.suppress(Mistake):
        return await channel(context, context.policy.staff_channel)
    return None


async def for_all(context: Context) -> Translate:
    """Return what translates into the community's language, for words that more than the asker read."""
    if not context.policy.language:
        return context.translate
    return await catalogue(context.policy.language)


async def for_staff(context: Context) -> Translate:
    """Return what translates for the staff, whatever whoever brings something to them speaks."""
    return await catalogue(context.policy.language or context.common)


def changed(
    context: Context, skill: str, changes: Sequence[SetPolicy | SetSchedule], *, more: Sequence[str] = ()
) -> Decision:
    """Change settings and say so, and how to go back."""
    told = "; ".join(marked(change, context.translate) for change in changes)
    done = context.translate(_("Done: {change}. /undo takes it back.")).format(change=told)
    words = "\n".join([done, *more])
    plain = "; ".join(describe(change, context.translate) for change in changes)
    reason = f"{who(context)}: {plain}"
    return Decision(skill=skill, actions=(*changes, context.answer(words)), reason=reason, settles=False)


async def pressed(context: Context) -> Act | None:
    """Return the act whose button was pressed, None where it is not kept any more."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    async with context.faculties.database.read() as connection:
        return await acts.by_id(connection, context.press.act)


def close_message(act: Act, words: str, *, buttons: Sequence[Button] = ()) -> tuple[Edit, ...]:
    """Write under a message of the bot how it ended, and leave it the buttons that still mean something."""
    before = getattr(act.action, "text", "")
    return rewritten(act, f"{before}\n\n_{words}_", buttons=buttons)


def rewritten(act: Act, text: str, *, buttons: Sequence[Button] = ()) -> tuple[Edit, ...]:
    """Let a message of the bot say something else, with these buttons; nothing where an act made none."""
    said, made = act.action, act.receipt.made
    match said:
        case Say(to=where, text=before) | AskStaff(to=where, text=before) if made:
            message, place = made, where
        case Edit(message=message, channel=place, text=before):
            pass
        case _:
            return ()
    return (Edit(message=message, channel=place, text=text, before=before, buttons=tuple(buttons)),)
