"""What doctor tells of Discord, over real sockets: what is well, and the step that mends each thing that is not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import discord
import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.discord import moderating, needs, outgoing, registering, rights, speaking, visiting
from adapters.discord.examining import examine
from bot.app import open_app
from bot.core.events import Named
from bot.core.i18n import translator
from bot.core.policies import CHANNELS, Policy, Rules
from bot.core.ports import Finding
from bot.core.settings import Settings
from bot.core.things import Ref
from bot.living import commands_of
from bot.platforms import examine_discord
from brains.skills import SKILLS
from storage import policies, spaces
from tests.platforms.discord import DiscordServer, Harbour, discord_server, harbour, routes

pytestmark = pytest.mark.slow

COMMANDS = commands_of(SKILLS)
QUOTED = re.compile(r'"(\w+)"')


@pytest.fixture(autouse=True)
def discord_is_where_it_was() -> Iterator[None]:
    """Point the library back at where it pointed."""
    before = discord.http.Route.BASE
    yield
    discord.http.Route.BASE = before


@dataclass(kw_only=True)
class Scene:
    """A server with what its staff set."""

    server: DiscordServer
    who: Harbour
    channels: dict[str, str] = field(default_factory=dict)
    staff_roles: set[Ref] = field(default_factory=set)
    unread: set[Ref] = field(default_factory=set)
    met: bool = True

    @property
    def role(self) -> int:
        return self.server.town.bot_role(self.who.guild).id

    async def rules(self, _space: Ref) -> Rules | None:
        if not self.met:
            return None
        policy = Policy(staff_roles=", ".join(map(str, self.staff_roles))).model_copy(update=self.channels)
        return Rules(policy=policy, overrides={("read", str(channel)): "no" for channel in self.unread})

    async def examine(self, token: str = "") -> list[Finding]:
        secret = SecretStr(token or self.server.token)
        return await examine(secret, commands=COMMANDS, wanted=self.rules, api=self.server.api)

    async def found(self, check: str) -> list[tuple[str, str]]:
        """Return what is found by one check: the states, and the words without the server's name."""
        every = [one for one in await self.examine() if one.name == f"discord {check}"]
        return [(one.state, one.words.removeprefix("Harbour Makers: ")) for one in every]

    async def one(self, check: str) -> tuple[str, str]:
        (only,) = await self.found(check)
        return only

    async def deny(self, channel: int, *rights: str) -> None:
        await self.server.staff.permit(self.who.anna, channel, self.role, deny=rights)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with discord_server() as server:
        who = harbour(server.town)
        yield Scene(server=server, who=who, channels={"staff_channel": str(ref(who.office))})
        assert server.faults.gaps == []


def ref(number: object) -> Ref:
    return Ref("discord", str(number))


async def register(scene: Scene) -> None:
    english = await asyncio.to_thread(translator, "en")
    chinese = await asyncio.to_thread(translator, "zh_CN")
    async with visiting.logged_in(SecretStr(scene.server.token), api=scene.server.api) as client:
        await registering.register(client, COMMANDS, lambda language: chinese if language == "zh_CN" else english)


async def test_a_large_server_that_is_well_costs_a_handful_of_requests(scene: Scene) -> None:
    for number in range(200):
        scene.server.town.channel(scene.who.guild, f"room-{number}")
    await register(scene)
    scene.server.faults.asked.clear()

    found = await scene.examine()
    assert {one.state for one in found} == {"ok"}, found
    assert len(scene.server.faults.asked) == 7
    assert scene.server.faults.invalid == 0
    assert ("ok", "I read 204 of 204 channels") in await scene.found("channels")


async def test_a_token_that_is_refused_is_asked_about_once(scene: Scene) -> None:
    (refused,) = await scene.examine("wrong")
    assert refused.state == "bad"
    assert "KINFOLK_DISCORD_TOKEN: Discord refuses it" in refused.words
    assert "Reset Token" in refused.words
    assert (len(scene.server.faults.asked), scene.server.faults.invalid) == (1, 1)
    assert (await scene.examine())[0].words.startswith("the token is accepted")


