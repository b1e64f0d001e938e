"""How offers of channels are shown: a block each, with buttons, and reasons in a sentence where that can be trusted."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Anew, Button
from bot.core.decisions import Decision
from bot.core.events import MessagePosted
from bot.core.i18n import _, written
from bot.core.wording import escape, short
from brains.matching.phrasing import phrase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from bot.core.actions import Action
    from bot.core.ports import Generator
    from bot.core.things import Channel, Ref
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context
    from storage.interests import Interest

ASIDE = _("Not everybody here may read the channels that fit. /match answers you alone.")
CHOICE = 24
"""Channels among which those in a newcomer's own language are looked for."""
LOOKED_BY = 3
"""Of the interests that somebody named, the newest that offers go by."""
TOLD = 2
"""Reasons beside an offer; Why tells all of them."""
PATIENCE = 4.0
"""Seconds that a phrased reason may take; then the plain one stays."""


async def for_text(context: Context, text: str, k: int) -> list[Offer]:
    """Offer what fits a text, and nothing that the member is in or declined.

    What was said in the event itself is not encoded again.
    """
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    matchmaker = await context.faculties.matchmaker(context.language)
    settled = await matchmaker.settled(context.community, context.member)
    refused = await matchmaker.refused(context.community, context.member)
    vector = await context.vector() if isinstance(context.event, MessagePosted) and context.event.text == text else None
    if vector is not None:
        return await matchmaker.for_text(context.community, text, vector, k=k, without=settled, refused=refused)
    found = matchmaker.for_texts(context.community, [text], k=k, without=settled, refused=refused)
    return [offer async for offers in found for offer in offers]


async def for_member(context: Context, k: int, *, told: Sequence[Interest] = ()) -> list[Offer]:
    """Offer what fits a member: what they told that they like, the newest first, in turn with their own messages.

    Somebody in few words is no match for what they wrote for years, so each of both has its place. Raises NotAllowed.
    """
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    matchmaker = await context.faculties.matchmaker(context.language)
    by_words = await matchmaker.for_member(context.community, context.member, k=k)
    if not told:
        return by_words
    without = await matchmaker.settled(context.community, context.member)
    refused = await matchmaker.refused(context.community, context.member)
    texts = [one.text for one in told[:LOOKED_BY]]
    because = context.translate(_("It is close to what you told me: {interest}"))
    found: list[list[Offer]] = []
    async for offers in matchmaker.for_texts(context.community, texts, k=k, without=without, refused=refused):
        reason = because.format(interest=short(texts[len(found)]))
        found.append([replace(one, reasons=(reason, *one.reasons)) for one in offers])
    return in_turn([*found[:1], by_words, *found[1:]], k)


async def sayable(context: Context, offers: Sequence[Offer]) -> list[Offer]:
    """Return the offers of which all who hear the answer may read: said aloud, a guest may be among them."""
    heard = (await context.hearing()).channels
    return [one for one in offers if one.channel.id in heard]


def in_turn(lists: Sequence[Sequence[Offer]], k: int) -> list[Offer]:
    """Take the best of each list in turn, each channel once: where it stands first."""
    taken: dict[int, Offer] = {}
    for row in zip_longest(*lists):
        for offer in row:
            if offer is not None:
                taken.setdefault(offer.channel.id, offer)
    return list(taken.values())[:k]


async def newcomers(context: Context, k: int, *, without: Collection[Ref] = ()) -> list[Offer]:
    """Offer what newcomers find first, channels in the member's own language before the others."""
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    matchmaker = await context.faculties.matchmaker(context.language)
    found = await matchmaker.for_newcomer(context.community, context.member, k=CHOICE)
    chinese = context.language == "zh_CN"
    own = [one for one in found if (written([one.channel.name, one.channel.description]) == "zh_CN") == chinese]
    others = [one for one in found if one not in own]
    return [one for one in own + others if one.channel.ref not in without][:k]


