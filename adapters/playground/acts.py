"""What the bot does on the playground: an action becomes a change of the space, and what the platform tells of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.playground.pictures import kind_of
from adapters.playground.refusals import Refused
from adapters.playground.space import HARBOUR, KINFOLK, LONGEST, PLATFORM, Account, Entry, Poll, Post, Room
from bot.core.actions import (
    Action,
    ArchiveChannel,
    AskStaff,
    Ban,
    CreateChannel,
    CreateEvent,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    Kick,
    OpenDirect,
    React,
    Say,
    Timeout,
    Unban,
    Warn,
)
from bot.core.decisions import Receipt
from bot.core.events import (
    ChannelChanged,
    Event,
    File,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    Named,
    ReactionAdded,
    ReactionRemoved,
)
from bot.core.things import Audience, Rank, Ref

if TYPE_CHECKING:
    from adapters.playground.space import Space

NAMED = f"@{KINFOLK.name}".lower()
"""How people name the bot."""
STILL_SPEAKING = timedelta(minutes=1)
"""Within this time a message of the bot that changes is one that grows, and is not marked as edited."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: what it made, and what happened thereby."""

    made: Ref | None = None
    events: tuple[Event, ...] = ()


def carry_out(space: Space, action: Action) -> tuple[Receipt, tuple[Event, ...]]:
    """Carry out an action; what is refused is a receipt that failed."""
    try:
        done = _perform(space, action)
    except Refused as refused:
        return Receipt(state="failed", error=str(refused)), ()
    return Receipt(state="done", made=done.made), done.events


def _perform(space: Space, action: Action) -> Done:
    match action:
        case Say() | AskStaff() | Edit() | Delete() | React() | Warn() | OpenDirect() | CreateEvent() | CreatePoll():
            return _speak(space, action)
        case Timeout() | Kick() | Ban() | Unban() | GrantRole() | Invite():
            return _moderate(space, action)
        case CreateChannel():
            return _create_channel(space, action)
        case ArchiveChannel(channel=channel, on=on):
            return _archive(space, _room(space, channel), on=on)
        case _:
            raise Refused("cannot", name=type(action).__name__)


Spoken = Say | AskStaff | Edit | Delete | React | Warn | OpenDirect | CreateEvent | CreatePoll
Moderated = Timeout | Kick | Ban | Unban | GrantRole | Invite


def _speak(space: Space, action: Spoken) -> Done:
    match action:
        case Say():
            return _say(space, action)
        case Edit():
            return _edit(space, action)
        case Delete():
            return _delete(space, _id(action.message))
        case React():
            return _react(space, action)
        case AskStaff():
            return _publish(space, replace(_new(space, action.to, action.text), buttons=action.buttons))
        case Warn():
            account = _account(space, action.member)
            return _publish(space, replace(_new(space, action.channel, action.text), only=account.id))
        case OpenDirect():
            room = space.direct(_present(space, action.member))
            post = _new(space, room.named.ref, action.text)
            return _publish(space, replace(post, buttons=action.buttons, files=action.attachments))
        case CreateEvent():
            entry = Entry(title=action.title, starts=action.starts, ends=action.ends)
            return _publish(space, replace(_new(space, action.channel, action.description), entry=entry))
        case CreatePoll():
            poll = Poll(question=action.question, options=action.options)
            return _publish(space, replace(_new(space, action.channel, ""), poll=poll))


def _moderate(space: Space, action: Moderated) -> Done:
    if isinstance(action, Invite):
        return _invite(space, action)
    account = _account(space, action.member)
    if account.named.bot or account.rank == Rank.OWNER:
        raise Refused("protected", name=account.named.name)
    match action:
        case Timeout(minutes=minutes):
            until = space.clock.now() + timedelta(minutes=minutes) if minutes else None
            space.keep_account(replace(account, quiet_until=until))
        case GrantRole(role=role, on=on):
            roles = account.roles | {_id(role)} if on else account.roles - {_id(role)}
            space.keep_account(replace(account, roles=roles))
        case Unban() if account.state == "banned":
            space.keep_account(replace(account, state="out"))
        case Kick() if account.state == "here":
            return _send_out(space, account, banned=False)
        case Ban() if account.state != "banned":
            return _send_out(space, account, banned=True)
        case _:
            pass  # it is so already, which makes repeating harmless
    return Done()


