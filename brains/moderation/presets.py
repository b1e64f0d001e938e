"""How strict a community is to begin with: every figure of the three presets in one table, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.core.i18n import _
from brains.moderation.detection import Severity  # noqa: TC001 - read when it runs

Preset = Literal["gentle", "standard", "strict"]
Consequence = Literal["allow", "flag", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many of one author in so many seconds are one too many."""

    count: int
    seconds: int
    severity: Severity = "flag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a preset allows. `None` in place of a limit, and 0 in place of a number: nothing is too many.

    `newcomer` messages are an author's first; `young_account` and `just_joined` are in hours.
    """

    flood: Limit | None
    duplicates: Limit | None
    crossposts: Limit | None
    mentions: Limit | None
    links: Limit | None
    attachments: Limit | None
    emoji: Limit | None
    newcomer: int
    newcomer_links: Consequence
    newcomer_mentions: int
    young_account: int
    just_joined: int
    invites: Consequence
    lookalikes: Consequence
    masked: Consequence
    shorteners: Consequence
    addresses: Consequence
    raid_joins: Limit | None
    raid_alike: Limit | None
    raid_quiet: int


# python-discord/bot (MIT), its antispam table: burst 7, duplicates 3, mentions 5 and attachments 6 in 10 s, links 10 in
# 10 s, emoji 20 in 10 s. It mutes at once, so that `standard` has its figures; `gentle` has twice as many, for people
# who paste logs and greet in rows, and asks a human only; `strict` has half, rounded up, and removes.
# tg-spam (MIT) looks at the first message alone, `strict` at three.
# `crossposts`, the same text in so many channels, is ours: python-discord/bot counts it among duplicates.
# Joins: ours, a guess to be tuned: who is named elsewhere gets some 5 guests a minute, a raid brings tens.
PRESETS: dict[Preset, Figures] = {
    "gentle": Figures(
        flood=Limit(count=14, seconds=10),
        duplicates=Limit(count=5, seconds=30),
        crossposts=Limit(count=4, seconds=300),
        mentions=Limit(count=10, seconds=10),
        links=Limit(count=20, seconds=10),
        attachments=Limit(count=12, seconds=10),
        emoji=Limit(count=60, seconds=10),
        newcomer=1,
        newcomer_links="allow",
        newcomer_mentions=6,
        young_account=0,
        just_joined=0,
        invites="allow",
        lookalikes="flag",
        masked="flag",
        shorteners="allow",
        addresses="flag",
        raid_joins=Limit(count=30, seconds=60),
        raid_alike=Limit(count=5, seconds=120),
        raid_quiet=600,
    ),
    "standard": Figures(
        flood=Limit(count=7, seconds=10),
        duplicates=Limit(count=3, seconds=10),
        crossposts=Limit(count=3, seconds=300),
        mentions=Limit(count=5, seconds=10),
        links=Limit(count=10, seconds=10),
        attachments=Limit(count=6, seconds=10),
        emoji=Limit(count=20, seconds=10),
        newcomer=1,
        newcomer_links="flag",
        newcomer_mentions=3,
        young_account=0,
        just_joined=0,
        invites="flag",
        lookalikes="flag",
        masked="flag",
        shorteners="allow",
        addresses="flag",
        raid_joins=Limit(count=15, seconds=60),
        raid_alike=Limit(count=4, seconds=120),
        raid_quiet=900,
    ),
    "strict": Figures(
        flood=Limit(count=4, seconds=10, severity="remove"),
        duplicates=Limit(count=2, seconds=10, severity="remove"),
        crossposts=Limit(count=2, seconds=300, severity="remove"),
        mentions=Limit(count=3, seconds=10, severity="remove"),
        links=Limit(count=5, seconds=10, severity="remove"),
        attachments=Limit(count=3, seconds=10, severity="remove"),
        emoji=Limit(count=10, seconds=10),
        newcomer=3,
        newcomer_links="remove",
        newcomer_mentions=2,
        young_account=24,
        just_joined=1,
        invites="remove",
        lookalikes="remove",
        masked="remove",
        shorteners="flag",
        addresses="remove",
        raid_joins=Limit(count=8, seconds=60),
        raid_alike=Limit(count=3, seconds=120),
        raid_quiet=1800,
    ),
}
MEANINGS = {
    "flood": _("messages"),
    "mentions": _("mentions"),
    "links": _("links"),
    "attachments": _("files"),
    "emoji": _("emoji"),
}
"""What is counted, as reasons say it."""
