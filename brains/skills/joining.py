"""Two communities become one: `/setup link` proves that both sides want it, and says before what it means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from bot.core.actions import LinkCommunities, OpenDirect
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from brains.skills import codes
from brains.skills.codes import Ask, Confirm, Link, Offer, Wrong, called
from storage import linking
from storage.persons import Account

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.decisions import Decision
    from bot.core.things import Community
    from brains.skills.skill import Context

SKILL, COMMAND = "setup", "setup"
LINK = "link"
"""What `/setup` calls it."""
OFFER = _(
    "The code is **{code}**, for ten minutes. Give it as the owner of the other community, there: /setup link {code}\n"
    "That community then becomes part of {community}. Before that I say on both sides what it means, and ask."
)
WRONG = _("I know no such code: its ten minutes may be over, or it was used. /setup link gives a new one there.")
ASK = _(
    "Shall {other} become part of {community}? It cannot be undone.\n"
    "- Members of either may be shown what is said in the open channels of the other. Closed channels stay closed.\n"
    "- The settings of {community} hold; what was set for a channel stays.\n"
    "- The owners of either may then set up the whole."
)
BRINGS = _("- From {other} come, since nobody set them in {community}: {settings}")
WAIT = _("Noted. Now the owner of {community} has to say yes as well, there: /setup link")
CALL = _(
    "{account} wants that community to become part of {community}. If you want it too, write in {community}: "
    "/setup link {code} yes"
)
DONE = _("{other} is part of {community} now. What was said there is indexed anew, which takes a while.")


async def link(context: Context, typed: str, *, sure: bool) -> Decision:
    """Go one step on the way to one community. Raises Mistake."""
    found = await codes.step(context, "community", typed, sure=sure)
    match found:
        case Offer(code=code):
            words = _filled(context, OFFER, code=code, community=escape(context.community.name))
            return _say(context, words, *codes.keep(context, "community", found), why=_("wants to link a community"))
        case Wrong():
            words = context.translate(WRONG)
            return _say(context, words, *codes.keep(context, "community", found), why=_("entered a code that is none"))
        case Ask():
            return await _ask(context, found)
        case Confirm():
            return _call(context, found)
        case Link():
            return await _link(context, found)
    assert_never(found)


async def _ask(context: Context, found: Ask) -> Decision:
    there = found.other.community
    await _check(context, there)
    kept, other = (context.community, there) if found.maker else (there, context.community)
    async with context.faculties.database.read() as connection:
        brought = await linking.brings(connection, kept, other)
    names = {"community": escape(kept.name), "other": escape(other.name)}
    lines = [_filled(context, ASK, **names)]
    if brought:
        settings = escape(", ".join(f"{name} = {value}" for name, value in sorted(brought.items())))
        lines.append(_filled(context, BRINGS, settings=settings, **names))
    buttons = codes.buttons(context, SKILL, COMMAND, found.code, yes=_("Yes, make them one"))
    asked = context.answer("\n".join(lines), buttons=buttons)
    kept_code = codes.keep(context, "community", found)
    why = _("was asked whether two communities become one")
    return replace(codes.say(context, SKILL, asked, *kept_code, why=why, other=found.other), settles=False)


async def _check(context: Context, there: Community) -> None:
    """Raise Mistake where two communities cannot be one."""
    if there.id == context.community.id:
        raise Mistake(_("This code was made in this very community."))
    async with context.faculties.database.read() as connection:
        clash = await linking.clash(connection, context.community, there)
    if clash:
        raise Mistake(
            _(
                "Both communities hold history that was imported from files, with names that are the same. "
                "I cannot tell whether those are the same people, so I do not link the two."
            )
        )


def _call(context: Context, found: Confirm) -> Decision:
    """Keep the yes of whoever entered the code, and ask the owner on the other side to say it too."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    me, kept = called(Account(member=context.member, community=context.community)), escape(found.other.community.name)
    words = _filled(context, CALL, account=me, community=kept, code=found.code)
    call = OpenDirect(member=found.other.member.ref, text=words)
    wait = _filled(context, WAIT, community=kept)
    kept_code = codes.keep(context, "community", found)
    return _say(context, wait, *kept_code, why=_("wants this to be part of another"), other=found.other, after=(call,))


async def _link(context: Context, found: Link) -> Decision:
    other = found.other.community
    await _check(context, other)
    words = _filled(context, DONE, other=escape(other.name), community=escape(context.community.name))
    action = LinkCommunities(other=other.id, code=found.code)
    tell = OpenDirect(member=found.other.member.ref, text=words)
    after = (tell,) if context.member and context.member.ref != tell.member else ()
    return _say(context, words, action, why=_("links another community"), other=found.other, after=after)


def stop(context: Context, code: str) -> Decision:
    """Make a code worthless, since somebody said no."""
    words = context.translate(_("Nothing was linked, and the code is worth nothing any more."))
    return _say(context, words, codes.drop(context, "community", code), why=_("does not want to link them"))


def _filled(context: Context, sentence: str, **values: str) -> str:
    return context.translate(sentence).format(**values)


def _say(
    context: Context,
    words: str,
    *first: Action,
    why: str,
    other: Account | None = None,
    after: tuple[Action, ...] = (),
) -> Decision:
    return codes.say(context, SKILL, context.answer(words), *first, why=why, other=other, after=after)
