"""What a search is narrowed to: a channel, a member, and days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.errors import Mistake
from bot.core.i18n import _
from storage import members

if TYPE_CHECKING:
    from bot.core.things import Community
    from storage.channels import Reach
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters as they were written; empty ones leave everything."""

    channel: str = ""
    by: str = ""
    since: str = ""
    until: str = ""


async def narrowed(connection: Connection, community: Community, reach: Reach, wanted: Wanted) -> Reach:
    """Narrow what somebody may read to what they want to see of it. Raises Mistake that names what is wrong.

    Days are those of UTC, the last one inclusive.
    """
    scope, since, until = reach.scope, read_day(wanted.since), read_day(wanted.until)
    if since and until and until < since:
        raise Mistake(
            _("The first day is after the last: since {since}, until {until}."), since=since.date(), until=until.date()
        )
    if wanted.channel:
        scope = replace(scope, channels=frozenset({reach.named(wanted.channel).id}))
    if wanted.by:
        author = await members.find(connection, community, wanted.by)
        scope = replace(scope, authors=frozenset({author.id}) - scope.not_authors)
    return replace(reach, scope=replace(scope, since=since, until=until and _end(until)))


def read_day(written: str) -> datetime | None:
    """Read a day as it begins in UTC, None where nothing is written. Raises Mistake for what is no day."""
    if not written:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Mistake(_("{day!r} is no day. Write it like this: 2026-03-21."), day=written) from None


def _end(day: datetime) -> datetime | None:
    """Return when a day ends; the last of all days does not."""
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return None
