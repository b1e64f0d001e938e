"""What a person does on the page: checked first, then told to the bot as an event, and only then done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.hearing import said
from adapters.playground import acts, uses
from adapters.playground.asked import (
    Arrange,
    Arrive,
    Asked,
    Change,
    Fetch,
    Join,
    Leave,
    Mark,
    Press,
    Remove,
    Speak,
    Use,
    Vote,
    Write,
)
from adapters.playground.refusals import Refused
from adapters.playground.space import PLATFORM, Account, Post, Room, Space
from bot.core.actions import Attachment
from bot.core.events import BotAdded, Event, MemberJoined, MemberLeft, MessageDeleted, Named
from bot.core.things import Audience, Rank, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.core.commands import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is about to happen: what the bot is told, what changes then, and the name of what is made."""

    events: tuple[Event, ...] = ()
    happen: Callable[[], object]
    made: str = ""


def plan(space: Space, asked: Asked, commands: Sequence[Command]) -> Deed:
    """Say what a deed comes to; raises Refused, Mistake or NotAllowed when it may not be."""
    if isinstance(asked, Arrive):
        return _arrive(space, asked)
    account = space.account(asked.by)
    if account.named.bot:
        raise Refused("no_member", name=asked.by)
    match asked:
        case Write() | Change() | Remove() | Mark():
            return _plan_message(space, account, asked, commands)
        case Join(room=room):
            return _join(space, account, space.room(room)) if room else _come_back(space, account)
        case Leave(room=room):
            return _leave(space, account, space.room(room)) if room else _go(space, account)
        case Use():
            return _use(space, account, asked, commands)
        case Press():
            return _press(space, account, asked)
        case Speak(language=language):
            named = replace(account.named, language=language)
            return Deed(happen=lambda: space.keep_account(replace(account, named=named)))
        case Vote():
            return _vote(space, account, asked)
        case Arrange():
            return _arrange(space, account, asked)
        case Fetch():
            if account.rank < Rank.OWNER:
                raise Refused("staff_only")
            return Deed(events=(BotAdded(by=account.named, at=space.clock.now()),), happen=lambda: None)


def _plan_message(
    space: Space, account: Account, asked: Write | Change | Remove | Mark, commands: Sequence[Command]
) -> Deed:
    if isinstance(asked, Write):
        return _write(space, account, asked, commands)
    post = space.post(asked.message)
    room = space.room(post.room)
    space.check_sees(account, room)
    if post.only not in {"", account.id}:
        raise Refused("no_message", name=asked.message)
    match asked:
        case Change(text=text):
            return _change(space, account, room, post, text)
        case Remove():
            return _remove(space, account, room, post)
        case Mark(emoji=emoji, on=on):
            return _mark(space, account, room, post, emoji, on=on)


def _write(space: Space, account: Account, asked: Write, commands: Sequence[Command]) -> Deed:
    room = space.room(asked.room)
    space.check_writes(account, room)
    if not asked.text.strip() and not asked.picture:
        raise Refused("empty")
    name = f"{room.id}/{space.number()}"
    post = Post(id=name, room=room.id, author=account.id, text=asked.text.strip(), at=space.clock.now())
    if asked.picture:
        post = replace(post, files=(Attachment(name=asked.picture.name, data=asked.picture.data),))
    if asked.reply_to:
        first = space.post(asked.reply_to)
        post = replace(post, reply_to=first.id, thread=first.thread)
    events = said(acts.posted(space, post), rank=account.rank, commands=commands, words=acts.without_name(post.text))
    return Deed(events=events, happen=lambda: space.keep(post), made=name)


def _change(space: Space, account: Account, room: Room, post: Post, text: str) -> Deed:
    space.check_writes(account, room)
    if post.author != account.id:
        raise Refused("not_yours")
    if not text.strip():
        raise Refused("empty")
    post = replace(post, text=text.strip(), edited=True)
    return Deed(events=(acts.edited(space, post),), happen=lambda: space.keep(post), made=post.id)


def _remove(space: Space, account: Account, room: Room, post: Post) -> Deed:
    if post.author != account.id and account.rank < Rank.STAFF and post.only != account.id:
        raise Refused("not_yours")
    gone = replace(post, deleted_by=account.id)
    event = MessageDeleted(message=post.ref, channel=room.named, at=space.clock.now())
    return Deed(events=() if post.only else (event,), happen=lambda: space.keep(gone))


