"""Who may hear of what, which proposed actions may happen, why not the others, and what is said when one failed. Pure.

Modes, where the bot reads and speaks, and how sure it must be are ruled on here alone. Ranks are not: whoever asks the
skills looks at that of a command, and a skill at that of whoever presses its button.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, get_args

from bot.core import wording
from bot.core.actions import (
    AskStaff,
    Button,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    Inward,
    KeepCase,
    Moderation,
    OpenDirect,
    Say,
    target,
)
from bot.core.decisions import Mode, Ruling, Verdict
from bot.core.events import (
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
    ReactionRemoved,
    is_asked,
    is_spoken_to,
)
from bot.core.i18n import _
from bot.core.outreach import Outreach, against
from bot.core.policies import Speak
from bot.core.wording import describe, escape, marked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.core.actions import Action
    from bot.core.decisions import Decision, Receipt
    from bot.core.events import Event
    from bot.core.i18n import Translate
    from bot.core.things import Ref

ONLY, ONLY_ASKED, ONLY_PLAIN = "only", "only-asked", "only-plain"
"""In what an adapter can: speaking to one member alone, always or where a command or a button was used; and that this
takes no files, and stays as it was said."""
DELETE_OWN = "Delete-own"
"""In what an adapter can: taking away what the bot itself said, and nothing else."""
BUTTONS, FILES, FETCH = "buttons", "files", "fetch"
"""In what an adapter can: messages with buttons under them, and with files; and looking at those of members."""
ENTERS = "enters"
"""In what an adapter can: whoever is invited into an open channel is in it at once. Elsewhere they go there."""
OPENED = "opened"
"""In what an adapter can: writing in private to those alone who opened a conversation with the bot."""
LEVELS: tuple[Speak, ...] = get_args(Speak)
SILENT: dict[Speak, str] = {
    "silent": _("Here I say nothing aloud (/setup speak)."),
    "commands": _("Here I answer commands alone (/setup speak)."),
    "mentioned": _("Here I speak only when mentioned (/setup speak)."),
}
"""Why nothing is said aloud in a channel, by how much it wants to hear."""
FAILED = _("That did not work: {error}")
PARTLY = _("In {spaces} that did not work: {error}")
STAYED = _("This did not work, so it is yours to do: {action} ({error})")
CLOSED = _("I cannot write to you directly. Allow direct messages from members of this server, or use /{command} here.")
UNOPENED = _("I may not write to you first. Open a conversation with me, and use /{command} there: {link}")
UNJOINED = _("I could not bring you into {channel}: {error} Go there yourself, or ask the staff to let you in.")
UNREACHED = _(
    "Your way into {channel} comes in a private message from me, and I may not write to you first. "
    "Open a conversation with me, and use /match there: {link}"
)
UNTOLD = _("I could not write to {member}: {error}")
UNWANTED: dict[str, str] = {
    "refused": _("They want nothing of theirs used, so I write to them only where they ask me to."),
    "stopped": _("They want to hear nothing that they did not ask for (Stop asking)."),
    "night": _("It is one of their quiet hours (/setup quiet_hours)."),
    "often": _("This week they heard enough of me that they did not ask for (/setup most_a_week)."),
}
"""Why nothing is written to a member who did not ask for it."""
WRITTEN = (MessagePosted, MessageEdited, ReactionAdded, ReactionRemoved)
"""What is heard only where the bot reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a ruling rests on, besides the proposals.

    `live` is false for what came to us late; `can` holds what each platform's adapter is able to do; `confidence` is
    how sure a skill must be to act unasked. `occasion` is the least that a channel must want to hear for an answer to
    this event to be said aloud; `speak` is what the community wants, `speak_in` single channels, and `direct` the
    conversation in which they are alone with the bot. `asker` is who set it off, `answer` an answer to them, still
    without words, `command` what they gave, if it was one, and `theirs` speaks their language. `ask_first` names the
    kinds of actions that wait for a human even where a skill may act. `outreach` says how it stands with members to
    whom something is to be written that they did not ask for, and `most_a_week` how much of that anybody is to hear.
    `secret` are the answers that rest on messages which the staff may not read.
    """

    live: bool
    can: Mapping[str, frozenset[str]]
    confidence: float
    staff_channel: Ref | None
    translate: Translate
    occasion: Speak = "commands"
    speak: Speak = "helpful"
    speak_in: Mapping[Ref, Speak] = field(default_factory=dict)
    direct: Ref | None = None
    asker: Ref | None = None
    answer: Say | None = None
    command: str = ""
    theirs: Translate = str
    ask_first: frozenset[str] = frozenset()
    outreach: Mapping[Ref, Outreach] = field(default_factory=dict)
    most_a_week: int = 3
    secret: frozenset[str] = frozenset()

    @property
    def aside(self) -> Say | None:
        """Return an answer, without words, where it was a command or a button that asks for one."""
        return self.answer if self.occasion == "commands" else None


def may_hear(event: Event, mode: Mode, read: str) -> bool:
    """Say whether a skill in a mode may hear of what nobody asked it about, in a channel that is read or not."""
    unread = read == "no" and isinstance(event, WRITTEN) and not is_spoken_to(event)
    return mode is not Mode.OFF and not unread


def occasion(event: Event) -> Speak:
    """Return the least that a channel must want to hear for an answer to an event to be said aloud in it."""
    match event:
        case MessagePosted(mentioned=True):
            return "mentioned"
        case MessagePosted() | MessageEdited() | MessageDeleted() | ReactionAdded() | ReactionRemoved():
            return "helpful"
        case _:
            return "commands" if is_asked(event) else "mentioned"


def judge(decisions: Sequence[Decision], facts: Facts, modes: Mapping[str, Mode]) -> Verdict:
    """Rule on every proposed action, in order."""
    rulings = [
        ruling
        for number, decision in enumerate(decisions)
        for ruling in _judge(number, decision, facts, modes.get(decision.skill, Mode.WATCH))
    ]
    return Verdict(decisions=tuple(decisions), rulings=tuple(_without_echoes(rulings, facts)))


def _judge(number: int, decision: Decision, facts: Facts, mode: Mode) -> list[Ruling]:
    if why := _beyond(decision, facts) if decision.owed else _against(decision, facts, mode):
        return _declined(number, decision, why)
    if facts.aside and decision.asked and (why := next(filter(None, _silences(decision, facts)), "")):
        # What was commanded is one thing: without what should be said aloud, the rest of it would not be true.
        return [*_declined(number, decision, why), *_told(number, why, facts)]
    if (decision.asked or decision.approved) and (missing := _missing(decision.actions, facts, decision.undoes)):
        told = facts.theirs(FAILED).format(error=escape(_lacking(missing, facts.can, facts.theirs)))
        return [
            *_declined(number, decision, _lacking(missing, facts.can, facts.translate)),
            *_told(number, told, facts),
        ]
    if decision.asked or decision.approved or decision.owed:
        return _possible(number, decision, facts)
    return _unasked(number, decision, facts, mode)


def _unasked(number: int, decision: Decision, facts: Facts, mode: Mode) -> list[Ruling]:
    """Do what needs no human and put the rest to the staff, by the skill's own question to them where it brings one."""
    asks = any(isinstance(action, _asking(facts)) for action in decision.actions)
    if mode is Mode.ASK and not asks:
        return _for_staff(number, decision, facts)
    waiting = [one for one in decision.actions if _waits(one, facts, mode)]
    rest = replace(decision, actions=tuple(one for one in decision.actions if one not in waiting), undoes=())
    held = replace(decision, actions=tuple(waiting), undoes=())
    if not waiting:
        return _possible(number, rest, facts)
    if asks:
        declined = _declined(number, held, facts.translate(_("The staff was asked.")))
        return [*declined, *_possible(number, rest, facts)]
    return [*_possible(number, rest, facts), *_put(number, held, facts)]


