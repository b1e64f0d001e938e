"""Accounts of one human: `/privacy link` proves on both sides that they are, and `unlink` splits them again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from bot.core.actions import LinkAccounts, OpenDirect, UnlinkAccount
from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.skills import codes
from brains.skills.codes import Ask, Confirm, Link, Offer, Wrong, called
from storage import persons

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.decisions import Decision
    from bot.core.things import Member
    from brains.skills.skill import Context
    from storage.persons import Account

SKILL, COMMAND = "privacy", "privacy"
OFFER = _(
    "Your code is **{code}**, for ten minutes. Enter it with your other account: /privacy link {code}\n"
    "Give it to nobody, whoever asks: an account that is linked to yours may read and erase all that I hold about you. "
    "Before that I show each of the two the other, and ask whether it is yours."
)
WRONG = _("I know no such code: its ten minutes may be over, or it was used. /privacy link gives a new one.")
ASK = _(
    "Is {account} you as well? Then the two are one person to me: what either says of being collected holds for both, "
    "and either may have everything about both sent to it, or erased. Did somebody else tell you to do this? Say no."
)
WAIT = _("Noted. Now your other account has to say yes as well: /privacy link")
CALL = _(
    "{account} entered your code and says that you are the same human. If that is you, write there where you got it: "
    "/privacy link {code} yes\nIf it is not, do nothing: without your yes, nothing is linked."
)
DONE = _("Linked: {account} and you are one person to me. /privacy unlink splits you again.")
STRICT = _("Where one of you had said no to being collected, it is a no for both. /privacy on changes that.")


async def link(context: Context, typed: str, *, sure: bool) -> Decision:
    """Go one step on the way to one person. Raises Mistake."""
    found = await codes.step(context, "person", typed, sure=sure)
    match found:
        case Offer(code=code):
            words = context.translate(OFFER).format(code=code)
            return _say(context, words, *codes.keep(context, "person", found), why=_("wants to link another account"))
        case Wrong():
            words = context.translate(WRONG)
            return _say(context, words, *codes.keep(context, "person", found), why=_("entered a code that is none"))
        case Ask():
            return await _ask(context, found)
        case Confirm(other=other):
            return _call(context, found, other)
        case Link(code=code, other=other):
            return _link(context, code, other)
    assert_never(found)


async def _ask(context: Context, found: Ask) -> Decision:
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    if found.other.member.person == context.member.person:
        raise Mistake(_("The two are linked already."))
    words = context.translate(ASK).format(account=called(found.other))
    buttons = codes.buttons(context, SKILL, COMMAND, found.code, yes=_("Yes, that is me"))
    asked, kept = context.answer(words, buttons=buttons), codes.keep(context, "person", found)
    why = _("was asked whether another account is theirs")
    return replace(codes.say(context, SKILL, asked, *kept, why=why, other=found.other), settles=False)


def _call(context: Context, found: Confirm, other: Account) -> Decision:
    """Keep the yes of whoever entered the code, and ask the other account to say it too."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    me = called(persons.Account(member=context.member, community=context.community))
    call = OpenDirect(member=other.member.ref, text=context.translate(CALL).format(account=me, code=found.code))
    words = context.translate(WAIT)
    why = _("says that another account is theirs")
    kept = codes.keep(context, "person", found)
    return _say(context, words, *kept, why=why, other=other, after=(call,))


def _link(context: Context, code: str, other: Account) -> Decision:
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    linking = LinkAccounts(member=context.member.ref, other=other.member.id, code=code)
    done, strict = context.translate(DONE), context.translate(STRICT)
    me = persons.Account(member=context.member, community=context.community)
    tell = OpenDirect(member=other.member.ref, text=f"{done.format(account=called(me))} {strict}")
    words = f"{done.format(account=called(other))} {strict}"
    return _say(context, words, linking, why=_("links another account"), other=other, after=(tell,))


def stop(context: Context, code: str) -> Decision:
    """Make a code worthless, since somebody said no."""
    words = context.translate(_("Nothing was linked, and the code is worth nothing any more."))
    return _say(context, words, codes.drop(context, "person", code), why=_("did not know the other account"))


async def unlink(context: Context, member: Member) -> Decision:
    """Make the account a person of its own. Raises Mistake where it is one."""
    async with context.faculties.database.read() as connection:
        if not await persons.others(connection, member):
            raise Mistake(_("This account is linked to no other."))
    words = context.translate(
        _("This account is a person of its own again. What you said of being collected holds for each by itself now.")
    )
    return _say(context, words, UnlinkAccount(member=member.ref), why=_("splits their accounts"))


def _say(
    context: Context,
    words: str,
    *first: Action,
    why: str,
    other: Account | None = None,
    after: tuple[Action, ...] = (),
) -> Decision:
    return codes.say(context, SKILL, context.answer(words), *first, why=why, other=other, after=after)
