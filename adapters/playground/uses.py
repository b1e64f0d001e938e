"""Commands and buttons, as a person on the page uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.playground.refusals import Refused
from adapters.playground.space import PLATFORM, Account, Post, Room, sees_post
from bot.core.commands import Command, read
from bot.core.events import ButtonPressed, CommandGiven, Pointed
from bot.core.things import Ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.playground.space import Space
    from bot.core.commands import Argument


def command_given(space: Space, account: Account, room: Room, line: str, commands: Sequence[Command]) -> CommandGiven:
    """Read a line that begins with a command; raises Mistake for one that is not as the command takes it."""
    word, _, rest = line.strip().removeprefix("/").partition(" ")
    command = next((one for one in commands if one.name == word), None)
    if command is None:
        raise Refused("no_command", name=word)
    if account.rank < command.rank:
        raise Refused("rank", name=word)
    given = read(command, rest)
    takes = {argument.name: argument for argument in command.arguments}
    about = [argument for argument in command.arguments if argument.type == "message"]
    return CommandGiven(
        command=word,
        arguments={name: _named(space, account, takes[name], value) for name, value in given.items()},
        member=account.named,
        rank=account.rank,
        channel=room.named,
        at=space.clock.now(),
        invocation=_invocation(space),
        pointed=next((_pointed(space, account, given[one.name]) for one in about if one.name in given), None),
    )


def button_pressed(space: Space, account: Account, room: Room, post: Post, token: str) -> ButtonPressed:
    """Tell of a button; raises Refused when it is not there for this member."""
    button = next((one for one in post.buttons if one.token == token), None)
    if button is None or not sees_post(account, room, post):
        raise Refused("no_button")
    if button.only and button.only.id != account.id:
        raise Refused("not_for_you", name=space.account(button.only.id).named.name)
    return ButtonPressed(
        button=token,
        message=post.ref,
        member=account.named,
        rank=account.rank,
        channel=room.named,
        at=space.clock.now(),
        invocation=_invocation(space),
    )


def _invocation(space: Space) -> Ref:
    return Ref(PLATFORM, f"use/{space.number()}")


def _named(space: Space, account: Account, argument: Argument, value: str) -> str:
    """Turn what a person calls a member, a channel or a message into its reference, as pickers of platforms do."""
    match argument.type:
        case "member":
            return _member(space, value.removeprefix("@"))
        case "channel":
            return _channel(space, account, value.removeprefix("#"))
        case "message":
            return _message(space, account, value)
        case "text" | "number" | "choice":
            return value


def _member(space: Space, name: str) -> str:
    for account in space.accounts.values():
        if name.casefold() in {account.id.casefold(), account.named.name.casefold(), str(account.named.ref)}:
            return str(account.named.ref)
    raise Refused("no_member", name=name)


def _channel(space: Space, account: Account, name: str) -> str:
    for room in space.rooms_of(account.id):
        if name.casefold() in {room.id.casefold(), room.named.name.casefold(), str(room.named.ref)}:
            return str(room.named.ref)
    raise Refused("no_channel", name=name)


def _message(space: Space, account: Account, name: str) -> str:
    """Turn a message into its reference; whatever else was typed may be the name of a trace."""
    pointed = _pointed(space, account, name)
    return str(pointed.message) if pointed else name


def _pointed(space: Space, account: Account, name: str) -> Pointed | None:
    """Return a message that this member may read, None for any other and for what is none."""
    post = space.posts.get(name.removeprefix(f"{PLATFORM}:"))
    if post is None or not sees_post(account, space.room(post.room), post):
        return None
    return Pointed(message=post.ref, channel=space.room(post.room).named, author=space.account(post.author).named)
