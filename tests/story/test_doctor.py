"""`kinfolk doctor` with a token: the checks of Discord beside the others, and what the bot can do there."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.command import Kinfolk
from tests.platforms.discord import discord_server, harbour

pytestmark = pytest.mark.slow


async def test_the_owner_sees_what_is_wrong_on_discord_and_what_mends_it(kinfolk_with_models: Kinfolk) -> None:
    async with discord_server() as server:
        who = harbour(server.town)
        settings = {**server.environment, "KINFOLK_GENERATOR": "none"}
        well = await asyncio.to_thread(kinfolk_with_models.run, "doctor", "--json", **settings)
        await server.staff.permit(who.anna, who.pier, server.town.bot_role(who.guild).id, deny=["view_channel"])
        server.town.approved.discard("members")
        ill = await asyncio.to_thread(kinfolk_with_models.run, "doctor", expect=1, **settings)
        wrong = {**settings, "KINFOLK_DISCORD_TOKEN": "wrong"}
        refused = await asyncio.to_thread(kinfolk_with_models.run, "doctor", expect=1, **wrong)

    told = json.loads(well.stdout)
    assert {tuple(one) for one in told["checks"]} == {("check", "state", "words")}
    states = {one["check"]: one["state"] for one in told["checks"]}
    assert (states["discord"], states["discord intents"], states["discord staff"]) == ("ok", "ok", "warn")
    assert "only-asked" in told["can"]["discord"]

    lines = {
        line[6:].split("  ")[0]: line for line in ill.stdout.splitlines() if line[:4].strip() in {"ok", "warn", "bad"}
    }
    assert lines["discord intents"].startswith(" bad  discord intents")
    assert "I lack View Channel, to see a channel at all, in #pier." in ill.stdout
    named = next(line for line in ill.stdout.splitlines() if "it can" in line and "Discord" in line)
    spoken = next(line for line in ill.stdout.splitlines() if "speak to one member alone" in line)
    table = dict(zip(*(re.split(r" *[│┃] *", line.strip("│┃ ")) for line in (named, spoken)), strict=True))
    assert (table["playground"], table["Discord"]) == ("yes", "if asked")
    assert "KINFOLK_DISCORD_TOKEN: Discord refuses it" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


def test_what_can_be_done_on_discord_is_shown_without_a_token(kinfolk_with_models: Kinfolk) -> None:
    told = kinfolk_with_models.json("doctor", "--json")
    assert {"Say", "Ban", "CreatePoll", "only-asked"} <= set(told["can"]["discord"])
    assert not any(one["check"].startswith("discord") for one in told["checks"])
