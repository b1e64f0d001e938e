"""What a message shares with others: its words, or pairs of Chinese characters, and what kind of sentence it is."""

from __future__ import annotations

import re

_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TERM = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}](?:[^\W{_HAN}]|[.+#-])*[^\W{_HAN}]|\d+")
MOST = 80
"""Terms of one message that are looked at: beyond, it is a log or a file that was pasted."""

QUESTION = re.compile(
    r"[?？]|[吗么呢]\s*[。~～]?\s*$|怎么|什么|哪里|哪个|谁|如何|请问"
    r"|^(?:how|what|why|where|who|when|which|can|is there|does|do|any(?:one|body))\b",
    re.IGNORECASE,
)
GREETING = re.compile(
    r"^\W*(?:hi+|hello+|hey+|good (?:morning|evening|afternoon)|greetings|morning|hola|hallo|bonjour"
    r"|大家好|各位|你好|您好|早上好|晚上好|下午好|嗨|哈喽)(?!\w{2})",
    re.IGNORECASE,
)
THANKS = re.compile(r"\b(?:thanks?|thx|ty|tnx|cheers|danke|merci|gracias)\b|谢谢|多谢|感谢|谢了", re.IGNORECASE)
ASSENT = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|no|nope|nah|ok(?:ay)?|k|sure|right|true|exactly|lol|haha+|ah+|oh+|hm+|cool|nice|great|np|and|but|so|or|then|also"
    r"|好的?|嗯+|是的?|对|不是|没有|可以|行|哈哈+|哦+|噢|但是?|然后|所以|而且|不过)(?![a-z])",
    re.IGNORECASE,
)
LINK = re.compile(r"https?://|www\.")
KINDS = 5


def terms(text: str) -> tuple[str, ...]:
    """Return the different terms of a text, at most MOST: words in lower case, pairs of Chinese characters."""
    found: dict[str, None] = {}
    for word in _TERM.findall(text.lower()):
        if "\u3040" <= word[0] <= "\u9fff":
            found.update(dict.fromkeys(word[at : at + 2] for at in range(max(1, len(word) - 1))))
        else:
            found[word] = None
        if len(found) > MOST:
            break
    return tuple(found)[:MOST]


def kinds(text: str) -> tuple[bool, ...]:
    """Return whether a text asks, greets, thanks, takes up what was said, or links, in this order (KINDS,)."""
    return (
        bool(QUESTION.search(text)),
        bool(GREETING.search(text)),
        bool(THANKS.search(text)),
        bool(ASSENT.search(text)),
        bool(LINK.search(text)),
    )


def length(text: str) -> float:
    """Return how long a text is, in letters of which a Chinese character counts as two and a half."""
    return len(text) + 1.5 * sum("\u3040" <= one <= "\u9fff" for one in text)
