"""From ranked messages to conversations: what belongs together, what was made of it, and what says the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from brains.knowledge import candidates, duplicates, ranking
from brains.knowledge.passages import Conversation, Passage
from brains.knowledge.signals import Signals, bonus
from storage import surroundings
from storage.surroundings import keys, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brains.knowledge.candidates import Ranked, Sides
    from brains.knowledge.ranking import Asked
    from storage.channels import Reach
    from storage.connection import Connection
    from storage.surroundings import Placed

BEFORE, AFTER = 4, 8
"""Messages shown of a conversation around its best one: an answer comes after the question."""
SPARE = 2
"""Conversations looked at for each that is wanted, since signals and duplicates change their order."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Messages that were found and belong together, the best first; `around` is all of their conversation."""

    found: list[Ranked]
    around: list[Placed] = field(default_factory=list)
    score: float = 0.0
    answered: bool = False
    also: list[Ranked] = field(default_factory=list)

    @property
    def best(self) -> Placed:
        """Return the message that answers best."""
        return self.found[0].placed


async def conversations(
    connection: Connection, *, reach: Reach, asked: Asked, sides: Sides, encoder: str, limit: int
) -> list[Conversation]:
    """Return the best conversations, with the messages around what was found."""
    reach = replace(reach, scope=await surroundings.without_bots(connection, reach.scope))
    ranked = await candidates.read(connection, reach=reach, asked=asked, sides=sides, encoder=encoder)
    if not ranked:
        return []
    groups = grouped(ranked)[: SPARE * limit]
    around = await surroundings.around(connection, reach.scope, [one.best for one in groups])
    for one in groups:
        one.around = around[one.best.number]
    groups = joined(groups)
    await _judge(connection, reach, groups, floor=ranked[-1].score)
    chosen = merged(sorted(groups, key=lambda one: (-one.score, one.best.number)))[:limit]
    shown = {one.number for group in chosen for one in near(group)}
    texts = await surroundings.texts(connection, reach.scope, shown)
    return [_conversation(group, reach, texts) for group in chosen]


def grouped(ranked: Sequence[Ranked]) -> list[Group]:
    """Put ranked messages together that belong to one conversation by what they say themselves, best first."""
    groups: list[Group] = []
    known: dict[object, list[Group]] = {}
    for one in ranked:
        mine = keys(one.placed)
        homes = (group for key in mine for group in known.get(key, ()))
        home = next((group for group in homes if together(group.best, one.placed)), None)
        if home is None:
            home = Group(found=[])
            groups.append(home)
            for key in mine:
                known.setdefault(key, []).append(home)
        home.found.append(one)
    return groups


def joined(groups: Sequence[Group]) -> list[Group]:
    """Join groups whose best messages stand in the conversation of a better one."""
    kept: list[Group] = []
    homes: dict[int, Group] = {}
    for group in groups:
        if home := homes.get(group.best.number):
            home.found += group.found
            continue
        kept.append(group)
        for one in group.around:
            homes.setdefault(one.number, group)
    return kept


async def _judge(connection: Connection, reach: Reach, groups: Sequence[Group], *, floor: float) -> None:
    """Score each group by what was found in it, and by what the community made of it."""
    found = [one.placed for group in groups for one in group.found]
    reactions = await surroundings.reactions(connection, [one.number for one in found])
    opinions = await surroundings.opinions(connection, reach.scope.community, [one.ref for one in found])
    newest = max(one.at for one in found)
    for group in groups:
        group.answered = answered(group.around)
        signals = Signals(
            age=newest - group.best.at,
            answered=group.answered,
            reactions=max(reactions.get(one.placed.number, 0) for one in group.found),
            opinion=sum(opinions.get(one.placed.ref, 0) for one in group.found),
        )
        group.score = ranking.of_conversation([one.score for one in group.found], floor) + bonus(signals)


def answered(around: Sequence[Placed]) -> bool:
    """Say whether somebody else spoke after whoever began."""
    return any(one.author != around[0].author for one in around[1:])


def merged(groups: Sequence[Group]) -> list[Group]:
    """Keep of groups whose best messages say the same the first, which tells where else it was said."""
    kept = []
    for some in duplicates.groups([one.best.text for one in groups]):
        first, *others = (groups[place] for place in some)
        first.also = [one.found[0] for one in others]
        kept.append(first)
    return kept


def near(group: Group) -> list[Placed]:
    """Return the messages around the best one, and all that were found, oldest first."""
    place = next((at for at, one in enumerate(group.around) if one.number == group.best.number), 0)
    shown = {one.number: one for one in group.around[max(0, place - BEFORE) : place + AFTER + 1]}
    shown |= {one.placed.number: one.placed for one in group.found}
    return sorted(shown.values(), key=lambda one: (one.at, one.number))


def _conversation(group: Group, reach: Reach, texts: Mapping[int, str]) -> Conversation:
    there = [one for one in near(group) if one.number in texts or one.note]
    shown = [replace(one, text=texts.get(one.number, one.text)) for one in there]
    return Conversation(
        passages=[passage(one, reach) for one in shown],
        found=[passage(one.placed, reach) for one in group.found],
        score=group.score,
        answered=group.answered,
        also=[passage(one.placed, reach) for one in group.also],
    )


def passage(one: Placed, reach: Reach) -> Passage:
    """Return a message or a note as it may be cited."""
    note = one.note
    return Passage(
        source=one.ref,
        number=note.number if note else one.number,
        channel=reach.channels[one.channel],
        author=one.author,
        text=note.text if note else one.text,
        at=one.at,
        heading=note.heading if note else "",
        url=note.url if note else "",
        reply_to=one.reply_to,
    )