def _asking(facts: Facts) -> type[AskStaff] | tuple[type[AskStaff], type[KeepCase]]:
    """Return what asks the staff by itself: a question of a skill's own, and a case, whose card has the verdicts."""
    return (AskStaff, KeepCase) if facts.staff_channel is not None else AskStaff


def _waits(action: Action, facts: Facts, mode: Mode) -> bool:
    """Say whether an unasked act waits for a human: what staff want to be asked about, and in `ask` all but records."""
    if isinstance(action, Edit) and action.channel == facts.staff_channel:
        return False
    if mode is Mode.ASK:
        return not isinstance(action, AskStaff | Inward)
    return type(action).__name__.lower() in facts.ask_first


def _against(decision: Decision, facts: Facts, mode: Mode) -> str:
    """Say what speaks against a whole decision; empty when nothing does."""
    translate = facts.translate
    if not facts.live:
        return translate(_("It came to me late. I learn from it, and never answer or punish late."))
    if decision.asked or decision.approved:
        return ""
    if mode is Mode.OFF:
        return translate(_("This skill is off here."))
    if mode is Mode.WATCH:
        return translate(_("I only watch here, so this is what I would have done."))
    if decision.confidence < facts.confidence:
        why = translate(_("{sure:.0%} sure; here I act from {needed:.0%} on."))
        return why.format(sure=decision.confidence, needed=facts.confidence)
    return ""


