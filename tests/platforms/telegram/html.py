"""Reads parse mode HTML as strictly as Telegram does: known tags, properly closed, nothing unescaped."""

from __future__ import annotations

import html
import re

from tests.platforms.telegram.shapes import entities_in, units

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "u": "underline",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
}
_PART = re.compile(r"<(?P<close>/)?(?P<tag>[a-zA-Z]+)(?P<more>[^<>]*)>|(?P<text>[^<]+)|(?P<stray><)")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);|&")


class Unreadable(Exception):
    """What Telegram says of markup that it cannot parse."""


def parse(written: str) -> tuple[str, list[dict]]:
    """Return the text and its entities. Raises Unreadable."""
    text, opened, found = "", [], []
    for part in _PART.finditer(written):
        if part["stray"] is not None:
            raise Unreadable(f"unsupported start tag at byte offset {len(written[: part.start()].encode())}")
        if part["text"] is not None:
            text += _unescaped(part["text"])
        elif part["close"]:
            if not opened or opened[-1][0] != part["tag"]:
                raise Unreadable(f"unexpected end tag at byte offset {len(written[: part.start()].encode())}")
            _tag, start, more = opened.pop()
            length = units(text) - start
            if length:
                found.append({"type": TAGS[part["tag"]], "offset": start, "length": length, **more})
        else:
            tag = part["tag"]
            if tag not in TAGS:
                raise Unreadable(f'unsupported start tag "{tag}"')
            if tag == "blockquote" and any(one[0] == "blockquote" for one in opened):
                raise Unreadable("blockquote entities can't be nested")
            opened.append((tag, units(text), _attributes(tag, part["more"])))
    if opened:
        raise Unreadable(f'can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    free = [one for one in entities_in(text) if not any(_holds(other, one) for other in found)]
    return text.strip(), sorted([*found, *free], key=lambda one: one["offset"])


def _holds(outer: dict, inner: dict) -> bool:
    """Say whether something stands in what Telegram looks for nothing in."""
    begin, end = outer["offset"], outer["offset"] + outer["length"]
    return outer["type"] in {"text_link", "text_mention", "code", "pre"} and begin <= inner["offset"] < end


def _attributes(tag: str, more: str) -> dict:
    if not more.strip():
        return {}
    named = re.fullmatch(r'\s+(\w+)="([^"]*)"', more)
    allowed = {"a": "href", "code": "class"}.get(tag)
    if named is None or named[1] != allowed:
        raise Unreadable(f"unexpected attribute of {tag}: {more.strip()}")
    if tag != "a":
        return {}
    address = html.unescape(named[2])
    if found := re.fullmatch(r"tg://user\?id=(\d+)", address):
        return {"type": "text_mention", "user": {"id": int(found[1]), "is_bot": False, "first_name": "?"}}
    return {"url": address}


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found.group()), text)
