"""What the platforms make of what the bot says: what is shown, what comes alive, what it links to and whom it rings.

A quote may show anything. On Discord what stands behind a backslash means nothing; on Slack a name with @ does not,
which rings only as `<@U1>` and `<!here>`; on Telegram what is no tag is text, but for names and addresses, which it
finds by itself. Links in Markdown are links on Discord alone.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.markup import PLAIN, TELEGRAM, discord, slack, write
from adapters.markup.parsing import read
from bot.core.actions import AskStaff, Edit, OpenDirect, Say
from bot.core.things import Ref
from bot.core.wording import reference
from brains.evals.safety import Said

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from adapters.markup import Dialect
    from adapters.markup.lines import Line
    from bot.core.things import Ref as Reference

Spoken = Say | Edit | OpenDirect | AskStaff
"""What has words that a member reads."""


def _on_telegram(ref: Reference) -> Reference:
    place, slash, number = ref.id.partition("/")
    return Ref("telegram", f"-100{place:0>10}{slash}{number}")


def _on_slack(ref: Reference) -> Reference:
    place, slash, number = ref.id.partition("/")
    return Ref("slack", f"C{place}/{number}.000001" if slash else f"C{place}")


def _translated(dialect: Dialect, translate: Callable[[Reference], Reference]) -> Dialect:
    """Return a dialect that reads our references as its platform's own."""
    return replace(dialect, reference=lambda kind, ref: dialect.reference(kind, translate(ref)))


_SLACK = slack(lambda channel, ts: f"https://kinfolk.slack.com/archives/{channel}/p{ts.replace('.', '')}")
DIALECTS: Mapping[str, Dialect] = {
    "Discord": discord(lambda channel: channel),
    "Telegram": _translated(TELEGRAM, _on_telegram),
    "Slack": _translated(_SLACK, _on_slack),
}


_HALF = re.compile(r"(\[[^\[\]]*\]\()|\]\(")
_BLOCK = re.compile(r"<blockquote>(.*?)</blockquote>", re.DOTALL)


def _alive_on_discord(sent: str) -> str:
    """Leave out what is escaped, and the second half of a link whose first one is."""
    return _HALF.sub(lambda found: found[1] or "]·(", re.sub(r"\\.", "·", sent))


def _alive_on_telegram(sent: str) -> str:
    """Mark the lines of a quote as such; Markdown means nothing in HTML."""
    quoted = _BLOCK.sub(lambda found: "> " + found[1].replace("\n", "\n> "), sent)
    return quoted.replace("](", "]·(")


def _alive_on_slack(sent: str) -> str:
    return re.sub(r"(?<!<)@", "·", sent).replace("](", "]·(")


ALIVE: Mapping[str, Callable[[str], str]] = {
    "Discord": _alive_on_discord,
    "Telegram": _alive_on_telegram,
    "Slack": _alive_on_slack,
}
"""Each platform's text without what means nothing there."""
_BARE = re.compile(r"https?://[^\s<>)\]\"'|]+")
_LINKS = {
    "Discord": re.compile(r"\[[^\[\]]*\]\(\s*<?([^\s)>]+)"),
    "Telegram": re.compile(r"<a\s[^>]*href=[\"']?([^\"'\s>]+)"),
    "Slack": re.compile(r"<([a-z][a-z0-9+.-]*:[^|>]+)", re.IGNORECASE),
}
"""How each writes a link: what is in the brackets is where it leads."""
_RINGS = {
    "Discord": re.compile(r"@everyone|@here|<[@#][!&]?\d+>"),
    "Telegram": re.compile(r"(?<![\w/])@\w{4,}"),
    "Slack": re.compile(r"<[@#!][^>]+>"),
}
"""How each names members, roles, channels, and everybody."""
_CODE = {
    "Discord": re.compile(r"```.*?```|`[^`]+`", re.DOTALL),
    "Telegram": re.compile(r"<pre>.*?</pre>|<code>.*?</code>", re.DOTALL),
    "Slack": re.compile(r"```.*?```|`[^`]+`", re.DOTALL),
}
"""Where addresses mean nothing."""
_SOURCE = re.compile(r"\s*[(（]?—[^—]*$")
"""What follows a sentence that was told, and names its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads what was said to one asker.

    `mine` are the messages, channels and members that may be linked to, by kind; `given` what stands in what the asker
    may read, whose addresses may be repeated; `dialects` how the bot writes for each platform.
    """

    mine: Mapping[str, Collection[Reference]]
    given: Sequence[str]
    dialects: Mapping[str, Dialect]

    def read(self, way: str, action: Spoken) -> Said:
        """Return all that there is to be seen of something that was said."""
        sent = {name: write(action.text, dialect) for name, dialect in self.dialects.items()}
        alive = {name: ALIVE[name](text) for name, text in sent.items()}
        lines = read(action.text)
        return Said(
            way=way,
            written=action.text,
            shown=write(action.text, PLAIN),
            sent=sent,
            alive=alive,
            quotes=tuple(line.text for line in lines if line.quote and line.text.strip()),
            told=tuple(_told(lines)),
            cites=frozenset(_cited(lines)),
            strange=tuple(f"{name}: {one}" for name, text in alive.items() for one in self._strange(name, text)),
            labels=tuple(button.label for button in action.buttons),
        )

    def _strange(self, platform: str, text: str) -> Iterator[str]:
        """Give what a platform would link to or ring that is neither ours nor stands in what the asker may read."""
        ours = {self._here(platform, kind, ref) for kind, refs in self.mine.items() for ref in refs}
        plain = _CODE[platform].sub(" ", text)
        links = [html.unescape(one) for one in _LINKS[platform].findall(plain)]
        bare = [html.unescape(one) for one in _BARE.findall(_LINKS[platform].sub(" ", plain))]
        yield from (one for one in (*links, *bare) if one not in ours and not any(one in text for text in self.given))
        yield from (one for one in _RINGS[platform].findall(text) if one not in ours)

    def _here(self, platform: str, kind: str, ref: Reference) -> str | None:
        return DIALECTS[platform].reference(kind, ref)


def _cited(lines: Sequence[Line]) -> Iterator[Reference]:
    for line in lines:
        for run in line.runs:
            named = reference(run.target) if run.target else None
            if named is not None and named[0] == "message":
                yield named[1]


def _told(lines: Sequence[Line]) -> Iterator[str]:
    """Give the sentences that are followed by their source in the same line."""
    for line in lines:
        if line.quote or line.depth or not list(_cited([line])):
            continue
        sentence = _SOURCE.sub("", line.text).strip()
        if line.text.rstrip().endswith((")", "）")) and sentence:
            yield sentence
