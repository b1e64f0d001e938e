"""Holds a generated sentence about an offer to what is known: every content word, number and name has a source.

A word that a single member of the channel said is theirs, not the channel's: it counts only when a second one says it
too. So nobody can put words into the bot's mouth by posting them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from brains.matching.matchmaker import Offer

LONGEST = 240
"""Characters of a sentence; what is longer is no short reason any more."""

VOICES = 2
"""Members of the channel who must have said a word before it is the channel's."""


class Flaw(StrEnum):
    """What keeps a sentence from being shown."""

    SENTENCES = "not exactly one sentence"
    LENGTH = "too long"
    MARKUP = "a link, a mention or markup"
    QUOTE = "a quotation of what is not there"
    COMMAND = "a command"
    VOICE = "a denial, a duty, or the first person"
    UNSUPPORTED = "a word without a source"
    PLACE = "said in a place that is not the channel"
    YOURS = "the asker's messages as what the channel is about"
    STUTTER = "the same again"
    EMPTY = "nothing that would need a source"


_FUNCTION = frozenset(
    """
    a an the and or as at about around by for from in into is are was were be been being has have had of on to with
    that this these those there here where which who whose it its they them their you your yours so because since while
    when also too both between like such what how can may might some other if
    """.split()  # noqa: SIM905
)
_CONNECTING = (
    "people person member members channel community place group talk talks talking discuss discussion conversation "
    "chat topic subject say says said share sharing mention message post word write wrote interest interested similar "
    "close related relate match fit connect common thing find found reason suggest suggested belong include including"
)
_FORBIDDEN = frozenset(
    """
    i me my mine myself we us our ours not no never none nobody nothing nor neither cannot without
    should must need needs ought shall please let let's
    """.split()  # noqa: SIM905
)
_COMMANDS = frozenset(
    """
    add admit ask be believe bring buy call check click come consider contact delete discover do don't download enjoy
    explore feel follow forget get give go have hurry ignore join keep know learn leave listen look make meet message
    note obey open pay post read remember reply report repeat say see send share show sign start stay stop subscribe
    take talk tell think trust try use vote visit watch write
    """.split()  # noqa: SIM905
)
_CHINESE_FUNCTION = re.compile(
    "这个频道|那个频道|大家|人们|成员|频道|社区|那里|这里|因为|所以|而且|也在|您的|你的|您|你|他们|"
    "讨论|谈论|聊到|聊天|聊|谈|提到|说过|说|话题|消息|内容|有关|关于|相关|相近|相似|接近|感兴趣|兴趣|适合|"
    "和|与|的|在|是|也|都|了|里|中|对|很|会|常|到|把|等|有|并"
)
_CHINESE_FORBIDDEN = re.compile("不|没|无|别|请|必须|应该|我|咱|勿|务必")

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_HAN}]+|\d+(?:[.,:/]\d+)*|[^\W\d_{_HAN}]+(?:['’][^\W\d_{_HAN}]+)*")
_ENDED = re.compile(r"[.!?。！？…]+[\"”’'」]?\Z")
_INNER_END = re.compile(r"[.!?…]+[\"”’'」)]?\s|[。！？]")
_MARKUP = re.compile(r"https?:|www\.|[@<>`*_{}\[\]|\\]|\w\.(?:com|org|net|io)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“„«「](.+?)[\"”“»」]|(?<!\w)['‘](.+?)['’](?!\w)")
_CLAUSES = re.compile(r"[,;:–—()，；：]|\s-\s|\b(?:and|or|so|then|but)\b", re.IGNORECASE)
_PLACES = re.compile(
    r"\b(?:said|people|members|you|talk|discuss|discussed|shared) in #?(.*)|\bchannel (?!is\b|that\b|where\b)#?(.*)",
    re.IGNORECASE,
)
_ABOUT_YOU = re.compile(
    r"(?:about|,|and) (?:your (?:own )?messages|what you (?:write|wrote))\b(?! are\b)", re.IGNORECASE
)
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounding:
    """What a sentence about one offer may draw on: the channel's name, stems, and its texts but for messages."""

    channel: str
    stems: frozenset[str]
    text: str
    reason: frozenset[str] = frozenset()

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Gather the reasons, the channel's name and description, and what several members said there."""
        said = {message for pair in offer.evidence for message in pair if message.channel == offer.channel.id}
        there = [(message.author, message.text) for message in said]
        plain = [offer.channel.name, offer.channel.description, *offer.reasons]
        stems = {stem(word) for text in plain for word in _words(text)} | set(_shared(there))
        return cls(
            channel=_flat(offer.channel.name),
            stems=frozenset(stems),
            text=_flat(" \n ".join(plain)),
            reason=_marks(offer.reasons[0]) if offer.reasons else frozenset(),
        )

    def flaw(self, sentence: str) -> Flaw | None:
        """Find what keeps a sentence from being shown; None when every part of it has a source."""
        sentence = sentence.strip()
        if not _ENDED.search(sentence) or _INNER_END.search(_ENDED.sub("", sentence) + " ") or "\n" in sentence:
            return Flaw.SENTENCES
        if len(sentence) > LONGEST:
            return Flaw.LENGTH
        if _MARKUP.search(sentence):
            return Flaw.MARKUP
        if any(_flat(part) not in self.text for found in _QUOTED.findall(sentence) for part in found if part):
            return Flaw.QUOTE
        return self._flaw_of_words(sentence)

    def tells(self, sentence: str) -> bool:
        """Say whether a sentence tells the strongest reason, and is no mere description of the channel."""
        return not self.reason or bool(self.reason & {stem(word) for word in _words(sentence)})

    def _flaw_of_words(self, sentence: str) -> Flaw | None:
        words = list(_words(sentence))
        if (
            _FORBIDDEN & set(words)
            or any(word.endswith("n't") for word in words)
            or _CHINESE_FORBIDDEN.search(sentence)
        ):
            return Flaw.VOICE
        if any(_is_command(clause) for clause in _CLAUSES.split(sentence)):
            return Flaw.COMMAND
        return self._muddle(sentence, words) or self._unsupported(words)

    def _muddle(self, sentence: str, words: Sequence[str]) -> Flaw | None:
        places = [_flat(place) for found in _PLACES.findall(sentence) for place in found if place]
        if any(not place.startswith((self.channel, "the ", "this ")) for place in places):
            return Flaw.PLACE
        if _ABOUT_YOU.search(sentence):
            return Flaw.YOURS
        return Flaw.STUTTER if _stutters(words) else None

    def _unsupported(self, words: Sequence[str]) -> Flaw | None:
        telling = [part for word in words for part in _telling(word)]
        if not all(self._has(part) for part in telling):
            return Flaw.UNSUPPORTED
        return None if telling else Flaw.EMPTY

    def _has(self, part: str) -> bool:
        return part in self.text if _is_han(part) else stem(part) in self.stems


def stem(word: str) -> str:
    """Cut an English word to what its forms have in common: `baking`, `bakes` and `baked` are `bak`."""
    word = re.sub(r"['’]s?\Z", "", word.lower())
    for ending, new in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) + len(new) > 2 and not word.endswith("ss"):  # noqa: PLR2004
            return _single(word[: len(word) - len(ending)] + new)
    return _single(word)


def _single(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgklmnprt" else word  # noqa: PLR2004


_CONNECTING_STEMS = frozenset(map(stem, _CONNECTING.split()))


def _shared(there: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Give the stems that several members of the channel said."""
    voices: defaultdict[str, set[int]] = defaultdict(set)
    for author, text in there:
        for word in _words(text):
            voices[stem(word)].add(author)
    return (each for each, authors in voices.items() if len(authors) >= VOICES)


def _words(text: str) -> Iterator[str]:
    return (word.lower().replace("’", "'") for word in _WORD.findall(text))


def _marks(reason: str) -> frozenset[str]:
    """Give the stems by which a sentence shows that it tells a reason; none for Chinese, where words have no ends."""
    words = [stem(word) for word in _words(reason) if word not in _FUNCTION and not _is_han(word) and word.isalpha()]
    content = frozenset(word for word in words if word not in _CONNECTING_STEMS)
    return content if len(content) > 1 else frozenset(words)


def _telling(word: str) -> list[str]:
    """Give the parts of a word that need a source; of Chinese, what is left between function words."""
    if _is_han(word):
        return [part for part in _CHINESE_FUNCTION.split(word) if part]
    return [] if word in _FUNCTION or stem(word) in _CONNECTING_STEMS else [word]


def _stutters(words: Sequence[str]) -> bool:
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(runs)) < len(runs)


def _is_han(word: str) -> bool:
    return "\u3040" <= word[0] <= "\u9fff"


def _is_command(clause: str) -> bool:
    words = list(_words(clause))
    return bool(words) and words[0] in _COMMANDS


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text).casefold()
