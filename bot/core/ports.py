"""The seams: what an encoder, a generator, a vector store, the stream and a platform can do, whoever provides them.

An array of vectors is float32, shape (texts, size), each row of length 1, so that a dot product is a cosine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from bot.core.actions import Action
    from bot.core.commands import Command
    from bot.core.decisions import Receipt
    from bot.core.events import Arrival, File, Named
    from bot.core.policies import Rules
    from bot.core.things import Community, Member, Ref

Vector = npt.NDArray[np.float32]
Kind = Literal["passage", "query"]


class Encoder(Protocol):
    """Turns text into vectors."""

    @property
    def fingerprint(self) -> str:
        """Names the weights and the recipe; vectors of different fingerprints must never be compared."""
        ...

    @property
    def size(self) -> int:
        """Return the number of dimensions."""
        ...

    async def encode(self, texts: Sequence[str], *, kind: Kind = "passage") -> Vector:
        """Encode texts, in order. Raises Overloaded or Gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a conversation with a generator."""

    role: Literal["system", "user", "assistant"]
    text: str


class Generator(Protocol):
    """Writes text. It puts evidence into words and never adds to it: what it writes is checked before it is shown."""

    @property
    def name(self) -> str:
        """Return the model's name."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Return the languages that it may be trusted to write."""
        ...

    def generate(
        self,
        turns: Sequence[Turn],
        *,
        most: int = 200,
        schema: Mapping[str, object] | None = None,
        temperature: float = 0.0,
    ) -> AsyncGenerator[str, None]:
        """Give the next turn in pieces as they come, `most` tokens at most; with a JSON schema, a document of it.

        `aclose()` ends the writing. Raises Overloaded, Gone, or Misconfigured.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text that was read in a picture, and how surely, from 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is seen in a picture: its size in pixels, what tells it from others, and what stands written in it.

    `hashes` are perceptual, 64 bits in 16 hexadecimal digits, of the first frame and the middle one where it moves;
    none where there is nothing to tell it by, such as one colour. With `read` false nobody looked for text.
    """

    width: int
    height: int
    hashes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    read: bool = False

    @property
    def text(self) -> str:
        """Return what stands written in it, line by line."""
        return "\n".join(line.text for line in self.lines)


class Pictures(Protocol):
    """Looks at pictures."""

    async def look(self, data: bytes) -> Picture:
        """Look at a picture. Raises Mistake for what is none or too large, Overloaded, Gone, or Misconfigured."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One message in the vector store, or one note; `text` becomes BM25 terms and is never stored.

    A note is a piece of a file, or an entry of the FAQ: it lies with a channel, and is that channel's to read.
    """

    id: UUID
    vector: Vector
    text: str
    community: int
    channel: int
    author: int
    at: datetime
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which points a query may see: `since` <= at < `until`, in whole seconds.

    None means no restriction; an empty set admits nothing. Notes are seen only by whoever asks for them too.
    """

    community: int
    channels: frozenset[int] | None = None
    authors: frozenset[int] | None = None
    not_authors: frozenset[int] = field(default_factory=frozenset)
    since: datetime | None = None
    until: datetime | None = None
    notes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One answer of a search: cosine for vectors, BM25 for text, reciprocal-rank fusion for both."""

    id: UUID
    score: float
    channel: int
    author: int
    at: datetime
    note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a scroll: ids with vectors row by row; `after` continues, None at the end."""

    ids: tuple[UUID, ...]
    channels: tuple[int, ...]
    authors: tuple[int, ...]
    at: tuple[datetime, ...]
    vectors: Vector
    after: UUID | None


class Points(Protocol):
    """Points that can be counted and deleted, in one collection or in several."""

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        ...

    async def count(self, scope: Scope) -> int:
        """Count points."""
        ...


class VectorStore(Protocol):
    """A collection of points of one encoder fingerprint. A call that returned is on disk."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Store points, replacing those of the same id."""
        ...

    async def delete(self, ids: Sequence[UUID]) -> None:
        """Remove points; unknown ids are ignored."""
        ...

    async def search(
        self, scope: Scope, *, vector: Vector | None = None, text: str | None = None, limit: int = 10
    ) -> list[Hit]:
        """Find the nearest points: by cosine, by BM25, or by both fused. Needs a vector or a text."""
        ...

    async def scroll(self, scope: Scope, *, after: UUID | None = None, limit: int = 1000) -> Page:
        """Read points with their vectors, in the order of their ids; a page may hold fewer than `limit`."""
        ...

    async def count(self, scope: Scope) -> int:
        """Count points."""
        ...

    async def optimize(self) -> None:
        """Merge and index segments now; a no-op where the server does that itself."""
        ...

    async def clear(self) -> None:
        """Remove every point, and what is left of it in files; what comes later finds an empty collection."""
        ...

    async def close(self) -> None:
        """Let go of connections; the data stays."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """An encoder, and the collection of the vectors that it made."""

    encoder: Encoder
    vectors: VectorStore


async def untuned(_community: Community) -> Embedding | None:
    """Say that matching goes by the encoder that serves everything."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What held when an event was stored in the tables: whose it is, what staff had set there, and who did it.

    `member` is None where nobody did it, or a bot, or somebody of whom nothing is held; `collected` says that what was
    written may be kept.
    """

    community: Community
    rules: Rules
    member: Member | None = None
    collected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An arrival on its way: its number in the stream, and how often it was tried before.

    `followed` is there once what happened is stored in the tables too.
    """

    id: int
    arrival: Arrival
    received_at: datetime
    attempts: int = 0
    followed: Followed | None = None


