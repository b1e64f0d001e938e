"""What a member is told of their case: what, why, for how long, and how to appeal, in their language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import OpenDirect, Warn
from bot.core.i18n import _, catalogue, spoken, written
from bot.core.wording import escape
from brains.skills.casework import KINDS, QUOTED, can, lasting
from storage import messages

if TYPE_CHECKING:
    from bot.core.actions import KeepCase, Ruled
    from bot.core.i18n import Translate
    from bot.core.things import Member
    from brains.skills.skill import Context

LAST_WORDS = 5
"""Messages that tell which language a member writes."""
DONE: dict[str, str] = {
    "": _("Nothing is done to you."),
    "note": _("Nothing else is done to you: this is a note."),
    "warn": _("This is a warning."),
    "timeout": _("You cannot write for {time}."),
    "kick": _("You are sent out, and may come back."),
    "ban": _("You are sent out for good."),
}
"""What the member is told is done to them."""
APPEAL = _("If this is wrong, tell the staff: `/appeal {case}` and why. Somebody will look at it again.")
FROM_OUTSIDE: dict[str, str] = {
    "kick": _(
        "If this is wrong, come back and tell the staff: `/appeal {case}` and why. Somebody will look at it again."
    ),
    "ban": _(
        "Once you are out, you may not be able to write to me. "
        "If this is wrong, write to somebody of the staff, and name case {case}."
    ),
}
"""How to appeal where who was sent out may not be able to write to the bot, by what is done."""
CALLED: dict[Ruled, str] = {
    "": "",
    "spam": _("the staff calls what you wrote spam"),
    "compromised": _("somebody else seems to write from your account: change its password, then tell the staff"),
    "off_topic": _("the staff calls what you wrote off-topic here"),
    "rude": _("the staff calls what you wrote rude"),
    "fine": _("it was fine"),
}
"""How the member is told a verdict."""


async def language_of(context: Context, member: Member) -> str:
    """Return the language that a member speaks: what the platform says, what they write, what is spoken here."""
    if said := spoken(member.language):
        return said
    async with context.faculties.database.read() as connection:
        last = await messages.latest_words(connection, context.community, member.id, LAST_WORDS)
    return written(last) or context.policy.language or context.common


async def theirs(context: Context, member: Member) -> Translate:
    """Return what translates for a member who did not ask."""
    return await catalogue(await language_of(context, member))


async def notice(
    context: Context,
    member: Member,
    kept: KeepCase,
    *,
    why: str = "",
    verdict: Ruled = "",
    deleted: int = 0,
    stands: bool = False,
) -> OpenDirect | Warn:
    """Tell a member what is done, why, for how long, and how to appeal, in their language.

    `why` is in the staff's own words, where they gave some; without, it is their verdict, or what the case is about.
    What they were told of already `stands`, and nothing is done besides. A warning is said as the platform has it; the
    rest in a direct conversation.
    """
    translate = await theirs(context, member)
    reason = escape(why) if why else _called(kept, verdict, translate)
    lines = [translate(_("**{community}**: {reason}")).format(community=escape(context.community.name), reason=reason)]
    if kept.exhibits and kept.exhibits[-1].text:
        lines += [wording.quote(kept.exhibits[-1].text[:QUOTED]), ""]
    if deleted:
        lines.append(translate(_("Messages of yours that I took away: {count}.")).format(count=deleted))
    lines += _consequences(context, kept, translate, stands=stands)
    text = "\n".join(lines)
    if kept.step == "warn" and kept.exhibits:
        warned = Warn(member=member.ref, channel=kept.exhibits[-1].channel, text=text, by=kept.by)
        if can(context, warned):
            return warned
    return OpenDirect(member=member.ref, text=text, space=kept.space)


def _called(kept: KeepCase, verdict: Ruled, translate: Translate) -> str:
    """Say what it is called: by the staff, or by the bot, which may be wrong."""
    if verdict or not kept.detectors:
        return translate(CALLED[verdict] or KINDS[kept.about])
    sentence = translate(_("I take what you wrote to be against the rules here ({kind})"))
    return sentence.format(kind=translate(KINDS[kept.about]))


async def warning(context: Context, member: Member, kept: KeepCase, why: str) -> str:
    """Word a warning that staff give by hand."""
    translate = await theirs(context, member)
    head = translate(_("**A warning from the staff**: {reason}")).format(reason=escape(why))
    return "\n".join([head, *_consequences(context, kept, translate)])


def _consequences(context: Context, kept: KeepCase, translate: Translate, *, stands: bool = False) -> list[str]:
    """Say what is done, for how long it counts, and how to appeal."""
    done = _("Nothing is done to you besides what I told you before.") if stands else DONE[kept.step]
    lines = [translate(done).format(time=lasting(kept.minutes, translate))]
    if kept.points:
        sentence = translate(_("Points: {points}, for {days} days."))
        lines.append(sentence.format(points=kept.points, days=kept.days))
    return [*lines, translate(_way_back(context, kept)).format(case=kept.case)]


def _way_back(context: Context, kept: KeepCase) -> str:
    """Return how to appeal. Who is sent out is heard only where the platform lets them write to the bot even then."""
    if "outsiders" in context.can.get(kept.member.platform, frozenset()):
        return APPEAL
    return FROM_OUTSIDE.get(kept.step, APPEAL)


async def relief(context: Context, member: Member, case: str) -> OpenDirect:
    """Tell a member that what was done to them is taken back."""
    translate = await theirs(context, member)
    words = translate(
        _("**{community}**: the staff looked at case {case} again, and what was done to you is taken back. Sorry.")
    )
    return OpenDirect(member=member.ref, text=words.format(community=escape(context.community.name), case=case))


async def upheld(context: Context, member: Member, case: str) -> OpenDirect:
    """Tell a member that the staff looked at their appeal and keeps what it decided."""
    translate = await theirs(context, member)
    words = translate(_("**{community}**: the staff looked at your appeal of case {case}, and keeps what it decided."))
    return OpenDirect(member=member.ref, text=words.format(community=escape(context.community.name), case=case))


async def outcome(context: Context, member: Member) -> OpenDirect:
    """Tell who reported something that it was looked into, and not what came of it: that is somebody else's."""
    translate = await theirs(context, member)
    words = translate(_("**{community}**: the staff looked into what you reported. Thank you."))
    return OpenDirect(member=member.ref, text=words.format(community=escape(context.community.name)))
