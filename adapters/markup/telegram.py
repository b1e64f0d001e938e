"""Telegram's dialect of HTML: what it shows, and what must not come alive in it. It counts UTF-16 units, tags aside."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from adapters.markup.dialect import Dialect
from adapters.markup.lines import Style
from adapters.markup.plain import item

if TYPE_CHECKING:
    from bot.core.things import Ref

NOTHING = "\u200b"
"""A space of no width: what stands on its two sides is not read as one."""
_ALIVE = re.compile(r"@(?=\w)|:(?=//)")
"""Signs by which Telegram knows a mention, which rings, and an address: it reads them in any text."""
_TAG = re.compile(r"</?[a-z][^>]*>")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+.#-]{1,20}")
_PLACE = re.compile(r"-(\d{13,16})(?:/t?(\d{1,16}))?", re.ASCII)
_SUPERGROUPS = 1_000_000_000_000
"""What the number of a supergroup or a channel begins above; small groups have no links."""
_LIKE_AN_ADDRESS = re.compile(r"://|\w\.\w{2,}")
"""Words of a link that would promise another place than it leads to."""


def text(text: str) -> str:
    """Write characters that are shown and mean nothing: no tag, no mention, no link.

    Names of hosts without `://`, and commands, Telegram makes tappable all the same.
    """
    return _escaped(_ALIVE.sub(rf"\g<0>{NOTHING}", text))


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _as_it_is(written: str) -> str:
    return written


def _code(text: str) -> str | None:
    return f"<code>{_escaped(text)}</code>" if text.strip() else None


def _fence(body: str, language: str) -> str:
    inside = _escaped(body) if body.strip() else NOTHING
    if _LANGUAGE.fullmatch(language):
        return f'<pre><code class="language-{language}">{inside}</code></pre>'
    return f"<pre>{inside}</pre>"


def _link(label: str, address: str) -> str:
    """Write a link; one whose words could be taken for another address shows both."""
    there = html.escape(address, quote=True)
    if label == address:
        return f'<a href="{there}">{_escaped(label)}</a>'
    if _LIKE_AN_ADDRESS.search(label) or not label.strip():
        return f'{text(label)} (<a href="{there}">{_escaped(address)}</a>)'.lstrip()
    return f'<a href="{there}">{text(label)}</a>'


def _reference(kind: str, ref: Ref) -> str | None:
    """Link to a chat, a topic or a message of a supergroup or channel; what names a member would ring for them."""
    found = _PLACE.fullmatch(ref.id)
    if ref.platform != "telegram" or found is None or kind not in {"channel", "message"}:
        return None
    bare = int(found[1]) - _SUPERGROUPS
    if bare <= 0 or (kind == "message" and (found[2] is None or "/t" in ref.id)):
        return None
    return f"https://t.me/c/{bare}/{found[2] or 1}"


def _heading(written: str, _level: int) -> str:
    return f"<b>{written}</b>"


def _quote(written: str) -> str:
    return f"<blockquote>{written}</blockquote>"


def _length(written: str) -> int:
    shown = html.unescape(_TAG.sub("", written))
    return len(shown.encode("utf-16-le", "surrogatepass")) // 2


TELEGRAM = Dialect(
    text=text,
    begin=_as_it_is,
    styles={Style.BOLD: ("<b>", "</b>"), Style.ITALIC: ("<i>", "</i>"), Style.STRUCK: ("<s>", "</s>")},
    code=_code,
    fence=_fence,
    link=_link,
    reference=_reference,
    heading=_heading,
    item=item,
    quote=_quote,
    length=_length,
)
"""The dialect, for parse mode HTML."""