def introduced(head: str, offers: Sequence[Offer]) -> str:
    """Show what channels are for, where the reason is the same for all and said in the head."""
    return "\n\n".join([head, *(f"{title(one.channel)}\n{escape(short(one.channel.description))}" for one in offers)])


def plain(head: str, offers: Sequence[Offer], *, tail: str = "") -> str:
    """Show offers, each with its best reason as it is; `tail` is said below them."""
    return _joined(head, [block(offer) for offer in offers], tail)


def _joined(head: str, blocks: Sequence[str], tail: str) -> str:
    return "\n\n".join([head, *blocks, *([tail] if tail else [])])


def offering(
    context: Context,
    skill: str,
    head: str,
    offers: Sequence[Offer],
    *,
    phrased: bool = True,
    tail: str = "",
    more: Sequence[Button] = (),
    first: Sequence[Action] = (),
) -> Decision:
    """Put offers into an answer, the reason in a sentence each where the generator can be trusted with it.

    That takes seconds, in which the lane is held up; `phrased` false does without. What is to be done `first` comes
    before the answer, below the offers stand a `tail` and `more` buttons.
    """
    generator = context.faculties.generator
    stream = ""
    if phrased and generator is not None and context.language in generator.languages:
        stream = context.stream(improving(generator, context.language, head, offers, tail=tail))
    text = plain(head, offers, tail=tail)
    answer = context.answer(text, buttons=[*buttons(context, offers), *more], stream=stream)
    names = ", ".join(
        f"#{one.channel.name}" if one.to_member else f"#{one.channel.name} ({one.score:.0%})" for one in offers
    )
    return Decision(
        skill=skill,
        actions=(*first, answer),
        reason=context.translate(_("These fit best: {channels}")).format(channels=names),
        evidence=tuple(message.ref for offer in offers for pair in offer.evidence for message in pair),
        confidence=max(offer.score for offer in offers),
    )


async def improving(
    generator: Generator, language: str, head: str, offers: Sequence[Offer], *, tail: str = ""
) -> AsyncIterator[str]:
    """Give the answer with its plain reasons at once, then with each sentence that was checked in its place."""
    blocks = [block(offer) for offer in offers]
    yield plain(head, offers, tail=tail)
    for at, offer in enumerate(offers):
        sentence = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                sentence = await phrase(generator, offer, language=language)
        if sentence is not None:
            blocks[at] = block(offer, sentence)
            yield Anew(_joined(head, blocks, tail))


def block(offer: Offer, sentence: str | None = None) -> str:
    """Show one offer: the channel, the best reasons (or a `sentence` in their place), and what was said there."""
    said = [f"> {escape(short(pair[-1].text))}" for pair in offer.evidence[:1]]
    about = [] if said or sentence or not offer.channel.description else [escape(short(offer.channel.description))]
    return "\n".join([title(offer.channel), escape(sentence or " ".join(offer.reasons[:TOLD])), *about, *said])


def title(channel: Channel) -> str:
    """Name a channel, so that it stands out and leads there."""
    return f"**{wording.channel(channel.ref, channel.name)}**"


def buttons(context: Context, offers: Sequence[Offer]) -> list[Button]:
    """Give each offer its buttons, for the asker alone. They carry references and reasons, never what was said."""
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    translate, only, found = context.translate, context.member.ref, []
    for row, offer in enumerate(offers):
        channel = str(offer.channel.ref)
        data = {
            "channel": channel,
            "chance" if offer.to_member else "score": f"{offer.score:.4f}",
            "reasons": "\n".join(offer.reasons),
            "evidence": "\n".join(" ".join(str(message.id) for message in pair) for pair in offer.evidence),
        }
        join = translate(_("Join #{channel}")).format(channel=offer.channel.name)
        found += [
            Button(label=join, press="match.join", data=data, only=only, choice=channel, row=row),
            Button(
                label=translate(_("Not for me")), press="match.decline", data=data, only=only, choice=channel, row=row
            ),
            Button(label=translate(_("Why?")), press="match.why", data=data, only=only, row=row),
        ]
    return found
