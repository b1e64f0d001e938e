"""A small world for random histories: what is done in it, and a simple model of who may read which words of it now.

The model knows nothing of how the bot keeps things. It holds what a platform would: rooms, who is in them, what stands
written. Each text has a word that is nowhere else, so that a text that somebody sees tells what it was made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"vo[a-j]+vo")
PEOPLE = ("ana", "ben", "cyd", "dee", "gus")
GUEST = "gus"
OPEN, CLOSED = ("hall", "yard"), ("den", "attic")
ROOMS = (*OPEN, *CLOSED)
BEGIN = {"hall": {GUEST}, "yard": set[str](), "den": {"ana", "ben"}, "attic": {"ben", "cyd"}}
"""Who is in which room when a history begins; everybody but the guest reads the open ones."""


@dataclass(slots=True)
class Text:
    """A message, or an entry that rests on messages: `word` is what it says that nothing else says."""

    word: str
    by: str
    room: str
    rests_on: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class World:
    """What is true now. `texts` are those that stand, by number; `spent` are words that nobody may see any more."""

    open: dict[str, bool] = field(default_factory=lambda: {room: room in OPEN for room in ROOMS})
    read: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(ROOMS, True))
    inside: dict[str, set[str]] = field(default_factory=lambda: {room: set(inside) for room, inside in BEGIN.items()})
    refuses: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    persons: dict[str, frozenset[str]] = field(default_factory=lambda: {who: frozenset({who}) for who in PEOPLE})
    texts: dict[int, Text] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    words: int = 0

    def word(self) -> str:
        """Make a word that was never said."""
        self.words += 1
        return "vo" + "".join("abcdefghij"[int(figure)] for figure in str(self.words)) + "vo"

    def may_enter(self, who: str, room: str) -> bool:
        """Say whether somebody reads a room."""
        return who in self.inside[room] or (self.open[room] and who != GUEST)

    def audience(self, room: str) -> list[str]:
        """Return who reads along in a room: anybody who might come, where it is open to all."""
        return [who for who in PEOPLE if self.may_enter(who, room)]

    def may_read(self, who: str, text: Text) -> bool:
        """Say whether somebody may be shown a text, by any of their accounts."""
        if text.by in self.refuses or not self.read[text.room]:
            return False
        if any(self.texts.get(number) is None or self.texts[number].word != word for number, word in text.rests_on):
            return False
        rooms = [text.room, *(self.texts[number].room for number, _word in text.rests_on)]
        authors = [self.texts[number].by for number, _word in text.rests_on]
        if any(author in self.refuses for author in authors) or not all(self.read[room] for room in rooms):
            return False
        return all(any(self.may_enter(one, room) for one in self.persons[who]) for room in rooms)

    def leaks(self, shown: str, *, to: str) -> set[str]:
        """Return the words of a text that somebody sees and may not."""
        standing = {text.word: text for text in self.texts.values()}
        return {word for word in TOKEN.findall(shown) if word not in standing or not self.may_read(to, standing[word])}

    def leaks_aloud(self, shown: str, room: str) -> set[str]:
        """Return the words that stand in a room and are not all its readers' to read, each with one account alone."""
        apart = World(**{**{name: getattr(self, name) for name in self.__slots__}, "persons": {}})
        apart.persons = {who: frozenset({who}) for who in PEOPLE}
        return {word for who in self.audience(room) for word in apart.leaks(shown, to=who)}
