"""Actions in words, for whoever asks why, approves or undoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

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
    KeepFeedback,
    Kick,
    OpenDirect,
    React,
    Say,
    SetConsent,
    SetPolicy,
    Timeout,
    Unban,
    Warn,
)
from bot.core.i18n import _

if TYPE_CHECKING:
    from bot.core.actions import Action
    from bot.core.i18n import Translate

WIDTH = 160
"""Characters of what is said that are worth showing."""


def describe(action: Action, translate: Translate) -> str:  # noqa: C901, PLR0911, PLR0912 - one branch a kind
    """Say in a few words what an action does."""
    match action:
        case Say(text=text, only=None):
            return translate(_("say: {text}")).format(text=short(text))
        case Say(text=text, only=only):
            return translate(_("say to {member} alone: {text}")).format(member=name(only), text=short(text))
        case Edit(text=text):
            return translate(_("change a message to: {text}")).format(text=short(text))
        case Delete(message=message):
            return translate(_("delete message {message}")).format(message=name(message))
        case React(emoji=emoji, on=on):
            return translate(_("react with {emoji}") if on else _("take {emoji} away")).format(emoji=emoji)
        case Warn(member=member, text=text):
            return translate(_("warn {member}: {text}")).format(member=name(member), text=short(text))
        case Timeout(member=member, minutes=0):
            return translate(_("let {member} write again")).format(member=name(member))
        case Timeout(member=member, minutes=minutes):
            return translate(_("time {member} out for {minutes} minutes")).format(member=name(member), minutes=minutes)
        case Kick(member=member):
            return translate(_("send {member} out")).format(member=name(member))
        case Ban(member=member):
            return translate(_("ban {member}")).format(member=name(member))
        case Unban(member=member):
            return translate(_("lift the ban on {member}")).format(member=name(member))
        case GrantRole(member=member, role=role, on=on):
            sentence = translate(_("give {member} the role {role}") if on else _("take the role {role} from {member}"))
            return sentence.format(member=name(member), role=name(role))
        case Invite(member=member, channel=channel, on=on):
            sentence = translate(_("bring {member} into #{channel}") if on else _("bring {member} out of #{channel}"))
            return sentence.format(member=name(member), channel=name(channel))
        case CreateChannel():
            return translate(_("make the channel #{channel}")).format(channel=action.name)
        case ArchiveChannel(channel=channel, on=on):
            sentence = translate(_("archive #{channel}") if on else _("take #{channel} out of the archive"))
            return sentence.format(channel=name(channel))
        case OpenDirect(member=member, text=text):
            return translate(_("write to {member}: {text}")).format(member=name(member), text=short(text))
        case AskStaff(text=text):
            return translate(_("ask the staff: {text}")).format(text=short(text))
        case CreateEvent(title=title):
            return translate(_("plan the event {title}")).format(title=short(title))
        case CreatePoll(question=question):
            return translate(_("ask for a vote: {question}")).format(question=short(question))
        case SetPolicy(name=setting, value=value, channel=channel):
            where = f" (#{name(channel)})" if channel else ""
            return translate(_("set {setting} to {value}")).format(setting=setting, value=value or "default") + where
        case SetConsent(member=member, collected=collected):
            sentence = translate(_("collect what {member} writes") if collected else _("collect nothing from {member}"))
            return sentence.format(member=name(member))
        case KeepFeedback(member=member, channel=channel, opinion=opinion):
            sentence = translate(_("keep what {member} thinks of #{channel}: {opinion}"))
            return sentence.format(member=name(member), channel=name(channel), opinion=opinion or "-")
        case Forget(member=member):
            return translate(_("erase everything about {member}")).format(member=name(member))
    assert_never(action)


def name(ref: object) -> str:
    """Return the part of a reference that people may recognise."""
    return str(getattr(ref, "id", ref))


def short(text: str) -> str:
    """Return a text on one line, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