def _beyond(decision: Decision, facts: Facts) -> str:
    """Say that what is owed goes further than a promise may; empty where it changes only what is the bot's own."""
    if all(isinstance(action, Edit | AskStaff | Inward) for action in decision.actions):
        return ""
    return facts.translate(_("A promise changes my own messages and tables, and nothing else."))


def _missing(actions: Sequence[Action], facts: Facts, undoes: Sequence[int | None] = ()) -> Action | None:
    """Return the first action without which a decision falls as a whole: no platform does it, nor anything instead.

    What the bot answers says what was done before it; what comes after it is done as far as it can be.
    """
    told = zip_longest(actions, undoes[: len(actions)])
    before = takewhile(lambda one: not isinstance(one[0], Say | OpenDirect), told)
    wanted = ((action, undone is not None) for action, undone in before if not isinstance(action, Edit))
    return next((action for action, own in wanted if possible(action, facts.can, own=own) is None), None)


def _told(number: int, text: str, facts: Facts) -> list[Ruling]:
    """Tell whoever asked, where an answer to them has a place."""
    if facts.answer is None:
        return []
    answer = replace(facts.answer, text=text)
    if silence := _silence(answer, facts):
        return [Ruling(decision=number, action=answer, kept=False, why=silence)]
    return _fitted(number, answer, None, facts)


def _declined(number: int, decision: Decision, why: str) -> list[Ruling]:
    return [Ruling(decision=number, action=action, kept=False, why=why) for action in decision.actions]


def _silences(decision: Decision, facts: Facts) -> list[str]:
    """Say of each action why it may not be said aloud where it would be; empty where it may, or is not aloud."""
    return [_silence(action, facts) if not decision.approved else "" for action in decision.actions]


def _silence(action: Action, facts: Facts) -> str:
    match action:
        case Say(to=where, only=None) | CreatePoll(channel=where) if where not in {facts.direct, facts.staff_channel}:
            level = facts.speak_in.get(where, facts.speak)
            return facts.translate(SILENT[level]) if LEVELS.index(level) < LEVELS.index(facts.occasion) else ""
        case _:
            return ""


def reached(action: Action, can: Mapping[str, frozenset[str]]) -> Ref | None:
    """Return the member to whom an action would write directly though they did not ask for it; None for any other."""
    direct = possible(action, can) if isinstance(action, Say | OpenDirect) and action.unasked else None
    return direct.member if isinstance(direct, OpenDirect) else None


def _unwanted(decision: Decision, facts: Facts) -> list[str]:
    """Say of each action why its member is not to be written to; what is noted of them after that falls with it.

    What staff approved is written at any hour, but never to who refused or wants to hear nothing. Of what is asked for,
    only what members switched on reaches another one than the asker: requests to meet them, weekly suggestions.
    """
    wanted = decision.asked and not decision.approved
    sent: Counter[object] = Counter()
    unwritten: dict[Ref | None, str] = {}
    whys: list[str] = []
    for action in decision.actions:
        member = reached(action, facts.can)
        if member is None:
            whys.append(unwritten.get(getattr(action, "member", None), "") if isinstance(action, Inward) else "")
            continue
        known = facts.outreach.get(member, Outreach())
        human = known.person or member
        found = against(known, sent=sent[human], most=facts.most_a_week, wanted=wanted)
        why = "" if decision.approved and found in {"night", "often"} else found
        if why:
            unwritten[member] = facts.translate(UNWANTED[why])
        else:
            unwritten.pop(member, None)
            sent[human] += 1
        whys.append(unwritten.get(member, ""))
    return whys