class Stream(Protocol):
    """What happened and was not handled yet, in the order in which it came."""

    async def put(self, arrival: Arrival) -> bool:
        """Store an arrival; it is on disk when this returns. False when it was there already. Raises Unavailable."""
        ...

    async def claim(self, limit: int) -> list[Delivery]:
        """Wait until something is there and lease up to `limit` of it, oldest first.

        What is leased comes to nobody else until it is done, released, or its lease has run out.
        """
        ...

    async def done(self, delivery: Delivery) -> None:
        """Say that this was handled; it never comes again, and of a message nothing is kept here."""
        ...

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give these back, so that they come again, here or elsewhere."""
        ...


Windows = tuple[tuple[int, float], ...]
"""Limits that hold together: so many within so many seconds."""


def _itself(_action: Action, where: Ref) -> str:
    return str(where)


def _nowhere(_where: Ref) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform lets a bot send, as (count, seconds): in one chat, in all together, of one action in one chat.

    With `answers_apart`, what answers a member's command for them alone counts with them and not in the chat.
    `chat_of` names the chat whose turns an act at a place takes, which several places may share, and `chats` what may
    be sent in one by its name, where not all are alike. `drafts` says at which places a text is shown while it grows,
    without being a message yet.
    """

    chat: Windows
    overall: tuple[int, float]
    routes: Mapping[str, Windows] = field(default_factory=dict)
    answers_apart: bool = False
    chat_of: Callable[[Action, Ref], str] = _itself
    chats: Callable[[str], Windows] | None = None
    drafts: Callable[[Ref], bool] = _nowhere

    def in_chat(self, name: str) -> Windows:
        """Return what may be sent in one chat."""
        return self.chats(name) if self.chats else self.chat


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownChannel:
    """A channel or a thread as we know it: what it was called, and the newest message of it that is stored."""

    channel: Named
    archived: bool
    latest: Ref | None
    description: str = ""
    thread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check of a deployment: `state` ok, warn or bad, and what was found in words that say what to do."""

    name: str
    state: Literal["ok", "warn", "bad"]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appealable:
    """A case that somebody can appeal: the account that it is about, and the space that it was in."""

    case: str
    account: Ref
    space: Named


class Adapter(Protocol):
    """One platform: what happens there comes in as events, and actions are carried out there."""

    @property
    def platform(self) -> str:
        """Return the platform's name, the first part of every reference of it."""
        ...

    @property
    def can(self) -> frozenset[str]:
        """Return the names of the actions it is able to perform, and whether it can speak to one member alone.

        `only` says that it always can, `only-asked` that it can where a command or a button was used, and `only-plain`
        that this takes no files and stays as it was said. `buttons` and `files` say that messages may have these, and
        `fetch` that it can look at those that members send.
        `Delete-own` in the place of `Delete` says that it takes away what the bot said, and nothing else.
        `outsiders` says that who was sent out can still write to the bot, so that their appeals are handed over.
        """
        ...

    @property
    def limits(self) -> Limits:
        """Return what it may send."""
        ...

    async def run(self, put: Callable[[Arrival], Awaitable[bool]], commands: Sequence[Command]) -> None:
        """Connect, register the commands, and hand over what happens until cancelled. Raises Gone or Misconfigured."""
        ...

    async def act(self, action: Action) -> Receipt:
        """Carry out an action. Raises Overloaded (with `after`) when the platform says to wait, and Gone.

        What the platform refuses for good is a receipt that failed, with its words.
        """
        ...

    async def fetch(self, file: File, *, limit: int) -> bytes:
        """Return a file that came with a message, `limit` bytes at most.

        Raises Mistake for one that is larger, gone or elsewhere, Overloaded when the platform says to wait, and Gone.
        """
        ...
