"""What a member said they like: kept as theirs where they are collected, shown back, used by offers, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepInterest
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape, short
from storage import interests, members, newcomers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Source
    from brains.skills.skill import Context
    from storage.interests import Interest

WAITING = timedelta(days=7)
"""For so long what somebody writes to the bot in private, where it asked them, is taken for the answer."""
SHOWN = 3
"""Interests shown and looked by: the newest, since they count most."""
KEPT = _("I remember this as yours: /match shows it and forgets it, /privacy erases it with all else.")
NOT_KEPT = _("I collect nothing of yours, so I do not remember this. /privacy on changes that.")


async def stated(context: Context) -> list[Interest]:
    """Return what the asker said they like by any of their accounts here, newest first."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, context.member)
        return await interests.of(connection, *accounts)


async def may_keep(context: Context) -> bool:
    """Say whether the asker agreed, by a word or by silence where that is enough, that something of theirs is kept."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    among, consent = [context.member.id], context.policy.consent
    async with context.faculties.database.read() as connection:
        return not await members.withheld(connection, context.community, among=among, consent=consent)


async def keeping(context: Context, text: str, source: Source) -> tuple[tuple[KeepInterest, ...], str]:
    """Return what keeps that the asker likes something, if it may be kept, and the sentence that tells them."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    if not await may_keep(context):
        return (), context.translate(NOT_KEPT)
    keep = KeepInterest(member=context.member.ref, text=text[: interests.LONGEST], source=source)
    return (keep,), context.translate(KEPT)


async def answered(context: Context, text: str) -> tuple[tuple[KeepInterest, ...], str]:
    """Return what keeps an answer to what the bot asked in private: in a welcome, or a week later."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    async with context.faculties.database.read() as connection:
        accounts = await members.alike(connection, context.community, context.member)
        met = await newcomers.of(connection, *accounts)
        told = await interests.of(connection, *accounts)
    if met is None or met.waits:
        return (), ""
    asked = met.followed_at or (met.welcomed_at if context.policy.welcome == "private" else None)
    if asked is None or context.now - asked > WAITING or any(one.at >= asked for one in told):
        return (), ""
    return await keeping(context, text, "welcome")


def shown(context: Context, told: Sequence[Interest]) -> str:
    """Say back what somebody told, and that it is kept."""
    words = "; ".join(escape(short(one.text)) for one in told[:SHOWN])
    return context.translate(_("You told me that you like: {interests}")).format(interests=words) if told else ""


def buttons(context: Context, told: Sequence[Interest], *, row: int) -> list[Button]:
    """Offer to forget each interest that is shown. A button carries its number, and only its label its words."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    label = context.translate(_("Forget: {interest}"))
    return [
        Button(
            label=label.format(interest=_brief(one.text)),
            press="match.forget",
            data={"interest": str(one.id)},
            only=context.member.ref,
            choice=f"forget {one.id}",
            row=row + at,
            words="/match forget",
        )
        for at, one in enumerate(told[:SHOWN])
    ]


async def forget(context: Context, number: str = "") -> Decision:
    """Take back one interest, or all that the asker named. Raises Mistake where there is none."""
    assert context.member is not None  # noqa: S101 - asked for somebody
    told = [one for one in await stated(context) if number in ("", str(one.id))]
    if not told:
        raise Mistake(_("I remember nothing that you told me you like."))
    back = [
        KeepInterest(member=context.member.ref, text=one.text, source=one.source, kept=False, before=True)
        for one in told
    ]
    words = context.translate(_("I remember that no more, and do not go by it."))
    reason = context.translate(_("takes back what they like"))
    return Decision(skill="match", actions=(*back, context.answer(words)), reason=reason)


BRIEF = 24
"""Characters of an interest on a button."""


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= BRIEF else f"{line[: BRIEF - 1].rstrip()}…"
