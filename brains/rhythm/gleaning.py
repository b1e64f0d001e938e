"""Finds in what was said: questions that nobody answered, decisions that were made, links that were shared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.core.sentences import sentences, width
from brains.knowledge.asking import asks, is_question, leans, seeks_place
from brains.knowledge.extract import plain
from brains.knowledge.terms import speaks_chinese
from brains.matching.terms import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from storage.talks import Said

ASKED, DECIDED = 4, 3
"""Different terms of a question that can be understood by itself, and of a decision that says something."""
SOON = timedelta(hours=24)
"""For how long nobody else spoke in the channel after a question that waits: who speaks rarely says to what."""
SHARED = 2
"""Terms that a later message shares with a question which it may answer."""
LONGEST = 280
"""Width of a sentence that is quoted."""

_WE = r"(?:we|the (?:team|group|committee|board|community|maintainers))"
_DECIDED = re.compile(
    rf"\b(?:{_WE}(?:'ve| have|'ll| will| all)? (?:just |now |finally |also )?(?:decided|agreed|settled on|voted|chose|"
    r"resolved to|concluded)\b(?! (?:if|whether|yet))"
    rf"|(?:let'?s|{_WE}'ll|{_WE} will|{_WE} should just|{_WE}(?:'re| are) going to) (?:just )?"
    r"(?:go with|settle on|stick with)\b"
    rf"|{_WE}(?:'re| are) (?:going|sticking) with\b"
    r"|(?:it (?:is|was|has been)|it'?s|that'?s) (?:decided|settled|agreed)\b"
    r"|(?:the|our) (?:final )?(?:decision|consensus)(?: (?:is|was)(?: to| that)?|:)(?= )"
    r"|^(?:decision|resolved|agreed): "
    r"|(?:rfc|proposal|motion|vote|pr) (?:is|was|has been|got) (?:accepted|approved|adopted|passed|rejected)\b"
    r"|(?:agreed|decided|approved|accepted) (?:on|in|at|by) (?:the|today|yesterday|our|last)\b)",
    re.IGNORECASE,
)
_DECIDED_IN_CHINESE = re.compile(
    "(?:我们|咱们|大家|团队|最后|最终|已经|今天|会上)[^，。！？]{0,8}(?:决定|商定|敲定|选定|一致同意|投票通过|达成一致)"
    "|(?:就|那就)(?:这么|这样)(?:定|办|决定)了?|定下来了?[，：:]?|(?:决定|结论|共识)(?:是|：|:|了)|那?就(?:用|选|定在|定于)[^吗呢？]{2,}(?:吧|了)"
    "|(?:改为|改成|确定(?:用|采用|为|在))[^吗呢？]{2,}"
)
_UNDECIDED = re.compile(
    r"\b(?:not|n't|never|haven'?t|hasn'?t|didn'?t|until|unless|if|once|before|when|should|could|would|might|may|whether|"
    r"nobody|no one|yet to|what|how)\b[^.!?]{0,24}$"
    r"|(?:没有?|还没|尚未|未|别|不|如果|要是|是否|怎么|什么时候)[^，。！？]{0,6}$",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\[\]{}|\\^`\"'，。！？；、（）】]+", re.IGNORECASE)
_TRACKING = re.compile(r"^(?:utm_\w+|fbclid|gclid|ref|ref_src|igshid|spm|si)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gleaned:
    """A sentence that somebody said, and in which message."""

    said: Said
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A link as it was first written, the messages that share it, oldest first, and the sentence of each with it."""

    url: str
    said: tuple[Said, ...]
    sentences: tuple[str, ...]


def question(talk: Sequence[Said], answered: frozenset[str]) -> Gleaned | None:
    """Return what a conversation asked last that nobody but its asker spoke after; None where there is nothing.

    `answered` are the references of messages that somebody else replied to, wherever that was.
    """
    last = talk[-1].author
    for one in reversed(talk):
        if one.author != last:
            return None
        if str(one.ref) in answered or seeks_place(one.text) or not is_question(one.text):
            continue
        if telling := [part for part in asked(one) if width(part) <= LONGEST]:
            return Gleaned(said=one, sentence=max(telling, key=lambda part: len(set(words(part)))))
    return None


def asked(said: Said) -> list[str]:
    """Return the questions of a message that can be understood by themselves, as plain sentences."""
    found = [plain(part) for part in sentences(said.text) if _is_open(part)]
    return [part for part in found if len(set(words(part))) >= ASKED]


def _is_open(sentence: str) -> bool:
    """Say whether a sentence asks by itself: marked as a question or in Chinese, and no afterthought to another."""
    marked = any(sign in sentence for sign in "?？") or speaks_chinese(sentence)
    return marked and asks(sentence) and not leans(sentence) and not sentence.startswith(("```", ">"))


def waits(question: Said, later: Sequence[Said]) -> bool:
    """Say whether nobody seems to have answered a question, by what was said in its channel after it.

    Somebody else did who spoke first and soon, or who shares terms with it later.
    """
    others = [one for one in later if one.author != question.author]
    if not others:
        return True
    terms = set(words(question.text))
    return others[0].at - question.at > SOON and not any(len(terms & set(words(one.text))) >= SHARED for one in others)


def decisions(talk: Sequence[Said]) -> list[Gleaned]:
    """Return the sentences of a conversation that say what was decided, in order."""
    return [Gleaned(said=one, sentence=told) for one in talk for told in _decided(one.text)]


def _decided(text: str) -> Iterable[str]:
    for sentence in sentences(text):
        told = plain(sentence)
        if sentence.startswith(("```", ">")) or width(told) > LONGEST or asks(told):
            continue
        found = _DECIDED.search(told) or _DECIDED_IN_CHINESE.search(told)
        if found and not _UNDECIDED.search(told[: found.start()]) and len(set(words(told))) >= DECIDED:
            yield told


def links(said: Iterable[Said]) -> list[Shared]:
    """Return the links in messages, each once, in the order in which they were first shared."""
    found: dict[str, dict[int, tuple[str, Said]]] = {}
    for one in said:
        for url in map(_trimmed, _URL.findall(one.text)):
            found.setdefault(same(url), {}).setdefault(one.id, (url, one))
    return [
        Shared(
            url=next(url for url, _said in some.values()),
            said=tuple(one for _url, one in some.values()),
            sentences=tuple(_with(url, one.text) for url, one in some.values()),
        )
        for some in found.values()
    ]


def same(url: str) -> str:
    """Return what spellings of an address have in common: not what counts visitors, nor what names a place in it.

    What is no address for sure, such as one that goes on in wide characters, has nothing in common with others.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = urlencode([pair for pair in parse_qsl(parts.query) if not _TRACKING.match(pair[0])])
    host = parts.netloc.lower().removeprefix("www.")
    return urlunsplit(("https", host, parts.path.rstrip("/"), query, ""))


def _trimmed(url: str) -> str:
    """Leave out what ends the sentence rather than the address."""
    url = url.rstrip(".,;:!?*_~")
    while url.endswith(")") and url.count("(") < url.count(")"):
        url = url[:-1].rstrip(".,;:!?*_~")
    return url


def _with(url: str, text: str) -> str:
    """Return the sentence that holds a link, else the text's beginning."""
    parts = sentences(text)
    return plain(next((part for part in parts if url in part), parts[0] if parts else text))
