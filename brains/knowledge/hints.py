"""What the wording of a message gives away: that it thanks, advises, or tells of a trouble of its author's own."""

from __future__ import annotations

import re

_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|ty|cheers|that (?:works|worked|did it|helps|helped|makes sense)|works now|perfect|"
    r"got it|solved|awesome)\b|谢谢|感谢|多谢|解决了|可以了|明白了|搞定",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"\b(?:where|links?|docs?|documentation|url|example|tutorial|repo)\b|哪里|在哪|链接|文档|示例", re.IGNORECASE
)
_HOW_MUCH = re.compile(
    r"\b(?:how (?:many|much|long|often|big|large)|when|version)\b|多少|多久|几|版本|什么时候",
    re.IGNORECASE,
)
_HOW = re.compile(
    r"\b(?:how (?:do|does|can|to|could|should|would)|command|flag|option|configure)\b|怎么|如何|命令|选项",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://")
_DIGIT = re.compile(r"\d")
_CODE = re.compile(r"`")

_ADVICE = re.compile(
    r"\b(?:you(?:'ll| will)? (?:can|could|need|have to|should|must|might|may|want|just|probably)|you'(?:d|re|ll)|"
    r"(?:try|use|set|run|pass|put|add|ask|take|call|check)\b(?! (?:to|of)\b)|we (?:support|have|do|don't|recommend)|"
    r"there(?:'s| is| are)(?: currently| now)? (?:a|an|no|some|also)|by default|instead of)\b"
    r"|可以|需要|应该|建议|记得|不要|试试|默认|直接|就行",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|no|nope|not (?:yet|currently|really)|correct|right|currently|unfortunately|"
    r"it (?:is|does|can|should|will)|that(?:'s| is))\b|^(?:是的|不是|可以|不行|不能|对|没有|有的)",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(?:i(?:'m| am|'ve been)? (?:trying|attempting|struggling|stuck|looking for|getting|seeing|wondering|confused)|"
    r"i (?:tried|try|get|got|want|need|would like|don'?t (?:know|understand)|can'?t|couldn'?t|wonder|noticed)|"
    r"(?:my|our) (?:problem|issue|question|use ?case|goal|error)|(?:any|some) (?:help|idea|pointers?|advice)|"
    r"help me|fails? with|error:|question)\b|我(?:想|的问题|遇到|试了|不知道|不明白|该)|报错|求助|请教",
    re.IGNORECASE,
)

_KINDS = {
    "when": re.compile(
        r"\b(?:when(?:'?s)?|what (?:time|day|date))\b|什么时候|何时|几点|几号|哪天|多会儿", re.IGNORECASE
    ),
    "where": re.compile(r"\bwhere(?:'?s)?\b|哪里|哪儿|在哪", re.IGNORECASE),
    "who": re.compile(r"\b(?:who(?:'?s|m)?|whose)\b|谁", re.IGNORECASE),
    "how much": re.compile(r"\bhow (?:many|much|long|often|old|big|large)\b|多少|多久|多大|几个", re.IGNORECASE),
}
_TIME = re.compile(
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:to(?:day|morrow|night)|yesterday|now|soon|later|daily|"
    r"(?:every|each|next|last|this|first|second|third)|before|after|until|weeks?|weekends?|months?|years?|mornings?|"
    r"noon|afternoons?|evenings?|nights?|hours?|spring|summer|autumn|winter|january|february|march|april|may|june|july|"
    r"august|september|october|november|december|christmas|easter|halloween)\b"
    r"|[年月日号天周点早晚午今明昨春夏秋冬节]|星期|以后|之前|以前|马上|已经",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|half|once|twice|no|none|free|"
    r"any|all|every|few|several|many|unlimited)\b|[一二两三四五六七八九十百千万半]|免费|没有|不限",
    re.IGNORECASE,
)
_NEEDED = {"when": _TIME, "how much": _AMOUNT}
"""What must stand in whatever answers a question of a kind."""


def thanks(text: str) -> bool:
    """Say whether somebody is thanked, or told that it works now."""
    return bool(_THANKS.search(text))


def advises(text: str) -> bool:
    """Say whether a text tells what can be done or what there is."""
    return bool(_ADVICE.search(text))


def decides(text: str) -> bool:
    """Say whether a text begins as the answer to a question does: by yes or no, or by what is the case."""
    return bool(_VERDICT.search(text))


def troubled(text: str) -> bool:
    """Say whether a text tells what its author wants, tries or does not understand."""
    return bool(_TROUBLE.search(text))


def form(question: str, text: str) -> float:
    """Say whether a text has what a question wants: a link for where, a number for how many, code for how."""
    wanted = ((_WHERE, _LINK), (_HOW_MUCH, _DIGIT), (_HOW, _CODE))
    kinds = [bool(held.search(text)) for asked, held in wanted if asked.search(question)]
    return sum(kinds) / len(kinds) if kinds else 0.0


def kinds(question: str) -> frozenset[str]:
    """Return which plain things a question wants to know: when, where, who, how much; none for why, how and whether."""
    return frozenset(kind for kind, asked in _KINDS.items() if asked.search(question))


def wants_another(question: str, other: str) -> bool:
    """Say whether another question wants to know something else than this one, which wants something plain."""
    wanted = kinds(question)
    return bool(wanted) and not wanted & kinds(other)


def can_answer(question: str, text: str) -> bool:
    """Say whether a text has what any answer must have: a time for when, an amount for how much."""
    return all(_NEEDED[kind].search(text) for kind in kinds(question) if kind in _NEEDED)
