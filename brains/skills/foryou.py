"""Conversations that a member missed and may care about: `/foryou`, and its buttons for more and for less of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.core import wording
from bot.core.actions import Button, KeepTaste
from bot.core.decisions import Decision
from bot.core.errors import Mistake
from bot.core.i18n import _
from bot.core.wording import escape
from brains.matching.unread import Unread
from brains.skills.skill import Skill
from storage import members, tastes

if TYPE_CHECKING:
    from bot.core.i18n import Translate
    from bot.core.things import Member
    from brains.matching.unread import Found, Told
    from brains.skills.skill import Context

MOST = 5
NAMED = 3
"""People who are named of those who took part."""


async def propose(context: Context) -> Decision | None:
    """Answer the command, or one of the buttons."""
    assert context.member is not None  # noqa: S101 - commands and buttons are members'
    if context.press is None:
        return await _show(context, context.member)
    return await _judge(context, context.member, "more" if context.press.what == "more" else "less")


async def _show(context: Context, member: Member) -> Decision:
    """Show what they missed, and remember that they were shown it."""
    async with context.faculties.database.read() as connection:
        withheld = await members.withheld(connection, context.community, among=[member.id])
    if withheld:
        raise Mistake(_("I collect nothing of yours, so I cannot tell what you missed. /privacy on changes it."))
    place = await context.embedding()
    unread = Unread(database=context.faculties.database, vectors=place.vectors, encoder=place.encoder)
    found = await unread.look(context.community, member, now=context.now, k=MOST)
    if not found.told:
        words = context.translate(_("You missed nothing that you would care about since {since}."))
        words = words.format(since=_when(found))
        return Decision(skill=SKILL.name, actions=(context.answer(words),), reason=words)
    head = _("You may have missed this since {since}:")
    if not found.known:
        head = _("I know none of your words yet, so this is what was most alive since {since}:")
    blocks = [context.translate(head).format(since=_when(found))]
    several = len(found.told) > 1
    blocks += [block(context.translate, one, at if several else 0) for at, one in enumerate(found.told, 1)]
    shown = KeepTaste(member=member.ref, conversations=tuple(one.label for one in found.told), taste="shown")
    numbers = range(1, len(found.told) + 1) if several else (0,)
    buttons = [
        button
        for number, one in zip(numbers, found.told, strict=True)
        for button in _buttons(context, member, one, number)
    ]
    answer = context.answer("\n\n".join(blocks), buttons=buttons)
    reason = context.translate(_("conversations that they missed: {count}")).format(count=len(found.told))
    evidence = tuple(one.evidence.ref for one in found.told)
    return Decision(skill=SKILL.name, actions=(shown, answer), reason=reason, evidence=evidence, about=(member.ref,))


def block(translate: Translate, one: Told, number: int = 0) -> str:
    """Show a conversation: its title, where, who, how much, and why; of several, the `number` that its buttons name."""
    title = wording.message(one.first.ref, one.sentence)
    people = translate(_(", ")).join(escape(name) for name in one.people[:NAMED])
    if more := len(one.people) - NAMED:
        people = translate(_("{people} and {count} more")).format(people=people, count=more) if more > 0 else people
    where = wording.channel(one.channel.ref, one.channel.name)
    said = translate(_("{channel}, {people}: {count} messages"))
    numbered = f"{number}: **{title}**" if number else f"**{title}**"
    lines = [numbered, said.format(channel=where, people=people, count=one.messages)]
    if one.terms:
        terms = translate(_(", ")).join(escape(term) for term in one.terms)
        lines.append(translate(_("You wrote about {terms}.")).format(terms=terms))
    elif one.near:
        lines.append(translate(_("It is close to what you write about.")))
    return "\n".join(lines)


def _buttons(context: Context, member: Member, one: Told, number: int) -> list[Button]:
    data = {"conversation": str(one.label)}
    labels = (("more", _("More like this")), ("less", _("Less of this")))
    return [
        Button(
            label=f"{number}: {context.translate(label)}" if number else context.translate(label),
            press=f"foryou.{what}",
            data=data,
            only=member.ref,
            choice=data["conversation"],
            row=number,
        )
        for what, label in labels
    ]


async def _judge(context: Context, member: Member, taste: Literal["more", "less"]) -> Decision:
    """Keep what they think of a conversation."""
    assert context.press is not None  # noqa: S101 - a button was pressed
    label = int(context.press.data["conversation"])
    async with context.faculties.database.read() as connection:
        mine = await members.alike(connection, context.community, member)
        known = (await tastes.of(connection, *mine)).get(label)
    keep = KeepTaste(member=member.ref, conversations=(label,), taste=taste, before=known.taste if known else "")
    noted = _("Noted: more like this.") if taste == "more" else _("Noted: less of this.")
    words = context.translate(noted)
    return Decision(skill=SKILL.name, actions=(keep, context.answer(words)), reason=words, about=(member.ref,))


def _when(found: Found) -> str:
    """Say since when, in UTC: where the member is, nobody told."""
    return f"{found.since:%Y-%m-%d %H:%M} UTC"


SKILL = Skill(
    name="foryou",
    purpose=_("Names conversations that a member missed and may care about"),
    propose=propose,
    commands=("foryou",),
    patience=20,
)
