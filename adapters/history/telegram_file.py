"""The file that Telegram Desktop exports: which chats it holds, and the messages of one of them, one at a time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.history import exports
from adapters.history.json_stream import JsonStream
from adapters.telegram import names
from bot.core.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FILE = "result.json"
GROUPS = frozenset({"private_group", "private_supergroup", "public_supergroup"})
CHANNELS = frozenset({"private_channel", "public_channel"})
SMALL_GROUP = "private_group"
LISTS = ("chats", "left_chats")
"""What an account's export calls its chats, and those that were left."""
ABOUT = ("name", "type", "id")
OLD_USERS, OLD_CHATS = 1 << 32, 2 << 32
"""Until 2021 a number of the export told by these what kind of thing it names, and stood without quotation marks."""
LARGEST = 997_852_516_352
"""The largest bare number of a chat that the Bot API can name."""
MOST_LISTED = 20
AS_JSON = "In Telegram Desktop choose the format Machine-readable JSON: the other is for reading in a browser."


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A chat of an export: the how many-th it is (0 stands alone), and what is said of it beside its messages."""

    number: int
    name: str
    kind: str
    id: int

    @property
    def is_communal(self) -> bool:
        """Say whether a community talks there: a conversation of two is theirs alone."""
        return self.kind in GROUPS | CHANNELS

    def chat(self, *, old: bool) -> int:
        """Return the number by which the Bot API names it. Raises Mistake."""
        bare = abs(self.id)
        if self.id <= names.SUPERGROUPS:
            bare += names.SUPERGROUPS
        elif old and bare >= OLD_CHATS:
            bare -= OLD_CHATS
        if not 0 < bare <= LARGEST:
            raise Mistake(f"The chat {self.name!r} has the number {self.id}, which none has. Nothing was imported.")
        return -bare if self.kind == SMALL_GROUP else names.supergroup(bare)


def choose(path: Path, wanted: Sequence[str]) -> list[Head]:
    """Return the only group or channel of an export, or those that are named. Raises Mistake."""
    communal = [head for head in _heads(path) if head.is_communal]
    listed = ", ".join(f"{head.name} ({head.id})" for head in communal[:MOST_LISTED])
    if not communal:
        raise Mistake(
            f"{path} holds no group and no channel of Telegram; conversations of two are left to the two. "
            "Nothing was imported."
        )
    if not wanted and len(communal) > 1:
        raise Mistake(f"{path} holds several groups and channels: {listed}. Say which: --chat NAME")
    for one in wanted:
        if not any(_is_called(head, one) for head in communal):
            raise Mistake(f"{path} holds no group or channel {one!r}. It holds {listed}. Nothing was imported.")
    return [head for head in communal if not wanted or any(_is_called(head, one) for one in wanted)]


def messages(path: Path, chat: Head) -> Iterator[tuple[str, object]]:
    """Read the messages of a chat, each with the place where it stands, and the whole file to its end."""
    with _opened(path) as stream:
        for number, _about in _walk(stream):
            if number == chat.number:
                for message in stream.items():
                    line = stream.line
                    yield f"message {message} (line {line})", stream.value()
            else:
                stream.skip()
        stream.end()


def _heads(path: Path) -> Iterator[Head]:
    """Return the chats of an export; of one that stands alone the messages need not be read for that."""
    found: list[tuple[int, dict[str, object]]] = []
    with _opened(path) as stream:
        if stream.kind() != "{":
            raise Mistake(f"{path} is no export in JSON. {AS_JSON} Nothing was imported.")
        for number, about in _walk(stream):
            found.append((number, about))
            if number == 0 and len(about) == len(ABOUT):
                break
            stream.skip()
    for number, about in found:
        kind, told = about.get("type"), about.get("id")
        yield Head(
            number=number,
            name=exports.name(about.get("name")),
            kind=kind if isinstance(kind, str) else "",
            id=told if isinstance(told, int) else 0,
        )


def _walk(stream: JsonStream) -> Iterator[tuple[int, dict[str, object]]]:
    """Go to the messages of each chat, which are to be read or passed over; what follows them is learnt too."""
    number, about = 0, dict[str, object]()
    for key in stream.entries():
        if key == "messages":
            yield 0, about
        elif key in ABOUT:
            about[key] = stream.value()
        elif key in LISTS and stream.kind() == "{":
            for inner in stream.entries():
                if inner != "list" or stream.kind() != "[":
                    stream.skip()
                    continue
                for _item in stream.items():
                    number += 1
                    yield from _chat(stream, number)
        else:
            stream.skip()


def _chat(stream: JsonStream, number: int) -> Iterator[tuple[int, dict[str, object]]]:
    if stream.kind() != "{":
        stream.skip()
        return
    about: dict[str, object] = {}
    for key in stream.entries():
        if key == "messages":
            yield number, about
        elif key in ABOUT:
            about[key] = stream.value()
        else:
            stream.skip()


def _is_called(head: Head, wanted: str) -> bool:
    numbers = {str(head.id), str(-head.id), str(names.supergroup(head.id))}
    return wanted.casefold() == head.name.casefold() or wanted in numbers


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[JsonStream]:
    try:
        with path.open("rb") as file:
            yield JsonStream(file, str(path))
    except OSError as error:
        hint = f" {AS_JSON}" if isinstance(error, FileNotFoundError) and path.name == FILE else ""
        raise Mistake(f"{path} cannot be read: {error.strerror or error}.{hint}") from None
