"""`/search`: what was said, by meaning and by words, within what the asker may read; by channel, member and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.actions import Button
from bot.core.decisions import Decision
from bot.core.i18n import _
from bot.core.wording import escape
from brains.knowledge.filters import Wanted, narrowed
from brains.knowledge.highlights import highlight
from brains.knowledge.retrieval import Retrieval
from brains.skills.skill import Skill
from brains.skills.steering import member_of
from storage import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.core.things import Ref
    from brains.knowledge.retrieval import Found
    from brains.skills.skill import Context

SHOWN = 5
"""What is shown at a time."""
FILTERS = ("channel", "by", "since", "until")
"""Arguments that narrow a search."""
MOST = 50
"""What is looked for at all: whoever needs the fiftieth asks better with other words."""


async def propose(context: Context) -> Decision | None:
    """Answer the command, or the button that wants more."""
    given = context.press.data if context.press else context.command.arguments
    start = int(given.get("start", "0"))
    query = given["words"]
    wanted = Wanted(**{name: given.get(name, "") for name in FILTERS})
    reach = await context.reach()
    async with context.faculties.database.read() as connection:
        reach = await narrowed(connection, context.community, reach, wanted)
    retrieval = Retrieval(
        database=context.faculties.database,
        vectors=await context.faculties.vectors(),
        encoder=await context.faculties.encoder(),
    )
    found = await retrieval.search(query, reach=reach, limit=min(start + SHOWN + 1, MOST))
    shown, more = found[start : start + SHOWN], len(found) > start + SHOWN
    authors = await _authors(context, shown)
    lines = [line for one in shown for line in _told(context, one, query, authors)]
    text = "\n".join(lines) if shown else _nothing(context, start)
    buttons = [_more(context, given, start + SHOWN)] if more else []
    return Decision(
        skill=SKILL.name,
        actions=(context.answer(text, buttons=buttons),),
        reason=context.translate(_("searched for what was said")),
        evidence=tuple(one.message.ref for one in shown),
        about=tuple(dict.fromkeys(ref for ref, _name in authors.values())),
    )


def _nothing(context: Context, start: int) -> str:
    if start:
        return context.translate(_("That is all that I found."))
    return context.translate(
        _("I found nothing that you may read. Other words may help, or fewer filters; /ask answers questions.")
    )


async def _authors(context: Context, found: list[Found]) -> dict[int, tuple[Ref, str]]:
    async with context.faculties.database.read() as connection:
        known = await members.by_numbers(connection, [one.message.author for one in found])
    return {number: (one.ref, one.name) for number, one in known.items()}


def _told(context: Context, found: Found, query: str, authors: Mapping[int, tuple[Ref, str]]) -> list[str]:
    """Tell where, when and by whom something was said, and the stretch of it that was looked for."""
    _ref, name = authors.get(found.message.author, (None, "?"))
    day = wording.message(found.message.ref, found.message.sent_at.date().isoformat())
    channel = wording.channel(found.channel.ref, found.channel.name)
    head = context.translate(_("{channel}, {day}, {name}:")).format(channel=channel, day=day, name=escape(name))
    parts = highlight(found.message.text, query)
    said = "".join(_marked(part.text) if part.found else _plain(part.text) for part in parts)
    return [head, f"> {said}", ""]


def _marked(text: str) -> str:
    return f"**{escape(text)}**"


def _plain(text: str) -> str:
    """Escape a stretch of a line, and keep the spaces at its ends, which part it from its neighbours."""
    inner = text.strip(" ")
    if not inner:
        return text
    at = text.index(inner)
    return text[:at] + escape(inner) + text[at + len(inner) :]


def _more(context: Context, given: Mapping[str, str], start: int) -> Button:
    kept = {name: given[name] for name in ("words", *FILTERS) if given.get(name)}
    return Button(
        label=context.translate(_("More")),
        press=f"{SKILL.name}.more",
        data={**kept, "start": str(start)},
        only=member_of(context).ref,
    )


SKILL = Skill(
    name="search",
    purpose=_("Finds what was said"),
    propose=propose,
    commands=("search",),
    patience=20,
)
