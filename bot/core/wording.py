"""How words get into what the bot says, and actions in words, for whoever asks why, approves or undoes.

What the bot says is Markdown: CommonMark, as far as chats know it. Whatever a member, a channel's name or a model wrote
goes into it through `escape` or `quote`; so do reasons, rulings and what receipts tell, which are plain text. Members,
channels and messages are named by links to their references, and each platform makes its own mention of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, assert_never
from urllib.parse import quote as percent
from urllib.parse import unquote

from bot.core.actions import (
    ArchiveChannel,
    AskStaff,
    Ban,
    CreateChannel,
    CreateEvent,
    CreatePoll,
    Delete,
    Edit,
    Forget,
    GrantRole,
    Invite,
    KeepAlert,
    KeepAnswer,
    KeepAppeal,
    KeepCase,
    KeepCode,
    KeepFeedback,
    KeepGrowth,
    KeepInterest,
    KeepMeeting,
    KeepMute,
    KeepNewcomer,
    KeepNote,
    KeepOpinion,
    KeepReport,
    KeepSubscription,
    KeepSuggested,
    KeepTaste,
    KeepWatchword,
    Kick,
    LinkAccounts,
    LinkCommunities,
    OpenDirect,
    React,
    RunSchedule,
    Say,
    SetConsent,
    SetPolicy,
    SetSchedule,
    SettleCase,
    SetWish,
    TakeBack,
    Timeout,
    Unban,
    UnlinkAccount,
    Warn,
)
from bot.core.i18n import _
from bot.core.policies import NAMES
from bot.core.rhythms import OFF
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.actions import (
        Action,
        Alerted,
        Given,
        Grown,
        Met,
        Opinion,
        Ruled,
        Said,
        Subject,
        Subscribed,
        Taste,
        Wish,
    )
    from bot.core.errors import KinfolkError
    from bot.core.i18n import Translate

WIDTH = 160
"""Characters of what is said that are worth showing."""
SIGNS = {"channel": "#", "member": "@", "role": "@", "message": ""}
"""What a link may name, and the sign that such names begin with."""
VERDICTS: dict[Ruled, str] = {
    "": "-",
    "spam": _("Spam"),
    "compromised": _("Hacked account"),
    "off_topic": _("Off-topic"),
    "rude": _("Rude"),
    "fine": _("Fine"),
}
"""What staff may say of a case."""
APPEALS = {"": "-", "open": _("waits for the staff"), "granted": _("granted"), "refused": _("refused")}
"""What came of an appeal."""
STANDINGS: dict[Given, str] = {
    "": _("taken back"),
    "given": _("given"),
    "abstained": _("I did not know"),
    "asked_staff": _("the staff is asked"),
    "answered": _("answered by the staff"),
    "corrected": _("corrected"),
    "withdrawn": _("taken back"),
}
"""How an answer stands."""
OPINIONS: dict[Opinion, str] = {"": "-", "helpful": _("Helpful"), "not_this": _("Not this")}
"""What members say of an answer."""
METS: dict[Met, str] = {
    "": _("forget that {member} was welcomed"),
    "waiting": _("note that {member} is to be welcomed"),
    "welcomed": _("note that {member} was welcomed"),
    "followed": _("note that {member} was asked again"),
}
"""How far a newcomer was met."""
WISHES: dict[tuple[Wish, bool], str] = {
    ("people", True): _("let {member} be introduced to others"),
    ("people", False): _("introduce {member} to nobody"),
    ("across", True): _("match {member} across the spaces that are linked"),
    ("across", False): _("match {member} in this space alone"),
    ("reminders", True): _("ask {member} again some time"),
    ("reminders", False): _("ask {member} nothing more unasked"),
}
"""What members want, or do not."""
MEETINGS: dict[Said, str] = {
    "": "-",
    "shown": _("shown"),
    "asked": _("asks for it"),
    "withdrawn": _("takes it back"),
    "not_now": _("not now"),
    "never": _("never"),
    "yes": _("yes"),
    "no": _("no"),
}
"""What two members say of meeting each other."""
SUBSCRIBED: dict[tuple[Subscribed, bool], str] = {
    ("digest", True): _("send {member} a digest: {when}"),
    ("digest", False): _("send {member} no digest"),
    ("suggestions", True): _("send {member} suggestions: {when}"),
    ("suggestions", False): _("send {member} no suggestions"),
}
"""What members want to be sent, or do not."""
TASTES: dict[Taste, str] = {"": "-", "shown": _("shown"), "more": _("more like this"), "less": _("less of this")}
"""What members think of a conversation that they missed."""
GROWN: dict[Grown, str] = {
    "": _("taken back"),
    "proposed": _("put to the staff"),
    "later": _("not now"),
    "never": _("never"),
    "done": _("done"),
}
"""How a proposal about channels stands."""
ALERTED: dict[Alerted, str] = {
    "open": _("note that the staff was told of {subject}"),
    "over": _("note that it is over in {subject}"),
    "withdrawn": _("tell nothing of {subject} for now"),
}
"""How an alert stands."""

_SCHEME = "kinfolk:"
_MARK = re.compile(
    r"[\\`*\[\]<~]|_{2,}|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|&(?=#?\w+;)|(?<=\w):(?=//)|^(?:#{1,6}(?=\s|$)|>|[-+](?=\s|$))"
)
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_TARGET = re.compile(r"(?<!\\)\[((?:\\.|[^\[\]\\])*)\]\((?:kinfolk:|https?://)[^\s()]*\)")
_MARKED = re.compile(r"\\([!-/:-@\[-`{-~])|\*\*|~~|`+|^(?:> ?|#{1,6} )", re.MULTILINE)
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of all that follows."""


