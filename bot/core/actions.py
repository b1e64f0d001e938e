"""What the bot may do, as dead data. The union is closed: a new member of it is a change of the design.

`inverse(action, receipt)` is how it is undone, and `IRREVERSIBLE` lists what cannot be. Those of `Inward` change only
what Kinfolk itself keeps (decision 8): they take the same path, so that they too are explained and undone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, assert_never
from urllib.parse import quote as percent

from bot.core.things import Ref

if TYPE_CHECKING:
    from bot.core.decisions import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message. `press` names what answers it, `skill.what`; with `only`, nobody else may press it.

    `words` is the command that does the same, shown where a platform has no buttons.
    Pressing one button of a `choice` settles the others of that choice. Buttons of one `row` stand side by side.
    `token` is what travels to the platform and back; whoever carries out the action fills it in.
    """

    label: str
    press: str
    data: dict[str, str] = field(default_factory=dict)
    only: Ref | None = None
    choice: str = ""
    row: int = 0
    token: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a message; `instead` is what is said where a platform takes no files."""

    name: str
    data: bytes
    instead: str = ""


class Anew(str):
    """A piece of a streamed text that takes the place of what was said before it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say something in a channel; with `only`, so that nobody but this member sees it.

    With `stream`, the text comes in pieces from the handle of this name, each after the others or, if it is `Anew`, in
    their place; `text` is what to say when none come. A `draft` is what there is of it so far, to be shown where the
    platform shows how a text grows (`Limits.drafts`); nothing is made by it.
    `answer` is the id of the answer that it gives (`KeepAnswer`), which then knows by what message. With `unasked`, as
    of `OpenDirect`, it is said to somebody alone who did not ask for it.
    """

    to: Ref
    text: str
    thread: Ref | None = None
    reply_to: Ref | None = None
    only: Ref | None = None
    invocation: Ref | None = None
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    stream: str = ""
    draft: bool = False
    answer: str = ""
    unasked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Change one of the bot's own messages; `only` and `invocation` as they were said.

    `offered` are the buttons that come back when it is undone. One that `mends` takes back words that must not stand
    any longer: it goes before all speech, is repeated after a crash, and has no `before`: nothing brings them back.
    """

    message: Ref
    channel: Ref
    text: str
    before: str = ""
    only: Ref | None = None
    invocation: Ref | None = None
    buttons: tuple[Button, ...] = ()
    offered: tuple[Button, ...] = ()
    mends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Take a message away."""

    message: Ref
    channel: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    """Put an emoji under a message, or take it away."""

    message: Ref
    channel: Ref
    emoji: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """Warn a member, in private where the platform can."""

    member: Ref
    channel: Ref
    text: str
    by: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """Keep a member from writing for some minutes; 0 lifts it."""

    member: Ref
    minutes: int
    by: Ref | None = None
    reason: str = ""
    space: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """Send a member out; they may come back."""

    member: Ref
    by: Ref | None = None
    reason: str = ""
    space: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Send a member out for good."""

    member: Ref
    by: Ref | None = None
    reason: str = ""
    space: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unban:
    """Let a member come back."""

    member: Ref
    by: Ref | None = None
    reason: str = ""
    space: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole:
    """Give a member a role, or take it away."""

    member: Ref
    role: Ref
    on: bool = True
    by: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Bring a member into a channel, or out of it again."""

    member: Ref
    channel: Ref
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateChannel:
    """Make a channel."""

    name: str
    space: Ref
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveChannel:
    """Put a channel away, or take it back; `was` is what the platform noted of how it was before."""

    channel: Ref
    on: bool = True
    was: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDirect:
    """Open a direct conversation and say something in it; what comes in pieces (`stream`) is said once it is whole.

    `answer` is as of `Say`. With `unasked`, the member did not ask for it, so that their quiet hours and the most that
    they hear in a week hold for it (`bot/core/outreach.py`). What they asked for, and what is done to them, is not.
    """

    member: Ref
    text: str
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    stream: str = ""
    space: Ref | None = None
    answer: str = ""
    unasked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStaff:
    """Put a proposal to the staff, with buttons to approve and to decline it.

    `answer` is the id of the answer that is owed (`KeepAnswer`), which then knows the card on which staff give it.
    """

    to: Ref
    text: str
    skill: str
    proposed: tuple[Action, ...]
    buttons: tuple[Button, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEvent:
    """Plan an event in the platform's own calendar."""

    channel: Ref
    title: str
    starts: datetime
    ends: datetime
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePoll:
    """Ask a channel to choose."""

    channel: Ref
    question: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What Kinfolk itself keeps. `turns` names the field that goes back to `before` when it is undone.

    With `personal`, only the `member` whom it concerns undoes it.
    """

    turns: ClassVar[str] = ""
    personal: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy(Keeping):
    """Change what staff tune: a field of the policy, or `mode.SKILL`, for the whole community or one channel.

    An empty value goes back to the default.
    """

    turns = "value"
    name: str
    value: str
    before: str = ""
    channel: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetConsent(Keeping):
    """Keep what a member says about being collected; None goes back to the community's default."""

    turns = "collected"
    personal = True
    member: Ref
    collected: bool | None
    before: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFeedback(Keeping):
    """Keep what a member thinks of a suggested channel: `joined`, `declined`, or empty to take it back."""

    turns = "opinion"
    member: Ref
    channel: Ref
    opinion: str
    before: str = ""


