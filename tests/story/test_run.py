"""`kinfolk run` as an owner meets it: starting, stopping, being in the way of itself, and coming back."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.command import VECTORS, WORKER, Kinfolk
from tests.watching import count, until

pytestmark = pytest.mark.slow

MARK = {"x-kinfolk": "1"}
ENDS_WITHIN = 10.0


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bot:
    """A running bot, and its page."""

    def __init__(self, program: Kinfolk, port: int, **settings: str) -> None:
        self.page = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=MARK, timeout=30)
        everything = {"KINFOLK_PLAYGROUND_PORT": str(port), "KINFOLK_GENERATOR": "none", **settings}
        self.process = program.start("run", **everything)

    def is_ready(self) -> bool:
        """Say whether the page answers and the bot thinks at full strength."""
        try:
            return self.page.get("/api/ready").json() == {"banner": ""}
        except httpx.TransportError:
            return False

    def does(self, **deed: str) -> str:
        """Do something on the page, and return the name of what was made."""
        answer = self.page.post("/api/do", json=deed)
        assert answer.is_success, answer.text
        return answer.json()["made"]

    def sees(self, who: str, room: str) -> str:
        """Return the last thing that somebody sees in a channel."""
        found = self.page.get("/api/messages", params={"as": who, "room": room}).json()
        return (found["messages"] if isinstance(found, dict) else found)[-1]["text"]

    def stop(self) -> str:
        """Tell it to stop, and return what it said; it must end by itself in time."""
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, words = self.process.communicate(timeout=ENDS_WITHIN)
        assert time.monotonic() - began < ENDS_WITHIN
        assert self.process.returncode == 0, words
        return words

    def end(self) -> None:
        """End it whatever it is doing."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.page.close()


@pytest.fixture
def bot(kinfolk_lived_in: Kinfolk, port: int) -> Iterator[Bot]:
    """Start the bot again in a home that it has lived in."""
    started = Bot(kinfolk_lived_in, port)
    yield started
    started.end()


@pytest.fixture
def new_bot(kinfolk_with_models: Kinfolk, port: int) -> Iterator[Bot]:
    """Start the bot for the first time."""
    started = Bot(kinfolk_with_models, port)
    yield started
    started.end()


@pytest.mark.long
def test_it_starts_suggests_stops_and_comes_back_without_loading_the_sample_again(
    kinfolk_with_models: Kinfolk, new_bot: Bot, port: int
) -> None:
    until(new_bot.is_ready, 120)
    new_bot.does(deed="use", by="colm", room="general", line="/match")
    until(lambda: "bread-and-ferments" in new_bot.sees("colm", "general"))
    made = new_bot.does(deed="write", by="ana", room="general", text="The kettle is on.")
    until(lambda: count(kinfolk_with_models.home, "message") == 800)
    words = new_bot.stop()
    assert f"http://127.0.0.1:{port}" in words
    assert "first start" in words

    again = Bot(kinfolk_with_models, port)
    until(again.is_ready, 60)
    again.does(deed="use", by="colm", room="general", line="/help")
    until(lambda: "/match" in again.sees("colm", "general"))
    assert sum(psutil.Process(again.process.pid).cpu_times()[:2]) < 30  # seconds of its own: others share the machine
    shown = again.page.get("/api/messages", params={"as": "ana", "room": "general"}).json()
    assert made in str(shown)
    assert "first start" not in again.stop()
    assert count(kinfolk_with_models.home, "message") == 800
    again.end()


def test_a_second_bot_in_the_home_a_taken_port_and_nothing_to_run_are_one_clear_line(
    kinfolk_lived_in: Kinfolk, bot: Bot, port: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    until(bot.is_ready, 120)
    second = kinfolk_lived_in.run("run", expect=1, KINFOLK_PLAYGROUND_PORT=str(port + 1))
    assert second.stderr.startswith(f"kinfolk: Another Kinfolk (process {bot.process.pid}) runs in ")

    elsewhere = Kinfolk(home=tmp_path_factory.mktemp("elsewhere"))
    taken = elsewhere.run("run", expect=2, KINFOLK_PLAYGROUND_PORT=str(port))
    assert "KINFOLK_PLAYGROUND_PORT" in taken.stderr.splitlines()[-1]
    assert "Traceback" not in taken.stderr

    off = elsewhere.run("run", expect=2, KINFOLK_PLAYGROUND="off")
    assert off.stderr.startswith("kinfolk: There is nothing to run: no platform")
    half = elsewhere.run("run", expect=2, KINFOLK_SLACK_APP_TOKEN="xapp-1", KINFOLK_SLACK_API="http://127.0.0.1:1/api/")
    assert "KINFOLK_SLACK_BOT_TOKEN" in half.stderr.splitlines()[-1]
    elsewhere.end_companions()


def test_companions_that_die_are_started_again_and_the_bot_goes_on_meanwhile(
    kinfolk_lived_in: Kinfolk, bot: Bot
) -> None:
    until(bot.is_ready, 120)
    for module in (WORKER, VECTORS):
        [process] = kinfolk_lived_in.companions(module)
        process.kill()
        bot.does(deed="use", by="colm", room="general", line="/help")
        until(lambda: "/match" in bot.sees("colm", "general"))
        until(
            lambda module=module, old=process.pid: (
                [p.pid for p in kinfolk_lived_in.companions(module)] not in ([], [old])
            )
        )
    bot.does(deed="use", by="colm", room="general", line="/match I bake bread and feed a sourdough starter")
    until(lambda: "bread-and-ferments" in bot.sees("colm", "general"))


@pytest.mark.long
def test_the_owner_explains_undoes_and_checks_from_beside_it(kinfolk_lived_in: Kinfolk, bot: Bot) -> None:
    until(bot.is_ready, 120)
    bot.does(deed="use", by="ana", room="general", line="/mode welcome watch")
    until(lambda: "watch" in bot.sees("ana", "general"))
    [told] = kinfolk_lived_in.json("why", "--json")
    assert told["acts"][0]["action"] == "set mode.welcome to watch"

    undone = kinfolk_lived_in.run("undo")
    assert "set mode.welcome to watch" in undone.stdout
    [told] = kinfolk_lived_in.json("why", told["trace"], "--json")
    assert told["acts"][0]["undone_by"] is not None
    nothing = kinfolk_lived_in.run("undo", expect=2)
    assert nothing.stderr == "kinfolk: There is nothing that can be taken back.\n"

    checked = kinfolk_lived_in.json("doctor", "--json")
    assert {check["state"] for check in checked["checks"]} == {"ok"}, checked
    played = kinfolk_lived_in.json("replay", "--days", "365", "--json")
    assert played["events"] > 700
    # The sample was imported: what nobody judged then is what spammers wrote in it.
    assert {one["skill"] for one in played["differences"]} == {"moderate"}
    assert 5 <= len(played["differences"]) <= 15

    bot.stop()
    alone = kinfolk_lived_in.run("undo", told["trace"], expect=1)
    assert "No Kinfolk runs in" in alone.stderr


def test_a_hard_death_of_the_process_leaves_the_home_usable(kinfolk_lived_in: Kinfolk, bot: Bot, port: int) -> None:
    until(bot.is_ready, 120)
    made = bot.does(deed="write", by="ana", room="general", text="Just before the lights went out.")
    bot.process.kill()
    bot.process.communicate()
    again = Bot(kinfolk_lived_in, port)
    until(again.is_ready, 60)
    assert made in str(again.page.get("/api/messages", params={"as": "ana", "room": "general"}).json())
    again.stop()
    again.end()
