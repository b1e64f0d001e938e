"""What stands in a message of Slack's: the same whether it is told, read on, read back, or exported."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.slack import names, told
from bot.core.events import File, MessagePosted, Named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SAID = frozenset({"", "me_message", "thread_broadcast", "file_share", "bot_message", "slackbot_response"})
"""The kinds of messages in which somebody says something; joins, pins and topics are told by Slack itself."""
FILES = 20
"""Files of one message that are noted."""
LONGEST_NAME, LONGEST_ADDRESS = 100, 1000
LARGEST = 2**53
"""Bytes beyond which a length is none."""


def is_said(message: Mapping[str, object]) -> bool:
    """Say whether somebody says something in a message."""
    return told.text(message, "subtype") in SAID and not told.is_set(message, "hidden")


def began(message: Mapping[str, object]) -> str:
    """Return the message that began the thread which a message is an answer in; empty for one that is none."""
    first = told.text(message, "thread_ts")
    return "" if first == told.text(message, "ts") else first


def machine(message: Mapping[str, object]) -> Named | None:
    """Name the machine that a message is of, by the name that it was given; None where none is told.

    Raises ValueError for an id that is none.
    """
    own = told.text(message, "bot_id")
    if own:
        names.check(own)
    name = told.text(message, "username") or told.text(message, "bot_profile", "name") or own
    return Named(ref=names.ref(own), name=name[:LONGEST_NAME], bot=True) if own else None


def posted(
    message: Mapping[str, object], channel: Named, *, author: Named, text: str, source: str, mentioned: bool = False
) -> MessagePosted:
    """Tell of a message in a channel. Raises ValueError for one without a time."""
    where, ts, first = channel.ref.id, told.text(message, "ts"), began(message)
    at = names.instant(ts)
    if first:
        names.instant(first)
    return MessagePosted(
        message=names.message(where, ts),
        channel=channel,
        author=author,
        text=text,
        at=at,
        thread=Named(ref=names.message(where, first), name="") if first else None,
        reply_to=names.message(where, first) if first else None,
        source=source,
        mentioned=mentioned,
        files=files_of(message),
    )


def files_of(message: Mapping[str, object]) -> tuple[File, ...]:
    """Return the files of a message."""
    return tuple(_files(message))


def _files(message: Mapping[str, object]) -> Iterator[File]:
    """Tell of a message's files; their addresses without the secret that lets whoever has it download them."""
    for one in told.parts(message, "files")[:FILES]:
        if told.text(one, "mode") == "tombstone":
            continue
        name = told.text(one, "name") or told.text(one, "title") or told.text(one, "id")
        yield File(
            name=name[:LONGEST_NAME],
            kind=(told.text(one, "mimetype") or told.text(one, "filetype"))[:LONGEST_NAME],
            size=min(max(told.number(one, "size"), 0), LARGEST),
            url=_without_secret(told.text(one, "url_private"))[:LONGEST_ADDRESS],
        )


def _without_secret(url: str) -> str:
    try:
        return urlsplit(url)._replace(query="", fragment="").geturl()
    except ValueError:
        return ""
