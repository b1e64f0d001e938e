"""Slack's mrkdwn: what it shows, and what must not come alive in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote as percent

from adapters.markup.dialect import Dialect
from adapters.markup.lines import Style
from adapters.markup.plain import item

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.things import Ref

NOTHING = "\u200b"
"""A space of no width: mrkdwn knows no backslash, so that a mark is broken by what stands beside it."""
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARK = re.compile(r"[*_~`]|(?<!\d):(?=[a-z0-9_+'-]+:)|(?<=\w)\.(?=[a-z]{2,})|://|(?<=\w)@(?=\w)")
_MEMBER = re.compile(r"[A-Z0-9]{2,40}", re.ASCII)
_MESSAGE = re.compile(r"([A-Z0-9]{2,40})/(\d{1,12})\.(\d{1,9})", re.ASCII)


def entities(text: str) -> str:
    """Write the three characters that Slack reads as its own."""
    return re.sub(r"[&<>]", lambda found: _ENTITY[found[0]], text)


def text(text: str) -> str:
    """Write characters that are shown and mean nothing: no mark, no mention, no link, no emoji by its name."""
    return entities(_MARK.sub(lambda found: f"{NOTHING}{found[0]}{NOTHING}", text))


def _begin(written: str) -> str:
    return f"{NOTHING}{written}" if written.startswith("&gt;") else written


def _code(text: str) -> str | None:
    if not text.strip() or "`" in text:
        return None
    return f"`{entities(text)}`"


def _fence(body: str, _language: str) -> str:
    quiet = entities(body).replace("```", f"`{NOTHING}`{NOTHING}`")
    return f"```\n{quiet if quiet.strip() else NOTHING}\n```"


def _link(label: str, address: str) -> str:
    """Write a link; one whose words could be taken for another address shows both."""
    there = percent(address, safe="%:/?#@!$&*+,;=~()'[]-._").replace("&", "&amp;")
    if label == address or not label.strip():
        return f"<{there}>"
    if "://" in label or re.search(r"\w\.\w{2,}", label):
        return f"{text(label)} (<{there}>)"
    return f"<{there}|{entities(label).replace('|', '¦')}>"


def _heading(written: str, _level: int) -> str:
    return written if "*" in written or not written.strip() else f"*{written}*"


def _quote(written: str) -> str:
    return "\n".join(f"> {line}" for line in written.split("\n"))


def slack(address_of: Callable[[str, str], str | None] = lambda _channel, _ts: None) -> Dialect:
    """Return the dialect; `address_of` tells a message's address by its channel and timestamp."""

    def reference(kind: str, ref: Ref) -> str | None:
        if ref.platform != "slack":
            return None
        if kind == "message" and (found := _MESSAGE.fullmatch(ref.id)):
            return address_of(found[1], f"{found[2]}.{found[3]}")
        if not _MEMBER.fullmatch(ref.id):
            return None
        return {"channel": f"<#{ref.id}>", "member": f"<@{ref.id}>"}.get(kind)

    return Dialect(
        text=text,
        begin=_begin,
        styles={Style.BOLD: ("*", "*"), Style.ITALIC: ("_", "_"), Style.STRUCK: ("~", "~")},
        code=_code,
        fence=_fence,
        link=_link,
        reference=reference,
        heading=_heading,
        item=item,
        quote=_quote,
        apart=NOTHING,
    )


SLACK = slack()
"""The dialect for where no link to a message is wanted."""
