"""The Discord server against the real discord.py: what the tests of our adapter rely on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import discord
import httpx
import pytest
import yarl
from discord import app_commands

from tests.platforms import Refused
from tests.platforms.discord import DiscordServer, Harbour, Sent, discord_server, harbour

pytestmark = pytest.mark.slow


class Client(discord.Client):
    """A small bot: it keeps what it hears, and answers one command, one menu command and one button."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[str] = []
        self._register()

    def _register(self) -> None:
        @self.tree.command(name="secret", description="Say something to one alone")
        async def secret(interaction: discord.Interaction, word: str) -> None:
            await interaction.response.send_message(f"{word} in {interaction.locale}", ephemeral=True)

        @secret.autocomplete("word")
        async def words(_interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=current + "!", value=current + "!")]

        @self.tree.context_menu(name="Report")
        async def report(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_modal(Form(title=message.content))

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message.content)


class Form(discord.ui.Modal):
    """A form with one field."""

    why: discord.ui.TextInput = discord.ui.TextInput(label="Why", custom_id="why")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Thanks: {self.why.value}", ephemeral=True)


@dataclass(frozen=True, kw_only=True)
class Scene:
    server: DiscordServer
    town: Harbour
    client: Client

    @property
    def pier(self) -> discord.TextChannel:
        return self.client.get_channel(self.town.pier)


@contextlib.contextmanager
def pointed(server: DiscordServer):
    """Point the library at the server."""
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = server.api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before


@contextlib.asynccontextmanager
async def running(client: discord.Client, token: str) -> AsyncIterator[None]:
    task = asyncio.create_task(client.start(token))
    ready = asyncio.create_task(client.wait_until_ready())
    try:
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED, timeout=30)
        if task.done():
            task.result()
        yield
    finally:
        ready.cancel()
        await client.close()
        await asyncio.wait([task])


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with discord_server() as server:
        town = harbour(server.town)
        with pointed(server):
            client = Client(discord.Intents.all())
            async with running(client, server.token):
                await client.tree.sync()
                yield Scene(server=server, town=town, client=client)
        assert server.faults.gaps == []


async def test_messages_arrive_and_files_can_be_fetched(scene: Scene) -> None:
    server, town = scene.server, scene.town
    kite = Sent(name="kite plan.txt", data=b"wood", kind="text/plain")
    number = await server.people.post(town.ben, town.pier, "Look.", reply_to=town.hello, files=[kite])
    await server.gateway.settled()

    assert scene.client.heard == ["Look."]
    message = await scene.pier.fetch_message(number)
    assert (message.author.name, message.reference.message_id) == ("Ben", town.hello)
    (file,) = message.attachments
    assert (file.filename, file.content_type, file.size) == ("kite plan.txt", "text/plain", 4)
    assert await file.read() == b"wood"


async def test_rights_are_those_of_discord(scene: Scene) -> None:
    server, town = scene.server, scene.town
    with pytest.raises(Refused):
        await server.people.post(town.ben, town.office, "Let me in.")
    with pytest.raises(Refused):
        await server.views.sees(town.ben, town.office)
    await server.people.post(town.mo, town.office, "We are here.")
    assert [one["content"] for one in await server.views.sees(town.mo, town.office)] == ["We are here."]

    guild = scene.client.get_guild(town.guild)
    await guild.get_member(town.ben).timeout(timedelta(minutes=5))
    with pytest.raises(Refused, match="timed out"):
        await server.people.post(town.ben, town.pier, "But …")
    with pytest.raises(discord.Forbidden):
        await guild.get_member(town.noor).timeout(timedelta(minutes=5))
    server.town.take_rights(town.guild, "moderate_members")
    with pytest.raises(discord.Forbidden):
        await guild.get_member(town.mei).timeout(timedelta(minutes=5))


async def test_what_is_for_one_alone_is_seen_by_one_alone(scene: Scene) -> None:
    server, town = scene.server, scene.town
    asked = await server.uses.command(town.ben, town.pier, "secret", {"word": "Psst"})
    answer = await server.uses.answered(asked)

    assert (answer.text, answer.ephemeral) == ("Psst in zh-CN", True)
    assert [one["content"] for one in await server.views.sees(town.ben, town.pier)] == ["Hello.", "Psst in zh-CN"]
    assert [one["content"] for one in await server.views.sees(town.mei, town.pier)] == ["Hello."]
    typed = await server.uses.answered(await server.uses.complete(town.ben, town.pier, "secret", "word", "Ki"))
    assert [one["value"] for one in typed.choices] == ["Ki!"]
    with pytest.raises(Refused, match="requires option"):
        await server.uses.command(town.ben, town.pier, "secret")


