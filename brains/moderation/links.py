"""Finds where a message leads: links in plain text and Markdown, however they are written, and what each is."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote

import re2

from brains.moderation import domains

MOST = 100
"""Links of one message that are looked at; a message with more has too many by any limit."""
ENDINGS = frozenset("app cc cfg md mov name pl ps py rs sh so zip java js ts go vi st".split())  # noqa: SIM905
"""Endings that are of files or names at least as often as of domains: without a scheme or a path they are no link."""

_HIDDEN_DOT = re.compile(r"(?<=\w)\s?[\[({]\s?(?:\.|dot|точка|点|點)\s?[\])}]\s?(?=\w)", re.IGNORECASE)
_SPOKEN_DOT = re.compile(
    r"(?<=[\w-]{3})(?<!\bthe)(?<!\band) (?:dot|точка) "
    r"(?=(?:com|net|org|ru|io|info|xyz|top|online|site|me|gg|shop|ру)\b)"
    r"|(?<=[A-Za-z0-9])[点點](?=(?:com|net|cn|org|top|xyz|cc|vip|me)\b)",
    re.IGNORECASE,
)
_HIDES = re.compile(r"[\[({]\s?(?:\.|dot|точка)|\b(?:dot|точка)\b|[点點]", re.IGNORECASE)
_MARKDOWN = re.compile(r"\[([^\[\]]{1,200})\]\(\s*<?([^\s()<>]{4,2000})>?[^()]{0,200}\)")
_LINK = re.compile(
    r"(?:(?P<scheme>(?<![A-Za-z0-9])(?:h(?:tt|xx|\*\*)ps?|ftp|wss?)(?:://|:\\\\))"
    r"(?:(?P<user>[^\s/@<>\"'()\[\]]{1,100})@)?|(?<![\w@.\-]))"
    r"(?P<host>(?:[\w\u00a1-\uffff](?:[\w\u00a1-\uffff-]{0,62})[.。．])+(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}|\d{1,3}))\b"
    r"(?P<port>:\d{1,5})?(?P<path>[/?#][^\s<>\"|\u3000-\u303f\uff00-\uffef]*)?",
    re.IGNORECASE,
)
_SUSPECT = re2.compile(r"[.。．][\pL\pN]|\[\.\]|(?i:\bdot\b|точка)|[点點]|\d:\d|://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a message leads. `domain` is the part of the host that was registered, empty for an IP address.

    `hidden`: written so that no client makes it a link; `bare`: without a scheme; `masked` has the domain that the
    words of a Markdown link, or what stands before an `@`, pretend.
    """

    written: str
    host: str
    path: str = ""
    hidden: bool = False
    bare: bool = False
    masked: str = ""

    @property
    def domain(self) -> str:
        """Return the registered domain."""
        return domains.registered(self.host)

    @property
    def address(self) -> str:
        """Return host and path, as lists name links."""
        return self.host.removeprefix("www.") + self.path

    @property
    def is_ip(self) -> bool:
        """Say whether it leads to a number instead of a name; one of the reader's own network is no trap."""
        return _is_ip(self.host) and ipaddress.IPv4Address(self.host).is_global

    @property
    def is_invite(self) -> bool:
        """Say whether it invites into another community."""
        return bool(domains.INVITES.match(self.address))

    @property
    def is_short(self) -> bool:
        """Say whether it hides where it leads behind a shortener."""
        return self.domain in domains.SHORTENERS


def find(text: str) -> list[Link]:
    """Return the links of a message in order, each once; at most `MOST`."""
    if not _SUSPECT.search(text):
        return []
    found: dict[tuple[str, str], Link] = {}
    for label, address in _MARKDOWN.findall(text):
        link, said = next(iter(_plain(address)), None), next(iter(_plain(label)), None)
        if link and said and said.domain != link.domain and said.domain:
            masked = Link(written=link.written, host=link.host, path=link.path, masked=said.domain)
            found[link.host, link.path] = masked
    for link in _plain(text):
        found.setdefault((link.host, link.path), link)
    if not _HIDES.search(text):
        return list(found.values())[:MOST]
    opened = _SPOKEN_DOT.sub(".", _HIDDEN_DOT.sub(".", text))
    if opened != text:
        for link in _plain(opened, hidden=True):
            found.setdefault((link.host, link.path), link)
    return list(found.values())[:MOST]


def _plain(text: str, *, hidden: bool = False) -> list[Link]:
    links = []
    dotted = " ".join(word for word in text.split() if "." in word or "。" in word or "．" in word)
    for match in _LINK.finditer(dotted):
        link = _link(match, hidden=hidden)
        if link is not None:
            links.append(link)
        if len(links) >= MOST:
            break
    return links


def _link(match: re.Match[str], *, hidden: bool) -> Link | None:
    """Make a link of what looks like one; None for a number, a file, an abbreviation."""
    scheme, path = match["scheme"] or "", match["path"] or ""
    host = re.sub("[。．]", ".", match["host"]).lower()
    told = bool(scheme or path or match["port"])
    if _is_ip(host):
        if not told:
            return None
    elif (
        not domains.registered(host) and not (scheme and "." in host and not host.rpartition(".")[2].isdecimal())
    ) or (not told and host.rpartition(".")[2] in ENDINGS and not host.startswith("www.")):
        return None
    path = unquote(path.rstrip(".,!?:;)]*_~'\""))
    odd = "xx" in scheme or "**" in scheme
    written = match[0].rstrip(".,!?:;)]*")
    masked = _before_at(match["user"] or "", host)
    return Link(written=written, host=host, path=path, hidden=hidden or odd, bare=not scheme, masked=masked)


def _before_at(user: str, host: str) -> str:
    """Return the domain that stands where an address has the name of a user, as in `https://paypal.com@example.net`."""
    said = domains.registered(user.partition(":")[0].lower())
    return said if said != domains.registered(host) else ""


def _is_ip(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
