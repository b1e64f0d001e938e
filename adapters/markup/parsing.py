"""Reads the Markdown that skills write: CommonMark, as far as chats know it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from adapters.markup.lines import Line, Run, Style
from bot.core.wording import escape, reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

DEEPEST = 30
"""How deep quotes, lists and styles may lie in each other; the reader's time grows with it. It drops what lies deeper,
so a text that does is shown as it was written."""
UNKNOWN = ("code", "entity", "hr", "html_block", "html_inline", "image", "lheading", "reference")
"""What CommonMark has and chats have not; it stays as it was written."""
ADDRESS = re.compile(r"https?://[^\s<>/?#]+[^\s<>]*", re.IGNORECASE)
STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRUCK}


class _Markdown(MarkdownIt):
    """Knows which links may be followed, and leaves their addresses as they are."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - so it is called there
        return reference(url) is not None or ADDRESS.fullmatch(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the same
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the same
        return link


_MARKDOWN = _Markdown("commonmark", {"maxNesting": DEEPEST}).enable("strikethrough").disable(list(UNKNOWN))


def read(text: str) -> list[Line]:
    """Read Markdown into lines; never fails."""
    tokens = _MARKDOWN.parse(text)
    if any(token.level >= DEEPEST - 1 for token in tokens):
        tokens = _MARKDOWN.parse("\n".join(escape(line) for line in text.splitlines()))
    reading = _Reading()
    for token in tokens:
        reading.take(token)
    return reading.lines


@dataclass(slots=True, kw_only=True)
class _Reading:
    """Where one is while reading: in which quote, how deep in lists, and at which line of the source."""

    lines: list[Line] = field(default_factory=list)
    quotes: int = 0
    quote_depth: int = 0
    depth: int = 0
    mark: str = ""
    item_at: int = 0
    heading: int = 0
    read_to: int = 0

    def take(self, token: Token) -> None:
        """Go on by one token."""
        match token.type:
            case "blockquote_open" | "blockquote_close":
                self.quotes += token.nesting == 1 and self.quote_depth == 0
                self.quote_depth += token.nesting
            case "bullet_list_open" | "ordered_list_open" | "bullet_list_close" | "ordered_list_close":
                self._leave_mark()
                self.depth += token.nesting
            case "list_item_open":
                self.mark = f"{token.info}." if token.info else "-"
                self.item_at = token.map[0] if token.map else self.read_to
            case "list_item_close":
                self._leave_mark()
            case "heading_open":
                self.heading = int(token.tag[1:])
            case "inline":
                self._add([tuple(runs) for runs in _rows(token.children or ())], token)
                self.heading = 0
            case "fence":
                self._leave_mark()
                rows = token.content.removesuffix("\n").split("\n")
                language = (token.info.split() or [""])[0]
                self._add([(Run(text=row),) for row in rows], token, fence=len(self.lines) + 1, language=language)
            case _:
                pass  # what only closes

    def _add(self, rows: Sequence[tuple[Run, ...]], token: Token, *, fence: int = 0, language: str = "") -> None:
        first, end = token.map or (self.read_to, self.read_to)
        gap = bool(self.lines) and first > self.read_to
        self.read_to = end
        for runs in rows:
            self.lines.append(
                Line(
                    runs=runs,
                    gap=gap,
                    quote=self.quotes if self.quote_depth else 0,
                    fence=fence,
                    language=language,
                    depth=self.depth,
                    mark=self.mark,
                    heading=self.heading,
                )
            )
            gap, self.mark = False, ""

    def _leave_mark(self) -> None:
        """Show an item that begins with no words of its own."""
        if self.mark:
            quote, gap = self.quotes if self.quote_depth else 0, bool(self.lines) and self.item_at > self.read_to
            self.lines.append(Line(quote=quote, gap=gap, depth=self.depth, mark=self.mark))
            self.mark, self.read_to = "", self.item_at + 1


def _rows(tokens: Sequence[Token]) -> Iterator[list[Run]]:
    """Give the runs of each line."""
    row: list[Run] = []
    styles: list[Style] = []
    target = ""
    for token in tokens:
        kind, _, edge = token.type.rpartition("_")
        if token.type in {"softbreak", "hardbreak"}:
            yield row
            row = []
        elif kind == "link":
            target = str(token.attrs.get("href", "")) if edge == "open" else ""
        elif kind in STYLES:
            (styles.append if edge == "open" else styles.remove)(STYLES[kind])
        elif token.content:
            row.append(
                Run(text=token.content, styles=frozenset(styles), code=token.type == "code_inline", target=target)
            )
    yield row
