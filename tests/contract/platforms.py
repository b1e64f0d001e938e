"""Every platform whose adapter must keep the contract: one driver and one line each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.contract.on_discord import on_discord
from tests.contract.on_page import on_page
from tests.contract.on_slack import on_slack, on_slack_by_an_admin
from tests.contract.on_telegram import on_telegram
from tests.contract.on_wire import on_wire
from tests.contract.platform import Platform

PLATFORMS: dict[str, Callable[[], AbstractAsyncContextManager[Platform]]] = {
    "playground": on_page,
    "discord": on_discord,
    "telegram": on_telegram,
    "slack": on_slack,
    "slack-admin": on_slack_by_an_admin,
    "wire": on_wire,
}
