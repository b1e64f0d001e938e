"""The staff of a Telegram group in a group of its own, which is made part of the members' community."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.platforms.telegram import TelegramServer, harbour, telegram_server
from tests.platforms.telegram.town import Chat, Message
from tests.story.telegram_town import TelegramTown, living, ref

pytestmark = pytest.mark.slow

SECRET = "A kite is what the crew calls a member who is about to be banned."


@dataclass(frozen=True, kw_only=True)
class Crew:
    """Anna owns both groups; Mo is an administrator of both."""

    town: TelegramTown
    chat: Chat

    async def says(self, user: int, words: str, **more: object) -> list[Message]:
        """Write something in the staff's group, and return what the bot says anywhere thereupon."""
        return await self.town.after(self.town.server.people.post(user, self.chat, words, **more))

    async def link(self) -> None:
        """Do what the page says, step by step."""
        anna, town = self.town.who.anna, self.town
        await self.says(anna, "/setup read no")
        [offer] = await town.says(anna, "/setup link")
        code = offer.text.partition("code is ")[2][:8]
        [asked] = await self.says(anna, f"/setup link {code}")
        await town.presses(anna, asked, "Yes, make them one")
        [linked] = await town.says(anna, f"/setup link {code} yes")
        assert "is part of Harbour Makers" in linked.text
        [done] = await town.says(anna, "/setup staff_channel Harbour Crew")
        assert done.text.startswith("Done")


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with telegram_server() as opened:
        yield opened
        assert opened.faults.gaps == []


@pytest.fixture
async def crew(server: TelegramServer, home: Path, ending: None) -> AsyncIterator[Crew]:
    who = harbour(server.town)
    chat = server.town.group("Harbour Crew", who.anna, bot=None)
    server.town.join(chat, who.mo, "administrator")
    async with living(server, who, home) as town:
        await town.after(server.people.bring_bot(who.anna, chat))
        made = Crew(town=town, chat=chat)
        await made.link()
        yield made


async def test_a_report_reaches_the_staff_in_their_group_and_is_settled_there(crew: Crew) -> None:
    town, who = crew.town, crew.town.who
    spam = await town.server.people.post(who.ben, who.group, "Buy my lanterns!", topic=who.pier.id)
    asked, thanks = await town.says(who.mei, "/report it is spam", reply_to=spam.id)
    assert (asked.chat, "it is spam" in asked.text, thanks.chat) == (crew.chat.id, True, who.mei)
    assert ("Case" in asked.text, "谢谢" in thanks.text) == (True, True), "each in their own language"
    await town.presses(who.mo, asked, "Hacked account")
    assert who.group.members[who.ben].muted, "in the group where it was said, not in the one where it was settled"
    assert spam.deleted
    assert "decided by Mo" in asked.text


async def test_what_the_staff_says_is_neither_kept_nor_shown_to_members(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    for one in ("Kites fly best at the pier.", "I saw a kite there."):
        await town.says(who.mei, one)
    topic = await people.make_topic(who.anna, crew.chat, "kites")
    for place in (0, topic.id):
        await crew.says(who.mo, SECRET, topic=place)
    assert SECRET not in (await town.stored()).values()
    assert await town.rows("SELECT id FROM inbox WHERE event LIKE '%crew calls%'") == []
    read = await town.rows("SELECT channel, value FROM policy WHERE name = 'read' ORDER BY channel DESC")
    assert read == [(str(ref(crew.chat.id, f"t{topic.id}")), "no"), (str(ref(crew.chat.id)), "no")]
    [told] = await town.says(who.ben, "/match kites")
    assert ("Crew" in told.text, "#kites" in told.text) == (False, False)


async def test_newcomers_are_welcomed_among_members_and_the_staffs_own_nowhere(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    await town.says(who.ben, "Who sails tomorrow?")
    await town.says(who.anna, "/setup preset helpful")
    ida = town.server.town.user("Ida", started=True)
    assert await town.after(people.join(ida.id, crew.chat)) == []
    [welcome] = await town.after(people.join(ida.id, who.group))
    assert (welcome.chat, "Welcome" in welcome.text) == (who.group.id, True)