Source = Literal["welcome", "match"]
"""Where a member said what they like: in answer to a welcome, or with /match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepInterest(Keeping):
    """Keep what a member says they like, in their own words, or take it back where it is `kept` no more."""

    turns = "kept"
    personal = True
    member: Ref
    text: str
    source: Source
    kept: bool = True
    before: bool = False


Met = Literal["", "waiting", "welcomed", "followed"]
"""How far a newcomer was met: not at all, waiting for the end of the night, welcomed, and asked a week later whether
they found their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepNewcomer(Keeping):
    """Keep how far a newcomer was met, so that they are welcomed and asked once."""

    turns = "met"
    member: Ref
    met: Met
    before: Met = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Keeping):
    """Erase everything that is held about a member."""

    member: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCode(Keeping):
    """Keep how far a code is by which two accounts or communities prove that they belong together.

    It is `made` on one side, `entered` and `confirmed` on the other, or `dropped` by either.
    """

    member: Ref
    code: str
    subject: Literal["person", "community"]
    step: Literal["made", "entered", "confirmed", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAccounts(Keeping):
    """Let the account of a member and another one, named by its number, be one person's, as both confirmed."""

    member: Ref
    other: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkAccount(Keeping):
    """Let the account of a member be a person of its own again."""

    member: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCommunities(Keeping):
    """Let another community, named by its number, be part of this one, as the owners of both confirmed."""

    other: int
    code: str


Wish = Literal["people", "across", "reminders"]
"""What members opt in for: to be introduced to each other, to be matched over the spaces that an owner linked. Those
who want no `reminders` are asked nothing by the bot of its own accord; here who said nothing may be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWish(Keeping):
    """Keep whether a member wants something that nobody gets unasked; None is as good as never having said so."""

    turns = "on"
    personal = True
    member: Ref
    wish: Wish
    on: bool | None
    before: bool | None = None


Said = Literal["", "shown", "asked", "withdrawn", "not_now", "never", "yes", "no"]
"""What came of two members being brought together: `shown` the one to the other, who `asked` for it or wants it
`not_now` or `never`, or has `withdrawn` it; who was asked says `yes`, `no` or `never`. Empty for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepMeeting(Keeping):
    """Keep what a member says of meeting another: who asks, or who was asked, of whom their own word is kept.

    `meeting` names it by 32 hexadecimal digits, made by whoever proposes that one is shown to the other. Only then is
    the `other` named: what one of them says later tells nothing of the other.
    """

    turns = "said"
    personal = True
    meeting: str
    member: Ref
    said: Said
    before: Said = ""
    other: Ref | None = None


Subscribed = Literal["digest", "suggestions"]
"""What members may want to be sent in private, at an hour of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSubscription(Keeping):
    """Keep when a member wants to be sent something in private: `daily 8 Europe/Berlin`, `weekly mon 8 UTC`, or `off`.

    It is written as `rhythms.Rhythm` is; empty is as good as never having said so. With `served`, it keeps only that
    they had it for this instant, whether or not there was anything to tell, while they want it at that rhythm still.
    """

    turns = "when"
    personal = True
    member: Ref
    about: Subscribed
    when: str
    before: str = ""
    served: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepSuggested(Keeping):
    """Keep that channels were suggested to a member, unasked, at a moment; taken back, that they were not.

    What was suggested lately, or passed over twice, is not suggested again.
    """

    turns = "shown"
    personal = True
    member: Ref
    channels: tuple[Ref, ...]
    at: datetime
    shown: bool = True
    before: bool = False


Taste = Literal["", "shown", "more", "less"]
"""What a member thinks of a conversation that was shown to them: nothing yet, more like this, less of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTaste(Keeping):
    """Keep which conversations were shown to a member as missed, and what they think of them.

    They are labels of `message.conversation`. Empty takes it back: then they may be shown again.
    """

    turns = "taste"
    personal = True
    member: Ref
    conversations: tuple[int, ...]
    taste: Taste
    before: Taste = ""


Kind = Literal["spam", "scam", "toxicity", "hate", "sexual", "self_harm", "flood", "raid", "rule", "reported", "hand"]
"""What a case is about; `reported` by a member, `hand` for what staff do of themselves."""
Rung = Literal["", "note", "warn", "timeout", "kick", "ban"]
"""What is done to a member; empty for nothing."""
Standing = Literal["", "open", "settled", "withdrawn"]
"""How a case stands; empty is as good as withdrawn."""
Ruled = Literal["", "spam", "compromised", "off_topic", "rude", "fine"]
"""What staff say of a case: spam, somebody else writing from a account, off-topic, rude, fine; or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A message that a case rests on, as it is now. Without an `author`, the member whom the case is about wrote it."""

    message: Ref
    channel: Ref
    text: str
    at: datetime
    picture: str = ""
    author: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCase(Keeping):
    """Open a case about a member, or add to the one of this id: exhibits that are missing, a higher step, more points.

    `about` is its kind; what is stored of an action says which it is by `kind`. `points` are of the whole case, and
    count for `days`. Taken back, it is withdrawn, and they count no more.
    """

    turns = "standing"
    case: str
    member: Ref
    about: Kind
    reason: str
    detectors: tuple[str, ...] = ()
    score: float = 1.0
    exhibits: tuple[Exhibit, ...] = ()
    step: Rung = ""
    minutes: int = 0
    points: int = 0
    days: int = 30
    by: Ref | None = None
    space: Ref | None = None
    standing: Standing = "open"
    before: Standing = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCase(Keeping):
    """Keep the verdict of the staff on an open case, and let it teach; taken back, it is open again and unlearned.

    The first verdict wins. `step`, `minutes` and `points` are what the verdict adds to what was done before it.
    """

    turns = "verdict"
    case: str
    verdict: Ruled
    by: Ref
    step: Rung = ""
    minutes: int = 0
    points: int = 0
    before: Ruled = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepReport(Keeping):
    """Keep that a member told the staff of what a case is about, and why."""

    case: str
    member: Ref
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAppeal(Keeping):
    """Keep what a member says against what was done to them, and what came of it."""

    turns = "state"
    case: str
    member: Ref
    text: str
    state: Literal["", "open", "granted", "refused"]
    before: Literal["", "open", "granted", "refused"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepNote(Keeping):
    """Keep an entry of the FAQ in place of what it said `before`, and without a `text` take it away.

    `note` names the entry by 32 hexadecimal digits, made by whoever proposes it first. It lies with the `channel`,
    whose readers may read it as long as they may read all its `sources`: messages that its words or its question come
    from, as they read when it is kept. One that reads otherwise than its digest among `digests`, if any, is refused.
    """

    turns = "text"
    note: str
    channel: Ref
    question: str
    text: str
    before: str = ""
    owner: Ref | None = None
    sources: tuple[Ref, ...] = ()
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Keeping):
    """Hold none of the words of an answer any more, since what it rested on was changed or taken away.

    `message` is the bot's that said it, and `text` is what is kept in its place. The answer stands until the edit of
    that message, which the same decision holds before this, is done. One that was corrected rests on `sources` from
    then on; without any, it is withdrawn.
    """

    answer: str
    message: Ref | None
    text: str
    sources: tuple[Cited, ...] = ()


Given = Literal["", "given", "abstained", "asked_staff", "answered", "corrected", "withdrawn"]
"""How an answer stands; empty is as good as withdrawn."""
Opinion = Literal["", "helpful", "not_this"]
"""What a member thinks of an answer: it helped, it was not this, or nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What an answer cites: a message or a note, the number of the channel it lies with, its SHA-256 in hex digits."""

    source: Ref
    channel: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAnswer(Keeping):
    """Keep what was asked and what the answer cites, or how the answer of this id stands from now on.

    It holds no words of the answer. `alone` says that nobody but the member was told, and `card` is the question to the
    staff that somebody else asked for already. What nobody asked for, such as a digest, has no question, and aloud no
    member.
    """

    turns = "standing"
    answer: str
    member: Ref | None
    channel: Ref
    question: str
    thread: Ref | None = None
    asked: Ref | None = None
    alone: bool = False
    confidence: float = 0.0
    sources: tuple[Cited, ...] = ()
    card: Ref | None = None
    standing: Given = "given"
    before: Given = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOpinion(Keeping):
    """Keep what a member thinks of an answer."""

    turns = "opinion"
    personal = True
    answer: str
    member: Ref
    opinion: Opinion
    before: Opinion = ""


Grown = Literal["", "proposed", "later", "never", "done"]
"""How a proposal about channels stands: put to the staff, put off, refused for good, done; empty for not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepGrowth(Keeping):
    """Keep a proposal about the channels of a community, or how the one of this id stands from now on.

    `growth` is 32 hexadecimal digits, made by whoever proposes it. A `topic` without a channel is recognised by its
    `terms`, and by its `centre`: float16 in base64, of the encoder of this fingerprint. `channels` are those that it
    rests on, or that are to be merged or archived; `made` is the channel that came of it, which is known at once.
    """

    turns = "standing"
    growth: str
    about: Literal["topic", "merge", "archive"]
    name: str
    description: str = ""
    terms: tuple[str, ...] = ()
    fingerprint: str = ""
    centre: str = ""
    channels: tuple[Ref, ...] = ()
    made: Ref | None = None
    standing: Grown = "proposed"
    before: Grown = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchedule(Keeping):
    """Keep when a schedule comes here (`mon 09:00`), or that it is `off`; empty for when it comes by itself.

    Behind `off` stands when it comes once it is no more.
    """

    turns = "value"
    name: str
    value: str
    before: str = ""
    by: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSchedule(Keeping):
    """Let a schedule come once out of turn, for who asked so at a moment."""

    name: str
    at: datetime
    by: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about: all that is said in a channel, the mood there, a term anywhere, a word that is watched.

    `name` is the reference of the channel, or the term or the word.
    """

    kind: Literal["channel", "mood", "term", "word"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def channel(self) -> Ref | None:
        """Return the channel that it is about; None for a term or a word."""
        try:
            return Ref.parse(self.name) if self.kind in {"channel", "mood"} else None
        except ValueError:
            return None

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read what `str` wrote. Raises ValueError for anything else."""
        kind, _space, name = text.partition(" ")
        match kind:
            case "channel" | "mood" | "term" | "word" if name:
                return cls(kind=kind, name=name)
        raise ValueError(f"{text!r} is nothing that an alert may be about")


Alerted = Literal["open", "over", "withdrawn"]
"""How an alert stands: what it is about goes on, is over, or is not to be told of for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlert(Keeping):
    """Keep that the staff was told of something unusual, or how the alert of this id stands from now on.

    `alert` is 32 hexadecimal digits, made by whoever proposes it; `count` are the messages of it.
    """

    turns = "standing"
    alert: str
    subject: Subject
    began: datetime
    count: int
    standing: Alerted = "open"
    before: Alerted = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepMute(Keeping):
    """Keep until when the staff wants to hear nothing of something; None for hearing of it again."""

    turns = "until"
    subject: Subject
    until: datetime | None
    before: datetime | None = None
    by: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepWatchword(Keeping):
    """Keep a word that the staff wants to hear of, or take it off the list where it is `watched` no more."""

    turns = "watched"
    word: str
    watched: bool = True
    before: bool = False
    by: Ref | None = None


Outward = (
    Say
    | Edit
    | Delete
    | React
    | Warn
    | Timeout
    | Kick
    | Ban
    | Unban
    | GrantRole
    | Invite
    | CreateChannel
    | ArchiveChannel
    | OpenDirect
    | AskStaff
    | CreateEvent
    | CreatePoll
)
"""What is done on a platform."""

Inward = (
    SetPolicy
    | SetConsent
    | KeepFeedback
    | KeepInterest
    | KeepNewcomer
    | SetWish
    | KeepMeeting
    | KeepTaste
    | KeepSubscription
    | KeepSuggested
    | Forget
    | KeepCode
    | LinkAccounts
    | UnlinkAccount
    | LinkCommunities
    | KeepCase
    | SettleCase
    | KeepReport
    | KeepAppeal
    | KeepNote
    | TakeBack
    | KeepAnswer
    | KeepOpinion
    | KeepGrowth
    | SetSchedule
    | RunSchedule
    | KeepAlert
    | KeepMute
    | KeepWatchword
)
"""What changes Kinfolk's own tables and no platform."""

Action = Outward | Inward

Moderation = Warn | Timeout | Kick | Ban | Unban | GrantRole
"""What staff do to members. `by` names who asked for it: nobody is acted on who stands above them or the bot.

`reason` is for the platform's own record of what staff did, not for the member. `space` is where it is done, which some
platforms' reference of a member does not tell; whoever carries out the action fills it in."""

Spoken = Say | Edit | AskStaff | OpenDirect | Warn | CreateEvent | CreatePoll | CreateChannel
"""What may be done once at most: after a crash nobody knows whether it was heard. The others may be repeated."""

IRREVERSIBLE = (
    *(Delete, Kick, OpenDirect, Forget, KeepCode, LinkAccounts, UnlinkAccount, LinkCommunities, KeepReport),
    *(TakeBack, RunSchedule),
)
"""What cannot be taken back. Everything else has an inverse, which may need what the platform made of it."""


def inverse(action: Action, receipt: Receipt) -> Action | None:
    """Return what undoes an action that was carried out; None when nothing can, or nothing was made."""
    if isinstance(action, IRREVERSIBLE):
        return None
    if isinstance(action, Inward):
        return replace(action, **{action.turns: action.before, "before": getattr(action, action.turns)})
    match action:
        case Say(to=channel) | AskStaff(to=channel) | CreatePoll(channel=channel) | CreateEvent(channel=channel):
            return Delete(message=receipt.made, channel=channel) if receipt.made else None
        case Warn(channel=channel):
            return Delete(message=receipt.made, channel=channel) if receipt.made else None
        case Edit():
            if not action.before:
                return None
            back = replace(action, text=action.before, before=action.text)
            return replace(back, buttons=action.offered or action.buttons, offered=action.buttons)
        case React() | Invite() | GrantRole():
            return replace(action, on=not action.on)
        case ArchiveChannel(was=was):
            return replace(action, on=not action.on, was=receipt.made or was)
        case Timeout(member=member, minutes=minutes, space=space):
            return Timeout(member=member, minutes=0, space=space) if minutes else None
        case Ban(member=member, by=by, reason=reason, space=space):
            return Unban(member=member, by=by, reason=reason, space=space)
        case Unban(member=member, by=by, reason=reason, space=space):
            return Ban(member=member, by=by, reason=reason, space=space)
        case CreateChannel():
            return ArchiveChannel(channel=receipt.made) if receipt.made else None
    assert_never(action)


def undoing(action: Action, receipt: Receipt, *, by: Ref | None) -> Action | None:
    """Return what undoes an action for whoever asks for it: what members said of their own data is theirs to change."""
    if isinstance(action, Keeping) and action.personal and getattr(action, "member", None) != by:
        return None
    return inverse(action, receipt)


MADE = "made"
"""The id of a reference that means what the last `CreateChannel` before it, in the same decision, makes."""


def following(action: Action, made: Ref) -> Action:
    """Return an action with the channel that was made in the place of `MADE`: where it goes, and in what it says."""
    there = Ref(made.platform, MADE)
    match action:
        case Say(to=where, text=text):
            return replace(action, to=made if where == there else where, text=text.replace(_end(there), _end(made)))
        case KeepGrowth(made=known):
            return replace(action, made=made if known == there else known)
        case _:
            return action


def _end(channel: Ref) -> str:
    """Return the end of a link to a channel, as `wording.channel` writes it."""
    return f"(kinfolk:channel:{percent(str(channel), safe='/:@&')})"


def placed(action: Action, space: Ref) -> Action:
    """Return an action with the space in which it is done, where its member's reference alone may not tell."""
    match action:
        case AskStaff(proposed=proposed):
            return replace(action, proposed=tuple(placed(one, space) for one in proposed))
        case Timeout() | Kick() | Ban() | Unban() | OpenDirect() if (
            action.space is None and action.member.platform == space.platform
        ):
            return replace(action, space=space)
        case _:
            return action


def target(action: Action) -> Ref | None:
    """Return what an action is done to, which names the platform; None for what Kinfolk itself keeps."""
    if isinstance(action, Inward):
        return None
    match action:
        case CreateChannel(space=space):
            return space
        case Say() | AskStaff():
            return action.to
        case Edit() | Delete() | React() | Warn() | Invite() | ArchiveChannel() | CreateEvent() | CreatePoll():
            return action.channel
        case Timeout() | Kick() | Ban() | Unban() | GrantRole() | OpenDirect():
            return action.member
    assert_never(action)
