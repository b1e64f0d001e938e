"""What tells one platform's markup from another's: a dialect, made of functions on strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.markup.lines import Style
    from bot.core.things import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one platform writes things.

    Functions get plain text where the argument is called `text`, `label` or `body`, and finished markup where it is
    called `written`. None means that it cannot be written, and the plain text stands instead.

    - `text(text)`: characters that are to be shown and mean nothing.
    - `begin(written)`: a line, so that its first characters mean nothing either.
    - `styles`: what opens and closes each style; `apart` goes between two such marks that would be read as one.
    - `code(text)`, `fence(body, language)`: code in a line, and code in lines of its own.
    - `link(label, address)`: a link to http or https. `reference(kind, ref)`: what the platform itself makes a name of
      (`<#20>`), or an address; the kinds are those of `bot.core.wording.SIGNS`.
    - `heading(written, level)`, `item(written, mark, depth)`, `quote(written)`: a line, a line of a list, whole lines.
    - `length(written)`: in the unit in which the platform counts.
    """

    text: Callable[[str], str]
    begin: Callable[[str], str]
    styles: Mapping[Style, tuple[str, str]]
    code: Callable[[str], str | None]
    fence: Callable[[str, str], str]
    link: Callable[[str, str], str]
    reference: Callable[[str, Ref], str | None]
    heading: Callable[[str, int], str]
    item: Callable[[str, str, int], str]
    quote: Callable[[str], str]
    length: Callable[[str], int] = len
    apart: str = ""
