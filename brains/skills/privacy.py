"""What is held about a member, in the member's own hands: `/privacy` switches it off and on, shows, links, erases."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from bot.core.actions import Attachment, Button, Forget, Say, SetConsent
from bot.core.decisions import Decision
from bot.core.errors import KinfolkError, NotAllowed
from bot.core.events import place
from bot.core.i18n import _
from bot.core.things import Audience, Rank
from brains.skills import accounts, interests, notice
from brains.skills.codes import called
from brains.skills.skill import Skill
from storage import erasure, exporting
from storage.trail import account_ref

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bot.core.actions import Action
    from bot.core.ports import Points
    from bot.core.things import Member, Ref
    from brains.skills.skill import Context
    from storage.exporting import Outline
    from storage.trail import Survey

FILE = "kinfolk-export.json"
MOST_TAKEN_BACK = 15
"""Public messages of the bot that one forget takes off the platform; the rest is named to whoever asked."""

NAMES = {
    "message": _("messages"),
    "reaction": _("reactions"),
    "membership": _("channels you were in"),
    "inbox": _("events"),
    "trace": _("traces of what I decided"),
    "encoding": _("cached vectors"),
}
"""How stores are called in front of members; the others are counted together."""


async def propose(context: Context) -> Decision | None:  # noqa: PLR0911 - one branch a choice
    """Answer the command, or one of the buttons."""
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    asked = context.press.what if context.press else context.command.arguments.get("choice", "")
    match asked:
        case "off" | "on":
            return await _switch(context, context.member, on=asked == "on")
        case "export":
            return await _export(context, context.member)
        case "keep":
            return _say(context, _("Nothing was erased."), why=_("changed their mind about erasing"))
        case "forget" | "ask":
            confirmed = asked == "forget" and (context.press or context.command.arguments.get("sure"))
            return await (_forget if confirmed else _ask_first)(context, context.member)
        case "notice":
            return await _notice(context)
        case "link":
            code, sure = _code(context)
            return await accounts.link(context, code, sure=sure)
        case "stop":
            return accounts.stop(context, _code(context)[0])
        case "unlink":
            return await accounts.unlink(context, context.member)
        case _:
            return await _tell(context, context.member)


def _code(context: Context) -> tuple[str, bool]:
    """Return the code that was given, and whether they are sure: who presses a button about it is."""
    if context.press:
        return context.press.data["code"], True
    given = context.command.arguments
    return given.get("code", ""), bool(given.get("sure"))


async def _tell(context: Context, member: Member) -> Decision:
    held = await _outline(context, member)
    collected = _collected(context, held)
    yes = _("I collect what you write in the channels that I read, to show you and others where you belong.")
    no = _("I collect nothing you write, and use nothing that I hold of you.")
    opt_out = _("Here everybody is collected who does not say no.")
    opt_in = _("Here nobody is collected who does not say yes.")
    lines = [
        context.translate(yes if collected else no),
        context.translate(opt_in if context.policy.consent == "opt_in" else opt_out),
        context.translate(_("I hold {count} messages of yours.")).format(count=held.messages),
        *([told] if (told := interests.shown(context, await interests.stated(context))) else []),
        *_linked(context, held),
    ]
    switch = ("off", _("Collect nothing")) if collected else ("on", _("Collect again"))
    offered = (switch, ("export", _("Send me everything")), ("ask", _("Erase everything …")))
    buttons = [
        replace(_button(context, press, label), words=f"/privacy {'forget' if press == 'ask' else press}")
        for press, label in offered
    ]
    said = _say(context, "\n".join(lines), why=_("asked what is held about them"), buttons=buttons)
    return replace(said, about=_others(held))


def _linked(context: Context, held: Outline) -> list[str]:
    """Name the accounts for which all that is said or done here holds too."""
    if not held.linked:
        return []
    names = ", ".join(called(one) for one in held.linked)
    return [context.translate(_("All of this holds for your linked accounts too: {accounts}")).format(accounts=names)]


def _others(held: Outline) -> tuple[Ref, ...]:
    """Name those accounts so that their forget finds what tells of them here, even after a split."""
    return tuple(account_ref(one.member.id) for one in held.linked)


async def _switch(context: Context, member: Member, *, on: bool) -> Decision:
    held = await _outline(context, member)
    consent = SetConsent(member=member.ref, collected=on, before=held.collected)
    yes = _("From now on I collect what you write in the channels that I read, and use it again.")
    no = _(
        "From this moment I collect nothing you write, and nothing of yours is used: no match, no search, no answer. "
        "What I hold stays until you erase it: /privacy forget"
    )
    words = "\n".join([context.translate(yes if on else no), *_linked(context, held)])
    why = _("agreed to be collected again") if on else _("does not want to be collected")
    return replace(_say(context, words, why=why, first=(consent,)), about=_others(held))


async def _export(context: Context, member: Member) -> Decision:
    document = await exporting.export(context.faculties.database, context.community, member)
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    words = _("Here is everything that I hold about you.")
    instead = context.translate(
        _("I cannot send you a file here. Ask whoever runs me for it: they write it with `kinfolk member export`.")
    )
    file = Attachment(name=FILE, data=data, instead=instead)
    return _say(context, words, why=_("asked for everything held about them"), file=file)


async def _ask_first(context: Context, member: Member) -> Decision:
    held = await _outline(context, member)
    words = context.translate(
        _(
            "This erases everything that I hold about you, {count} messages among it, and cannot be undone. "
            "What others wrote stays, even where it names you. Of you I keep one number that nobody can read back: "
            "by it I know that I must not collect you again, until you say /privacy on."
        )
    )
    buttons = [
        replace(_button(context, "forget", _("Erase everything")), choice="forget", words="/privacy forget yes"),
        replace(_button(context, "keep", _("Keep it")), choice="forget"),
    ]
    why = _("was asked whether to erase everything about them")
    told = "\n".join([words.format(count=held.messages), *_linked(context, held)])
    return replace(_say(context, told, why=why, buttons=buttons), about=_others(held))


async def _forget(context: Context, member: Member) -> Decision:
    """Erase, say what is proved, and take the bot's words about them off the platform, in this order."""
    database = context.faculties.database
    every = await erasure.accounts(database, context.community, member)
    looked = [await erasure.look(database, one.community, one.member) for one in every]
    held: Counter[str] = sum((Counter(counted) for _found, counted in looked), Counter())
    quoting = tuple(dict.fromkeys(taken for found, _counted in looked for taken in found.trail.quoting))
    surveys = tuple(found for found, _counted in looked)
    proof = _Proof(context=context, found=surveys, held=held, beyond=len(quoting[MOST_TAKEN_BACK:]))
    said = replace(_answer(context, proof.erased()), stream=context.stream(proof.tell()))
    actions: tuple[Action, ...] = (Forget(member=member.ref), said, *quoting[:MOST_TAKEN_BACK])
    reason = context.translate(_("wants everything about them erased"))
    return Decision(skill=SKILL.name, actions=actions, reason=reason, about=(member.ref,))


