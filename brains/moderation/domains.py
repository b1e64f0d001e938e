"""What is known of domains: which part is registered, which are well known, which look like those, lists from files."""

from __future__ import annotations

import functools
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _
from brains.moderation import lookalikes

if TYPE_CHECKING:
    from pathlib import Path

WELL_KNOWN = frozenset(
    [
        "amazon.com",
        "apple.com",
        "binance.com",
        "bitget.com",
        "blockchain.com",
        "bybit.com",
        "coinbase.com",
        "coinmarketcap.com",
        "discord.com",
        "discord.gg",
        "discordapp.com",
        "dropbox.com",
        "ebay.com",
        "epicgames.com",
        "etherscan.io",
        "facebook.com",
        "github.com",
        "gitlab.com",
        "google.com",
        "gosuslugi.ru",
        "instagram.com",
        "kraken.com",
        "kucoin.com",
        "linkedin.com",
        "mail.ru",
        "metamask.io",
        "microsoft.com",
        "netflix.com",
        "nytimes.com",
        "openai.com",
        "opensea.io",
        "paypal.com",
        "pancakeswap.finance",
        "reddit.com",
        "revolut.com",
        "roblox.com",
        "sberbank.ru",
        "slack.com",
        "spotify.com",
        "steamcommunity.com",
        "steampowered.com",
        "taobao.com",
        "telegram.org",
        "tiktok.com",
        "trezor.io",
        "trustwallet.com",
        "twitch.tv",
        "twitter.com",
        "uniswap.org",
        "vk.com",
        "walletconnect.com",
        "wechat.com",
        "weibo.com",
        "whatsapp.com",
        "wikipedia.org",
        "wise.com",
        "yandex.ru",
        "youtube.com",
        "zoom.us",
    ]
)
"""What phishing imitates in chats: accounts, games, wallets, banks and shops."""
NEIGHBOURS = frozenset(
    [
        "krakend.io",
        "openapi.com",
        "revolt.chat",
        "telegra.ph",
        "tiktokv.com",
        "weechat.org",
        "wikimedia.de",
        "wikimedia.org",
    ]
)
"""Domains of their own right, one letter from a well-known one: found among the links of real communities."""
SHORTENERS = frozenset(
    [
        "bit.ly",
        "tinyurl.com",
        "t.co",
        "goo.gl",
        "is.gd",
        "v.gd",
        "cutt.ly",
        "ow.ly",
        "rb.gy",
        "shorturl.at",
        "clck.ru",
        "vk.cc",
        "u.to",
        "buff.ly",
        "rebrand.ly",
        "t.ly",
        "bl.ink",
        "tiny.cc",
        "s.id",
        "dwz.cn",
        "url.cn",
        "t.cn",
        "suo.im",
        "soo.gd",
        "shorte.st",
        "adf.ly",
        "linktr.ee",
        "lnkd.in",
        "qps.ru",
        "goo.su",
    ]
)
INVITES = re.compile(
    r"^(?:discord\.gg/|dsc\.gg/|discord\.me/|(?:www\.)?discord(?:app)?\.com/invite/|(?:t|telegram)\.(?:me|dog)/(?:\+|joinchat/|addlist/)"
    r"|join\.slack\.com/|chat\.whatsapp\.com/|(?:invite\.)?viber\.com/|matrix\.to/#/|signal\.group/|guilded\.gg/i/|discord\.io/)[^\s/]"
)
"""Invitations into other communities, as host and path; a link to a channel or an account is none."""
CLOSE = 6
"""Letters of a name from which one letter more, less or other is an imitation: short names are close to each other."""
LARGEST = 8_000_000
"""Bytes of a file of domains; 300,000 lines are about 6 million."""
AT_ONCE = 200_000
"""Bytes that are read while a message waits (15 ms); a larger file is read beside, and the lists as they were serve
until then: 300,000 lines take most of a second."""

_WHITE = frozenset({"white", "whitelist", "allow"})
_BLACK = frozenset({"black", "blacklist", "block", "0.0.0.0", "127.0.0.1"})  # noqa: S104 - names, not addresses to bind
_HIDDEN = str.maketrans("01345", "oieas")


@functools.cache
def _suffixes() -> _Suffixes:
    from publicsuffixlist import PublicSuffixList

    return _Suffixes(PublicSuffixList(accept_unknown=False))


class _Suffixes:
    """The list of suffixes under which anyone may register a domain."""

    def __init__(self, suffixes: object) -> None:
        self._private = suffixes.privatesuffix  # type: ignore[attr-defined]

    @functools.lru_cache(maxsize=10_000)  # noqa: B019 - there is one of them
    def registered(self, host: str) -> str:
        return str(self._private(host) or "")


def registered(host: str) -> str:
    """Return the part of a host that somebody registered, as `example.co.uk`; empty for what is no public name."""
    return _suffixes().registered(host)


