"""What a member said is not for them: shown to them, and offered again where they want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepFeedback
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.things import Ref
from bot.core.wording import channel as link
from storage import feedback, members

if TYPE_CHECKING:
    from bot.core.things import Channel
    from brains.skills.skill import Context

MOST = 12
"""Channels shown, a button for each."""


def noted(context: Context, channel: Channel) -> str:
    """Say that a channel is not suggested to them again, and how they take that back."""
    words = context.translate(
        _("Noted: I do not suggest {channel} to you again. /match refused lists what you refused and takes it back.")
    )
    return words.format(channel=link(channel.ref, channel.name))


async def listed(context: Context) -> Decision:
    """Name the channels that the asker refused by any account, with a button each that offers it again."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    refused = await _refused(context)
    reason = context.translate(_("asked for what they refused"))
    if not refused:
        words = context.translate(_("You have refused no channel. What is not for you, I never offer again."))
        return Decision(skill="match", actions=(context.answer(words),), reason=reason)
    names = "\n".join(f"- {link(one.ref, one.name)}" for one in refused[:MOST])
    head = context.translate(_("These are not for you, so I never offer them:"))
    label = context.translate(_("Offer #{channel} again"))
    offered = [
        Button(
            label=label.format(channel=one.name),
            press="match.again",
            data={"channel": str(one.ref)},
            only=context.member.ref,
            choice=str(one.ref),
            row=row,
        )
        for row, one in enumerate(refused[:MOST])
    ]
    return Decision(skill="match", actions=(context.answer(f"{head}\n{names}", buttons=offered),), reason=reason)


async def again(context: Context) -> Decision:
    """Take a refusal back, by whichever account it was said. Raises Mistake where there is none any more."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    assert context.member is not None  # noqa: S101 - buttons are pressed by members
    ref = Ref.parse(context.press.data["channel"])
    channel = next((one for one in await _refused(context) if one.ref == ref), None)
    if channel is None:
        raise Mistake(_("You have not refused this channel, or it is not there any more."))
    async with context.faculties.database.read() as connection:
        numbers = await members.alike(connection, context.community, context.member)
        accounts = await members.by_numbers(connection, numbers)
        said = {one.ref: await feedback.of(connection, one.id) for one in accounts.values()}
    back = [
        KeepFeedback(member=account, channel=ref, opinion="", before=feedback.DECLINED)
        for account, opinions in said.items()
        if opinions.get(channel.id) == feedback.DECLINED
    ]
    words = context.translate(_("I may offer {channel} to you again.")).format(channel=link(ref, channel.name))
    reason = context.translate(_("takes back that #{channel} is not for them")).format(channel=channel.name)
    return Decision(skill="match", actions=(*back, context.answer(words)), reason=reason)


async def _refused(context: Context) -> list[Channel]:
    """Return the channels that were refused and that the asker may still read, by name."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        said = await feedback.of(connection, *await members.alike(connection, context.community, context.member))
    numbers = [number for number, opinion in said.items() if opinion == feedback.DECLINED]
    return sorted((reach.channels[one] for one in numbers if one in reach.channels), key=lambda one: one.name)
