"""How offers of channels are shown: a block each, with buttons, and reasons in a sentence where that can be trusted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Anew, Button
from bot.core.decisions import Decision
from bot.core.events import MessagePosted
from bot.core.i18n import _, written
from bot.core.wording import escape, short
from brains.matching.phrasing import phrase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.core.ports import Generator
    from bot.core.things import Channel
    from brains.matching.matchmaker import Offer
    from brains.skills.skill import Context

CHOICE = 24
"""Channels among which those in a newcomer's own language are looked for."""
PATIENCE = 4.0
"""Seconds that a phrased reason may take; then the plain one stays."""


async def for_text(context: Context, text: str, k: int) -> list[Offer]:
    """Offer what fits a text, and nothing that the member is in or declined.

    What was said in the event itself is not encoded again.
    """
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    matchmaker = await context.faculties.matchmaker(context.language)
    settled = await matchmaker.settled(context.community, context.member)
    vector = await context.vector() if isinstance(context.event, MessagePosted) and context.event.text == text else None
    if vector is not None:
        return await matchmaker.for_text(context.community, text, vector, k=k, without=settled)
    found = matchmaker.for_texts(context.community, [text], k=k, without=settled)
    return [offer async for offers in found for offer in offers]


async def newcomers(context: Context, k: int, *, without: Channel | None = None) -> list[Offer]:
    """Offer what newcomers find first, channels in the member's own language before the others."""
    assert context.member is not None  # noqa: S101 - offers are made to somebody
    matchmaker = await context.faculties.matchmaker(context.language)
    found = await matchmaker.for_newcomer(context.community, context.member, k=CHOICE)
    chinese = context.language == "zh_CN"
    own = [one for one in found if (written([one.channel.name, one.channel.description]) == "zh_CN") == chinese]
    others = [one for one in found if one not in own]
    return [one for one in own + others if without is None or one.channel != without][:k]


def introduced(head: str, offers: Sequence[Offer]) -> str:
    """Show what channels are for, where the reason is the same for all and said in the head."""
    return "\n\n".join([head, *(f"{title(one.channel)}\n{escape(short(one.channel.description))}" for one in offers)])


def plain(head: str, offers: Sequence[Offer]) -> str:
    """Show offers with their reasons as they are."""
    return "\n\n".join([head, *(block(offer) for offer in offers)])


def offering(context: Context, skill: str, head: str, offers: Sequence[Offer], *, phrased: bool = True) -> Decision:
    """Put offers into an answer, the reasons in a sentence each where the generator can be trusted with it.

    That takes seconds, in which the lane is held up; `phrased` false does without.
    """
    generator = context.faculties.generator
    stream = ""
    if phrased and generator is not None and context.language in generator.languages:
        stream = context.stream(improving(generator, context.language, head, offers))
    answer = context.answer(plain(head, offers), buttons=buttons(context, offers), stream=stream)
    names = ", ".join(f"#{offer.channel.name} ({offer.score:.0%})" for offer in offers)
    return Decision(
        skill=skill,
        actions=(answer,),
        reason=context.translate(_("These fit best: {channels}")).format(channels=names),
        evidence=tuple(message.ref for offer in offers for pair in offer.evidence for message in pair),
        confidence=max(offer.score for offer in offers),
    )


async def improving(generator: Generator, language: str, head: str, offers: Sequence[Offer]) -> AsyncIterator[str]:
    """Give the answer with its plain reasons at once, then with each sentence that was checked in its place."""
    blocks = [block(offer) for offer in offers]
    yield plain(head, offers)
    for at, offer in enumerate(offers):
        sentence = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                sentence = await phrase(generator, offer, language=language)
        if sentence is not None:
            blocks[at] = block(offer, sentence)
            yield Anew("\n\n".join([head, *blocks]))


def block(offer: Offer, sentence: str | None = None) -> str:
    """Show one offer: the channel, why (in a sentence where there is one), and something that was said there."""
    said = [f"> {escape(short(pair[-1].text))}" for pair in offer.evidence[:1]]
    about = [] if said or sentence or not offer.channel.description else [escape(short(offer.channel.description))]
    return "\n".join([title(offer.channel), escape(sentence or " ".join(offer.reasons)), *about, *said])


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
            "score": f"{offer.score:.4f}",
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