def readable(host: str) -> str:
    """Return a host with its punycode written out; as it is where it cannot be."""
    if "xn--" not in host:
        return host
    try:
        return host.encode("ascii").decode("idna")
    except (UnicodeError, ValueError):
        return host


@functools.lru_cache(maxsize=10_000)
def imitated(domain: str, known: frozenset[str] = WELL_KNOWN) -> str:
    """Return the well-known domain that another looks like: other letters, digits for letters, or one letter off."""
    if domain in known or domain in NEIGHBOURS or not domain:
        return ""
    folded = _folded(readable(domain))
    looks, names = _looks(known)
    if folded in looks:
        return looks[folded]
    name = folded.partition(".")[0]
    if name in names or len(name) < CLOSE:
        return ""
    return next((one for one in sorted(known) if _is_close(name, one.partition(".")[0])), "")


@functools.lru_cache(maxsize=100)
def _looks(known: frozenset[str]) -> tuple[dict[str, str], frozenset[str]]:
    """Return what domains look like at a glance, and their first names."""
    return {_folded(one): one for one in known}, frozenset(one.partition(".")[0] for one in known)


def worn(host: str) -> str:
    """Return the well-known domain that a host of somebody else wears in front, as `paypal.com.example.net` does."""
    own = registered(host)
    if own in WELL_KNOWN or host.count(".") < 2:  # noqa: PLR2004 - a domain, and something before it
        return ""
    front = f".{host.removesuffix(own)}"
    return next((one for one in WELL_KNOWN if f".{one}." in front or f".{one}-" in front), "")


def _folded(domain: str) -> str:
    """Return what a domain looks like at a glance."""
    latin = ".".join(lookalikes.as_latin(part) for part in domain.split("."))
    return latin.translate(_HIDDEN).replace("rn", "m").replace("vv", "w").replace("l", "i")


def _is_close(one: str, other: str) -> bool:
    """Say whether two names are one letter apart: other, more, less, or two swapped."""
    other = other.translate(_HIDDEN).replace("rn", "m").replace("vv", "w").replace("l", "i")
    if abs(len(one) - len(other)) > 1 or len(other) < CLOSE or one == other:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[start:], other[start:]
    if len(one) == len(other):
        return rest[1:] == others[1:] or (rest[:2] == others[:2][::-1] and rest[2:] == others[2:])
    longer, shorter = (rest, others) if len(one) > len(other) else (others, rest)
    return longer[1:] == shorter


@dataclass(slots=True)
class DomainFile:
    """Domains of a file, a line each, read again when the file changes. `#` begins a comment.

    A line of two columns, as public lists have them, begins with `blacklist`, `whitelist`, or 0.0.0.0 as in a file of
    hosts; other lines of two columns are passed over, such as names that a list compares others with.
    """

    path: Path
    black: frozenset[str] = frozenset()
    white: frozenset[str] = frozenset()
    _stamp: tuple[int, int] = field(default=(0, 0))

    def load(self) -> None:
        """Read the file now, however large it is; for where nothing waits."""
        if self._is_new():
            self._read()

    def refresh(self) -> None:
        """Read the file again if it changed; what was read stays when it is gone or too large."""
        if not self._is_new():
            return
        if self._stamp[1] <= AT_ONCE:
            self._read()
        else:
            threading.Thread(target=self._read, name="domains", daemon=True).start()

    def _is_new(self) -> bool:
        """Say whether the file is to be read, and take note of how it is."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        stamp = there.st_mtime_ns, there.st_size
        if stamp == self._stamp or there.st_size > LARGEST:
            return False
        self._stamp = stamp
        return True

    def _read(self) -> None:
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            self._stamp = (0, 0)
            return
        rows = [line.partition("#")[0].split() for line in lines]
        self.white = frozenset(_name(row) for row in rows if len(row) > 1 and row[0] in _WHITE)
        self.black = frozenset(_name(row) for row in rows if len(row) == 1 or (len(row) > 1 and row[0] in _BLACK))

    def check(self) -> None:
        """Raise Mistake when there is no such file to read."""
        if not self.path.is_absolute() or not self.path.is_file():
            raise Mistake(
                _("The list of domains {path} is no file that I can read; name it from the root on."),
                path=str(self.path),
            )
        if self.path.stat().st_size > LARGEST:
            raise Mistake(
                _("The list of domains {path} is larger than {most} bytes and would not be read."),
                path=str(self.path),
                most=LARGEST,
            )


def _name(row: list[str]) -> str:
    return row[-1].lower().strip(".")


def is_under(host: str, domains: frozenset[str]) -> str:
    """Return which of the domains a host is or lies under; empty for none."""
    if not domains:
        return ""
    parts = host.split(".")
    tails = (".".join(parts[at:]) for at in range(len(parts)))
    return next((tail for tail in tails if tail in domains), "")
