"""What the bot says on Discord is said once, to those it is for, whatever comes in between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.actions import Delete, Edit, GrantRole, Say, Warn
from bot.core.errors import Overloaded
from bot.core.events import ButtonPressed, CommandGiven
from bot.core.things import Ref
from tests.contract.on_discord import OnDiscord, on_discord, ref

pytestmark = pytest.mark.slow

LONG = "\n\n".join(f"Paragraph {number}: {'a rope and a plank ' * 40}" for number in range(6))
"""Three messages' worth of words."""
WAIT = 0.05


@pytest.fixture
async def platform() -> AsyncIterator[OnDiscord]:
    async with on_discord() as opened:
        assert isinstance(opened, OnDiscord)
        yield opened


def stored(platform: OnDiscord, channel: int) -> list[str]:
    """Return what the bot said in a channel."""
    town = platform.server.town
    said = sorted(town.backend.messages[channel].values(), key=lambda one: one.id)
    return [one.content for one in said if one.author_id == town.bot]


async def in_the_end(platform: OnDiscord, action: Say | Edit | Delete) -> Ref | None:
    """Do something as the budget does it, which tries the same act again after each word to wait."""
    for _ in range(4):
        try:
            receipt = await platform.adapter.act(action)
        except Overloaded as busy:
            await platform.adapter._clock.sleep(busy.after)
            continue
        assert receipt.state == "done", receipt.error
        return receipt.made
    raise AssertionError("it was never done")


def limit_second(platform: OnDiscord, method: str, path: str) -> None:
    """Let the first request of a kind through, and answer 429 to the second."""
    platform.server.faults.slow(method, path, 0.0)
    platform.server.faults.limit(method, path, after=WAIT)


async def test_a_long_text_that_was_held_up_goes_on_where_it_was(platform: OnDiscord) -> None:
    pier = platform.town.pier
    limit_second(platform, "POST", f"/channels/{pier}/messages")
    await in_the_end(platform, Say(to=ref(pier), text=LONG))
    said = stored(platform, pier)
    assert len(said) == len(set(said)) > 2

    await in_the_end(platform, Say(to=ref(pier), text=LONG))
    assert stored(platform, pier) == said * 2


async def test_a_long_answer_aside_that_was_held_up_goes_on_where_it_was(platform: OnDiscord) -> None:
    who = platform.town
    asked = await invocation(platform)
    limit_second(platform, "POST", "/webhooks/*")
    action = Say(to=platform.public, text=LONG, only=ref(who.guild, who.ben), invocation=asked)
    platform.server.faults.limit("PATCH", "/webhooks/*", after=WAIT)
    await in_the_end(platform, action)

    said = stored(platform, who.pier)
    assert len(said) == len(set(said)) > 2


async def test_an_edit_that_grew_and_was_held_up_adds_each_piece_once(platform: OnDiscord) -> None:
    pier = platform.town.pier
    made = await in_the_end(platform, Say(to=ref(pier), text="Short."))
    assert made is not None
    limit_second(platform, "POST", f"/channels/{pier}/messages")
    await in_the_end(platform, Edit(message=made, channel=ref(pier), text=LONG))

    said = stored(platform, pier)
    assert len(said) == len(set(said)) > 2


async def test_what_was_said_aloud_is_not_said_again_where_the_thinking_stays(platform: OnDiscord) -> None:
    asked = await invocation(platform)
    platform.server.faults.limit("DELETE", "/webhooks/*", after=WAIT)
    await in_the_end(platform, Say(to=platform.public, text="For all.", invocation=asked))

    assert stored(platform, platform.town.pier) == ["For all."]


async def test_of_a_long_text_nothing_stays_where_deleting_it_was_held_up(platform: OnDiscord) -> None:
    pier = platform.town.pier
    made = await in_the_end(platform, Say(to=ref(pier), text=LONG))
    assert made is not None
    platform.adapter._hands._speech._pieces.clear()  # as after a restart
    limit_second(platform, "DELETE", f"/channels/{pier}/messages/*")
    await in_the_end(platform, Delete(message=made, channel=ref(pier)))

    assert stored(platform, pier) == []


