"""Old messages from JSON lines, the interchange format: `channel`, `user`, `text`, `ts` and some optional columns."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote, unquote

import orjson

from bot.core.errors import Mistake
from bot.core.events import MessagePosted, Named
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLATFORM = "import"
LONGEST_LINE = 16 * 2**20
LONGEST_TEXT = 100_000
"""Characters; no platform's own limit is above 40,000 (Slack)."""
LONGEST_NAME = 500
EARLIEST, AHEAD = datetime(1990, 1, 1, tzinfo=UTC), timedelta(days=2)
"""Clocks are wrong, and zones are left out; more than that ahead of now nothing was said."""
MILLISECONDS = 1e11
"""From here on a time is no longer in seconds: that would be the year 5138."""
UNQUOTED = " !#$&'()*+,:;=?@[]"
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL and lone surrogates: PostgreSQL and UTF-8 have no place for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be read, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a file holds, found by reading it once without storing anything."""

    good: int
    bad: tuple[BadLine, ...]


def survey(path: Path) -> Survey:
    """Read the whole file; raises Mistake when it is not in the interchange format at all."""
    good, bad = 0, []
    for item in read(path):
        if isinstance(item, BadLine):
            bad.append(item)
        else:
            good += 1
    if not good and not bad:
        raise Mistake(f"{path} is empty: nothing was imported.")
    if len(bad) > good:
        raise Mistake(
            f"{path} does not look like history in JSON lines: {len(bad):,} of {good + len(bad):,} lines cannot be "
            f"read, the first at line {bad[0].number}: {bad[0].reason}. Nothing was imported."
        )
    return Survey(good=good, bad=tuple(bad))


def read(path: Path, *, platform: str = PLATFORM) -> Iterator[MessagePosted | BadLine]:
    """Read a file line by line, plain or gzipped; blank lines are passed over. Raises Mistake if it cannot be read.

    References are of `platform`, so that history meets what the same people go on to say there.
    """
    seen: Counter[str] = Counter()
    for number, line in _lines(path):
        try:
            yield _message(_columns(line), seen, platform)
        except ValueError as error:
            yield BadLine(number=number, reason=str(error))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with _open(path) as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise Mistake(f"{path}, line {number}: longer than 16 MiB, so this is not history in JSON lines.")
                if line.strip():
                    yield number, line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Mistake(f"{path} is a damaged gzip file, after line {number}: {error}. Nothing was imported.") from None
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror or error}.") from None


@contextlib.contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not zipped:
            yield raw
            return
        with gzip.open(raw) as file:
            yield cast("IO[bytes]", file)


def _columns(line: bytes) -> dict[str, object]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(row, dict):
        raise ValueError("not a JSON object; each line holds one, without a list around them")
    if missing := [name for name in ("channel", "user", "text", "ts") if row.get(name) is None]:
        raise ValueError(f"no `{'`, `'.join(missing)}`")
    return row


def _message(row: dict[str, object], seen: Counter[str], platform: str) -> MessagePosted:
    channel, user, text = bare(_word(row, "channel")), _word(row, "user"), _text(row)
    topic = _optional(row, "topic") or _optional(row, "thread")
    reply = _optional(row, "reply_to")
    bot = row.get("bot") is True
    return MessagePosted(
        message=_inside(platform, channel, _optional(row, "id") or _key(row, seen)),
        channel=Named(ref=Ref(platform, channel), name=channel),
        author=Named(ref=Ref(platform, user), name=_optional(row, "name") or user, bot=bot),
        text=text,
        at=_instant(row["ts"]),
        thread=Named(ref=Ref(platform, f"{channel}/{topic}"), name=topic) if topic else None,
        reply_to=_inside(platform, channel, reply) if reply else None,
        source="import:jsonl",
    )


def _inside(platform: str, channel: str, name: str) -> Ref:
    """Name a message: its id is unique in its channel only (Slack and Telegram count per channel; topics move)."""
    return Ref(platform, f"{channel}/{quote(name, safe=UNQUOTED)}")


def storable(text: str) -> str:
    """Leave out what no database can hold."""
    return UNSTORABLE.sub("", text)


def bare(channel: str) -> str:
    """Return a channel's name without the mark and the blanks that people put around it."""
    return channel.strip().removeprefix("#").strip() or channel


def imported_id(ref: Ref) -> str:
    """Return the id that a message had in the file, or the whole reference of anything else."""
    return unquote(ref.id.rpartition("/")[2]) if ref.platform == PLATFORM else str(ref)


def _word(row: dict[str, object], name: str) -> str:
    word = _optional(row, name)
    if not word:
        raise ValueError(f"`{name}` is empty")
    return word


def _optional(row: dict[str, object], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"`{name}` must be text or a whole number, not {type(value).__name__}")
    word = storable(str(value)).strip()
    if len(word) > LONGEST_NAME:
        raise ValueError(f"`{name}` has {len(word):,} characters; at most {LONGEST_NAME} are kept")
    return word


def _text(row: dict[str, object]) -> str:
    text = row["text"]
    if not isinstance(text, str):
        raise ValueError(f"`text` must be text, not {type(text).__name__}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"`text` has {len(text):,} characters; at most {LONGEST_TEXT:,} are kept")
    return storable(text)


def _instant(value: object) -> datetime:
    """Read seconds since 1970 or ISO 8601; without a zone it is UTC."""
    try:
        instant = _from_number(value) if isinstance(value, (int, float)) else datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        told = f"`ts` is neither seconds nor ISO 8601: {str(value)[:40]!r}"
        raise ValueError(f"{told}{_hint(value)}") from None
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if instant < EARLIEST:
        raise ValueError(f"`ts` lies in the year {instant.year}")
    if instant > datetime.now(UTC) + AHEAD:
        raise ValueError(f"`ts` lies in the future: {instant:%Y-%m-%d}")
    return instant


def _hint(value: object) -> str:
    digits = str(value).strip().isdigit()
    return " (milliseconds? divide by 1000)" if digits and float(str(value)) >= MILLISECONDS else ""


def _from_number(seconds: float) -> datetime:
    if seconds >= MILLISECONDS:
        raise ValueError("milliseconds, where seconds are needed")
    return datetime.fromtimestamp(seconds, UTC)


def _key(row: dict[str, object], seen: Counter[str]) -> str:
    """Name a row without an id: its hash, and which occurrence of it this is."""
    digest = hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
    seen[digest] += 1
    return f"{digest}.{seen[digest]}"