def _possible(number: int, decision: Decision, facts: Facts) -> list[Ruling]:
    """Keep what may be said and what the platform can do; where it cannot, say so and take the next best."""
    undoes = decision.undoes or (None,) * len(decision.actions)
    rulings: list[Ruling] = []
    against_them = zip(_silences(decision, facts), _unwanted(decision, facts), strict=True)
    for action, undone, (silence, unwanted) in zip(decision.actions, undoes, against_them, strict=True):
        if why := silence or unwanted:
            rulings.append(Ruling(decision=number, action=action, kept=False, why=why))
        else:
            fitted = _fitted(number, _signed(action, decision, facts), undone, facts)
            rulings += fitted if any(one.kept for one in fitted) else fitted + _alerts(number, decision, action, facts)
    return rulings


def _alerts(number: int, decision: Decision, action: Action, facts: Facts) -> list[Ruling]:
    """Ask the staff to take away by hand what a platform does not let a bot take away."""
    if not isinstance(action, Delete) or facts.staff_channel is None:
        return []
    if DELETE_OWN not in facts.can.get(action.message.platform, frozenset()):
        return []
    words = facts.translate(_("**{skill}**: {reason} On {platform} I cannot delete {message}. Please do it by hand."))
    link = wording.message(action.message, facts.translate(_("this message")))
    text = words.format(
        skill=decision.skill,
        reason=escape(decision.reason),
        platform=action.message.platform.capitalize(),
        message=link,
    )
    done = Button(label=facts.translate(_("Done")), press="staff.approve", choice="proposal")
    alert = AskStaff(to=facts.staff_channel, text=text, skill=decision.skill, proposed=(), buttons=(done,))
    return [] if possible(alert, facts.can) is None else [Ruling(decision=number, action=alert, kept=True)]


def _signed(action: Action, decision: Decision, facts: Facts) -> Action:
    """Write under what is done to a member who of the staff wants it."""
    by = decision.approved or (facts.asker if decision.asked else None)
    if isinstance(action, GrantRole) and action.member == by:
        return action  # what opens a channel to whoever wants it is given in the name of the owner who set that up
    return replace(action, by=by) if by and isinstance(action, Moderation) else action


def _fitted(number: int, action: Action, undoes: int | None, facts: Facts) -> list[Ruling]:
    own = undoes is not None
    if not (lacking := _lacking(action, facts.can, facts.translate, own=own)):
        return [Ruling(decision=number, action=action, kept=True, undoes=undoes)]
    declined = Ruling(decision=number, action=action, kept=False, why=lacking)
    if (instead := possible(action, facts.can, own=own)) is None:
        return [declined]
    return [declined, Ruling(decision=number, action=instead, kept=True, undoes=undoes)]


def possible(action: Action, can: Mapping[str, frozenset[str]], *, own: bool = False) -> Action | None:
    """Return an action, or the next best one that the platform can do; None when there is none.

    `own` says that it is done to what the bot itself said.
    """
    options = [_reduced(one, can) for one in (action, _instead(action)) if one is not None]
    return next((one for one in options if not _lacking(one, can, str, own=own)), None)


def regret(
    failed: Action, receipt: Receipt, decisions: Sequence[Decision], facts: Facts, spaces: str = ""
) -> Say | OpenDirect | None:
    """Return what to tell whoever asked when an act failed, how to open a conversation that stayed shut above all.

    `spaces` names those in which it failed, where it was done in others.

    What should have kept the place safe and was asked for by nobody is told to the staff, and so is it if somebody did
    not hear from the bot of whom the staff was told.
    """
    unasked = not any(decision.asked or decision.approved for decision in decisions)
    if unasked and (alarm := _alarm(failed, receipt, decisions, facts)):
        return alarm
    if facts.answer is None:
        return None
    instead = possible(facts.answer, facts.can)
    if isinstance(failed, OpenDirect) and failed.member == facts.asker and _may_call(facts.answer, instead, facts):
        return replace(facts.answer, text=_closed(receipt, facts), only=None)
    if not any(decision.asked for decision in decisions) or not isinstance(instead, Say | OpenDirect):
        return None
    if isinstance(failed, OpenDirect) and failed.member != facts.asker:
        return replace(instead, text=_untold(failed.member, receipt, facts.theirs))
    return replace(instead, text=_regretted(failed, receipt, facts.theirs, spaces))


