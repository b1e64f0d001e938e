"""How two sides prove that they belong together: the steps of a code, the same for accounts and for communities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.core.actions import Button, KeepCode
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from storage import proofs
from storage.trail import account_ref

if TYPE_CHECKING:
    from bot.core.actions import Action, Say
    from bot.core.things import Member
    from brains.skills.skill import Context
    from storage.connection import Connection
    from storage.persons import Account
    from storage.proofs import Proof, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Whoever asks gets a new code."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What they entered is no code that could link anything; it counts as a try."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """They are shown the other side and asked whether it is theirs; with `entered`, they have just come with it."""

    code: str
    other: Account
    maker: bool
    entered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Whoever entered the code says yes; the one who made it still has to."""

    code: str
    other: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Both said yes."""

    code: str
    other: Account


Step = Offer | Wrong | Ask | Confirm | Link
"""What comes next for whoever asks."""


async def step(context: Context, subject: Subject, typed: str, *, sure: bool) -> Step:
    """Return what comes next; raises Mistake where nothing can."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    async with context.faculties.database.read() as connection:
        if not typed:
            return await _begun(connection, context, context.member, subject)
        code = proofs.normal(typed)
        proof = await proofs.find(connection, code, subject, context.now)
        tries = await proofs.tries(connection, context.member, context.now)
    if proof is not None and _made(proof, context.member):
        return _of_maker(proof, sure=sure)
    if proof is not None and proof.other is not None and proof.other.member.ref == context.member.ref:
        return Confirm(code=code, other=proof.maker) if sure else Ask(code=code, other=proof.maker, maker=False)
    if tries >= proofs.TRIES:
        raise Mistake(_("You entered {count} codes that are none. Try again in ten minutes."), count=tries)
    if proof is None or proof.other is not None:
        return Wrong(code=code)
    return Ask(code=code, other=proof.maker, maker=False, entered=True)


async def _begun(connection: Connection, context: Context, member: Member, subject: Subject) -> Step:
    proof = await proofs.made_by(connection, member, subject, context.now)
    if proof is not None and proof.confirmed:
        return Ask(code=proof.code, other=proof.claimed, maker=True)
    return Offer(code=proofs.new_code())


def _made(proof: Proof, member: Member) -> bool:
    """Say whether somebody made a code: by their row here, or in another community where they are called the same.

    Until it is entered, the latter may enter it.
    """
    if proof.maker.member.id == member.id:
        return True
    same = proof.maker.member.ref == member.ref
    return same and proof.other is not None and proof.other.member.id != member.id


def _of_maker(proof: Proof, *, sure: bool) -> Step:
    if not proof.confirmed:
        raise Mistake(_("This is your own code. Enter it on the other side, where I ask before anything is linked."))
    return Link(code=proof.code, other=proof.claimed) if sure else Ask(code=proof.code, other=proof.claimed, maker=True)


def keep(context: Context, subject: Subject, found: Offer | Wrong | Ask | Confirm) -> tuple[KeepCode, ...]:
    """Return what is to be kept of a step."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    member = context.member.ref
    match found:
        case Offer(code=code):
            return (KeepCode(member=member, code=code, subject=subject, step="made"),)
        case Confirm(code=code):
            return (KeepCode(member=member, code=code, subject=subject, step="confirmed"),)
        case Wrong(code=code) | Ask(code=code, entered=True):
            return (KeepCode(member=member, code=code, subject=subject, step="entered"),)
        case Ask():
            return ()


def drop(context: Context, subject: Subject, code: str) -> KeepCode:
    """Return what makes a code worthless."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    return KeepCode(member=context.member.ref, code=code, subject=subject, step="dropped")


def buttons(context: Context, skill: str, command: str, code: str, *, yes: str) -> tuple[Button, ...]:
    """Return the two answers to the question, which the asker alone may give, once."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    only, translate = context.member.ref, context.translate
    data = {"code": code}
    words = f"/{command} link {code} yes"
    return (
        Button(label=translate(yes), press=f"{skill}.link", data=data, only=only, choice="link", words=words),
        Button(label=translate(_("No")), press=f"{skill}.stop", data=data, only=only, choice="link"),
    )


def say(
    context: Context,
    skill: str,
    answer: Say,
    *first: Action,
    why: str,
    other: Account | None = None,
    after: tuple[Action, ...] = (),
) -> Decision:
    """Answer after what is to be kept; a forget of the `other` account finds what tells of it, wherever that is."""
    about = (account_ref(other.member.id),) if other else ()
    return Decision(skill=skill, actions=(*first, answer, *after), reason=context.translate(why), about=about)


def called(account: Account) -> str:
    """Name an account as its platform and its community know it, as Markdown."""
    name, where = escape(account.member.name), escape(account.community.name)
    return f"**{name}** ({account.member.ref.platform.capitalize()}, {where})"