@pytest.mark.parametrize(
    ("intent", "name"), [("members", "Server Members Intent"), ("message_content", "Message Content Intent")]
)
async def test_an_intent_that_is_off_says_where_it_is_switched_on(scene: Scene, intent: str, name: str) -> None:
    assert (await scene.one("intents"))[0] == "ok"
    scene.server.town.approved.discard(intent)
    state, words = await scene.one("intents")
    assert state == "bad"
    assert f"{name} is off" in words
    assert "Privileged Gateway Intents" in words
    assert "/bot" in words


@pytest.mark.parametrize(
    ("told", "step"),
    [
        ({"interactions_endpoint_url": "https://elsewhere.example"}, "Empty Interactions Endpoint URL"),
        ({"bot_require_code_grant": True}, "Switch off Requires OAuth2 Code Grant"),
    ],
)
async def test_an_application_that_is_set_for_something_else_is_named(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, told: dict[str, object], step: str
) -> None:
    assert (await scene.examine())[0].state == "ok"
    row = ("GET", "/oauth2/applications/@me", lambda call: {**routes.application(call), **told})
    monkeypatch.setattr(routes, "ROUTES", routes._table([row]) + routes.ROUTES)
    first = (await scene.examine())[0]
    assert first.state == "bad"
    assert step in first.words


async def test_a_bot_on_no_server_is_given_the_link_with_the_rights_it_needs() -> None:
    async with discord_server() as server:
        scene = Scene(server=server, who=harbour(server.town))
        assert (await scene.one("servers"))[0] == "ok"
        server.town.forget_guild(scene.who.guild)
        state, words = await scene.one("servers")
        assert state == "bad"
        assert f"scope=bot+applications.commands&permissions={needs.PERMISSIONS.value}" in words
        assert len(await scene.examine()) == 4


async def test_commands_that_are_missing_or_old_are_told_from_those_as_they_should_be(scene: Scene) -> None:
    state, words = await scene.one("commands")
    assert (state, "0 are registered" in words, "kinfolk run" in words) == ("warn", True, True)
    await register(scene)
    assert (await scene.one("commands"))[0] == "ok"
    scene.server.town.take_rights_from_all(scene.who.guild, "use_application_commands")
    _ok, (state, words) = await scene.found("commands")
    assert (state, "Use Application Commands" in words) == ("warn", True)


async def test_a_right_that_is_missing_says_what_for_and_where_it_is_given(scene: Scene) -> None:
    assert await scene.one("rights") == ("ok", "I have every right that I need")
    scene.server.town.take_rights(scene.who.guild, "ban_members", "view_audit_log")
    state, words = await scene.one("rights")
    assert state == "warn"
    assert "Ban Members, to ban members and let them come back; View Audit Log, to see who brought me" in words
    assert "Kick" not in words
    assert "Server Settings > Roles > TestBot > Permissions" in words


async def test_a_role_above_the_bots_is_named_unless_it_is_one_of_staff(scene: Scene) -> None:
    assert await scene.one("roles") == (
        "ok",
        "my role TestBot is above those of members; above it are staff alone: wardens",
    )
    role = scene.server.town.role(scene.who.guild, "regulars", above_bot=True)
    state, words = await scene.one("roles")
    assert state == "warn"
    assert words.startswith("above my role TestBot: regulars.")
    assert "Drag TestBot above: Server Settings > Roles" in words
    scene.staff_roles.add(ref(f"{scene.who.guild}/&{role}"))
    assert (await scene.one("roles"))[0] == "ok"


