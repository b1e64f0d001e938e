"""A small town for tests of matching: three channels with words of their own, eight members, a year of talk."""

from __future__ import annotations

import random

import numpy as np

from brains.matching.corpus import DAY, Card, Corpus
from brains.matching.profiles import ChannelProfiles, build_profiles
from tests.hashing import SIZE, HashingEncoder

BAKING, CYCLING, ASTRONOMY = 10, 20, 30
NOW = 400 * DAY
TALK = {
    BAKING: "sourdough starter rye flour dough crumb oven proofing loaf yeast hydration crust",
    CYCLING: "bicycle chain sprocket wheel spoke brake tyre saddle pedal gravel commute derailleur",
    ASTRONOMY: "telescope eyepiece nebula galaxy saturn mount aperture comet eclipse orbit mirror tripod",
}
SMALL = "the my and with old new for again yesterday weekend try week friend question photo idea cheap help"
CARDS = [
    Card(id=BAKING, name="baking", description="bread and sourdough"),
    Card(id=CYCLING, name="cycling", description="bicycle repair and rides"),
    Card(id=ASTRONOMY, name="astronomy", description="telescope nights"),
]
ENCODER = HashingEncoder()


def vectors(texts: list[str]) -> np.ndarray:
    """Encode without an event loop: the hashing encoder never waits."""
    pending = ENCODER.encode(texts).__await__()
    try:
        next(pending)
    except StopIteration as done:
        return done.value
    raise AssertionError("the hashing encoder waited")


def sentence(channel: int, seed: int) -> str:
    """Say something of a channel: four to six of its words among some that anybody uses."""
    chance = random.Random(seed)
    said = chance.sample(TALK[channel].split(), chance.randint(4, 6)) + chance.sample(SMALL.split(), 4)
    return " ".join(chance.sample(said, len(said)))


def corpus(lines: list[tuple[int, int, str]], *, first_id: int = 0, start: float = 0.0) -> Corpus:
    """Lay out (channel, author, text) lines, one every second day."""
    texts = [text for _, _, text in lines]
    return Corpus(
        ids=np.arange(first_id, first_id + len(lines)),
        texts=texts,
        vectors=vectors(texts) if texts else np.zeros((0, SIZE), dtype=np.float32),
        channels=np.array([channel for channel, _, _ in lines], dtype=np.int64),
        authors=np.array([author for _, author, _ in lines], dtype=np.int64),
        times=start + 2 * DAY * np.arange(len(lines), dtype=np.float64),
    )


def town(messages: int = 180) -> Corpus:
    """Return a year of talk; each of the members 1 to 6 keeps to one channel."""
    channels = list(TALK)
    return corpus([(channels[n % 3], 1 + n % 6, sentence(channels[n % 3], n)) for n in range(messages)])


def profiles() -> ChannelProfiles:
    """Profile the town."""
    return build_profiles(town(), CARDS, encoder="hashing-words", now=NOW)
