"""What an owner's Prometheus sees of the living bot."""

from __future__ import annotations

import re
import socket

import httpx
import pytest

from tests.story.conftest import Opening
from tests.story.town import MEMBER


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def figure(page: str, name: str, **labels: str) -> float:
    told = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    found = re.search(rf"^{name}\{{{re.escape(told)}\}} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_command_is_seen_from_its_arrival_to_its_answer(opening: Opening, port: int) -> None:
    patient = httpx.AsyncHTTPTransport(retries=5)
    async with opening(metrics_port=port) as town, httpx.AsyncClient(transport=patient) as prometheus:

        async def page() -> str:
            return (await prometheus.get(f"http://127.0.0.1:{port}/metrics")).text

        before = await page()
        await town.command(MEMBER, "general", "/help")
        after = await page()
    for name, labels in (
        ("kinfolk_events_total", {"platform": "playground", "kind": "CommandGiven"}),
        ("kinfolk_acts_total", {"platform": "playground", "kind": "Say", "state": "done"}),
        ("kinfolk_verdict_seconds_count", {"platform": "playground"}),
    ):
        assert figure(before, name, **labels) == 0
        assert figure(after, name, **labels) == 1, name
