"""`eval moderation`: every section on a folder of public data, or one labelled file."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal, get_args

from bot.core.errors import Mistake
from brains.evals import moderation_chat, moderation_disguise, moderation_telegram
from brains.evals.moderation_report import Report
from brains.evals.moderation_sets import judge_set, read_set
from brains.training import rows
from brains.training.encoding import silent
from brains.training.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.core.ports import Encoder
    from brains.evals.moderation_report import Section
    from brains.evals.moderation_rivals import Target
    from brains.evals.moderation_sets import Labelled
    from brains.training.encoding import Progress

Part = Literal["cold", "chatspam", "tweeteval", "sms", "telegram", "disguise", "ordinary", "fairness"]
PARTS: tuple[Part, ...] = get_args(Part)
ANTI_BIAS = "3"
ROUGH = ("spam", "sexual", "toxicity")
"""What zh_chat_spam calls spam: it counts solicitations and abuse too."""


async def moderation(
    folder: Path,
    *,
    encoder: Encoder,
    only: Sequence[str] = (),
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda _text: None,
) -> Report:
    """Judge by a folder with `moderation/` and `zulip_bytecodealliance/`. Raises Mistake for what is not there."""
    if unknown := set(only) - set(PARTS):
        raise Mistake(f"There is no section {', '.join(sorted(unknown))}. Sections: {', '.join(PARTS)}.")
    started = time.perf_counter()
    parts = only or PARTS
    sections: list[Section] = []
    for part in [one for one in PARTS if one in parts and one not in {"telegram", "disguise"}]:
        tell(part)
        sections.append(await _one(part, folder, encoder, progress))
    if "telegram" in parts or "disguise" in parts:
        tell("telegram")
        sections += await _telegram(folder, encoder, progress, parts)
    return Report(sections=sections, seconds=time.perf_counter() - started)


async def moderation_file(path: Path, target: Target, *, encoder: Encoder, progress: Progress = silent) -> Report:
    """Judge one file of rows `split, label, text`. Raises Mistake where a column is missing."""
    started = time.perf_counter()
    labelled = await asyncio.to_thread(read_set, path, name=target, target=target)
    return Report(sections=[await judge_set(labelled, encoder, progress)], seconds=time.perf_counter() - started)


async def _one(part: str, folder: Path, encoder: Encoder, progress: Progress) -> Section:
    match part:
        case "ordinary":
            return await moderation_chat.judge_ordinary(folder, encoder, progress)
        case "fairness":
            return await moderation_chat.judge_fairness(encoder, progress)
        case _:
            return await judge_set(await asyncio.to_thread(_set, part, folder / "moderation"), encoder, progress)


def _set(part: str, folder: Path) -> Labelled:
    match part:
        case "cold":
            return read_set(
                rows.needed(folder, "zh_cold.jsonl"),
                name="COLD",
                target="toxicity",
                metric="accuracy",
                kind=lambda row: "anti-bias" if row.text("fine", default="") == ANTI_BIAS else "other",
            )
        case "chatspam":
            return read_set(
                rows.needed(folder, "zh_chat_spam.jsonl"),
                name="zh_chat_spam",
                target="spam",
                metric="accuracy",
                keep=lambda row: row.text("dup_in_train", default="0") == "0",
                also=tuple(one for head in ROUGH for one in sentences(head) if one.language == "zh"),
            )
        case "tweeteval":
            path = rows.needed(folder, "en_tweeteval_offensive.jsonl")
            return read_set(path, name="TweetEval offensive", target="toxicity")
        case _:
            return read_set(rows.needed(folder, "en_sms_spam.jsonl"), name="SMS spam", target="spam")


async def _telegram(folder: Path, encoder: Encoder, progress: Progress, parts: Sequence[str]) -> list[Section]:
    telegram = await asyncio.to_thread(moderation_telegram.read_telegram, folder)
    seen, also = await moderation_telegram.see_telegram(telegram, encoder, progress)
    folded = await asyncio.to_thread(moderation_telegram.fold, telegram, seen, also)
    sections = []
    if "telegram" in parts:
        sections.append(await moderation_telegram.judge_telegram(telegram, folded, seen))
    if "disguise" in parts:
        sms = await asyncio.to_thread(_set, "sms", folder / "moderation")
        sections.append(await moderation_disguise.judge_sms(sms, encoder, progress))
        sections.append(await moderation_disguise.judge_telegram(telegram, folded, seen, encoder, progress))
    return sections