def _say(space: Space, action: Say) -> Done:
    post = replace(_new(space, action.to, action.text), buttons=action.buttons, files=action.attachments)
    if action.thread:
        post = replace(post, thread=_thread(space, action.thread))
    if action.reply_to:
        post = replace(post, reply_to=space.post(_id(action.reply_to)).id)
    if action.only:
        typed = space.typed.get(action.invocation.id, "") if action.invocation else ""
        post = replace(post, only=_present(space, action.only).id, answers=typed)
    return _publish(space, post)


def _edit(space: Space, action: Edit) -> Done:
    post = space.post(_id(action.message))
    if post.author != KINFOLK.ref.id:
        raise Refused("not_mine")
    if action.only and post.only != _id(action.only):
        raise Refused("not_private")
    late = space.clock.now() - post.at > STILL_SPEAKING
    post = replace(post, text=_text(action.text), buttons=action.buttons, edited=post.edited or late)
    space.keep(post)
    return Done(post.ref, () if post.only else (edited(space, post),))


def edited(space: Space, post: Post) -> MessageEdited:
    """Tell of a message that says something else now."""
    return MessageEdited(
        message=post.ref,
        channel=space.room(post.room).named,
        author=space.account(post.author).named,
        text=post.text,
        at=space.clock.now(),
        revision=space.number(),
        files=files_of(post),
    )


def files_of(post: Post) -> tuple[File, ...]:
    """Tell of the files of a message, which are found by its name and their number in it."""
    return tuple(
        File(name=one.name, kind=kind_of(one.data), size=len(one.data), url=f"{post.id}#{number}")
        for number, one in enumerate(post.files)
    )


def _delete(space: Space, name: str) -> Done:
    known = space.posts.get(name)
    if known and known.deleted_by:
        return Done()
    post = space.keep(replace(space.post(name), deleted_by=KINFOLK.ref.id))
    gone = MessageDeleted(message=post.ref, channel=space.room(post.room).named, at=space.clock.now())
    return Done(None, () if post.only else (gone,))


def _react(space: Space, action: React) -> Done:
    post = space.post(_id(action.message))
    changed = reacted(post, KINFOLK.ref.id, action.emoji, on=action.on)
    if changed == post:
        return Done()
    space.keep(changed)
    return Done(None, (reaction(space, post, KINFOLK, action.emoji, on=action.on),))


def reacted(post: Post, member: str, emoji: str, *, on: bool) -> Post:
    """Return the message with or without a member's emoji."""
    rest = tuple(one for one in post.reactions if one != (emoji, member))
    if on and len(rest) < len(post.reactions):
        return post
    return replace(post, reactions=(*rest, (emoji, member)) if on else rest)


def reaction(space: Space, post: Post, member: Named, emoji: str, *, on: bool) -> ReactionAdded | ReactionRemoved:
    """Tell of an emoji that was put under a message, or taken away."""
    return (ReactionAdded if on else ReactionRemoved)(
        message=post.ref,
        channel=space.room(post.room).named,
        member=member,
        emoji=emoji,
        at=space.clock.now(),
        sequence=space.number(),
    )


def _invite(space: Space, action: Invite) -> Done:
    account, room = _present(space, action.member), _room(space, action.channel)
    if (account.id in room.members) == action.on:
        return Done()
    (space.enter if action.on else space.leave)(room, account.id)
    told = MemberJoined if action.on else MemberLeft
    return Done(None, (told(member=account.named, channel=room.named, at=space.clock.now()),))


def _send_out(space: Space, account: Account, *, banned: bool) -> Done:
    space.send_out(account, "banned" if banned else "out")
    return Done(None, (MemberLeft(member=account.named, at=space.clock.now()),))