def _mark(space: Space, account: Account, room: Room, post: Post, emoji: str, *, on: bool) -> Deed:
    space.check_writes(account, room)
    changed = acts.reacted(post, account.id, emoji, on=on)
    if changed == post:
        return Deed(happen=lambda: None)
    event = acts.reaction(space, post, account.named, emoji, on=on)
    return Deed(events=() if post.only else (event,), happen=lambda: space.keep(changed))


def _join(space: Space, account: Account, room: Room) -> Deed:
    space.check_sees(account, room)
    if account.id in room.members:
        return Deed(happen=lambda: None)
    event = MemberJoined(member=account.named, channel=room.named, at=space.clock.now())
    return Deed(events=(event,), happen=lambda: space.enter(room, account.id))


def _leave(space: Space, account: Account, room: Room) -> Deed:
    space.check_sees(account, room)
    if account.id not in room.members or room.named.audience == Audience.DIRECT:
        return Deed(happen=lambda: None)
    event = MemberLeft(member=account.named, channel=room.named, at=space.clock.now())
    return Deed(events=(event,), happen=lambda: space.leave(room, account.id))


def _arrive(space: Space, asked: Arrive) -> Deed:
    name = " ".join(asked.name.split())
    named = Named(ref=Ref(PLATFORM, f"m{space.number()}"), name=name, language=asked.language)
    return _enter_space(space, Account(named=named))


def _come_back(space: Space, account: Account) -> Deed:
    if account.state == "banned":
        raise Refused("banned", name=account.named.name)
    if account.state == "here":
        return Deed(happen=lambda: None)
    return _enter_space(space, replace(account, state="here"))


def _enter_space(space: Space, account: Account) -> Deed:
    at, lobbies = space.clock.now(), space.lobbies()

    def enter() -> None:
        space.keep_account(account)
        for room in lobbies:
            space.enter(room, account.id)

    rooms = (MemberJoined(member=account.named, channel=room.named, at=at) for room in lobbies)
    # The rooms come first: whoever greets a newcomer then knows where they are already.
    return Deed(events=(*rooms, MemberJoined(member=account.named, at=at)), happen=enter, made=account.id)


def _go(space: Space, account: Account) -> Deed:
    if account.state != "here":
        return Deed(happen=lambda: None)
    event = MemberLeft(member=account.named, at=space.clock.now())
    return Deed(events=(event,), happen=lambda: space.send_out(account, "out"))


def _use(space: Space, account: Account, asked: Use, commands: Sequence[Command]) -> Deed:
    room = space.room(asked.room)
    space.check_sees(account, room)
    given = uses.command_given(space, account, room, asked.line, commands)
    return Deed(events=(given,), happen=lambda: space.typed.update({given.invocation.id: asked.line.strip()}))


def _press(space: Space, account: Account, asked: Press) -> Deed:
    post = space.post(asked.message)
    room = space.room(post.room)
    space.check_sees(account, room)
    return Deed(events=(uses.button_pressed(space, account, room, post, asked.token),), happen=lambda: None)


def _vote(space: Space, account: Account, asked: Vote) -> Deed:
    post = space.post(asked.message)
    space.check_writes(account, space.room(post.room))
    if not post.poll or asked.option >= len(post.poll.options):
        raise Refused("no_option")
    poll = replace(post.poll, votes=post.poll.votes | {account.id: asked.option})
    return Deed(happen=lambda: space.keep(replace(post, poll=poll)))


def _arrange(space: Space, account: Account, asked: Arrange) -> Deed:
    if account.rank < Rank.STAFF:
        raise Refused("staff_only")
    if asked.room:
        room = space.room(asked.room)
        space.check_sees(account, room)
    else:
        room = acts.new_room(space, asked.name, asked.description, private=asked.private, founder=account.id)
    audience = Audience.MEMBERS if asked.private else Audience.EVERYONE
    named = replace(room.named, name="-".join(asked.name.lower().split()) or room.named.name, audience=audience)
    room = replace(room, named=named, description=asked.description, archived=asked.archived)
    return Deed(events=(acts.changed(space, room),), happen=lambda: space.keep_room(room), made=room.id)
