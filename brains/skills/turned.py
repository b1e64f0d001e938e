"""Who answers what somebody writes to the bot: whoever said what it replies to, else by what it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from brains.knowledge.asking import is_question, seeks_place
from storage import acts, answers

if TYPE_CHECKING:
    from bot.core.events import MessagePosted
    from brains.skills.skill import Context
    from storage.acts import Act

NAMING = re.compile(r"^(\s*@\S+)+[\s,:;!?]*")
"""How a message begins that is written to the bot: with its name."""

_THANKS = re.compile(
    r"\W*(?:(?:thanks?(?: you| u)?|thx|ty|cheers|great|perfect|got it)"
    r"(?: (?:a lot|so much|very much|again|all|everyone))?\W*"
    r"|(?:好的?|太好了|非常|十分|多谢|感谢|谢谢)(?:你们?|您|大家)?[啦了啊]?\W*)++",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """Words that somebody wrote to the bot, without its name; `said` is the act whose message they reply to.

    Thanks are no words: nothing is wanted by them.
    """

    words: str
    to: Literal["answer", "match", ""]
    said: Act | None = None


async def turned(context: Context, event: MessagePosted) -> Turned:
    """Say what was written to the bot and which skill answers it; empty for another one, which hears it by itself.

    A question about the matter is answered, and whoever looks for people or a channel, or tells what they like, is
    matched. In a thread where a question was answered, the next one is about the matter too.
    """
    words = NAMING.sub("", event.text).strip()
    words = "" if _THANKS.fullmatch(words) else words
    async with context.faculties.database.read() as connection:
        said = await acts.that_made(connection, context.community, event.reply_to) if event.reply_to else None
        thread = event.thread.ref if event.thread else None
        before = await answers.in_thread(connection, context.community, thread) if thread and said is None else []
    if said is not None:
        return Turned(words=words, to=_name(said.skill), said=said)
    if context.faculties.answerer is None:
        return Turned(words=words, to="match")
    about = is_question(words) and (bool(before) or not seeks_place(words))
    return Turned(words=words, to="answer" if about else "match")


def _name(skill: str) -> Literal["answer", "match", ""]:
    match skill:
        case "answer" | "match":
            return skill
        case _:
            return ""
