"""Connecting to Slack, and what it says no to: refusals with the variable and the remedy, waits to the budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from pydantic import SecretStr

from adapters.slack import Slack, Tokens, link, names, speaking
from adapters.slack.examining import examine
from bot.core.actions import Attachment, Button, CreateChannel, Delete, Edit, React, Say
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.counts import Counts
from bot.core.decisions import Receipt
from bot.core.errors import Gone, Misconfigured, Overloaded
from bot.core.events import ButtonPressed
from bot.core.ports import Finding
from bot.core.things import Ref
from tests.contract.on_slack import OnSlack, on_slack
from tests.contract.platform import Recorder
from tests.platforms.slack import ADMIN_TOKEN, Server, harbour, slack_server
from tests.platforms.slack.server import APP_TOKEN, BOT_TOKEN

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with slack_server() as opened:
        harbour(opened)
        yield opened


def tokens(bot: str = BOT_TOKEN, app: str = APP_TOKEN, admin: str = "") -> Tokens:
    return Tokens(bot=SecretStr(bot), app=SecretStr(app), admin=SecretStr(admin))


async def nothing(_space: Ref) -> None:
    return None


async def connect(server: Server, given: Tokens) -> None:
    clock = SystemClock()
    slack = Slack(tokens=given, clock=clock, counts=Counts(clock), known=nothing, api=server.api)
    async with asyncio.timeout(30):
        await slack.run(Recorder().put, COMMANDS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (tokens(bot=""), "KINFOLK_SLACK_BOT_TOKEN is not set, and Slack takes both tokens"),
        (tokens(app=""), "KINFOLK_SLACK_APP_TOKEN is not set, and Slack takes both tokens"),
        (tokens(bot="xoxb-wrong"), r"KINFOLK_SLACK_BOT_TOKEN: Slack refuses it \(invalid_auth\).*Bot User OAuth Token"),
        (tokens(bot=APP_TOKEN), r"KINFOLK_SLACK_BOT_TOKEN: Slack refuses it \(not_allowed_token_type\)"),
        (tokens(app="xapp-wrong"), r"KINFOLK_SLACK_APP_TOKEN: Slack refuses it \(invalid_auth\).*connections:write"),
        (tokens(app=BOT_TOKEN), r"KINFOLK_SLACK_APP_TOKEN: Slack refuses it \(not_allowed_token_type\)"),
    ],
)
async def test_a_token_that_is_none_is_named_with_what_mends_it(server: Server, given: Tokens, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        await connect(server, given)


async def test_socket_mode_that_is_off_is_said(server: Server) -> None:
    server.sockets.refuses = "link_disabled"
    with pytest.raises(Misconfigured, match="Socket Mode is off"):
        await connect(server, tokens())


async def test_too_many_connections_and_an_outage_are_tried_again_later(server: Server) -> None:
    server.sockets.refuses = "too_many_websockets"
    with pytest.raises(Gone, match="too_many_websockets"):
        await connect(server, tokens())
    server.broken.add("auth.test")
    with pytest.raises(Gone, match="status 503"):
        await connect(server, tokens())
    server.broken.clear()
    server.limit("auth.test", 0.1)
    with pytest.raises(Gone, match="to wait"):
        await connect(server, tokens())


@pytest.fixture
async def slack() -> AsyncIterator[OnSlack]:
    async with on_slack() as opened:
        assert isinstance(opened, OnSlack)
        yield opened


async def test_a_429_goes_to_the_budget_and_is_not_asked_again_in_its_time(slack: OnSlack) -> None:
    slack.server.limit("chat.postMessage", 0.3)
    slack.server.limit("reactions.add", 0.3)
    say = Say(to=slack.public, text="Hello?")
    for _ in range(2):
        with pytest.raises(Overloaded) as busy:
            await slack.adapter.act(say)
        assert (busy.value.scope, 0 < busy.value.after <= 0.3) == ("chat", True)
    assert slack.server.asked["chat.postMessage"] == 1
    with pytest.raises(Overloaded) as busy:
        await slack.adapter.act(React(message=slack.message, channel=slack.public, emoji="👍"))
    assert busy.value.scope == "route"
    await asyncio.sleep(0.3)
    assert (await slack.adapter.act(say)).state == "done"
    assert slack.adapter._counts.put_off["slack", "chat.postMessage"] == 1


async def in_turns(slack: OnSlack, action: Say) -> tuple[Receipt, int]:
    """Carry out an act that takes several turns, as whoever keeps the budget does; return how many."""
    turns = 1
    while True:
        try:
            return await slack.adapter.act(action), turns
        except Overloaded as busy:
            if busy.after:
                raise
            turns += 1


async def test_each_piece_of_a_text_takes_a_turn_of_the_budget(slack: OnSlack) -> None:
    words = "word " * 2000
    for only in (None, slack.member):
        said, turns = await in_turns(slack, Say(to=slack.public, text=words, only=only))
        assert (said.state, turns) == ("done", 3)
    assert (slack.server.asked["chat.postMessage"], slack.server.asked["chat.postEphemeral"]) == (3, 3)


async def test_a_text_in_pieces_goes_on_where_it_was_put_off(slack: OnSlack) -> None:
    words = "word " * 1500
    say = Say(to=slack.public, text=words)
    slack.server.limit("chat.postMessage", 0.1, after=1)
    waits = []
    for _ in range(2):
        with pytest.raises(Overloaded) as busy:
            await slack.adapter.act(say)
        waits.append(busy.value.after > 0)
    assert waits == [False, True], "the second piece is put off in its own turn"
    await asyncio.sleep(0.1)
    assert (await slack.adapter.act(say)).state == "done"
    said = [one for one in slack.server.people.sees(slack.member.id, slack.public.id) if one.user == slack.bot.id]
    assert (len(said), slack.server.asked["chat.postMessage"]) == (2, 3)
    assert "".join("".join(one.text.split()) for one in said) == "".join(words.split())


async def test_a_text_in_pieces_is_taken_back_whole_by_a_bot_that_was_started_anew(slack: OnSlack) -> None:
    said, _turns = await in_turns(slack, Say(to=slack.public, text="word " * 1500, reply_to=slack.message))
    other = await slack.adapter.act(Say(to=slack.public, text="Stays.", reply_to=slack.message))
    assert said.made
    await slack.settle()
    slack.adapter._hands.speech._pieces.clear()
    assert (await slack.adapter.act(Delete(message=said.made, channel=slack.public))).state == "done"
    left = [one.message for one in await slack.sees(slack.member, slack.public) if one.author == slack.bot]
    assert left == [other.made]


async def test_plain_words_call_nobody(slack: OnSlack) -> None:
    words, button = "They wrote: @channel @here", Button(label="Done", press="x", token="x")
    said = await slack.adapter.act(Say(to=slack.public, text=words, buttons=(button,)))
    assert said.made
    [one] = [one for one in slack.server.people.sees(slack.member.id, slack.public.id) if one.user == slack.bot.id]
    assert ("<!" in str(one.blocks), "@channel" in str(one.blocks)) == (False, True)
    await slack.adapter.act(Edit(message=said.made, channel=slack.public, text=f"{words}!"))
    assert one.text == f"{words}!"


async def test_a_channel_without_its_purpose_is_there_all_the_same(slack: OnSlack) -> None:
    slack.server.limit("conversations.setPurpose", 30)
    made = await slack.adapter.act(CreateChannel(name="Boats", space=slack.space, description="All that floats."))
    assert (made.state, made.made and made.made.id in slack.server.world.channels) == ("done", True)


async def test_a_file_that_slack_has_not_shared_yet_has_no_reference(
    slack: OnSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "SHARED_AFTER", (0.01, 0.01))
    file = Attachment(name="a.txt", data=b"words")
    say = Say(to=slack.public, text="Look.", attachments=(file,))
    slack.server.world.unshared = 2
    late = await slack.adapter.act(say)
    assert late.made is not None, "it is asked for again"
    slack.server.world.unshared = 9
    said = await slack.adapter.act(say)
    assert (said.state, said.made) == ("done", None), "not a reference that names nothing"
    slack.server.limit("files.info", 30)
    before = len(slack.server.world.files)
    assert (await slack.adapter.act(say)).state == "done"
    assert len(slack.server.world.files) == before + 1, "what was sent is not sent again for that"


async def test_a_line_on_which_slack_says_no_hello_is_let_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "HELLO", 0.3)
    server.sockets.says_hello = False
    clock = SystemClock()
    async with aiohttp.ClientSession() as session:
        api = tokens().api(session, Counts(clock), server.api)
        line = link.Link(api=api, session=session, clock=clock, take=lambda _envelope, _acknowledge: None)
        with pytest.raises(Gone, match="cannot be reached"):
            await line._dial()
        async with asyncio.timeout(30):
            await server.sockets.left()


async def test_an_outage_is_gone_and_a_missing_scope_says_which(slack: OnSlack) -> None:
    slack.server.broken.add("chat.postMessage")
    with pytest.raises(Gone, match="status 503"):
        await slack.adapter.act(Say(to=slack.public, text="Hello?"))
    slack.server.broken.clear()
    slack.server.scopes.remove("chat:write")
    refused = await slack.adapter.act(Say(to=slack.public, text="Hello?"))
    assert (refused.state, "lacks the scope chat:write" in refused.error) == ("failed", True)


async def test_what_others_wrote_is_refused_by_slack_too(slack: OnSlack) -> None:
    receipt = await slack.adapter.act(Delete(message=slack.message, channel=slack.public))
    assert (receipt.state, "cant_delete_message" in receipt.error) == ("failed", True)


async def test_what_one_alone_is_shown_changes_where_they_press_a_button_of_it_and_nowhere_else(slack: OnSlack) -> None:
    yes = Button(label="Yes", press="test.yes", token="token-1")
    said = await slack.adapter.act(Say(to=slack.public, text="Shall I?", only=slack.member, buttons=(yes,)))
    assert said.made
    edit = Edit(message=said.made, channel=slack.public, text="Done.", only=slack.member)
    refused = await slack.adapter.act(edit)
    assert (refused.state, "press a button" in refused.error) == ("failed", True)

    await slack.press(slack.member, said.made, yes)
    pressed = await slack.heard.wait_for(lambda one: isinstance(one, ButtonPressed))
    assert isinstance(pressed, ButtonPressed)
    assert (pressed.message, pressed.button) == (said.made, "token-1")
    assert (await slack.adapter.act(replace(edit, invocation=pressed.invocation))).state == "done"
    [seen] = [one for one in await slack.sees(slack.member, slack.public) if one.message == said.made]
    assert (seen.text, seen.buttons, seen.only_me) == ("Done.", [], True)


async def test_answers_go_to_slack_alone_and_five_at_most(slack: OnSlack) -> None:
    asked = slack.server.people.command(slack.member.id, slack.public.id, "/help")
    await asked.envelope.acknowledged.wait()
    slack.server.people.leave(slack.bot.id, slack.public.id)
    say = Say(to=slack.public, text="Psst.", only=slack.member)
    there = names.invocation(f"{slack.server.address}/respond/{asked.id}")
    done = [await slack.adapter.act(replace(say, invocation=there)) for _ in range(6)]
    assert [one.state for one in done] == ["done"] * 5 + ["failed"]
    elsewhere = await slack.adapter.act(replace(say, invocation=names.invocation("http://evil.test/respond/1")))
    assert (elsewhere.state, "no such place" in elsewhere.error) == ("failed", True)


# What doctor says


def named(found: list[Finding]) -> dict[str, Finding]:
    return {one.name: one for one in found}


async def look(server: Server, given: Tokens) -> dict[str, Finding]:
    return named(await examine(given, counts=Counts(SystemClock()), address=server.api))


async def test_doctor_says_that_all_is_well(server: Server) -> None:
    found = await look(server, tokens())
    assert {one.state for one in found.values()} == {"ok"}
    assert "#pier, #office, #lanterns" in found["slack channels"].words
    assert "by hand" in found["slack admin"].words
    assert server.sockets.opened == 0


async def test_doctor_names_each_thing_that_is_not_well(server: Server) -> None:
    server.scopes -= {"users:read", "files:write"}
    server.rejects[APP_TOKEN] = "invalid_auth"
    for room in server.world.channels.values():
        room.members.discard("U0000KINF")
    found = await look(server, tokens(admin="xoxp-wrong"))
    states = {name: one.state for name, one in found.items()}
    assert states == {
        "slack": "ok",
        "slack scopes": "bad",
        "slack connection": "bad",
        "slack channels": "warn",
        "slack admin": "bad",
    }
    assert "users:read (to know members" in found["slack scopes"].words
    assert "KINFOLK_SLACK_APP_TOKEN" in found["slack connection"].words
    assert "/invite @Kinfolk" in found["slack channels"].words
    assert "KINFOLK_SLACK_ADMIN_TOKEN" in found["slack admin"].words


async def test_doctor_looks_whose_the_admins_token_is(server: Server) -> None:
    server.scopes |= {"channels:write"}
    assert (await look(server, tokens(admin=ADMIN_TOKEN)))["slack admin"].state == "ok"
    server.world.users[server.admin].rank = 0
    assert "is no admin" in (await look(server, tokens(admin=ADMIN_TOKEN)))["slack admin"].words


async def test_doctor_says_that_a_token_is_missing_or_wrong(server: Server) -> None:
    [one] = (await look(server, tokens(app=""))).values()
    assert (one.state, "KINFOLK_SLACK_APP_TOKEN is not set" in one.words) == ("bad", True)
    [one] = (await look(server, tokens(bot="xoxb-wrong"))).values()
    assert (one.state, "KINFOLK_SLACK_BOT_TOKEN: Slack refuses it" in one.words) == ("bad", True)