def escape(text: str) -> str:
    """Put a text into Markdown so that it shows as it is, on one line, and nothing in it is a mark or a link."""
    line = " ".join(_UNSEEN.sub("", text).split())
    marked = _MARK.sub(lambda mark: "".join(f"\\{one}" for one in mark.group()), line)
    return _NUMBER.sub(r"\1\\\2", marked)


def quote(text: str) -> str:
    """Quote a text, line by line; an empty line must follow before anything else is said."""
    lines = [escape(line) for line in text.splitlines()] or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def channel(ref: Ref, name: str) -> str:
    """Name a channel by a link to it."""
    return _link("channel", ref, f"#{name}")


def way(ref: Ref, words: str) -> str:
    """Lead to a channel by other words than its name."""
    return _link("channel", ref, words)


def member(ref: Ref, name: str) -> str:
    """Name a member by a link, which rings for nobody."""
    return _link("member", ref, f"@{name}")


def role(ref: Ref, name: str) -> str:
    """Name a role by a link, which rings for nobody."""
    return _link("role", ref, f"@{name}")


def message(ref: Ref, words: str) -> str:
    """Point to a message by a link."""
    return _link("message", ref, words)


def _link(kind: str, ref: Ref, words: str) -> str:
    return f"[{escape(words)}]({_SCHEME}{kind}:{percent(str(ref), safe='/:@&')})"


def reference(address: str) -> tuple[str, Ref] | None:
    """Read what a link names: its kind and the reference; None for any other address."""
    kind, _colon, ref = address.removeprefix(_SCHEME).partition(":")
    if not address.startswith(_SCHEME) or kind not in SIGNS:
        return None
    try:
        return kind, Ref.parse(unquote(ref))
    except ValueError:
        return None


def told(error: KinfolkError, translate: Translate) -> str:
    """Say an error in Markdown; what was put into it, which may be a member's words, is escaped."""
    if not error.values:
        return escape(translate(error.message))
    return translate(error.message).format(**{name: _Shown(value) for name, value in error.values.items()})