def _regretted(failed: Action, receipt: Receipt, theirs: Translate, spaces: str) -> str:
    """Say what did not work, and where; whom nobody could bring into a channel is led there by a link."""
    if spaces:
        return theirs(PARTLY).format(spaces=escape(spaces), error=escape(receipt.error))
    if not isinstance(failed, Invite):
        return theirs(FAILED).format(error=escape(receipt.error))
    channel = wording.way(failed.channel, theirs(_("the channel")))
    if receipt.opens:
        return theirs(UNREACHED).format(channel=channel, link=f"[{escape(receipt.opens)}]({receipt.opens})")
    return theirs(UNJOINED).format(channel=channel, error=escape(_ended(receipt.error)))


def _ended(sentence: str) -> str:
    """Return a sentence with its full stop."""
    return sentence if sentence.endswith((".", "!", "?", "。")) else f"{sentence}."


def _alarm(failed: Action, receipt: Receipt, decisions: Sequence[Decision], facts: Facts) -> Say | None:
    """Return what the staff is told of an act that failed and that nobody asked for."""
    if facts.staff_channel is None:
        return None
    if isinstance(failed, Delete | Moderation):
        what = marked(failed, facts.translate)
        words = facts.translate(STAYED).format(action=what, error=escape(receipt.error))
        return Say(to=facts.staff_channel, text=words)
    told = any(isinstance(action, AskStaff) for decision in decisions for action in decision.actions)
    if isinstance(failed, OpenDirect) and told:
        return Say(to=facts.staff_channel, text=_untold(failed.member, receipt, facts.translate))
    return None


def _untold(member: Ref, receipt: Receipt, translate: Translate) -> str:
    """Say that somebody could not be written to."""
    return translate(UNTOLD).format(member=wording.member(member, member.id), error=escape(receipt.error))


def _closed(receipt: Receipt, facts: Facts) -> str:
    """Say how somebody opens the conversation in which they would have been answered."""
    if receipt.opens:
        link = f"[{escape(receipt.opens)}]({receipt.opens})"
        return facts.theirs(UNOPENED).format(link=link, command=facts.command)
    return facts.theirs(CLOSED).format(command=facts.command)


def _may_call(answer: Say, instead: Action | None, facts: Facts) -> bool:
    """Say whether it may be said aloud that the answer to a command did not reach them: nothing of the answer is."""
    aloud = facts.speak_in.get(answer.to, facts.speak) != "silent"
    return bool(facts.command) and isinstance(instead, OpenDirect) and aloud


def _lacking(action: Action, can: Mapping[str, frozenset[str]], translate: Translate, *, own: bool = False) -> str:
    """Say what is missing to carry out an action; empty when nothing is."""
    where = target(action)
    if where is None:
        return ""
    able = can.get(where.platform)
    if able is None:
        return translate(_("{platform} is not connected.")).format(platform=where.platform.capitalize())
    if type(action).__name__ not in able and not (own and isinstance(action, Delete) and DELETE_OWN in able):
        sentence = translate(_("{platform} does not let a bot do this: {action}."))
        return sentence.format(platform=where.platform.capitalize(), action=describe(action, translate))
    if isinstance(action, Say) and action.only and not _can_aside(action, able):
        return translate(_("{platform} cannot show a message to one member alone.")).format(
            platform=where.platform.capitalize()
        )
    part = _part_lacking(action, able)
    return translate(part).format(platform=where.platform.capitalize()) if part else ""


def _part_lacking(action: Action, able: frozenset[str]) -> str:
    """Say what of an action a platform has not; empty when nothing is."""
    if getattr(action, "attachments", ()) and FILES not in able:
        return _("{platform} takes no files from a bot.")
    if isinstance(action, Say) and action.only and action.attachments and ONLY_PLAIN in able:
        return _("{platform} shows no files to one member alone.")
    if getattr(action, "buttons", ()) and BUTTONS not in able:
        return _("{platform} has no buttons.")
    return ""


