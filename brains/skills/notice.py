"""The privacy notice: what is read and why, how long it is kept, and how to say no, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core.i18n import _
from bot.core.things import Audience
from bot.core.wording import channel, escape
from brains.skills.steering import for_all
from storage import channels, policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.core.i18n import Translate
    from bot.core.policies import Policy
    from brains.skills.skill import Context

BEFORE = (
    _("**What Kinfolk reads here, and what for**"),
    _(
        "I am a bot. I read what is written in the channels of this community that I can see, to show members where "
        "they belong, to find what was said before, and to help the staff keep this place safe. "
        "I read no direct messages between you, and of yours to me I keep nothing."
    ),
)
AFTER = (
    _(
        "Nobody is shown a message, or suggested anything because of one, that they could not read themselves. "
        "No other community sees any of it."
    ),
    _("- **/privacy** shows what I hold about you."),
    _("- **/privacy off** ends it at once; **/privacy on** begins again."),
    _("- **/privacy export** sends you all of it, and **/privacy forget** erases all of it, and proves it."),
)


async def text(context: Context) -> str:
    """Write the notice as this community is set up now, in its language."""
    translate = await for_all(context)
    lines = [*map(translate, BEFORE), *await _left_out(context, translate), *_kept(context.policy, translate)]
    return "\n".join([*lines, *map(translate, AFTER), _asked(context.policy, translate)])


async def _left_out(context: Context, translate: Translate) -> list[str]:
    """Name the channels open to everyone that are not read."""
    async with context.faculties.database.read() as connection:
        rules = await policies.load(connection, context.community)
        known = await channels.every(connection, context.community)
    unread = [one for one in known.values() if one.audience is Audience.EVERYONE and not rules.reads(one.ref)]
    names = ", ".join(channel(one.ref, one.name) for one in unread)
    return [translate(_("I do not read {channels}.")).format(channels=names)] if unread else []


def _kept(policy: Policy, translate: Translate) -> Iterator[str]:
    opt_in = translate(_("I use your words only if you agree: **/privacy on**."))
    opt_out = translate(_("I use your words unless you refuse: **/privacy off**."))
    yield opt_in if policy.consent == "opt_in" else opt_out
    ends = translate(_("Messages are erased here after {days} days.")).format(days=policy.retention_days)
    stays = translate(_("Messages are kept until they are deleted, or until you have them erased."))
    yield ends if policy.retention_days else stays
    why = translate(_("For {days} days I keep why I did something, so that it can be explained and taken back."))
    yield why.format(days=policy.trace_days)


def _asked(policy: Policy, translate: Translate) -> str:
    if policy.contact:
        return translate(_("{contact} answers your questions about me.")).format(contact=escape(policy.contact))
    return translate(_("I am run by the owners of this community. The staff answers your questions."))
