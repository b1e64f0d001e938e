"""The contract of every adapter: what people do arrives as events, what the bot does is seen by people."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.core.actions import (
    Action,
    ArchiveChannel,
    AskStaff,
    Attachment,
    Ban,
    Button,
    CreateChannel,
    CreateEvent,
    CreatePoll,
    Delete,
    Edit,
    GrantRole,
    Invite,
    Kick,
    OpenDirect,
    React,
    Say,
    SetPolicy,
    Timeout,
    Unban,
    Warn,
    inverse,
    placed,
)
from bot.core.decisions import Receipt
from bot.core.errors import Mistake
from bot.core.events import (
    BotAdded,
    ButtonPressed,
    ChannelChanged,
    CommandGiven,
    Event,
    File,
    MemberJoined,
    MemberLeft,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
    ReactionRemoved,
    key,
)
from bot.core.things import Audience, Rank, Ref
from tests.contract.platform import (
    BRINGING,
    BUTTONS,
    CLOSED,
    COMMANDS,
    DELETING,
    DESCRIBING,
    EDITING,
    JOINING,
    LANGUAGE,
    OWN_BUTTONS,
    REACTING,
    REFUSING,
    SENDING,
    Platform,
    Refused,
    Seen,
    asked,
)
from tests.contract.platforms import PLATFORMS

pytestmark = pytest.mark.slow

ABILITIES = {
    "only",
    "only-asked",
    "only-plain",
    "Delete-own",
    "enters",
    "opened",
    "outsiders",
    "buttons",
    "files",
    "fetch",
}
"""What an adapter says it can beside actions: `bot/policy.py` and `brains/skills` read them."""

NOBODY = "nobody-of-this-name"
YES = Button(label="Yes", press="test.yes", token="token-1")


@pytest.fixture(params=PLATFORMS)
async def platform(request: pytest.FixtureRequest) -> AsyncIterator[Platform]:
    async with PLATFORMS[request.param]() as opened:
        yield opened


def picture() -> bytes:
    """A picture of one red point."""
    made = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(made, "PNG")
    return made.getvalue()


def needs(platform: Platform, what: str) -> None:
    if what in platform.lacks:
        pytest.skip(platform.lacks[what])


async def heard(platform: Platform, kind: type[Event]) -> list[Event]:
    await platform.settle()
    return [one.event for one in platform.heard.arrivals if isinstance(one.event, kind)]


async def only(platform: Platform, kind: type[Event]) -> Event:
    (event,) = await heard(platform, kind)
    return event


async def nothing_heard(platform: Platform) -> bool:
    await platform.settle()
    return platform.heard.arrivals == []


async def done(platform: Platform, action: Action, *, own: bool = False) -> Receipt:
    """Do something; where the adapter says that it cannot, it must fail with a reason, and the test ends there.

    `own` says that it is done to what the bot itself said.
    """
    if lacking := cannot(platform, action, own=own):
        await failed(platform, action)
        pytest.skip(lacking)
    receipt = await platform.adapter.act(placed(action, platform.space))
    assert receipt.state == "done", receipt.error
    return receipt


def cannot(platform: Platform, action: Action, *, own: bool = False) -> str:
    """Say what an adapter lacks for an action, by its own word; empty where nothing."""
    can, kind = platform.adapter.can, type(action).__name__
    if kind not in can and not (own and f"{kind}-own" in can):
        return f"{platform.adapter.platform} cannot {kind}"
    if isinstance(action, Say) and action.only and not can & {"only", "only-asked"}:
        return f"{platform.adapter.platform} cannot speak to one member alone"
    if "only-plain" in can and getattr(action, "only", None) and (isinstance(action, Edit) or action.attachments):
        return f"{platform.adapter.platform} shows one member alone a text and buttons, and never changes them"
    for part, ability in (("buttons", "buttons"), ("attachments", "files")):
        if getattr(action, part, ()) and ability not in can:
            return f"{platform.adapter.platform} has no {ability}"
    return ""


async def failed(platform: Platform, action: Action) -> str:
    receipt = await platform.adapter.act(action)
    assert (receipt.state, receipt.made) == ("failed", None)
    assert receipt.error
    return receipt.error


async def undo(platform: Platform, action: Action, receipt: Receipt) -> None:
    back = inverse(action, receipt)
    assert back is not None
    await platform.settle()
    await done(platform, back, own=True)


async def message(platform: Platform, who: Ref, channel: Ref, wanted: Ref) -> Seen:
    return next(one for one in await platform.sees(who, channel) if one.message == wanted)


async def gone(platform: Platform, who: Ref, channel: Ref, wanted: Ref) -> bool:
    """Say whether nothing is left to read of a message, whether or not its place is still shown."""
    left = [one for one in await platform.sees(who, channel) if one.message == wanted]
    return all(one.deleted and not one.text for one in left)


async def where(platform: Platform, who: Ref, wanted: Ref) -> Ref | None:
    """Return the channel in which somebody sees a message."""
    for channel in await platform.channels(who):
        if any(one.message == wanted and not one.deleted for one in await platform.sees(who, channel)):
            return channel
    return None


# What people do


async def test_a_message_arrives_once_with_all_that_it_says(platform: Platform) -> None:
    made = await platform.post(platform.member, platform.public, "你好, **pier**!", reply_to=platform.message)

    event = await only(platform, MessagePosted)
    assert isinstance(event, MessagePosted)
    assert (event.message, event.text, event.reply_to) == (made, "你好, **pier**!", platform.message)
    assert (event.author.ref, event.author.bot, event.source) == (platform.member, False, platform.adapter.platform)
    assert (event.channel.ref, event.channel.audience) == (platform.public, Audience.EVERYONE)
    assert abs(datetime.now(UTC) - event.at) < timedelta(minutes=1)
    arrival = next(one for one in platform.heard.arrivals if one.event is event)
    assert (arrival.space.ref, arrival.live) == (platform.space, True)


async def test_a_message_in_private_says_who_may_read_it(platform: Platform) -> None:
    needs(platform, CLOSED)
    await platform.post(platform.owner, platform.private, "Between us.")

    event = await only(platform, MessagePosted)
    assert isinstance(event, MessagePosted)
    assert event.channel.audience == Audience.MEMBERS
    with pytest.raises(Refused):
        await platform.sees(platform.member, platform.private)


async def test_each_change_of_a_message_arrives_with_a_growing_revision(platform: Platform) -> None:
    needs(platform, EDITING)
    await platform.edit(platform.member, platform.message, "Hello again.")
    await platform.edit(platform.member, platform.message, "Hello for good.")

    first, second = await heard(platform, MessageEdited)
    assert isinstance(first, MessageEdited)
    assert isinstance(second, MessageEdited)
    assert (first.message, first.text, second.text) == (platform.message, "Hello again.", "Hello for good.")
    assert first.revision < second.revision
    assert (await message(platform, platform.owner, platform.public, platform.message)).edited


async def test_a_file_of_a_message_is_fetched_and_one_too_large_or_gone_or_elsewhere_is_refused(
    platform: Platform,
) -> None:
    adapter, data = platform.adapter, picture()
    if "fetch" not in adapter.can:
        with pytest.raises(Mistake, match="no files"):
            await adapter.fetch(File(name="a.png", kind="", size=1, url="http://127.0.0.1/a.png"), limit=9)
        needs(platform, SENDING)

    sent = await platform.send(platform.member, platform.public, "gift.png", data, "Look")
    (event,) = [one for one in await heard(platform, MessagePosted) if one.files]
    (file,) = event.files
    assert (file.name, file.size) == ("gift.png", len(data))
    assert await adapter.fetch(file, limit=len(data)) == data

    for wrong, limit, words in (
        (file, len(data) - 1, "larger"),
        (replace(file, size=0), len(data) - 1, "larger"),
        (replace(file, url="http://127.0.0.1:9/gift.png"), 1 << 20, "not (there|lie)"),
    ):
        with pytest.raises(Mistake, match=words):
            await adapter.fetch(wrong, limit=limit)
    await platform.edit(platform.member, sent, "Look again")
    (edited,) = await heard(platform, MessageEdited)
    assert edited.files == (file,)
    platform.lose_files()
    with pytest.raises(Mistake, match="not there"):
        await adapter.fetch(file, limit=len(data))


async def test_nobody_changes_the_words_of_another(platform: Platform) -> None:
    needs(platform, EDITING)
    with pytest.raises(Refused, match="author"):
        await platform.edit(platform.owner, platform.message, "I never said so.")

    assert await nothing_heard(platform)
    assert (await message(platform, platform.owner, platform.public, platform.message)).text == "Hello."


async def test_a_deleted_message_arrives_and_is_gone(platform: Platform) -> None:
    needs(platform, DELETING)
    await platform.delete(platform.member, platform.message)

    event = await only(platform, MessageDeleted)
    assert isinstance(event, MessageDeleted)
    assert (event.message, event.channel.ref) == (platform.message, platform.public)
    assert await gone(platform, platform.owner, platform.public, platform.message)


async def test_reactions_arrive_and_the_same_one_twice_is_two_things(platform: Platform) -> None:
    needs(platform, REACTING)
    for on in (True, False, True):
        await platform.react(platform.owner, platform.message, "👍", on=on)

    added, removed = await heard(platform, ReactionAdded), await heard(platform, ReactionRemoved)
    assert [(type(one).__name__, one.emoji, one.member.ref) for one in (*added, *removed)] == [
        ("ReactionAdded", "👍", platform.owner),
        ("ReactionAdded", "👍", platform.owner),
        ("ReactionRemoved", "👍", platform.owner),
    ]
    assert len({key(one) for one in (*added, *removed)}) == 3
    seen = await message(platform, platform.member, platform.public, platform.message)
    assert seen.reactions == {"👍": {platform.owner}}


async def test_coming_and_going_arrive(platform: Platform) -> None:
    await platform.leave(platform.member, None)
    await platform.join(platform.member, None)

    left, joined = await heard(platform, MemberLeft), await heard(platform, MemberJoined)
    assert [one.channel for one in left] == [None]
    assert None in [one.channel for one in joined]
    assert {one.member.ref for one in (*left, *joined)} == {platform.member}


async def test_coming_into_a_channel_and_going_out_of_it_arrive(platform: Platform) -> None:
    needs(platform, JOINING)
    await platform.leave(platform.member, platform.public)
    await platform.join(platform.member, platform.public)

    left, joined = await heard(platform, MemberLeft), await heard(platform, MemberJoined)
    assert [one.channel.ref for one in (*left, *joined) if one.channel] == [platform.public, platform.public]
    assert {one.member.ref for one in (*left, *joined)} == {platform.member}


async def test_a_newcomer_arrives_with_a_name_and_a_language(platform: Platform) -> None:
    newcomer = await platform.arrive("小美", "zh_CN")

    came = [one for one in await heard(platform, MemberJoined) if isinstance(one, MemberJoined)]
    [event] = [one for one in came if one.channel is None]
    assert (event.member.ref, event.member.name) == (newcomer, "小美")
    assert event.member.language == ("" if LANGUAGE in platform.lacks else "zh_CN")
    came_into = [one.channel.ref for one in came if one.channel]
    assert came_into == ([] if JOINING in platform.lacks else [platform.public])
    await platform.post(newcomer, platform.public, "大家好")
    assert isinstance(await only(platform, MessagePosted), MessagePosted)


async def test_a_command_arrives_with_its_arguments_and_the_rank(platform: Platform) -> None:
    needs(platform, COMMANDS)
    await platform.command(platform.owner, platform.public, "/mode guard watch")

    event = await only(platform, CommandGiven)
    assert isinstance(event, CommandGiven)
    assert (event.command, event.arguments) == ("mode", {"skill": "guard", "mode": "watch"})
    assert (event.member.ref, event.rank, event.channel.ref) == (platform.owner, Rank.OWNER, platform.public)


@pytest.mark.parametrize("line", ["/mode guard loudly", "/no-such-command", "/privacy off now or never"])
async def test_a_command_that_is_none_is_refused_before_it_arrives(platform: Platform, line: str) -> None:
    needs(platform, COMMANDS)
    with pytest.raises(Refused):
        await platform.command(platform.owner, platform.public, line)
    await platform.command(platform.owner, platform.public, "/help")
    assert [one.command for one in await heard(platform, CommandGiven)] == ["help"]


async def test_what_is_for_staff_is_refused_to_members(platform: Platform) -> None:
    needs(platform, COMMANDS)
    with pytest.raises(Refused, match="staff"):
        await platform.command(platform.member, platform.public, "/why")
    await platform.command(platform.owner, platform.public, "/why")

    assert [one.member.ref for one in await heard(platform, CommandGiven)] == [platform.owner]


@pytest.mark.parametrize("words", ["match boats", "/match boats"])
async def test_a_command_in_words_comes_after_its_message(platform: Platform, words: str) -> None:
    made = await platform.post(platform.owner, platform.public, platform.to_bot(words))

    await platform.settle()
    posted, given = [one.event for one in platform.heard.arrivals]
    assert isinstance(posted, MessagePosted)
    assert isinstance(given, CommandGiven)
    assert (posted.message, posted.mentioned) == (made, False)
    assert (given.command, given.line, given.arguments, given.aside) == ("match", "boats", {}, False)
    assert (given.member.ref, given.rank, given.channel.ref) == (platform.owner, Rank.OWNER, platform.public)
    assert given.invocation == made


async def test_what_is_said_to_the_bot_or_to_others_is_no_command(platform: Platform) -> None:
    await platform.post(platform.owner, platform.public, platform.to_bot("matches are dangerous"))
    await platform.post(platform.owner, platform.public, "match boats")

    mentioned = [one.mentioned for one in await heard(platform, MessagePosted) if isinstance(one, MessagePosted)]
    assert (mentioned, await heard(platform, CommandGiven)) == ([True, False], [])


async def test_each_press_of_a_button_arrives(platform: Platform) -> None:
    needs(platform, BUTTONS)
    receipt = await done(platform, Say(to=platform.public, text="Shall I?", buttons=(YES,)))
    assert receipt.made
    await platform.press(platform.member, receipt.made, YES)
    await platform.press(platform.member, receipt.made, YES)

    first, second = await heard(platform, ButtonPressed)
    assert isinstance(first, ButtonPressed)
    assert (first.button, first.message, first.member.ref) == (YES.token, receipt.made, platform.member)
    assert (first.rank, first.channel.ref) == (Rank.MEMBER, platform.public)
    assert key(first) != key(second)


async def test_a_button_for_one_is_refused_to_others(platform: Platform) -> None:
    needs(platform, OWN_BUTTONS)
    mine = Button(label="Mine", press="test.mine", token="token-2", only=platform.member)
    receipt = await done(platform, Say(to=platform.public, text="For Ben.", buttons=(mine,)))
    assert receipt.made
    with pytest.raises(Refused):
        await platform.press(platform.owner, receipt.made, mine)
    await platform.press(platform.member, receipt.made, mine)

    assert [one.member.ref for one in await heard(platform, ButtonPressed)] == [platform.member]


async def test_a_changed_channel_arrives_with_a_growing_revision(platform: Platform) -> None:
    needs(platform, DESCRIBING)
    await platform.describe(platform.owner, platform.public, "Boats.")
    await platform.describe(platform.owner, platform.public, "Boats and birds.")
    with pytest.raises(Refused):
        await platform.describe(platform.member, platform.public, "Mine.")

    first, second = await heard(platform, ChannelChanged)
    assert isinstance(first, ChannelChanged)
    assert isinstance(second, ChannelChanged)
    assert (first.channel.ref, first.description) == (platform.public, "Boats.")
    assert (second.description, second.archived) == ("Boats and birds.", False)
    assert first.revision < second.revision


async def test_the_bot_is_brought_in_by_somebody(platform: Platform) -> None:
    needs(platform, BRINGING)
    await platform.bring_bot(platform.owner)

    event = await only(platform, BotAdded)
    assert isinstance(event, BotAdded)
    assert event.by
    assert event.by.ref == platform.owner


async def test_every_key_tells_one_event(platform: Platform) -> None:
    for text in ("one", "one", "two"):
        await platform.post(platform.member, platform.public, text)
    commands = 0 if COMMANDS in platform.lacks else 2
    for _ in range(commands):
        await platform.command(platform.member, platform.public, "/help")

    await platform.settle()
    keys = [key(one.event) for one in platform.heard.arrivals]
    assert len(set(keys)) == len(keys) == 3 + commands


async def test_what_cannot_be_stored_has_not_happened(platform: Platform) -> None:
    needs(platform, REFUSING)
    platform.heard.full = True
    with pytest.raises(Refused, match="Make room"):
        await platform.post(platform.member, platform.public, "Lost?")
    platform.heard.full = False
    await platform.post(platform.member, platform.public, "Not lost.")

    assert [one.text for one in await platform.sees(platform.owner, platform.public)] == ["Hello.", "Not lost."]


async def test_what_cannot_be_stored_yet_is_stored_later(platform: Platform) -> None:
    platform.heard.full = True
    if REFUSING in platform.lacks:
        await platform.post(platform.member, platform.public, "Lost?")
    else:
        with pytest.raises(Refused):
            await platform.post(platform.member, platform.public, "Lost?")
    platform.heard.full = False
    await platform.post(platform.member, platform.public, "Not lost.")

    expected = {"Lost?", "Not lost."} if REFUSING in platform.lacks else {"Not lost."}
    assert {one.text for one in await heard(platform, MessagePosted) if isinstance(one, MessagePosted)} == expected


# What the bot does


async def test_it_says_something_and_hears_itself(platform: Platform) -> None:
    say = Say(to=platform.public, text="Welcome.", reply_to=platform.message)
    receipt = await done(platform, say)
    assert receipt.made

    seen = await message(platform, platform.member, platform.public, receipt.made)
    assert (seen.text, seen.author, seen.reply_to) == ("Welcome.", platform.bot, platform.message)
    event = await only(platform, MessagePosted)
    assert isinstance(event, MessagePosted)
    assert (event.message, event.author.bot, event.text) == (receipt.made, True, "Welcome.")
    await undo(platform, say, receipt)
    assert await gone(platform, platform.member, platform.public, receipt.made)


async def test_what_it_says_to_one_member_nobody_else_sees(platform: Platform) -> None:
    invocation = await asked(platform, platform.member)
    say = Say(to=platform.public, text="Psst.", only=platform.member, invocation=invocation)
    receipt = await done(platform, say)
    assert receipt.made

    assert (await message(platform, platform.member, platform.public, receipt.made)).only_me
    assert "Psst." not in [one.text for one in await platform.sees(platform.owner, platform.public)]
    assert await nothing_heard(platform)
    edit = Edit(
        message=receipt.made,
        channel=platform.public,
        text="Psst!",
        only=platform.member,
        invocation=invocation,
        before="Psst.",
    )
    await done(platform, edit)
    assert (await message(platform, platform.member, platform.public, receipt.made)).text == "Psst!"


async def test_where_nobody_asked_it_may_be_unable_to_speak_to_one_alone(platform: Platform) -> None:
    say = Say(to=platform.public, text="Psst.", only=platform.member)
    if "only" in platform.adapter.can:
        await done(platform, say)
    else:
        await failed(platform, say)
    assert "Psst." not in [one.text for one in await platform.sees(platform.owner, platform.public)]


async def test_it_sends_files(platform: Platform) -> None:
    file = Attachment(name="你的数据.json", data=b'{"v": 1}')
    invocation = await asked(platform, platform.member)
    say = Say(to=platform.public, text="Here.", attachments=(file,), only=platform.member, invocation=invocation)
    receipt = await done(platform, say)
    assert receipt.made

    seen = await message(platform, platform.member, platform.public, receipt.made)
    assert seen.files == {"你的数据.json": b'{"v": 1}'}


async def test_it_changes_its_words_and_hears_the_last_of_them(platform: Platform) -> None:
    receipt = await done(platform, Say(to=platform.public, text="One"))
    assert receipt.made
    for text in ("One moment", "One moment, please.", "Here it is."):
        edit = Edit(message=receipt.made, channel=platform.public, text=text, before="One")
        await done(platform, edit)

    assert (await message(platform, platform.member, platform.public, receipt.made)).text == "Here it is."
    event = await platform.heard.wait_for(lambda one: isinstance(one, MessageEdited) and one.text == "Here it is.")
    assert isinstance(event, MessageEdited)
    assert (event.message, event.author.bot) == (receipt.made, True)
    await undo(platform, edit, receipt)
    assert (await message(platform, platform.member, platform.public, receipt.made)).text == "One"


async def test_it_deletes_and_repeating_is_harmless(platform: Platform) -> None:
    action = Delete(message=platform.message, channel=platform.public)
    for _ in range(2):
        receipt = await done(platform, action)

    assert await gone(platform, platform.member, platform.public, platform.message)
    assert isinstance(await only(platform, MessageDeleted), MessageDeleted)
    assert inverse(action, receipt) is None


async def test_it_reacts(platform: Platform) -> None:
    action = React(message=platform.message, channel=platform.public, emoji="🎉")
    receipt = await done(platform, action)
    seen = await message(platform, platform.member, platform.public, platform.message)
    assert seen.reactions == {"🎉": {platform.bot}}

    await undo(platform, action, receipt)
    seen = await message(platform, platform.member, platform.public, platform.message)
    assert seen.reactions == {}


async def test_it_warns_in_private(platform: Platform) -> None:
    action = Warn(member=platform.member, channel=platform.public, text="Please be kind.")
    receipt = await done(platform, action)
    assert receipt.made

    place = await where(platform, platform.member, receipt.made)
    assert place is not None
    assert (await message(platform, platform.member, place, receipt.made)).only_me
    assert await where(platform, platform.owner, receipt.made) is None
    assert len(await platform.sees(platform.owner, platform.public)) == 1
    await undo(platform, action, receipt)
    assert await gone(platform, platform.member, place, receipt.made)


async def test_a_member_who_is_timed_out_cannot_write_until_it_is_lifted(platform: Platform) -> None:
    action = Timeout(member=platform.member, minutes=10)
    for _ in range(2):
        receipt = await done(platform, action)
    assert (await platform.who_is(platform.member)).quiet
    with pytest.raises(Refused, match="timed out"):
        await platform.post(platform.member, platform.public, "But …")

    await undo(platform, action, receipt)
    await platform.post(platform.member, platform.public, "Thanks.")
    assert not (await platform.who_is(platform.member)).quiet


async def test_who_is_kicked_may_come_back(platform: Platform) -> None:
    action = Kick(member=platform.member)
    for _ in range(2):
        receipt = await done(platform, action)
    assert inverse(action, receipt) is None
    with pytest.raises(Refused):
        await platform.post(platform.member, platform.public, "I am still here.")

    await platform.join(platform.member, None)
    await platform.post(platform.member, platform.public, "I am back.")
    assert len(await heard(platform, MemberLeft)) == 1


async def test_who_is_banned_may_come_back_after_it_is_undone(platform: Platform) -> None:
    action = Ban(member=platform.member)
    for _ in range(2):
        receipt = await done(platform, action)
    assert (await platform.who_is(platform.member)).banned
    with pytest.raises(Refused, match="banned"):
        await platform.join(platform.member, None)

    await undo(platform, action, receipt)
    await platform.join(platform.member, None)
    assert (await platform.who_is(platform.member)).here
    unban = Unban(member=platform.member)
    await undo(platform, unban, await done(platform, unban))
    assert (await platform.who_is(platform.member)).banned


@pytest.mark.parametrize("action", [Timeout, Kick, Ban])
async def test_the_owner_cannot_be_moderated(platform: Platform, action: type[Timeout | Kick | Ban]) -> None:
    how = {"minutes": 5} if action is Timeout else {}
    await failed(platform, action(member=platform.owner, **how))

    seen = await platform.who_is(platform.owner)
    assert (seen.here, seen.quiet) == (True, False)


async def test_it_gives_a_role_and_takes_it_away(platform: Platform) -> None:
    action = GrantRole(member=platform.member, role=platform.greeter)
    receipt = await done(platform, action)
    assert (await platform.who_is(platform.member)).roles == {"greeter"}

    await undo(platform, action, receipt)
    assert (await platform.who_is(platform.member)).roles == set()


async def test_it_brings_a_member_into_a_channel(platform: Platform) -> None:
    needs(platform, CLOSED)
    action = Invite(member=platform.member, channel=platform.private)
    for _ in range(2):
        receipt = await done(platform, action)
    assert platform.private in await platform.channels(platform.member)
    event = await only(platform, MemberJoined)
    assert isinstance(event, MemberJoined)
    assert event.channel
    assert event.channel.ref == platform.private

    await undo(platform, action, receipt)
    assert platform.private not in await platform.channels(platform.member)


async def test_it_makes_a_channel_and_puts_it_away(platform: Platform) -> None:
    action = CreateChannel(name="kites", space=platform.space, description="On the wind.")
    receipt = await done(platform, action)
    assert receipt.made
    seen = (await platform.channels(platform.member))[receipt.made]
    described = "" if DESCRIBING in platform.lacks else "On the wind."
    assert (seen.name, seen.description, seen.archived) == ("kites", described, False)
    await platform.settle()
    await failed(platform, action)

    await undo(platform, action, receipt)
    assert (await platform.channels(platform.member))[receipt.made].archived
    archived = [one.archived for one in await heard(platform, ChannelChanged) if isinstance(one, ChannelChanged)]
    assert (set(archived), archived) == ({False, True}, sorted(archived))


async def test_nobody_writes_in_an_archived_channel(platform: Platform) -> None:
    action = ArchiveChannel(channel=platform.public)
    receipt = await done(platform, action)
    with pytest.raises(Refused, match="archived"):
        await platform.post(platform.member, platform.public, "Anybody?")
    await failed(platform, Say(to=platform.public, text="Anybody?"))

    await undo(platform, action, receipt)
    await platform.post(platform.member, platform.public, "Somebody.")


async def test_it_writes_to_a_member_directly(platform: Platform) -> None:
    await done(platform, OpenDirect(member=platform.member, text="Just us."))

    direct = next(one for one in (await platform.channels(platform.member)).values() if one.direct)
    assert direct.members == {platform.member, platform.bot}
    assert [one.text for one in await platform.sees(platform.member, direct.ref)] == ["Just us."]
    with pytest.raises(Refused):
        await platform.sees(platform.owner, direct.ref)
    event = await only(platform, MessagePosted)
    assert isinstance(event, MessagePosted)
    assert event.channel.audience == Audience.DIRECT


async def test_it_asks_the_staff_with_buttons(platform: Platform) -> None:
    action = AskStaff(to=platform.private, text="Shall I?", skill="guard", proposed=(), buttons=(YES,))
    receipt = await done(platform, action)
    assert receipt.made

    assert (await message(platform, platform.owner, platform.private, receipt.made)).buttons == ["Yes"]
    await platform.press(platform.owner, receipt.made, YES)
    assert isinstance(await only(platform, ButtonPressed), ButtonPressed)


async def test_it_plans_an_event(platform: Platform) -> None:
    starts = datetime.now(UTC) + timedelta(days=2)
    action = CreateEvent(channel=platform.public, title="Walk", starts=starts, ends=starts + timedelta(hours=2))
    receipt = await done(platform, action)
    assert receipt.made
    assert await platform.planned(platform.member, receipt.made) == "Walk"

    await undo(platform, action, receipt)
    assert await platform.planned(platform.member, receipt.made) == ""


async def test_it_holds_a_poll(platform: Platform) -> None:
    action = CreatePoll(channel=platform.public, question="When?", options=("Monday", "星期二"))
    receipt = await done(platform, action)
    assert receipt.made
    assert (await message(platform, platform.member, platform.public, receipt.made)).options == ["Monday", "星期二"]

    await undo(platform, action, receipt)
    assert await gone(platform, platform.member, platform.public, receipt.made)


async def test_what_the_platform_refuses_is_a_receipt_that_failed(platform: Platform) -> None:
    nobody = Ref(platform.adapter.platform, NOBODY)
    refused = (
        Say(to=nobody, text="Hello?"),
        Say(to=platform.public, text="Hello?", only=nobody),
        Say(to=platform.public, text="x" * 100_000),
        Say(to=platform.public, text=" "),
        Edit(message=platform.message, channel=platform.public, text="I never said so."),
        Delete(message=nobody, channel=platform.public),
        React(message=nobody, channel=platform.public, emoji="👍"),
        Warn(member=nobody, channel=platform.public, text="You!"),
        Timeout(member=nobody, minutes=5),
        Kick(member=nobody),
        Ban(member=nobody),
        Invite(member=nobody, channel=platform.public),
        OpenDirect(member=nobody, text="Hello?"),
        ArchiveChannel(channel=nobody),
    )
    for action in refused:
        await failed(platform, action)
    assert NOBODY in await failed(platform, refused[0])
    assert await nothing_heard(platform)


async def test_what_it_cannot_do_fails_with_a_reason(platform: Platform) -> None:
    assert "SetPolicy" not in platform.adapter.can
    assert "SetPolicy" in await failed(platform, SetPolicy(name="language", value="en"))
    assert "elsewhere:1" in await failed(platform, Say(to=Ref("elsewhere", "1"), text="Hello?"))


async def test_it_can_what_it_says(platform: Platform) -> None:
    names = {one.__name__ for one in Action.__args__}
    assert platform.adapter.can - ABILITIES <= names
    assert all(
        count > 0 and seconds > 0 for count, seconds in (*platform.adapter.limits.chat, platform.adapter.limits.overall)
    )


async def test_what_it_did_stays_done_where_its_echo_cannot_be_stored(platform: Platform) -> None:
    platform.heard.full = True
    receipt = await done(platform, Say(to=platform.public, text="Said."))

    assert receipt.made
    assert (await message(platform, platform.member, platform.public, receipt.made)).text == "Said."
