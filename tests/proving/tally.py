"""What came of it all: the tables and what was seen, beside what people were told."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from bot.core.ports import Scope
from bot.core.settings import Settings
from brains.engines import open_encoder
from storage.vectors import open_vectors
from tests.proving.load import Record

ASKED = ("CommandGiven", "ButtonPressed")
Row = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """Names of what is wrong, empty when nothing is; `unknown` counts acts that are shown as such."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    silent: int = 0
    unknown: int = 0

    @property
    def right(self) -> bool:
        """Say whether everything is as it must be."""
        return not (self.lost or self.twice or self.unanswered or self.silent)


@dataclass(slots=True, kw_only=True)
class Kept:
    """The tables of a home, read at once."""

    messages: list[Row]
    inbox: list[Row]
    traces: dict[str, Row]
    acts: dict[str, list[Row]]

    @classmethod
    def read(cls, home: Path) -> Kept:
        """Read them from outside."""
        with closing(sqlite3.connect(f"file:{home}/kinfolk.db?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            messages = _rows(
                connection,
                "SELECT m.ref, m.text, m.point, a.ref author, a.bot FROM message m JOIN member a ON a.id = m.author_id",
            )
            inbox = _rows(connection, "SELECT * FROM inbox")
            traces = {row["event"]: row for row in _rows(connection, "SELECT * FROM trace")}
            acts: dict[str, list[Row]] = {}
            for row in _rows(connection, "SELECT * FROM act"):
                acts.setdefault(row["trace_id"], []).append(row)
        return cls(messages=messages, inbox=inbox, traces=traces, acts=acts)

    def acts_of(self, row: Row) -> list[Row]:
        """Return the acts that an arrival led to."""
        trace = self.traces.get(row["key"])
        return self.acts.get(trace["id"], []) if trace else []


def left(home: Path) -> dict[str, int]:
    """Count what is not finished yet."""
    counts = {
        "inbox": "SELECT count(*) FROM inbox WHERE done_at IS NULL",
        "outbox": "SELECT count(*) FROM outbox",
        "intended": "SELECT count(*) FROM act WHERE state = 'intended'",
    }
    with closing(sqlite3.connect(f"file:{home}/kinfolk.db?mode=ro", uri=True)) as connection:
        return {name: connection.execute(statement).fetchone()[0] for name, statement in counts.items()}


def tally(home: Path, record: Record) -> Tally:
    """Compare what is kept and what was seen with what people were told."""
    kept, found = Kept.read(home), Tally()
    _messages(kept, record, found)
    _commands(kept, record, found)
    _presses(kept, record, found)
    _newcomers(kept, record, found)
    _speech(kept, record, found)
    return found


async def points_missing(home: Path) -> set[str]:
    """Return the points of stored words that the vector store does not hold."""
    settings, held, after = Settings(home=home), set(), None
    async with open_encoder(settings) as encoder:
        vectors = open_vectors(settings, fingerprint=encoder.fingerprint, size=encoder.size)
        while True:
            page = await vectors.scroll(Scope(community=1), after=after)
            held |= set(page.ids)
            after = page.after
            if after is None:
                break
        await vectors.close()
    wanted = {UUID(row["point"]) for row in Kept.read(home).messages if row["text"].strip() and not row["bot"]}
    return {str(one) for one in wanted ^ held}


def _messages(kept: Kept, record: Record, found: Tally) -> None:
    """Each message that was told to be posted is there once, by its reference and by its words."""
    by_ref = {row["ref"]: row["text"] for row in kept.messages}
    by_text = Counter(row["text"] for row in kept.messages)
    for _who, text in record.messages.done:
        if by_ref.get(record.refs[text]) != text:
            found.lost.append(f"message {record.refs[text]}")
    for _who, text in (*record.messages.done, *record.messages.perhaps):
        if by_text[text] > 1:
            found.twice.append(f"message {record.refs.get(text, '?')}")


def _commands(kept: Kept, record: Record, found: Tally) -> None:
    """Each command that was told to be taken is handled once, and has one answer or one that is unknown."""
    stored: dict[tuple[str, str], list[Row]] = {}
    for row in _of_kind(kept, "CommandGiven"):
        event = json.loads(row["event"])["data"]["event"]
        line = " ".join([f"/{event['command']}", *event["arguments"].values()])
        stored.setdefault((event["member"]["ref"].partition(":")[2], line), []).append(row)
    _compare(
        "command", record.commands.done, record.commands.most, {what: len(rows) for what, rows in stored.items()}, found
    )
    for row in (row for rows in stored.values() for row in rows):
        _answered(kept, row, found)


def _presses(kept: Kept, record: Record, found: Tally) -> None:
    stored: Counter[tuple[str, str]] = Counter()
    for row in _of_kind(kept, "ButtonPressed"):
        event = json.loads(row["event"])["data"]["event"]
        stored[event["member"]["ref"].partition(":")[2], event["button"]] += 1
        _answered(kept, row, found)
    _compare("press", record.presses.done, record.presses.most, stored, found)


def _newcomers(kept: Kept, record: Record, found: Tally) -> None:
    stored: Counter[tuple[str, str]] = Counter()
    for row in _of_kind(kept, "MemberJoined"):
        event = json.loads(row["event"])["data"]["event"]
        if event["channel"] is None:
            stored["", event["member"]["name"]] += 1
            if not kept.acts_of(row):
                found.unanswered.append(f"newcomer {row['key']}")
    _compare("newcomer", record.newcomers.done, record.newcomers.most, stored, found)


def _compare(
    name: str, told: Counter[tuple[str, str]], most: Any, stored: dict[tuple[str, str], int], found: Tally
) -> None:
    for what, times in told.items():
        if stored.get(what, 0) < times:
            found.lost.append(f"{name} {what}")
    for what, times in stored.items():
        if times > most(what):
            found.twice.append(f"{name} {what}")


def _answered(kept: Kept, row: Row, found: Tally) -> None:
    """Insist on one answer to whoever asked, said or visibly unknown; a failed one was followed by another."""
    answers = [act for act in kept.acts_of(row) if json.loads(act["action"])["data"].get("invocation")]
    if sum(act["state"] in {"done", "unknown"} for act in answers) != 1 or row["done_at"] is None:
        found.unanswered.append(f"{row['key']}: {[act['state'] for act in answers]}")


def _speech(kept: Kept, record: Record, found: Tally) -> None:
    """Nothing was said twice, nothing without an act, and every act has ended."""
    every = [act for acts in kept.acts.values() for act in acts]
    found.unknown = sum(act["state"] == "unknown" for act in every)
    found.lost += [f"act {act['id']} never ended" for act in every if act["state"] == "intended"]
    seen = {f"playground:{name}": said for name, said in record.said.items()}
    public = {row["ref"]: {"only": "", "answers": "", "text": row["text"]} for row in kept.messages if row["bot"]}
    made = {act["made"] for act in every}
    # Said, and cut off before the receipt: as many as are shown as unknown, and no more.
    found.silent = max(0, len((seen.keys() | public.keys()) - made) - found.unknown)
    answers = Counter((said["only"], said["answers"]) for said in seen.values() if said["answers"])
    found.twice += [f"answer {what}" for what, times in answers.items() if times > record.commands.most(what)]
    # A restarted playground has forgotten what was typed, so that all answers to one member are counted as well.
    told = Counter(said["only"] for said in seen.values() if said["only"])
    found.twice += [f"answers to {who}: {times}" for who, times in told.items() if times > record.asked(who)]
    welcomes = Counter(said["text"].partition("!")[0] for said in (seen | public).values() if _is_welcome(said["text"]))
    found.twice += [f"welcome {who}" for who, times in welcomes.items() if times > 1]


def _is_welcome(text: str) -> bool:
    return text.startswith("Welcome, **New ")


def _of_kind(kept: Kept, kind: str) -> Iterator[Row]:
    return (row for row in kept.inbox if row["key"].startswith(f"{kind} "))


def _rows(connection: sqlite3.Connection, statement: str) -> list[Row]:
    return [dict(row) for row in connection.execute(statement)]
