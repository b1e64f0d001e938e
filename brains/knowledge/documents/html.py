"""HTML into blocks, by selectolax: what is shown of a page, without what stands around its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser, LexborNode

from brains.knowledge.documents.blocks import Block, linked, row

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT = frozenset(
    ("aside", "button", "footer", "form", "head", "iframe", "nav", "noscript", "script", "select", "style", "svg")
) | {"template", "textarea", "video"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    ("address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption")
) | {"figure", "header", "html", "li", "main", "p", "section", "summary", "hr"}
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def html_blocks(text: str) -> Iterator[Block]:
    """Read the blocks of a page, in order; of one that says where its main part is, that part."""
    parser = LexborHTMLParser(text)
    main = parser.css("main")
    start = main[0] if len(main) == 1 else parser.body
    if start is not None:
        yield from _blocks(start)


def title(text: str) -> str:
    """Return what a page is called; empty where it does not say."""
    found = LexborHTMLParser(text).css_first("title")
    return _line(found.text()) if found is not None else ""


def _blocks(parent: LexborNode) -> Iterator[Block]:
    """Read the blocks inside of a node; words between them are paragraphs of their own."""
    words: list[str] = []
    for node in parent.iter(include_text=True):
        tag = node.tag or ""
        if _is_unseen(node):
            continue
        if tag in _HEADINGS or tag in {"ul", "ol", "table", "pre"} or tag in _BLOCKS:
            yield from _paragraph(words)
            words = []
            yield from _block(node, tag)
        else:
            words.append(_words(node))
    yield from _paragraph(words)


def _block(node: LexborNode, tag: str) -> Iterator[Block]:
    if tag in _HEADINGS:
        if text := _line(_words(node)):
            yield Block(kind="heading", text=text, level=_HEADINGS[tag])
    elif tag in {"ul", "ol"}:
        yield from _whole(_items(node, 0))
    elif tag == "table":
        yield from _whole(_rows(node))
    elif tag == "pre":
        yield from _whole([node.text().strip("\n")])
    else:
        yield from _blocks(node)


def _whole(lines: Iterator[str] | list[str]) -> Iterator[Block]:
    if text := "\n".join(line for line in lines if line.strip()):
        yield Block(kind="whole", text=text)


def _paragraph(words: list[str]) -> Iterator[Block]:
    lines = [_line(line) for line in "".join(words).split("\n\n")]
    if text := "\n".join(line for line in lines if line):
        yield Block(kind="text", text=text)


def _items(parent: LexborNode, depth: int) -> Iterator[str]:
    number = 0
    for item in parent.iter():
        if item.tag != "li" or _is_unseen(item):
            continue
        number += 1
        sign = f"{number}." if parent.tag == "ol" else "-"
        inner = [one for one in item.iter() if one.tag in {"ul", "ol"}]
        words = "".join(_words(one) for one in item.iter(include_text=True) if one.tag not in {"ul", "ol"})
        yield f"{'  ' * depth}{sign} {_line(words)}"
        for one in inner:
            yield from _items(one, depth + 1)


def _rows(node: LexborNode) -> Iterator[str]:
    lines = [
        ([_line(_words(cell)) for cell in line.iter() if cell.tag in {"td", "th"}], line.css_first("td") is None)
        for line in node.css("tr")
    ]
    heads = lines[0][0] if len(lines) > 1 and lines[0][1] else []
    yield from (row(cells, heads) for cells, _heading in (lines[1:] if heads else lines))


def _words(node: LexborNode) -> str:
    """Return the words of a node; a line that is broken on purpose stays so."""
    tag = node.tag or ""
    if tag == "-text":
        return re.sub(r"\s+", " ", node.text(deep=False))
    if tag == "br":
        return "\n\n"
    if tag == "img":
        return node.attributes.get("alt") or ""
    if tag.startswith("-") or _is_unseen(node):
        return ""
    words = "".join(_words(one) for one in node.iter(include_text=True))
    if tag == "a":
        return linked(words, node.attributes.get("href") or "")
    return f" {words} " if tag in _BLOCKS else words


def _is_unseen(node: LexborNode) -> bool:
    """Say whether a node is not for reading, or not shown: nobody should be told what they would not see there."""
    if node.tag in _LEFT_OUT:
        return True
    if node.tag is None or node.tag.startswith("-"):
        return node.tag != "-text"
    has = node.attributes
    return "hidden" in has or has.get("aria-hidden") == "true" or bool(_UNSEEN.search(has.get("style") or ""))


def _line(text: str) -> str:
    return " ".join(text.split())