async def test_a_channel_that_is_closed_to_the_bot_is_named_and_a_private_one_is_no_fault(scene: Scene) -> None:
    who = scene.who
    await scene.deny(who.pier, "view_channel")
    await scene.server.staff.permit(who.anna, who.lanterns, who.guild, deny=["view_channel"])
    (told, private), (state, closed) = await scene.found("channels")
    assert told == "ok"
    assert private.startswith("I read 2 of 4 channels; private, and closed to me: #lanterns.")
    assert "Add members or roles > TestBot" in private
    assert state == "warn"
    assert closed.startswith("I lack View Channel, to see a channel at all, in #pier.")

    scene.unread |= {ref(who.pier), ref(who.lanterns)}
    assert await scene.found("channels") == [("ok", "I read 2 of 2 channels")]


async def test_a_bot_that_sees_nothing_is_told_apart_from_one_that_sees_little(scene: Scene) -> None:
    who, channels = scene.who, scene.server.town
    for channel in (who.pier, who.lanterns, who.questions):
        await scene.server.staff.permit(who.anna, channel, who.guild, deny=["view_channel"])
    assert (await scene.one("channels"))[0] == "warn"
    channels.take_rights(who.guild, "view_channel", "read_message_history")
    channels.take_rights_from_all(who.guild, "view_channel", "read_message_history")
    await scene.deny(who.office, "view_channel")
    found = await scene.found("channels")
    assert found[0][0] == "bad"
    assert found[0][1].startswith("I can read none of 4 channels. Let me see some: Server Settings > Roles > TestBot")


async def test_many_channels_that_lack_the_same_are_one_finding(scene: Scene) -> None:
    many = [scene.server.town.channel(scene.who.guild, f"room-{number}") for number in range(20)]
    for channel in many:
        await scene.deny(channel, "send_messages")
    await scene.deny(scene.who.pier, "attach_files", "read_message_history")
    _summary, (_warn, mute), (_warn, past) = await scene.found("channels")
    assert mute.startswith("I lack Send Messages and Create Posts, to answer and to welcome, in #room-0, #room-1")
    assert "and 14 more" in mute
    assert "Edit Channel > Permissions > Advanced permissions > TestBot" in mute
    assert "Read Message History, to read on after a pause, and to answer; Attach Files" in past


async def test_where_nobody_may_write_the_bots_voice_is_not_missed(scene: Scene) -> None:
    await scene.server.staff.permit(scene.who.anna, scene.who.pier, scene.who.guild, deny=["send_messages"])
    assert await scene.found("channels") == [("ok", "I read 4 of 4 channels")]
    await scene.deny(scene.who.lanterns, "send_messages")
    assert "#lanterns" in (await scene.found("channels"))[1][1]


@pytest.mark.parametrize("setting", CHANNELS)
async def test_a_channel_that_staff_named_must_be_writable(scene: Scene, setting: str) -> None:
    what = setting.removesuffix("_channel")
    scene.channels[setting] = str(ref(scene.who.office))
    assert await scene.one(what) == ("ok", f"I can write in the {what} channel #office")
    await scene.server.staff.permit(
        scene.who.anna, scene.who.office, scene.role, allow=["view_channel"], deny=["send_messages"]
    )
    state, words = await scene.one(what)
    assert state == "bad"
    assert f"I cannot write in the {what} channel #office: I lack Send Messages and Create Posts." in words
    assert "Edit Channel > Permissions > Advanced permissions > TestBot" in words


async def test_a_staff_channel_may_be_missing_gone_open_to_all_or_no_place_to_write(scene: Scene) -> None:
    who = scene.who
    expected = {
        "": ("warn", "Name one there: /setup staff_channel #channel"),
        ref(who.pier): ("warn", "everybody may read the staff channel #pier"),
        ref(who.questions): ("bad", "#questions is a forum"),
        ref(987654321): ("bad", "is gone, or closed to me. Name another there: /setup staff_channel"),
    }
    for staff, (state, words) in expected.items():
        scene.channels["staff_channel"] = str(staff)
        told = await scene.one("staff")
        assert (told[0], words in told[1]) == (state, True), told
    thread = await scene.server.people.thread(who.mo, who.office, "Reports")
    scene.channels["staff_channel"] = str(ref(thread))
    assert await scene.one("staff") == ("ok", "I can write in the staff channel #Reports")
    scene.channels["staff_channel"] = "playground:staff"
    assert await scene.found("staff") == []


