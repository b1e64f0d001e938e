"""What is kept of Discord and who may read it: edits and deletions, being forgotten, closed channels and threads."""

from __future__ import annotations

import orjson
import pytest

from bot.core.ports import Scope
from tests.story.discord_town import WICK, DiscordTown, buttons, offered, ref

pytestmark = pytest.mark.slow

SECRET = "the quartermaster hid saffron and cardamom under the floor"


async def points(guild: DiscordTown) -> int:
    """Count the vectors of all messages, once those that wait are written."""
    await guild.indexed()
    return await (await guild.app.vectors()).count(Scope(community=(await guild.community()).id))


async def everything(guild: DiscordTown, user: int) -> str:
    """Return all that somebody is told: in the open channels, alone, by /match, and by every Why? under it."""
    who = guild.who
    told = [one["content"] for channel in (who.pier, who.lanterns) for one in await guild.heard(user, channel)]
    told += [one["content"] for one in await guild.told_directly(user)]
    answer = await guild.command(user, who.pier, "match", interests=SECRET)
    told.append(answer.text)
    for one in answer.messages:
        for button in buttons(one):
            if button["label"] in {"Why?", "为什么？"}:
                asked = await guild.server.uses.press(user, who.pier, int(one["id"]), custom_id=button["custom_id"])
                told.append((await guild.answer(asked)).text)
    return "\n".join(told)


async def test_edits_and_deletions_follow_through_to_the_tables_and_the_vectors(guild: DiscordTown) -> None:
    who, people = guild.who, guild.server.people
    kept = [await guild.says(who.ben, who.pier, f"oakum number {number}") for number in range(5)]
    assert await points(guild) == 5
    await people.edit(who.ben, who.pier, kept[0], "tar and pitch")
    await people.delete(who.ben, who.pier, kept[1])
    await guild.settled()
    texts = await guild.stored()
    assert texts[str(ref(who.pier, kept[0]))] == "tar and pitch"
    assert str(ref(who.pier, kept[1])) not in texts
    assert await points(guild) == 4
    await people.delete_many(who.mo, who.pier, kept[2:4])
    await guild.settled()
    assert list(await guild.stored()) == [str(ref(who.pier, kept[0])), str(ref(who.pier, kept[4]))]
    assert await points(guild) == 2


async def test_a_deleted_channel_takes_what_was_said_in_it_along(guild: DiscordTown) -> None:
    who = guild.who
    await guild.says(who.ben, who.pier, "this stays")
    await guild.says(who.ben, who.lanterns, "this goes")
    await guild.server.staff.remove_channel(who.anna, who.lanterns)
    await guild.settled()
    assert list((await guild.stored()).values()) == ["this stays"]
    assert await points(guild) == 1


async def test_a_member_sees_what_is_held_and_is_forgotten_in_two_steps(guild: DiscordTown) -> None:
    await guild.talks()
    who, before = guild.who, await points(guild)
    await guild.says(who.noor, who.pier, "I like saffron")
    await guild.indexed()
    exported = await guild.command(who.noor, who.pier, "privacy", choice="export")
    assert exported.ephemeral
    [file] = exported.messages[0]["attachments"]
    data = guild.server.town.files.get(file["url"].removeprefix(guild.server.town.files.base))
    assert "I like saffron" in orjson.dumps(orjson.loads(data)).decode()
    asked = await guild.command(who.noor, who.pier, "privacy", choice="forget")
    assert "I like saffron" in (await guild.stored()).values()
    done = await guild.press(who.noor, who.pier, int(asked.messages[0]["id"]), "Erase everything")
    assert done.text.endswith("I looked again, everywhere: 0 left.")
    assert done.ephemeral
    await guild.says(who.noor, who.pier, "and cardamom")
    await guild.says(who.ben, who.pier, "I like oakum")
    assert not {"I like saffron", "and cardamom"} & set((await guild.stored()).values())
    assert await points(guild) == before + 1


async def test_who_gets_a_role_reads_its_channel_and_who_loses_it_does_not(guild: DiscordTown) -> None:
    who, staff = guild.who, guild.server.staff
    await guild.says(who.mo, who.office, SECRET)
    await guild.says(who.ben, who.pier, "hello")
    assert "office" not in await guild.reads(who.ben)
    await staff.give_role(who.anna, who.guild, who.ben, who.moderators)
    await guild.settled()
    assert "office" in await guild.reads(who.ben)
    await staff.give_role(who.anna, who.guild, who.ben, who.moderators, on=False)
    await guild.settled()
    assert "office" not in await guild.reads(who.ben)


async def test_what_closes_a_channel_takes_it_from_everybody_at_once(guild: DiscordTown) -> None:
    await guild.talks()
    who, server = guild.who, guild.server
    assert offered((await guild.command(who.ben, who.pier, "match", interests=WICK)).text) == [who.lanterns]
    await server.staff.close_channel(who.anna, who.lanterns)
    await guild.settled()
    assert who.lanterns not in offered((await guild.command(who.ben, who.pier, "match", interests=WICK)).text)
    assert "lanterns" not in await guild.reads(who.ben)
    await server.staff.open_channel(who.anna, who.lanterns)
    await guild.settled()
    assert offered((await guild.command(who.ben, who.pier, "match", interests=WICK)).text) == [who.lanterns]


async def test_a_role_that_loses_its_rights_closes_what_it_opened(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    await guild.says(who.mo, who.office, SECRET)
    assert "office" in await guild.reads(who.mo)
    await server.staff.permit(who.anna, who.office, who.moderators, deny=["view_channel"])
    await guild.says(who.mo, who.pier, "hello")
    assert "office" not in await guild.reads(who.mo)


async def test_a_role_that_is_deleted_closes_what_it_opened(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    await guild.says(who.mo, who.office, SECRET)
    assert "office" in await guild.reads(who.mo)
    await server.staff.remove_role(who.anna, who.guild, who.moderators)
    await guild.settled()
    assert "office" not in await guild.reads(who.mo)
    for one in (who.mo, who.noor):
        await guild.says(one, who.pier, "hello")
    assert "office" not in await guild.reads(who.mo)
    assert "office" in await guild.reads(who.noor), "her role is another"


async def test_a_private_thread_is_for_those_in_it(guild: DiscordTown) -> None:
    who, server = guild.who, guild.server
    thread = await server.people.thread(who.anna, who.pier, "hush", private=True)
    await guild.settled()
    await guild.says(who.anna, thread, SECRET)
    await guild.says(who.ben, who.pier, "hello")
    assert "hush" not in await guild.reads(who.ben)
    assert "hush" in await guild.reads(who.anna)
    server.town.backend.add_thread_member(thread, who.ben)
    await guild.settled()
    await guild.says(who.ben, thread, "thanks")
    assert "hush" in await guild.reads(who.ben)
    told = await everything(guild, who.mei)
    assert "hush" not in told
    assert "cardamom" not in told


async def test_a_closed_channels_name_is_not_told_by_who_names_it(guild: DiscordTown) -> None:
    who = guild.who
    await guild.says(who.mo, who.pier, f"see <#{who.office}> and <#{who.lanterns}>, <@{who.ben}>")
    assert list((await guild.stored()).values()) == ["see #… and #lanterns, @Ben"]
