"""Discord's dialect of Markdown: what it shows, and what must not come alive in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote as percent

from adapters.markup.dialect import Dialect
from adapters.markup.lines import Style
from adapters.markup.plain import item, quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.things import Ref

NOTHING = "\u200b"
"""A space of no width: what stands on its two sides is not read as one."""
HEADINGS = 3
_ALIVE = re.compile(r"[\\*_~|`\[<]|:(?=//|[^\s:]*:)|(?<=\.gg)/|(?<=/invite)/")
"""Marks, and the colons and slashes by which addresses, emoji and invitations are known."""
_PING = re.compile(r"@(?=everyone|here|[!&]?\d)")
_BEGINNING = re.compile(r"#{1,3}(?=\s|$)|-(?=[\s#]|$)|\+(?=\s|$)|>")
_NUMBER = re.compile(r"(\d+)([.)])(?=\s|$)")
_LIKE_AN_ADDRESS = re.compile(r"://|\w\.\w{2,}|[\[\]]")
"""Words that Discord does not let a link have, and those that would promise another place than they lead to."""
_LANGUAGE = re.compile(r"[A-Za-z0-9_+.#-]{1,20}")


def text(text: str) -> str:
    """Write characters that are shown and mean nothing: no mark, no mention, no link, no emoji by its name."""
    return _ALIVE.sub(r"\\\g<0>", _quiet(text))


def _quiet(text: str) -> str:
    """Break mentions: a backslash does not stop Discord from reading them, and neither does code."""
    return _PING.sub(f"@{NOTHING}", text)


def _begin(written: str) -> str:
    if _BEGINNING.match(written):
        return f"\\{written}"
    return _NUMBER.sub(r"\1\\\2", written, count=1) if _NUMBER.match(written) else written


def _code(text: str) -> str | None:
    """Write code in a line; three backticks would begin a block, so code that needs them is text."""
    if not text.strip() or "``" in text:
        return None
    return f"`` {_quiet(text)} ``" if "`" in text else f"`{_quiet(text)}`"


def _fence(body: str, language: str) -> str:
    known = language if _LANGUAGE.fullmatch(language) else ""
    quiet = _quiet(body).replace("```", f"`{NOTHING}`{NOTHING}`")
    return f"```{known}\n{quiet if quiet.strip() else NOTHING}\n```"


def _link(label: str, address: str) -> str:
    """Write a link without a preview; one whose words could be taken for another address shows both."""
    there = percent(address, safe="%:/?#@!$&*+,;=~")
    if label == address:
        return f"<{there}>"
    if _LIKE_AN_ADDRESS.search(label) or not label.strip():
        return f"{text(label)} (<{there}>)".lstrip()
    return f"[{text(label)}](<{there}>)"


def _heading(written: str, level: int) -> str:
    return f"{'#' * min(level, HEADINGS)} {written}"


def _nowhere(_channel: str) -> str | None:
    return None


def discord(server_of: Callable[[str], str | None] = _nowhere) -> Dialect:
    """Return the dialect; `server_of` tells the server's id of a channel's, which a link to a message needs."""

    def reference(kind: str, ref: Ref) -> str | None:
        if ref.platform != "discord" or not re.fullmatch(r"(\d+/)?&?\d+", ref.id, re.ASCII):
            return None
        place, _slash, name = ref.id.rpartition("/")
        match kind:
            case "channel":
                return f"<#{name}>"
            case "member" | "role":
                return f"<@{name}>"  # a role's own name begins with &
            case "message":
                server = server_of(place)
                return f"https://discord.com/channels/{server}/{place}/{name}" if server else None
            case _:
                return None

    return Dialect(
        text=text,
        begin=_begin,
        styles={Style.BOLD: ("**", "**"), Style.ITALIC: ("*", "*"), Style.STRUCK: ("~~", "~~")},
        code=_code,
        fence=_fence,
        link=_link,
        reference=reference,
        heading=_heading,
        item=item,
        quote=quote,
        apart=NOTHING,
    )


DISCORD = discord()
"""The dialect for where no link to a message is wanted. Discord counts code points, as `len` does."""