async def test_discord_that_is_away_waits_or_is_something_else_is_a_finding(scene: Scene) -> None:
    faults, server = scene.server.faults, scene.server
    faults.limit("GET", "/users/@me/guilds", after=40)
    faults.fail("GET", "/users/@me", 503)
    (down,) = await scene.examine()
    assert (down.state, "status 503" in down.words) == ("bad", True)
    assert "asks me to wait 40 s" in (await scene.examine())[-1].words
    faults.clear()

    found = await examine(SecretStr("x"), commands=COMMANDS, wanted=scene.rules, api="http://127.0.0.1:9/api/v10")
    assert [(one.state, "cannot be reached" in one.words) for one in found] == [("bad", True)]
    elsewhere = server.api.replace("/api/v10", "/somewhere")
    (lost,) = await examine(SecretStr("x"), commands=COMMANDS, wanted=scene.rules, api=elsewhere)
    assert (lost.state, "KINFOLK_DISCORD_API" in lost.words) == ("bad", True)
    assert (await scene.examine())[0].state == "ok"


async def test_a_server_that_answers_something_else_is_a_finding(unused_tcp_port: int, scene: Scene) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<h1>It works!</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{tail:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    api = f"http://127.0.0.1:{unused_tcp_port}"
    (found,) = await examine(SecretStr("x"), commands=COMMANDS, wanted=scene.rules, api=api)
    await runner.cleanup()
    assert (found.state, "does not answer as Discord does" in found.words) == ("bad", True)


async def test_a_server_that_shows_itself_no_more_is_one_finding_among_others(scene: Scene) -> None:
    other = scene.server.town.guild("Lighthouse", scene.who.ben)
    scene.server.faults.fail("GET", f"/guilds/{other}", 403, code=50001, message="Missing Access")
    (lost,) = await scene.found("server")
    assert lost[0] == "bad"
    assert "Lighthouse: Discord does not show me this server (Missing Access)" in lost[1]
    assert {one.words.partition(":")[0] for one in await scene.examine()} >= {"Harbour Makers", "Lighthouse"}


async def test_what_staff_set_is_read_from_the_tables(scene: Scene, home: Path) -> None:
    settings = Settings(home=home, discord_token=SecretStr(scene.server.token), discord_api=scene.server.api)
    async with open_app(settings) as app:
        before = {one.name: one for one in await examine_discord(app)}
        assert "I have not met this server yet" in before["discord staff"].words

        space = Named(ref=ref(scene.who.guild), name="Harbour Makers")
        community = await app.database.write(lambda connection: spaces.settle(connection, space, app.clock.now()))
        office, pier = str(ref(scene.who.office)), str(ref(scene.who.pier))
        for name, value, channel in (("staff_channel", office, ""), ("read", "no", pier)):
            await app.database.write(
                lambda connection, name=name, value=value, channel=channel: policies.put(
                    connection, community, name=name, value=value, channel=channel
                )
            )
        after = {one.name: one for one in await examine_discord(app)}
    assert after["discord staff"].words == "Harbour Makers: I can write in the staff channel #office"
    assert after["discord channels"].words == "Harbour Makers: I read 3 of 3 channels"


def test_every_right_that_an_act_takes_is_asked_for() -> None:
    sources = [Path(module.__file__).read_text() for module in (moderating, outgoing, speaking)]
    checked = {
        name for text in sources for call in re.findall(r"check\(([^()]*)\)", text) for name in QUOTED.findall(call)
    }
    taken = checked | set(moderating.NEEDED.values())
    assert {"add_reactions", "manage_channels", "send_polls", "ban_members"} <= taken
    assert taken <= needs.BY_RIGHT.keys()
    assert (outgoing.WRITING | rights.READING).is_subset(needs.PERMISSIONS)