class _Shown:
    """A value that is escaped however a sentence has it written."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __format__(self, how: str) -> str:
        return escape(format(self.value, how))

    def __str__(self) -> str:
        return escape(str(self.value))

    def __repr__(self) -> str:
        return escape(repr(self.value))


def unmarked(markdown: str) -> str:
    """Take the marks out of what the bot says, roughly: for a few words of it, not for showing it whole."""
    return _MARKED.sub(lambda mark: mark[1] or "", _TARGET.sub(r"\1", markdown))


def describe(action: Action, translate: Translate) -> str:
    """Say in a few words what an action does, as plain text."""
    return _describe(action, translate, _Voice(say=_as_it_is, call=_plainly))


def marked(action: Action, translate: Translate) -> str:
    """Say in a few words what an action does, as Markdown: whom it concerns is named by links."""
    return _describe(action, translate, _Voice(say=escape, call=_by_link))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voice:
    """How texts are said, and how references are called by their kind."""

    say: Callable[[str], str]
    call: Callable[[str, Ref], str]

    def brief(self, text: str) -> str:
        """Say the beginning of what the bot says."""
        return self.say(short(unmarked(text)))


def _as_it_is(text: str) -> str:
    return text


def _plainly(kind: str, ref: Ref) -> str:
    return f"#{ref.id}" if kind == "channel" else ref.id


def _by_link(kind: str, ref: Ref) -> str:
    return _link(kind, ref, f"{SIGNS[kind]}{ref.id}")


def _describe(  # noqa: C901, PLR0911, PLR0912, PLR0915 - one branch a kind
    action: Action, translate: Translate, voice: _Voice
) -> str:
    say, call, brief = voice.say, voice.call, voice.brief
    match action:
        case Say(text=text, only=Ref() as only):
            return translate(_("say to {member} alone: {text}")).format(member=call("member", only), text=brief(text))
        case Say(text=text):
            return translate(_("say: {text}")).format(text=brief(text))
        case Edit(text=text):
            return translate(_("change a message to: {text}")).format(text=brief(text))
        case Delete(message=message):
            return translate(_("delete message {message}")).format(message=call("message", message))
        case React(emoji=emoji, on=on):
            return translate(_("react with {emoji}") if on else _("take {emoji} away")).format(emoji=emoji)
        case Warn(member=member, text=text):
            return translate(_("warn {member}: {text}")).format(member=call("member", member), text=brief(text))
        case Timeout(member=member, minutes=0):
            return translate(_("let {member} write again")).format(member=call("member", member))
        case Timeout(member=member, minutes=minutes):
            return translate(_("time {member} out for {minutes} minutes")).format(
                member=call("member", member), minutes=minutes
            )
        case Kick(member=member):
            return translate(_("kick {member}")).format(member=call("member", member))
        case Ban(member=member):
            return translate(_("ban {member}")).format(member=call("member", member))
        case Unban(member=member):
            return translate(_("lift the ban on {member}")).format(member=call("member", member))
        case GrantRole(member=member, role=role, on=on):
            sentence = translate(_("give {member} the role {role}") if on else _("take the role {role} from {member}"))
            return sentence.format(member=call("member", member), role=call("role", role))
        case Invite(member=member, channel=channel, on=on):
            sentence = translate(_("bring {member} into {channel}") if on else _("bring {member} out of {channel}"))
            return sentence.format(member=call("member", member), channel=call("channel", channel))
        case CreateChannel():
            return translate(_("make the channel {channel}")).format(channel=say(f"#{action.name}"))
        case ArchiveChannel(channel=channel, on=on):
            sentence = translate(_("archive {channel}") if on else _("take {channel} out of the archive"))
            return sentence.format(channel=call("channel", channel))
        case OpenDirect(member=member, text=text):
            return translate(_("write to {member}: {text}")).format(member=call("member", member), text=brief(text))
        case AskStaff(text=text):
            return translate(_("ask the staff: {text}")).format(text=brief(text))
        case CreateEvent(title=title):
            return translate(_("plan the event {title}")).format(title=brief(title))
        case CreatePoll(question=question):
            return translate(_("ask for a vote: {question}")).format(question=brief(question))
        case SetPolicy(name=setting, value=value, channel=channel):
            where = f" ({call('channel', channel)})" if channel else ""
            told = _valued(setting, value, voice)
            return translate(_("set {setting} to {value}")).format(setting=say(setting), value=told) + where
        case SetConsent(member=member, collected=collected):
            sentence = translate(_("collect what {member} writes") if collected else _("collect nothing from {member}"))
            return sentence.format(member=call("member", member))
        case KeepFeedback(member=member, channel=channel, opinion=opinion):
            sentence = translate(_("keep what {member} thinks of {channel}: {opinion}"))
            return sentence.format(
                member=call("member", member), channel=call("channel", channel), opinion=say(opinion) or "-"
            )
        case KeepInterest(member=member, text=text, kept=kept):
            sentence = translate(
                _("keep what {member} likes: {text}") if kept else _("drop what {member} likes: {text}")
            )
            return sentence.format(member=call("member", member), text=brief(text))
        case KeepNewcomer(member=member, met=met):
            return translate(METS[met]).format(member=call("member", member))
        case SetWish(member=member, wish=wish, on=on):
            sentence = translate(WISHES[wish, bool(on)])
            return sentence.format(member=call("member", member))
        case KeepMeeting(member=member, said=said):
            sentence = translate(_("keep what {member} says of meeting somebody: {said}"))
            return sentence.format(member=call("member", member), said=translate(MEETINGS[said]))
        case KeepTaste(member=member, taste=taste):
            sentence = translate(_("keep what {member} thinks of what they missed: {taste}"))
            return sentence.format(member=call("member", member), taste=translate(TASTES[taste]))
        case KeepSubscription(member=member, served=datetime() as served):
            sentence = translate(_("note that the turn of {member} came: {when}"))
            return sentence.format(member=call("member", member), when=f"{served:%Y-%m-%d %H:%M} UTC")
        case KeepSubscription(member=member, about=about, when=when):
            sentence = translate(SUBSCRIBED[about, when not in {"", OFF}])
            return sentence.format(member=call("member", member), when=say(when))
        case KeepSuggested(member=member, channels=channels, shown=shown):
            sentence = _("note which channels were suggested to {member}: {count}")
            taken = _("note that channels were not suggested to {member}: {count}")
            told = translate(sentence if shown else taken)
            return told.format(member=call("member", member), count=len(channels))
        case Forget(member=member):
            return translate(_("erase everything about {member}")).format(member=call("member", member))
        case KeepCode(member=member, step=step):
            return translate(_("keep a code of {member}: {step}")).format(member=call("member", member), step=step)
        case LinkAccounts(member=member):
            return translate(_("link {member} with another account of theirs")).format(member=call("member", member))
        case UnlinkAccount(member=member):
            return translate(_("split {member} from other accounts")).format(member=call("member", member))
        case LinkCommunities():
            return translate(_("make another community part of this one"))
        case KeepCase(standing="" | "withdrawn", case=case, member=member):
            return translate(_("withdraw case {case} about {member}")).format(case=case, member=call("member", member))
        case KeepCase(case=case, member=member, reason=reason, points=points):
            sentence = translate(_("open case {case} about {member} with {points} points: {reason}"))
            return sentence.format(case=case, member=call("member", member), points=points, reason=brief(reason))
        case SettleCase(verdict="", case=case):
            return translate(_("open case {case} again")).format(case=case)
        case SettleCase(verdict=verdict, case=case):
            return translate(_("settle case {case}: {verdict}")).format(case=case, verdict=translate(VERDICTS[verdict]))
        case KeepReport(case=case, member=member):
            return translate(_("keep that {member} reported it, for case {case}")).format(
                member=call("member", member), case=case
            )
        case KeepAppeal(case=case, member=member, state=state):
            return translate(_("keep the appeal of {member} in case {case}: {state}")).format(
                member=call("member", member), case=case, state=translate(APPEALS[state])
            )
        case KeepNote(text="", question=question):
            return translate(_("take the entry away: {question}")).format(question=say(short(question)))
        case KeepNote(question=question, text=text):
            sentence = translate(_("keep the entry: {question} {text}"))
            return sentence.format(question=say(short(question)), text=say(short(text)))
        case TakeBack():
            return translate(_("hold no words of an answer any more whose sources do not hold"))
        case KeepAnswer(member=member, standing=standing, sources=sources):
            sentence = translate(_("keep the answer to {member}: {standing}, resting on {count} sources"))
            if member is None:
                sentence = translate(_("keep what is told here: it rests on {count} sources"))
                return sentence.format(count=len(sources))
            told = translate(STANDINGS[standing])
            return sentence.format(member=call("member", member), standing=told, count=len(sources))
        case KeepOpinion(member=member, opinion=opinion):
            sentence = translate(_("keep what {member} thinks of an answer: {opinion}"))
            return sentence.format(member=call("member", member), opinion=translate(OPINIONS[opinion]))
        case KeepGrowth(name=name, standing=standing):
            sentence = translate(_("keep how the proposal {name} stands: {standing}"))
            return sentence.format(name=say(name), standing=translate(GROWN[standing]))
        case SetSchedule(name=name, value=value):
            sentence = translate(_("let {name} rest") if value.startswith("off") else _("let {name} come {when}"))
            return sentence.format(name=say(name), when=say(value) or translate(_("as it does by itself")))
        case RunSchedule(name=name):
            return translate(_("let {name} come now, out of turn")).format(name=say(name))
        case KeepAlert(subject=subject, standing=standing):
            return translate(ALERTED[standing]).format(subject=_subject(subject, voice))
        case KeepMute(subject=subject, until=until):
            sentence = _("tell the staff nothing of {subject} until {day}")
            sentence = translate(sentence if until else _("tell the staff of {subject} again"))
            return sentence.format(subject=_subject(subject, voice), day=until.date().isoformat() if until else "")
        case KeepWatchword(word=word, watched=watched):
            sentence = translate(_("watch the word {word}") if watched else _("watch the word {word} no more"))
            return sentence.format(word=say(word))
    assert_never(action)


def _subject(subject: Subject, voice: _Voice) -> str:
    """Name what an alert is about; its channel is called as such."""
    room = subject.channel
    return voice.call("channel", room) if room is not None else voice.say(subject.name)


def _valued(setting: str, value: str, voice: _Voice) -> str:
    """Say what something is set to; channels and roles are called as such."""
    kind = NAMES.get(setting, "")
    try:
        called = [voice.call(kind, Ref.parse(one)) for one in value.split(", ")] if kind and value else []
    except ValueError:
        called = []
    return ", ".join(called) or voice.say(value) or "default"


def short(text: str) -> str:
    """Return a text on one line, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
