"""Is something a question, and which kind: one about the matter, or one about where somebody belongs?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.core.sentences import sentences
from brains.knowledge.terms import speaks_chinese, terms

if TYPE_CHECKING:
    from collections.abc import Sequence

FEW = 4
"""Terms of a question up to which it may lean on the one before it."""
LONGEST = 1_000
"""Characters of what is asked; who tells more has not begun to ask."""

_TO_LAST_WORD = re.compile(r".*\w", re.DOTALL)
_LEADING = re.compile(
    r"^\W*(?:(?:hi|hey|hello|so|and|but|ok(?:ay)?|well|also|quick question|question|sorry|btw|um+|oh)\b[\s,:!.-]*)*"
    r"(?:how(?:'s| do| does| can| could| would| to| should| is| are| much| many| long| come)\b"
    r"|(?:what|which|who|whom|whose|when|where|why)(?:'s\b| (?:(?!i |we |you |they |he |she |it )\w+ )?"
    r"(?:is|are|do|does|did|can|could|should|would|will|has|was|were)\b)"
    r"|(?:is|are|was|were|do|does|did|can|could|would|should|will|has|have|may|might) "
    r"(?:there|it|this|that|these|those|anyone|anybody|someone|somebody|i|we|you|they|the|a|an|any|my|our)\b"
    r"|(?:does |has |did |is )?any(?:one|body) (?:know|tried|used|using|have|has|got|seen|here|else|able)"
    r"|any (?:idea|ideas|advice|tips|suggestion|suggestions|pointers|news|plans|docs)\b"
    r"|(?:i(?:'m| am|'ve been)? )?(?:just )?(?:wondering|curious) (?:if|whether|how|what|why|which|where|when)\b"
    r"|(?:please |can you |could you )?(?:explain|tell me) (?:how|what|why|which|where|when)\b)",
    re.IGNORECASE,
)
_WONDERING = re.compile(
    r"\b(?:wonder(?:ing)?|not sure|don'?t know|no idea|can'?t figure out|trying to (?:find|figure) out|"
    r"would like to know) (?:if|whether|how|what|why|which|where|when)\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    "请问|吗[^\u4e00-\u9fff]*$|呢[^\u4e00-\u9fff]*$|怎么|怎样|如何|为什么|为何|什么|哪里|哪儿|哪个|哪些|多少|几[点个号时]|能不能|可不可以|是不是|是否|有没有"
    "|会不会|要不要|谁能|谁知道|有人知道|求助|咋"
)
_CHINESE_TOLD = re.compile("不管|无论|没什么|什么的|不知怎么|怎么都|什么都|谁都")
_SMALL_TALK = re.compile(
    r"^\W*(?:how (?:are|r) (?:you|u|things|ya)|how'?s (?:it going|everyone|everybody)|what'?s (?:up|new)|"
    r"who cares|why not|you know|right|really|what|huh|ok(?:ay)?|isn'?t it|no|yes|sorry|see|"
    r"你好吗|在吗|吃了吗|是吗|真的吗|对吧|好吗|行吗)\b\W*(?:doing|today|everyone|all)?\W*$",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:which|what|right|best) (?:channels?|groups?|forums?)\b"
    r"|\b(?:which|what|right|best) (?:room|place|topic)\b.{0,20}\b(?:for|to|do i|should i|can i)\b"
    r"|\bwhere (?:do|does|can|could|should|would|might) (?:i|we|you|one|people|somebody|someone|folks)\b"
    r".{0,40}\b(?:talk|meet|find (?:people|folks|others|somebody|someone|members)|post|ask about|discuss|hang out|share"
    r"|introduce|belong|go)\b"
    r"|\bwhere (?:are|is) (?:the )?(?:people|folks|others|channel|group)\b"
    r"|\b(?:looking for|find|meet|know|connect with) (?:some |other |more )?(?:people|folks|others|members|friends|"
    r"like-?minded|somebody|someone)\b"
    r"|\bany(?:one|body) (?:else )?(?:(?:here )?(?:into|interested in|likes?|loves?|enjoys?|plays?|fancy)"
    r"|around who)\b"
    r"|\bwho else\b(?! (?:asked|said|wrote|told|knows?)\b)"
    r"|\bi(?:'m| am) (?:interested in|into|new here)\b|\b(?:is there|are there) (?:a |any )?"
    r"(?:channel|channels|room|group|place|people|members)\b",
    re.IGNORECASE,
)
_PLACE_IN_CHINESE = re.compile(
    "(?:哪个|哪些|什么|哪一个)(?:频道|群|小组|版块|话题)|(?:频道|群组|小组)(?:推荐|在哪)|有没有(?:人|同好|小伙伴|朋友|.{0,10}的?(?:频道|群))"
    "|有人(?:也)?(?:喜欢|玩|一起|感兴趣)|(?:想|希望)(?:认识|找|加入|结识)|在?哪(?:里|儿)?.{0,8}(?:聊|讨论|找到?.{0,6}人|认识|发帖)"
    "|我(?:喜欢|爱好|对.{1,12}感兴趣)|(?:我)?(?:适合|该去|应该去)(?:哪|什么)"
)
_LEANING = re.compile(
    r"^\W*(?:and|but|or|so|then|also|what about|how about|why|why not|what if|which one|same for|does (?:it|that|this)|"
    r"is (?:it|that|this)|can (?:it|that|i|they)|for (?:what|which|how))\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|there|one|ones|he|she|him|her)\b", re.IGNORECASE
)
_LEANING_IN_CHINESE = re.compile(
    "^(?:那|那么|还有|另外|可是|但是|但|所以|然后|为什么呢|这|它|他|她)|它|这个|那个|这样|那样|其中"
)


def is_question(text: str) -> bool:
    """Say whether somebody asks something that might be answered; small talk and what is only marked so is nothing."""
    if not text.strip() or len(text) > LONGEST or _SMALL_TALK.match(text):
        return False
    said = [one for one in sentences(text) if not one.startswith("```")]
    if not any(terms(one) for one in said):
        return False
    return any(_asks(one) for one in said)


def asks(sentence: str) -> bool:
    """Say whether a single sentence is put as a question."""
    return _is_marked(sentence) or _asks(sentence)


def seeks_place(text: str) -> bool:
    """Say whether somebody asks where they belong, or for people, rather than about a matter."""
    return bool(_PLACE.search(text) or _PLACE_IN_CHINESE.search(text))


def condense(question: str, before: Sequence[str]) -> str:
    """Put the question before it in front of one that leans on it, so that it can be understood alone."""
    if not before or not leans(question):
        return question
    return f"{before[-1].strip()} {question.strip()}"


def leans(question: str) -> bool:
    """Say whether a question can hardly be understood without the one before it."""
    if speaks_chinese(question):
        return bool(_LEANING_IN_CHINESE.search(question)) or len(terms(question)) < FEW - 1
    told = len(terms(question))
    if told <= 1:
        return True
    return told <= FEW and bool(_LEANING.match(question) or _POINTING.search(question))


def _is_marked(sentence: str) -> bool:
    """Say whether a question mark follows the last word. In one pass, however many marks somebody writes."""
    told = _TO_LAST_WORD.match(sentence)
    return any(sign in "?？" for sign in sentence[told.end() if told else 0 :])


def _asks(sentence: str) -> bool:
    if speaks_chinese(sentence):
        told = _CHINESE_TOLD.search(sentence) and not _is_marked(sentence)
        return not told and bool(_CHINESE.search(sentence) or _is_marked(sentence))
    if _is_marked(sentence):
        return True
    return bool(_LEADING.match(sentence) or _WONDERING.search(sentence)) and not sentence.rstrip().endswith(("!", ":"))