async def test_who_takes_no_direct_messages_is_warned_where_it_happened(platform: OnDiscord) -> None:
    who, people = platform.town, platform.server.people
    await people.take_direct_messages(who.ben, on=False)
    action = Warn(member=ref(who.guild, who.ben), channel=platform.public, text="Please be kind.")
    receipt = await platform.adapter.act(action)

    assert (receipt.state, stored(platform, who.pier)) == ("done", [f"<@{who.ben}> Please be kind."])
    await people.take_direct_messages(who.ben, on=True)
    assert (await platform.adapter.act(action)).state == "done"
    assert len(stored(platform, who.pier)) == 1


async def test_in_a_forum_nothing_is_said_and_nothing_asked(platform: OnDiscord) -> None:
    who, faults = platform.town, platform.server.faults
    asked = len(faults.asked)
    receipt = await platform.adapter.act(Say(to=ref(who.questions), text="Anybody?"))
    assert "forum" in receipt.error
    assert len(faults.asked) == asked

    post = await platform.server.people.forum_post(who.ben, who.questions, "Knots", "Which?")
    await platform.settle()
    answer = await platform.adapter.act(Say(to=ref(who.questions), thread=ref(post), text="A bowline."))
    assert answer.state == "done"


async def test_nobody_gives_by_the_bot_a_role_that_is_not_below_their_own(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    by, member = ref(who.guild, who.mo), ref(who.guild, who.ben)
    refused = await platform.adapter.act(GrantRole(member=member, role=ref(who.guild, f"&{who.moderators}"), by=by))
    assert "moderators" in refused.error
    assert await server.views.role_names(who.ben, who.guild) == []

    deckhand = server.town.role(who.guild, "deckhand")
    await platform.settle()
    given = await platform.adapter.act(GrantRole(member=member, role=ref(who.guild, f"&{deckhand}"), by=by))
    assert given.state == "done", given.error


async def test_who_left_a_server_does_nothing_there_by_a_button_they_kept(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    other = server.town.guild("Elsewhere", who.ben)
    await platform.settle()
    direct = await server.people.direct(who.ben)
    button = {"type": 2, "style": 2, "label": "Go", "custom_id": f"token@{who.guild}"}
    told = await platform.adapter._hands._client.http.request(
        _route(direct), json={"content": "Yours?", "components": [{"type": 1, "components": [button]}]}
    )

    async def press() -> list[ButtonPressed]:
        platform.heard.arrivals.clear()
        asked = await server.uses.press(who.ben, direct, int(told["id"]), label="Go")
        await platform.settle()
        answered[:] = [(await server.uses.answer(asked)).text]
        return [one.event for one in platform.heard.arrivals if isinstance(one.event, ButtonPressed)]

    answered: list[str] = []
    assert [one.member.ref for one in await press()] == [ref(who.guild, who.ben)]
    await server.people.leave(who.ben, who.guild)
    await platform.settle()
    assert other
    assert await press() == []
    assert "共同的服务器" in answered[0]


async def test_who_asks_on_a_server_that_has_the_commands_alone_is_told(platform: OnDiscord) -> None:
    who, server = platform.town, platform.server
    guild, channel = "77", {"id": "78", "type": 0, "name": "far", "guild_id": "77", "position": 0}
    user = {"id": str(who.ben), "username": "ben", "discriminator": "0", "avatar": None}
    member = {"user": user, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False, "mute": False}
    asked = {
        "id": "79",
        "application_id": str(server.town.backend.application_id),
        "type": 2,
        "token": "stranger",
        "version": 1,
        "guild_id": guild,
        "guild": {"id": guild, "locale": "en-US", "features": []},
        "channel_id": "78",
        "channel": channel,
        "member": {**member, "permissions": "8", "flags": 0},
        "data": {"id": "1", "type": 1, "name": "help"},
        "locale": "en-US",
        "entitlements": [],
        "attachment_size_limit": 10,
    }
    server.gateway.event("INTERACTION_CREATE", asked)
    await platform.settle()

    answers = server.faults.requests("POST", "/interactions/79/*")
    assert "share no server" in str([one.body for one in answers])
    assert not [one for one in platform.heard.arrivals if isinstance(one.event, CommandGiven)]


async def invocation(platform: OnDiscord) -> Ref:
    """Have Ben use a command, and return what an answer belongs to."""
    who = platform.town
    await platform.command(ref(who.guild, who.ben), platform.public, "/help")
    event = await platform.heard.wait_for(lambda one: isinstance(one, CommandGiven))
    assert isinstance(event, CommandGiven)
    return event.invocation


def _route(channel: int) -> object:
    from discord.http import Route

    return Route("POST", "/channels/{channel_id}/messages", channel_id=channel)