def _create_channel(space: Space, action: CreateChannel) -> Done:
    if _id(action.space) != HARBOUR.ref.id:
        raise Refused("foreign", name=str(action.space))
    room = new_room(space, action.name, action.description, private=False, founder=KINFOLK.ref.id)
    space.keep_room(room)
    return Done(room.named.ref, (changed(space, room),))


def new_room(space: Space, name: str, description: str, *, private: bool, founder: str) -> Room:
    """Return a new channel that is not kept yet; raises Refused when one is called so."""
    name = "-".join(name.strip().lstrip("#").lower().split())
    if not name:
        raise Refused("empty")
    if any(room.named.name == name and not room.archived for room in space.rooms.values()):
        raise Refused("taken", name=name)
    audience = Audience.MEMBERS if private else Audience.EVERYONE
    named = Named(ref=Ref(PLATFORM, f"c{space.number()}"), name=name, audience=audience)
    return Room(named=named, description=description, members=frozenset({founder}))


def changed(space: Space, room: Room) -> ChannelChanged:
    """Tell of a channel that is new or otherwise."""
    return ChannelChanged(
        channel=room.named,
        description=room.description,
        archived=room.archived,
        at=space.clock.now(),
        revision=space.number(),
    )


def _archive(space: Space, room: Room, *, on: bool) -> Done:
    if room.archived == on:
        return Done()
    room = space.keep_room(replace(room, archived=on))
    return Done(None, (changed(space, room),))


def _new(space: Space, to: Ref, text: str) -> Post:
    room = _room(space, to)
    if room.archived:
        raise Refused("archived", name=room.named.name)
    name, at = f"{room.id}/{space.number()}", space.clock.now()
    return Post(id=name, room=room.id, author=KINFOLK.ref.id, text=_text(text), at=at)


def _text(text: str) -> str:
    if len(text) > LONGEST:
        raise Refused("too_long", most=LONGEST, length=len(text))
    return text


def _publish(space: Space, post: Post) -> Done:
    if not (post.text.strip() or post.files or post.poll or post.entry):
        raise Refused("empty")
    space.keep(post)
    return Done(post.ref, () if post.only else (posted(space, post),))


def posted(space: Space, post: Post) -> MessagePosted:
    """Tell of a message; a poll and a date in the calendar are told as the words that members see."""
    answers = space.posts.get(post.reply_to)
    to_bot = space.room(post.room).named.audience is Audience.DIRECT or NAMED in post.text.lower()
    return MessagePosted(
        message=post.ref,
        channel=space.room(post.room).named,
        author=space.account(post.author).named,
        text=_in_words(post),
        at=post.at,
        thread=post.thread,
        reply_to=Ref(PLATFORM, post.reply_to) if post.reply_to else None,
        source=PLATFORM,
        mentioned=to_bot or (answers is not None and answers.author == KINFOLK.ref.id),
        files=files_of(post),
    )


def without_name(text: str) -> str:
    """Return what was said without the bot's name in front."""
    return text[len(NAMED) :].lstrip(" ,:") if text.lower().startswith(NAMED) else text


def _in_words(post: Post) -> str:
    if post.poll:
        return "\n".join((post.poll.question, *(f"- {option}" for option in post.poll.options)))
    if post.entry:
        return f"{post.entry.title}\n{post.text}".strip()
    return post.text


def _thread(space: Space, ref: Ref) -> Named:
    if _id(ref) not in space.threads:
        raise Refused("no_thread", name=ref.id)
    return space.threads[ref.id]


def _present(space: Space, ref: Ref) -> Account:
    account = _account(space, ref)
    if account.state != "here":
        raise Refused(account.state, name=account.named.name)
    return account


def _account(space: Space, ref: Ref) -> Account:
    return space.account(_id(ref))


def _room(space: Space, ref: Ref) -> Room:
    return space.room(_id(ref))


def _id(ref: Ref) -> str:
    if ref.platform != PLATFORM:
        raise Refused("foreign", name=str(ref))
    return ref.id