async def test_a_menu_command_opens_a_form(scene: Scene) -> None:
    server, town = scene.server, scene.town
    asked = await server.uses.menu(town.ben, town.pier, "Report", town.hello)
    assert (await server.uses.answered(asked)).modal["title"] == "Hello."
    with pytest.raises(Refused):
        await server.uses.submit(town.mei, asked, {"Why": "Rude."})
    sent = await server.uses.submit(town.ben, asked, {"Why": "Rude."})
    assert (await server.uses.answered(sent)).text == "Thanks: Rude."


async def test_a_dropped_client_resumes_and_hears_what_it_missed(scene: Scene) -> None:
    server, town = scene.server, scene.town
    for drop in (server.gateway.ask_to_reconnect, server.gateway.close, server.gateway.cut):
        await drop()
        await server.people.post(town.ben, town.pier, drop.__name__)
        await server.gateway.settled()
    assert scene.client.heard == ["ask_to_reconnect", "close", "cut"]
    assert (server.gateway.identified, server.gateway.resumed) == (1, 3)


async def test_a_session_that_is_over_begins_again(scene: Scene) -> None:
    server, town = scene.server, scene.town
    server.gateway.forget()
    await server.people.post(town.ben, town.pier, "Nobody listens.")
    await server.gateway.close()
    async with asyncio.timeout(20):
        while server.gateway.identified < 2:
            await scene.client.wait_for("connect")
    await server.gateway.settled()
    await server.people.post(town.ben, town.pier, "Now somebody does.")
    await server.gateway.settled()
    assert scene.client.heard == ["Now somebody does."]


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_wait_is_told_and_who_does_not_wait_is_noted(scene: Scene, scope: str) -> None:
    server, town = scene.server, scene.town
    path = f"/channels/{town.pier}/messages"
    server.faults.limit("POST", path, after=0.3, scope=scope)
    began = time.monotonic()
    await scene.pier.send("Soon.")

    assert time.monotonic() - began >= 0.3
    first, second = server.faults.requests("POST", path)
    assert (first.status, second.status) == (429, 200)
    assert second.at - first.at >= 0.3
    assert server.faults.invalid == (0 if scope == "shared" else 1)
    assert server.faults.hasty() == []
    server.faults.limit("POST", path, after=5.0, scope=scope)
    async with httpx.AsyncClient(headers={"Authorization": f"Bot {server.token}"}) as rude:
        waits = [await rude.post(f"{server.api}{path}", json={"content": "Now!"}) for _ in range(2)]
    assert [one.status_code for one in waits] == [429, 200]
    assert waits[0].headers["X-RateLimit-Scope"] == scope
    assert len(server.faults.hasty()) == 1


async def test_a_pace_is_told_before_it_is_broken(scene: Scene) -> None:
    server, town = scene.server, scene.town
    server.faults.pace("POST", "/channels/*/messages", 2, 0.5)
    for number in range(5):
        await scene.pier.send(str(number))

    asked = server.faults.requests("POST", f"/channels/{town.pier}/messages")
    assert [one.status for one in asked] == [200] * 5
    assert asked[-1].at - asked[0].at >= 0.9


async def test_the_past_is_paged_as_discord_pages_it(scene: Scene) -> None:
    server, town = scene.server, scene.town
    began = time.process_time()  # others share the machine
    numbers = server.town.seed(town.lanterns, 10_000)
    assert time.process_time() - began < 3
    assert numbers == sorted(set(numbers))
    lanterns = scene.client.get_channel(town.lanterns)

    oldest = [one.id async for one in lanterns.history(limit=250, oldest_first=True)]
    assert oldest == numbers[:250]
    assert [one.id async for one in lanterns.history(limit=120)] == numbers[:-121:-1]
    middle = discord.Object(numbers[500])
    assert [one.id async for one in lanterns.history(limit=3, after=middle)] == numbers[501:504]
    assert [one.id async for one in lanterns.history(limit=3, before=middle)] == numbers[499:496:-1]
    assert [one.id async for one in lanterns.history(limit=5, around=middle)] == numbers[502:497:-1]
    with pytest.raises(discord.HTTPException):
        await scene.client.http.logs_from(town.lanterns, 101)