async def _notice(context: Context) -> Decision:
    """Tell everybody here what is read and why, in the language of the community."""
    if context.rank < Rank.STAFF:
        raise NotAllowed(_("Only the staff posts the privacy notice. What I hold about you: /privacy"))
    text = await notice.text(context)
    done = context.answer(context.translate(_("The notice is posted. Pin it, so that it stays in sight.")))
    actions = (Say(to=context.command.channel.ref, text=text), done)
    return Decision(skill=SKILL.name, actions=actions, reason=context.translate(_("posts the privacy notice")))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What was held before, and how it is told that nothing is left."""

    context: Context
    found: tuple[Survey, ...]
    held: Mapping[str, int]
    beyond: int

    def erased(self) -> str:
        """Say how much there was, store by store."""
        translate = self.context.translate
        told = [(translate(name), self.held[store]) for store, name in NAMES.items() if store in self.held]
        others = sum(number for store, number in self.held.items() if store not in NAMES)
        lines = [f"- {name}: {number}" for name, number in [*told, (translate(_("other records")), others)]]
        return "\n".join([translate(_("Everything that I held about you is erased:")), *lines])

    async def tell(self) -> AsyncIterator[str]:
        """Look again once it is done, and say what is left."""
        vectors = await _vectors(self.context)
        database = self.context.faculties.database
        left = sum([(await erasure.recount(database, vectors, found))[1] for found in self.found])
        translate = self.context.translate
        if left:
            words = _("I looked again, and {left} records are still there. Please try again, or tell the staff.")
            yield translate(words).format(left=left)
            return
        yield self.erased() + "\n"
        yield translate(_("I looked again, everywhere: 0 left."))
        if self.beyond:
            words = _("{count} more of my older messages quote you. Ask the staff to delete them.")
            yield "\n" + translate(words).format(count=self.beyond)


async def _vectors(context: Context) -> Points | None:
    """Return all collections of points; while they are away, their outbox tells what is left."""
    with contextlib.suppress(KinfolkError):
        return await (context.faculties.points or context.faculties.vectors)()
    return None


async def _outline(context: Context, member: Member) -> Outline:
    async with context.faculties.database.read() as connection:
        return await exporting.outline(connection, member)


def _collected(context: Context, held: Outline) -> bool:
    return context.policy.consent == "opt_out" if held.collected is None else held.collected


def _button(context: Context, press: str, label: str) -> Button:
    assert context.member is not None  # noqa: S101 - whoever asks is met first
    return Button(label=context.translate(label), press=f"{SKILL.name}.{press}", only=context.member.ref)


def _answer(context: Context, text: str) -> Say:
    """Answer whoever asked and nobody else; in a direct conversation nobody else listens, and files come along."""
    where = place(context.event)
    said = context.answer(text)
    return replace(said, only=None) if where and where.audience is Audience.DIRECT else said


def _say(
    context: Context,
    words: str,
    *,
    why: str,
    first: Sequence[Action] = (),
    buttons: Sequence[Button] = (),
    file: Attachment | None = None,
) -> Decision:
    """Answer with a sentence, after what is to be done first."""
    said = replace(
        _answer(context, context.translate(words)), buttons=tuple(buttons), attachments=(file,) if file else ()
    )
    # Only the choice between erasing and keeping is made once; the other buttons may be pressed again.
    settles = context.press is not None and context.press.what == "keep"
    return Decision(
        skill=SKILL.name,
        actions=(*first, said),
        reason=context.translate(why),
        settles=settles,
    )


SKILL = Skill(
    name="privacy",
    purpose=_("Shows members what is held about them, and erases it"),
    propose=propose,
    commands=("privacy",),
    patience=60,
)