def _can_aside(action: Say, able: frozenset[str]) -> bool:
    """Say whether one member alone can be shown this: an invocation is given to what answers a command or a button."""
    return ONLY in able or (ONLY_ASKED in able and action.invocation is not None)


def _instead(action: Action) -> Action | None:
    """Return the next best thing: what cannot be said aside is said in a direct conversation, never aloud."""
    if isinstance(action, Say) and action.only:
        shared = {
            name: getattr(action, name) for name in ("text", "buttons", "attachments", "stream", "answer", "unasked")
        }
        return OpenDirect(member=action.only, **shared)
    return None


def _reduced(action: Action, can: Mapping[str, frozenset[str]]) -> Action:
    """Return an action with words in the place of the files and buttons that its platform has not, where there are."""
    where = target(action)
    able = can.get(where.platform, frozenset()) if where else frozenset()
    if isinstance(action, Edit) and BUTTONS not in able:
        return replace(action, buttons=())
    if not isinstance(action, Say | OpenDirect):
        return action
    instead = "\n".join(file.instead for file in action.attachments)
    if instead and FILES not in able:
        action = replace(action, text=instead, attachments=())
    return _without_buttons(action) if BUTTONS not in able else action


def _without_buttons(action: Say | OpenDirect) -> Say | OpenDirect:
    """Say by which words the same is done; what grows while it is written would grow over them."""
    words = [f"- {escape(button.label)}: `{button.words}`" for button in action.buttons if button.words]
    if words:
        action = replace(action, stream="")
    return replace(action, text="\n".join([action.text, *words]), buttons=())


def _for_staff(number: int, decision: Decision, facts: Facts) -> list[Ruling]:
    """Put a proposal to the staff: all of it at once, but for what may not be said aloud anyway."""
    ruled = list(zip(decision.actions, _silences(decision, facts), strict=True))
    hushed = [Ruling(decision=number, action=action, kept=False, why=why) for action, why in ruled if why]
    wanted = tuple(action for action, why in ruled if not why)
    return hushed + (_put(number, replace(decision, actions=wanted, undoes=()), facts) if wanted else [])


def _put(number: int, decision: Decision, facts: Facts) -> list[Ruling]:
    if facts.staff_channel is None:
        why = _("This wants the staff's word, and there is no staff channel. /setup staff_channel names one.")
        return _declined(number, decision, facts.translate(why))
    proposal = _proposal(decision, facts.staff_channel, facts)
    if missing := _missing(decision.actions, facts) or _missing((proposal,), facts):
        declined = _declined(number, decision, _lacking(missing, facts.can, facts.translate))
        return [*declined, *_alerts(number, decision, missing, facts)]
    asked = _declined(number, decision, facts.translate(_("The staff was asked.")))
    return [*asked, Ruling(decision=number, action=proposal, kept=True)]


def _proposal(decision: Decision, channel: Ref, facts: Facts) -> AskStaff:
    translate = facts.translate
    wishes = "\n".join(f"- {marked(action, translate)}" for action in _discreetly(decision, facts.secret))
    head = translate(_("**{skill}** proposes: {reason}")).format(skill=decision.skill, reason=escape(decision.reason))
    return AskStaff(
        to=channel,
        text=f"{head}\n{wishes}",
        skill=decision.skill,
        proposed=decision.actions,
        buttons=(
            Button(label=translate(_("Approve")), press="staff.approve", choice="proposal"),
            Button(label=translate(_("Decline")), press="staff.decline", choice="proposal"),
        ),
    )


def _discreetly(decision: Decision, secret: frozenset[str]) -> Iterator[Action]:
    """Leave out the words of what rests on messages that the staff, who reads the proposal, may not read."""
    for action in decision.actions:
        if isinstance(action, Say | OpenDirect) and action.answer in secret:
            yield replace(action, text="…")
        else:
            yield action


def _without_echoes(rulings: list[Ruling], facts: Facts) -> list[Ruling]:
    """Decline answers to a message that is being taken away."""
    gone = {ruling.action.message for ruling in rulings if ruling.kept and isinstance(ruling.action, Delete)}
    why = facts.translate(_("The message it answers is taken away."))
    return [
        Ruling(decision=one.decision, action=one.action, kept=False, why=why)
        if one.kept and isinstance(one.action, Say) and one.action.reply_to in gone
        else one
        for one in rulings
    ]