async def test_who_takes_no_direct_messages_gets_none(scene: Scene) -> None:
    server, town = scene.server, scene.town
    ben = scene.client.get_guild(town.guild).get_member(town.ben)
    await server.people.take_direct_messages(town.ben, on=False)
    with pytest.raises(discord.Forbidden, match="50007"):
        await ben.send("Hello?")
    await server.people.take_direct_messages(town.ben, on=True)
    await ben.send("Hello!")
    direct = await server.views.direct_channel(town.ben)
    assert [one["content"] for one in await server.views.sees(town.ben, direct)] == ["Hello!"]
    with pytest.raises(Refused):
        await server.views.sees(town.mei, direct)


async def test_threads_and_forum_posts(scene: Scene) -> None:
    server, town = scene.server, scene.town
    post = await server.people.forum_post(town.ben, town.questions, "How to tie?", "A bowline, say.")
    thread = await server.people.thread(town.mei, town.pier, "Knots", message=town.hello)
    await server.people.post(town.ben, thread, "Like so.")
    await server.gateway.settled()

    assert scene.client.get_channel(post).parent_id == town.questions
    assert scene.client.get_channel(thread).parent_id == town.pier
    assert [heard for heard in scene.client.heard if heard != "Knots"] == ["A bowline, say.", "Like so."]
    assert (await scene.client.get_channel(post).fetch_message(post)).content == "A bowline, say."


async def test_the_bot_comes_and_goes_and_the_log_says_who_brought_it(scene: Scene) -> None:
    server, town = scene.server, scene.town
    await server.people.take_bot(town.anna, town.guild)
    await server.gateway.settled()
    assert list(scene.client.guilds) == []
    with pytest.raises(Refused):
        await server.people.bring_bot(town.ben, town.guild)
    await server.people.bring_bot(town.anna, town.guild)
    await server.gateway.settled()

    guild = scene.client.get_guild(town.guild)
    (entry,) = [one async for one in guild.audit_logs(action=discord.AuditLogAction.bot_add, limit=1)]
    assert (entry.user_id, entry.target.id) == (town.anna, scene.client.user.id)


async def test_frames_that_no_server_sends_reach_the_client(scene: Scene) -> None:
    server, town = scene.server, scene.town
    server.gateway.event("NEVER_HEARD_OF", {"x": 1})
    server.gateway.frame({"op": 99, "d": None})
    await server.people.post(town.ben, town.pier, "Still there?")
    await server.gateway.settled()
    assert scene.client.heard == ["Still there?"]


async def test_a_wrong_token_and_an_intent_that_nobody_approved_are_refused() -> None:
    async with discord_server() as server:
        harbour(server.town)
        with pointed(server):
            with pytest.raises(discord.LoginFailure):
                async with running(Client(discord.Intents.all()), "wrong"):
                    pass
            server.town.approved.discard("message_content")
            with pytest.raises(discord.PrivilegedIntentsRequired):
                async with running(Client(discord.Intents.all()), server.token):
                    pass
            assert server.faults.invalid == 1
            async with running(Client(discord.Intents.default()), server.token):
                assert server.gateway.identified == 1


async def test_other_processes_drive_people_by_requests(scene: Scene) -> None:
    server, town = scene.server, scene.town
    base = server.api.removesuffix("/api/v10")
    async with httpx.AsyncClient(base_url=f"{base}/_ctl") as hand:
        made = await hand.post("/people.post", json={"user": str(town.ben), "channel": town.pier, "text": "From afar."})
        refused = await hand.post("/people.post", json={"user": town.ben, "channel": town.office, "text": "From afar."})
        unknown = await hand.post("/people.nothing", json={})
        asked = await hand.post(
            "/uses.command", json={"user": town.ben, "channel": town.pier, "name": "secret", "options": {"word": "Hm"}}
        )
        answer = await hand.post("/uses.answered", json={"interaction": asked.json()["made"]})
    assert (made.status_code, refused.status_code, unknown.status_code) == (200, 403, 404)
    assert answer.json()["made"]["messages"][0]["content"] == "Hm in zh-CN"
    await server.gateway.settled()
    assert scene.client.heard == ["From afar."]
