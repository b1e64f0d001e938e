"""A large community made up for measuring: who says what where is drawn by chance, the words and vectors are real."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from bot.core.events import MessagePosted, Named, ReactionAdded
from bot.core.ports import Point
from bot.core.things import Audience, Ref
from brains.training.encoding import Progress, passages, silent
from storage import channels, communities, feedback, members, outbox, refusals
from storage.following import Following
from storage.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.app import App
    from bot.core.ports import Vector
    from bot.core.things import Community
    from storage.connection import Connection

SPREAD = 0.35
"""How far, for a vector of length 1, what is said again lies from what it varies."""
TAIL = 80
"""Characters of another text behind one that is said again."""
PORTION = 2_000
HABITS = 4
"""Channels that a member writes in, the first of them most."""
POOL = 40
"""Texts nearest to a channel's topic, of which what is said there is drawn."""
SHORT = 120
"""Characters of a channel's description."""
ANSWERS, REACTIONS, OPINIONS = 0.3, 0.05, 0.05
"""Shares of messages that answer one before in their channel and that have a reaction; opinions for each member."""
YEAR = 365 * 24 * 60
"""Minutes over which it was all said."""
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How large a community is."""

    messages: int = 100_000
    members: int = 10_000
    channels: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """Who says what where (n,), by place in the lists of members, channels and texts."""

    authors: np.ndarray[tuple[int], np.dtype[np.int64]]
    rooms: np.ndarray[tuple[int], np.dtype[np.int64]]
    texts: np.ndarray[tuple[int], np.dtype[np.int64]]


async def gather(app: App, texts: Sequence[str], crowd: Crowd, *, progress: Progress = silent) -> Community:
    """Store and index a community: texts that are said again, each in a channel whose topic is near it.

    The texts are encoded; so many they become by being said again with some words more, and a vector beside theirs.
    """
    encoder = await app.encoder()
    made = await passages(encoder, texts, progress=progress)
    now = app.clock.now()
    community = await app.database.write(functools.partial(communities.find_or_make, name="bench", now=now))
    intake = Intake(community, now)
    await app.database.write(intake.begin)
    chance = np.random.default_rng(SEED)
    drawn = _draw(made, crowd, chance)
    last: dict[int, int] = {}
    by_text = dict(zip(texts, made, strict=True))
    for start in range(0, crowd.messages, PORTION):
        numbers = range(start, min(start + PORTION, crowd.messages))
        times = [now - timedelta(minutes=YEAR * (1 - number / crowd.messages)) for number in numbers]
        told = zip(numbers, times, strict=True)
        portion = [_posted(number, at, texts, drawn, last=last, chance=chance) for number, at in told]
        await app.database.write(functools.partial(intake.store, events=portion), durable=False)
        await _index(app, by_text, chance)
        progress(numbers.stop, crowd.messages)
    await (await app.vectors()).optimize()
    first = {int(room): int(text) for room, text in zip(drawn.rooms[::-1], drawn.texts[::-1], strict=True)}
    about = [texts[first[room]][:SHORT] if room in first else "" for room in range(crowd.channels)]
    await _behave(app, community, crowd, drawn, about)
    return community


def _draw(made: Vector, crowd: Crowd, chance: np.random.Generator) -> _Drawn:
    topics = made[chance.choice(len(made), crowd.channels, replace=len(made) < crowd.channels)]
    nearest = np.argsort(-(topics @ made.T), axis=1)[:, :POOL]
    liked = 1 / (1 + np.arange(crowd.channels))
    homes = chance.choice(crowd.channels, (crowd.members, HABITS), p=liked / liked.sum())
    # Some say much, everybody something: the first round goes to each.
    loud = 1 / (10 + np.arange(crowd.members))
    authors = np.concatenate(
        [
            np.arange(min(crowd.members, crowd.messages)),
            chance.choice(crowd.members, crowd.messages, p=loud / loud.sum()),
        ]
    )[: crowd.messages]
    authors = chance.permutation(authors)
    habit = np.minimum(chance.geometric(0.5, crowd.messages) - 1, HABITS - 1)
    rooms = homes[authors, habit]
    return _Drawn(
        authors=authors, rooms=rooms, texts=nearest[rooms, chance.integers(0, nearest.shape[1], crowd.messages)]
    )


def _posted(
    number: int,
    at: datetime,
    texts: Sequence[str],
    drawn: _Drawn,
    *,
    last: dict[int, int],
    chance: np.random.Generator,
) -> MessagePosted:
    room, author = int(drawn.rooms[number]), f"m{int(drawn.authors[number])}"
    other = " ".join(texts[int(chance.integers(0, len(texts)))].split())
    answered = last.get(room) if chance.random() < ANSWERS else None
    last[room] = number
    return MessagePosted(
        message=Ref("bench", str(number)),
        channel=Named(ref=Ref("bench", f"c{room}"), name=f"c{room}"),
        author=Named(ref=Ref("bench", author), name=author),
        text=f"{texts[int(drawn.texts[number])]}\n{other[:TAIL]}",
        at=at,
        reply_to=Ref("bench", str(answered)) if answered is not None else None,
        source="bench",
    )


async def _index(app: App, made: Mapping[str, Vector], chance: np.random.Generator) -> None:
    """Write points and kept vectors of what waits, as the index does, without encoding it anew."""
    fingerprint = (await app.encoder()).fingerprint
    rows = await app.database.look(functools.partial(outbox.newest, limit=PORTION))
    near = {row.text or "": _beside(made[(row.text or "").rpartition("\n")[0]], chance) for row in rows}
    points = [
        Point(
            id=row.point,
            vector=near[row.text or ""],
            text=row.text or "",
            community=row.community,
            channel=row.channel,
            author=row.author,
            at=row.at,
        )
        for row in rows
    ]
    await (await app.vectors()).upsert(points)
    done = functools.partial(outbox.done, rows=rows, fingerprint=fingerprint, vectors=near)
    await app.database.write(done, durable=False)


def _beside(first: Vector, chance: np.random.Generator) -> Vector:
    noise = chance.normal(size=first.shape)
    beside = first + SPREAD * noise / np.linalg.norm(noise)
    return np.asarray(beside / np.linalg.norm(beside), dtype=np.float32)


async def _behave(app: App, community: Community, crowd: Crowd, drawn: _Drawn, told: Sequence[str]) -> None:
    """Let members react to messages and think something of channels; `told` says what each channel is for."""
    chance, now = np.random.default_rng(SEED), app.clock.now()
    following = Following(community, now, await refusals.load(app.settings.home))
    await app.database.write(following.begin)
    which = chance.choice(crowd.messages, int(REACTIONS * crowd.messages), replace=False)
    who = chance.integers(0, crowd.members, len(which))
    hearts = [_reaction(number, f"m{member}", drawn, now) for number, member in zip(which, who, strict=True)]
    for start in range(0, len(hearts), PORTION):
        await app.database.write(functools.partial(following.follow, events=hearts[start : start + PORTION]))

    async def think(connection: Connection) -> None:
        people, rooms = await members.every(connection, community), await channels.every(connection, community)
        for number in range(int(OPINIONS * crowd.members)):
            opinion = feedback.JOINED if number % 2 else feedback.DECLINED
            member, room = people[int(chance.integers(len(people)))], [*rooms][int(chance.integers(len(rooms)))]
            await feedback.keep(connection, member=member.id, channel=room, opinion=opinion, now=now)
        for room, known in rooms.items():
            about = told[int(known.name.removeprefix("c"))]
            await channels.describe(connection, room, description=about, audience=Audience.EVERYONE)

    await app.database.write(think)


def _reaction(number: int, member: str, drawn: _Drawn, at: datetime) -> ReactionAdded:
    room = f"c{int(drawn.rooms[number])}"
    return ReactionAdded(
        message=Ref("bench", str(number)),
        channel=Named(ref=Ref("bench", room), name=room),
        member=Named(ref=Ref("bench", member), name=member),
        emoji="👍",
        at=at,
        sequence=1,
    )
