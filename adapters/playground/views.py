"""The space as one member sees it, in the shapes that the page reads."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.playground.pictures import UNKNOWN, kind_of
from adapters.playground.space import HARBOUR, KINFOLK, PLATFORM, Account, Post, Room, Space, sees_post
from bot.core.actions import Attachment, Button
from bot.core.decisions import Mode
from bot.core.things import Audience, Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.actions import Action
    from bot.core.commands import Command
    from bot.core.decisions import Decision, Receipt, Trace
    from bot.core.i18n import Translate

View = dict[str, object]

PAGE = 200
"""Messages that a page asks for at once."""

EXCERPT = 200
"""Characters of a message that is quoted."""


def first_viewer(space: Space) -> str:
    """Return whom the page begins as: the first of the highest rank."""
    people = [one for one in space.accounts.values() if not one.named.bot and one.state == "here"]
    return max(people, key=lambda one: one.rank).id if people else ""


def state(space: Space, viewer: str, commands: Sequence[Command], translate: Translate) -> View:
    """Show everything but the messages. An unknown viewer becomes the first one."""
    viewer = viewer if viewer in space.accounts else first_viewer(space)
    account = space.accounts.get(viewer)
    rooms = [_room(space, account, room) for room in space.rooms_of(viewer)] if account else []
    return {
        "space": HARBOUR.name,
        "me": viewer,
        "bot": KINFOLK.ref.id,
        "members": [_member(space, one) for one in space.accounts.values()],
        "rooms": rooms,
        "commands": [_command(one, translate) for one in commands if account and account.rank >= one.rank],
        "position": space.feed.position,
    }


def messages(space: Space, viewer: str, room: str, before: str) -> View:
    """Show the newest messages of a channel, or those before one; oldest first."""
    account, place = space.account(viewer), space.room(room)
    space.check_sees(account, place)
    rows = [name for name in space.rows(room) if sees_post(account, place, space.posts[name])]
    end = rows.index(before) if before in rows else len(rows)
    start = max(0, end - PAGE)
    return {"messages": [_message(space, space.posts[name]) for name in rows[start:end]], "more": start > 0}


def message(space: Space, viewer: str, name: str) -> View | None:
    """Show one message; None when this member may not see it."""
    account, post = space.accounts.get(viewer), space.posts.get(name)
    if not account or not post or not sees_post(account, space.room(post.room), post):
        return None
    return _message(space, post)


def trace(space: Space, viewer: str, told: Trace) -> View:
    """Show the story of an event; a message that it rests on is shown where this member sees it."""
    return {
        "id": told.id,
        "kind": told.kind,
        "at": told.at.isoformat(),
        "live": told.live,
        "member": told.member.id if told.member else "",
        "channel": told.channel.id if told.channel else "",
        "milliseconds": told.milliseconds,
        "steps": [
            {"skill": s.skill, "mode": s.mode, "outcome": s.outcome, "milliseconds": s.milliseconds, "failed": s.failed}
            for s in told.steps
        ],
        "decisions": [_decision(space, viewer, one) for one in told.verdict.decisions],
        "rulings": _rulings(told),
    }


def about(told: Trace) -> str:
    """Return the name of the message that a trace is about, or nothing."""
    for word in told.event.split():
        if word.startswith(f"{PLATFORM}:"):
            return word.removeprefix(f"{PLATFORM}:")
    return ""


def _member(space: Space, one: Account) -> View:
    quiet = one.quiet_until if one.quiet_until and one.quiet_until > space.clock.now() else None
    return {
        "id": one.id,
        "name": one.named.name,
        "bot": one.named.bot,
        "rank": int(one.rank),
        "language": one.named.language,
        "state": one.state,
        "quiet_until": quiet.isoformat() if quiet else "",
        "roles": sorted(one.roles),
    }


def _room(space: Space, viewer: Account, room: Room) -> View:
    return {
        "id": room.id,
        "name": KINFOLK.name if room.named.audience == Audience.DIRECT else room.named.name,
        "description": room.description,
        "audience": room.named.audience or Audience.EVERYONE,
        "archived": room.archived,
        "joined": viewer.id in room.members,
        "members": sorted(room.members),
        "last": _last(space, viewer, room),
    }


def _last(space: Space, viewer: Account, room: Room) -> str:
    """Return when somebody else last wrote here, as far as this member sees."""
    posts = (space.posts[name] for name in reversed(space.rows(room.id)))
    return next(
        (post.at.isoformat() for post in posts if sees_post(viewer, room, post) and post.author != viewer.id), ""
    )


def _command(command: Command, translate: Translate) -> View:
    return {
        "name": command.name,
        "help": translate(command.help),
        "arguments": [
            {"name": a.name, "type": a.type, "help": translate(a.help), "required": a.required, "choices": a.choices}
            for a in command.arguments
        ],
    }


def _message(space: Space, post: Post) -> View:
    thought = space.thoughts.get(post.id)
    gone = bool(post.deleted_by)
    return {
        "id": post.id,
        "room": post.room,
        "author": post.author,
        "text": "" if gone else post.text,
        "at": post.at.isoformat(),
        "thread": {"id": post.thread.ref.id, "name": post.thread.name} if post.thread else None,
        "reply_to": post.reply_to,
        "quote": _quote(space, post),
        "only": post.only,
        "answers": post.answers,
        "edited": post.edited,
        "deleted_by": post.deleted_by,
        "reactions": _reactions(post),
        "buttons": [] if gone else [_button(one) for one in post.buttons],
        "files": [] if gone else [_file(one) for one in post.files],
        "poll": _poll(post),
        "entry": _entry(post),
        "ghosts": [one for one in _rulings(thought) if not one["kept"]] if thought else [],
        "considered": bool(thought and thought.verdict.decisions),
    }


def _quote(space: Space, post: Post) -> View | None:
    first = space.posts.get(post.reply_to)
    if first is None or first.only not in {"", post.only}:
        return None
    return {"author": first.author, "text": "" if first.deleted_by else _short(first.text)}


def _short(text: str) -> str:
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def _reactions(post: Post) -> list[View]:
    members: dict[str, list[str]] = {}
    for emoji, member in post.reactions:
        members.setdefault(emoji, []).append(member)
    return [{"emoji": emoji, "members": those} for emoji, those in members.items()]


def _button(button: Button) -> View:
    return {
        "label": button.label,
        "token": button.token,
        "only": button.only.id if button.only else "",
        "row": button.row,
    }


def _file(one: Attachment) -> View:
    return {"name": one.name, "size": len(one.data), "picture": kind_of(one.data) != UNKNOWN}


def _poll(post: Post) -> View | None:
    if not post.poll or post.deleted_by:
        return None
    return {"question": post.poll.question, "options": post.poll.options, "votes": post.poll.votes}


def _entry(post: Post) -> View | None:
    if not post.entry or post.deleted_by:
        return None
    starts, ends = post.entry.starts.isoformat(), post.entry.ends.isoformat()
    return {"title": post.entry.title, "starts": starts, "ends": ends}


def _decision(space: Space, viewer: str, decision: Decision) -> View:
    return {
        "skill": decision.skill,
        "reason": decision.reason,
        "confidence": decision.confidence,
        "evidence": [_evidence(space, viewer, one) for one in decision.evidence],
    }


def _evidence(space: Space, viewer: str, ref: Ref) -> View:
    seen = message(space, viewer, ref.id) if ref.platform == PLATFORM else None
    post = space.posts.get(ref.id) if seen else None
    if post is None:
        return {"id": str(ref), "room": "", "author": "", "text": ""}
    return {
        "id": post.id,
        "room": post.room,
        "author": post.author,
        "text": "" if post.deleted_by else _short(post.text),
    }


def _rulings(told: Trace) -> list[View]:
    receipts = iter(told.receipts)
    modes = {step.skill: step.mode for step in told.steps}
    rulings: list[View] = []
    for ruling in told.verdict.rulings:
        decision = told.verdict.decisions[ruling.decision]
        receipt = next(receipts, None) if ruling.kept else None
        rulings.append(
            {
                "decision": ruling.decision,
                "skill": decision.skill,
                "mode": modes.get(decision.skill, Mode.ACT),
                "reason": decision.reason,
                "action": _action(ruling.action),
                "kept": ruling.kept,
                "why": ruling.why,
                "receipt": _receipt(receipt),
            }
        )
    return rulings


def _receipt(receipt: Receipt | None) -> View | None:
    return {"state": receipt.state, "error": receipt.error} if receipt else None


def _action(action: Action) -> View:
    shown: View = {"kind": type(action).__name__}
    for one in fields(action):
        value = _plain(getattr(action, one.name))
        if value is not None:
            shown[one.name] = value
    return shown


def _plain(value: object) -> object:
    """Return what a page can show of an action's field; None for what it needs not."""
    match value:
        case Ref():
            return value.id
        case datetime():
            return value.isoformat()
        case str() | int() | float() | bool():
            return value
        case (str(), *_):
            return list(value)
        case (Attachment(), *_):
            return [one.name for one in value if isinstance(one, Attachment)]
        case _:
            return None
