"""Markdown into blocks, by markdown-it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from brains.knowledge.documents.blocks import Block, linked, row
from brains.knowledge.documents.html import html_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
"""What some tools write before the text: fields of their own."""
BREAKS = {"softbreak": " ", "hardbreak": "\n"}


def markdown_blocks(text: str) -> Iterator[Block]:
    """Read the blocks of a Markdown text, in order."""
    parser = MarkdownIt("commonmark").enable("table")
    yield from _blocks(SyntaxTreeNode(parser.parse(_FRONT.sub("", text, count=1))))


def _blocks(parent: SyntaxTreeNode) -> Iterator[Block]:
    for node in parent.children:
        match node.type:
            case "heading":
                yield Block(kind="heading", text=_inside(node), level=int(node.tag[1:]))
            case "paragraph":
                yield Block(kind="text", text=_inside(node))
            case "bullet_list" | "ordered_list":
                yield Block(kind="whole", text="\n".join(_items(node, 0)))
            case "table":
                yield Block(kind="whole", text="\n".join(_rows(node)))
            case "fence" | "code_block":
                yield Block(kind="whole", text=node.content.rstrip())
            case "html_block":
                yield from html_blocks(node.content)
            case "hr":
                continue
            case _:
                yield from _blocks(node)


def _items(parent: SyntaxTreeNode, depth: int) -> Iterator[str]:
    """Write the items of a list as lines, those of a list inside it further to the right."""
    first = int(parent.attrs.get("start") or 1)
    for number, item in enumerate(parent.children, start=first):
        sign = f"{number}." if parent.type == "ordered_list" else "-"
        inner = [one for one in item.children if one.type in {"bullet_list", "ordered_list"}]
        words = " ".join(block.text for one in item.children if one not in inner for block in _blocks_of(one))
        yield f"{'  ' * depth}{sign} {words}"
        for one in inner:
            yield from _items(one, depth + 1)


def _blocks_of(node: SyntaxTreeNode) -> Iterator[Block]:
    if node.type == "paragraph":
        yield Block(kind="text", text=_inside(node))
    else:
        yield from _blocks(node)


def _rows(node: SyntaxTreeNode) -> Iterator[str]:
    lines = [[_inside(cell) for cell in line.children] for part in node.children for line in part.children]
    headers = lines[0] if lines else []
    yield from (row(cells, headers) for cells in lines[1:] or lines)


def _inside(node: SyntaxTreeNode) -> str:
    """Return the words inside of a block, without their marks."""
    return "".join(_words(one) for one in node.children).strip()


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline" | "image":
            return node.content
        case "softbreak" | "hardbreak":
            return BREAKS[node.type]
        case "html_inline":
            return ""
    inside = "".join(_words(one) for one in node.children)
    return linked(inside, str(node.attrs.get("href") or "")) if node.type == "link" else inside
