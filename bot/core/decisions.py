"""From a proposal to what really happened: decisions, the verdict on them, receipts, and the trace of it all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from bot.core.actions import Action, Say
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

Obstacle = Literal["chat", "route", "all", "paused", "away"]
"""What may hold up an act: a limit of the chat, of such acts in it or of all together, the platform's word to wait, or
that it could not be reached."""

MANY = 20
"""Actions that one decision may hold; a skill that proposes more has gone wild."""


class Mode(StrEnum):
    """What a skill may do unasked."""

    OFF = "off"
    WATCH = "watch"
    ASK = "ask"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a skill proposes. `evidence` names messages; `about` the members whose words it rests on.

    `undoes` holds the numbers of the acts that the actions undo, one for each action, in order.
    `approved` names the staff member who let a proposal through. With `settles`, a button that asked for it is spent.
    `asked` says that a member asked for it, so that no mode governs it, and `owed` that a promise asks for it, whatever
    the hour or the mode: the skill says that of itself. Whoever asks the skills fills both in.
    """

    skill: str
    actions: tuple[Action, ...]
    reason: str
    evidence: tuple[Ref, ...] = ()
    about: tuple[Ref, ...] = ()
    confidence: float = 1.0
    undoes: tuple[int | None, ...] = ()
    approved: Ref | None = None
    settles: bool = True
    asked: bool = False
    owed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One proposed action and what was ruled on it; `why` is empty where it was kept as proposed.

    `decision` is the place of the decision in the verdict, `undoes` the number of the act that this one takes back.
    """

    decision: int
    action: Action
    kept: bool
    why: str = ""
    undoes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which proposals may happen, in order, and why the others may not."""

    decisions: tuple[Decision, ...] = ()
    rulings: tuple[Ruling, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What really happened. `unknown` is the state of an act that a crash interrupted: done or not, nobody can say.

    `waited` is for how many seconds an act was held up, where that is worth a word, and `waited_for` by what most.
    `dropped` counts the edits that a streamed text did without on its way. `opens` is the address at which a member
    opens the conversation that stayed shut.
    """

    state: Literal["done", "failed", "unknown"]
    made: Ref | None = None
    error: str = ""
    text: str = ""
    waited: float = 0.0
    waited_for: Literal[Obstacle, ""] = ""
    dropped: int = 0
    opens: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one skill made of an event, and how long it took."""

    skill: str
    mode: Mode
    outcome: str
    milliseconds: float
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The whole story of one event. What came of it is kept with its acts; `ended` puts it into the story."""

    id: str
    event: str
    kind: str
    at: datetime
    channel: Ref | None = None
    member: Ref | None = None
    live: bool = True
    steps: tuple[Step, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)
    receipts: tuple[Receipt, ...] = ()
    milliseconds: float = 0.0

    @property
    def takes_back(self) -> bool:
        """Return whether all it did was to take back other acts, so that taking it back again would go in circles."""
        done = [one for one in self.verdict.rulings if one.kept and not isinstance(one.action, Say)]
        return bool(done) and all(one.undoes is not None for one in done)

    def ended(self, done: Sequence[tuple[Action, Receipt]]) -> Trace:
        """Return the story with what came of the kept rulings, in their order: the acts as they were in the end."""
        acts = iter(done)
        rulings = tuple(
            replace(ruling, action=next(acts, (ruling.action, None))[0]) if ruling.kept else ruling
            for ruling in self.verdict.rulings
        )
        kept = sum(ruling.kept for ruling in rulings)
        receipts = tuple(receipt for _action, receipt in done[:kept])
        return replace(self, verdict=replace(self.verdict, rulings=rulings), receipts=receipts)
