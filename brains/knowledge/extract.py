"""Takes from passages that answer the sentences that do, as they stand there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.sentences import width
from brains.knowledge.answer import Claim
from brains.knowledge.asking import asks
from brains.knowledge.signs import lexical
from brains.knowledge.support import turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brains.knowledge.passages import Conversation, Passage
    from brains.knowledge.signs import Asked, Judged

MOST = 3
"""Sentences of an answer."""
LONGEST, LONGEST_TURN = 320, 1_200
"""Width of a quoted sentence; a longer one is shortened at its end, and later where the end would turn it round."""
SAYS_LITTLE = 40
"""Width of a sentence that is quoted together with the next one: `Yes.`, `Try this:`."""
NEAR = 0.015
"""Cosine that a further sentence of the same passage may lie below its best."""
WORDS = 0.1
"""What the share of the question's terms in a sentence weighs beside its cosine."""

_SPACE = re.compile(r"[^\S\n]*\n\s*|[^\S\n]+")
_MENTION = re.compile(r"@_?\*\*([^*|]+)(?:\|\d+)?\*\*")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_STRONG = re.compile(r"(\*\*)(?=\S)(.+?)(?<=\S)\1|(?<!\w)(__)(?=\S)([^_]*\s[^_]*)(?<=\S)__(?!\w)")
_MARKER = re.compile(r"^(?:[-*+•]|#{1,6}|>+)\s+")
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)


def claims(asked: Asked, ranked: Sequence[tuple[float, Judged]], *, besides: float) -> list[Claim]:
    """Return one to three sentences: of the passage likeliest to answer, and of others that are likely enough too."""
    found: list[Claim] = []
    said: set[str] = set()
    for likely, one in ranked:
        if found and (likely < besides or len(found) >= MOST):
            break
        for sentence in _telling(asked, one)[: MOST - len(found)]:
            words = plain(sentence)
            if words and words.casefold() not in said:
                said.add(words.casefold())
                found.append(Claim(text=words, passages=(one.passage,)))
    return found


def repeated(
    chosen: Sequence[Claim], conversations: Sequence[Conversation], near: Callable[[Passage], bool]
) -> Passage | None:
    """Return the earlier question `near` the one asked, where what was chosen came after it in its conversation."""
    cited = {one.source for claim in chosen for one in claim.passages}
    for conversation in conversations:
        places = {one.source: at for at, one in enumerate(conversation.passages)}
        answered = [places[one] for one in cited if one in places]
        for at, one in enumerate(conversation.passages):
            if any(other > at for other in answered) and near(one):
                return one
    return None


def plain(sentence: str) -> str:
    """Return a sentence as it stands, on one line unless it is code, without marks, and no longer than is quoted.

    Whom it mentions is named without ringing; a link keeps its words alone, a bare address stays.
    """
    pieces = _CODE.split(sentence)
    told = "".join(piece if at % 2 else _unmarked(piece) for at, piece in enumerate(pieces)).strip()
    return shortened(_MARKER.sub("", told))


def shortened(text: str, most: int = LONGEST) -> str:
    """Cut a text that is too wide at its end, between words, and say so by an ellipsis."""
    if width(text) <= most:
        return text
    kept = text
    while width(kept) >= most:
        kept = kept[: len(kept) - max(1, (width(kept) - most) // 3)]
    head = kept.rsplit(" ", 1)[0] if " " in kept[len(kept) // 2 :] else kept
    closing = "`" if head.count("`") % 2 else ""
    if most < LONGEST_TURN and turns(text[len(head) :]):
        return shortened(text, LONGEST_TURN)
    return f"{head.rstrip()}{closing} …"


def _unmarked(text: str) -> str:
    text = _LINK.sub(r"\1", _MENTION.sub(r"\1", text))
    return _SPACE.sub(" ", _STRONG.sub(_bare, text))


def _bare(strong: re.Match[str]) -> str:
    return strong[2] or strong[4]


def _telling(asked: Asked, one: Judged) -> list[str]:
    """Return the sentences of a passage that say most to a question, in order; one that says little, with the next."""
    scores = [cosine + WORDS * lexical(asked, sentence) - asks(sentence) for sentence, cosine in one.cosines]
    best = max(scores)
    top = scores.index(best)
    kept = {at for at, score in enumerate(scores) if score >= best - NEAR and abs(at - top) < MOST}
    if len(scores) <= MOST:
        # In so few sentences each leans on the others: "Wood glue does nothing" says little without what does.
        kept |= {
            at for at, (sentence, _) in enumerate(one.cosines) if width(sentence) >= SAYS_LITTLE and scores[at] > 0
        }
    if width(one.cosines[top][0]) < SAYS_LITTLE:
        kept.add(min(top + 1, len(scores) - 1))
    return [one.cosines[at][0] for at in sorted(kept)][:MOST]
