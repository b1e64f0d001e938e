"""The rules that a community's staff have set, made ready: its text, its strictness, and those of its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import structlog

from bot.core.errors import Mistake
from brains.moderation import rules
from brains.moderation.presets import Preset
from brains.moderation.rulebook import Rulebooks

if TYPE_CHECKING:
    from bot.core.policies import Rules as Policies
    from bot.core.things import Ref

log = structlog.get_logger(__name__)


def rulebooks(policies: Policies, before: Rulebooks | None = None) -> Rulebooks:
    """Make the rulebooks of a community. What was seen `before` counts on, and a raid that is on goes on.

    A text that cannot be read any more, as it may be of a newer version, leaves the preset alone, and is logged.
    """
    try:
        read = rules.read(policies.policy.rules)
    except Mistake as mistake:
        log.warning("rules_unread", reason=str(mistake))
        read = rules.Rules()
    common = policies.policy.strictness

    def preset(channel: Ref) -> Preset:
        own = policies.overrides.get(("strictness", str(channel)), common)
        return next((one for one in get_args(Preset) if one == own), common)

    if before is None:
        return Rulebooks(rules=read, preset=common, presets=preset)
    return Rulebooks(rules=read, preset=common, presets=preset, windows=before.windows, watch=before.watch)
