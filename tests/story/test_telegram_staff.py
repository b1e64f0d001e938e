"""The staff of a Telegram group in a group of its own, which is made part of the members' community."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.platforms.telegram import TelegramServer, harbour
from tests.platforms.telegram.town import Chat, Membership, Message
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

    async def beside(self) -> Chat:
        """Make another group of members part of the community."""
        anna, town, people = self.town.who.anna, self.town, self.town.server.people
        islands = town.server.town.group("Harbour Islands", anna, bot=None)
        for one in (town.who.ben, town.who.mei):
            town.server.town.join(islands, one)
        await town.after(people.bring_bot(anna, islands))
        [offer] = await town.says(anna, "/setup link")
        code = offer.text.partition("code is ")[2][:8]
        [asked] = await town.after(people.post(anna, islands, f"/setup link {code}"))
        await town.presses(anna, asked, "Yes, make them one")
        [linked] = await town.says(anna, f"/setup link {code} yes")
        assert "is part of Harbour Makers" in linked.text
        return islands

    async def moderate(self, line: str) -> Message:
        """Have Mo use /mod in the staff's group, and return the answer that he gets in private."""
        answers = await self.says(self.town.who.mo, f"/mod {line}")
        return next(one for one in answers if one.chat == self.town.who.mo)

    def status(self, user: int, chat: Chat) -> str:
        """Return what somebody is in a group, and whether they are muted there."""
        found = chat.members.get(user)
        return "muted" if found and found.muted else found.status if found else "left"


@pytest.fixture
async def crew(telegram: TelegramServer, home: Path, ending: None) -> AsyncIterator[Crew]:
    who = harbour(telegram.town)
    chat = telegram.town.group("Harbour Crew", who.anna, bot=None)
    telegram.town.join(chat, who.mo, "administrator")
    async with living(telegram, who, home) as town:
        await town.after(telegram.people.bring_bot(who.anna, chat))
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


async def test_what_is_wanted_by_hand_in_the_staffs_group_is_done_in_the_members_and_lifted_there(crew: Crew) -> None:
    ben, members = crew.town.who.ben, crew.town.who.group
    await crew.town.says(ben, "Who sails tomorrow?")
    assert "Done" in (await crew.moderate("timeout ben 5 too loud")).text
    assert (crew.status(ben, members), crew.status(ben, crew.chat)) == ("muted", "left")
    assert "Done" in (await crew.moderate("untimeout ben")).text
    assert crew.status(ben, members) == "member"
    assert "Done" in (await crew.moderate("ban ben selling things")).text
    assert (crew.status(ben, members), crew.status(ben, crew.chat)) == ("kicked", "left")
    assert await crew.town.rows("SELECT DISTINCT space FROM moderation_case") == [(str(ref(members.id)),)]
    assert "Done" in (await crew.moderate("unban ben")).text
    assert (crew.status(ben, members), crew.status(ben, crew.chat)) == ("left", "left")


async def test_a_ban_that_is_undone_in_the_staffs_group_is_undone_where_it_was_done(crew: Crew) -> None:
    mei, members = crew.town.who.mei, crew.town.who.group
    await crew.town.says(mei, "I do!")
    await crew.moderate("ban 小美")
    assert crew.status(mei, members) == "kicked"
    [(case,)] = await crew.town.rows("SELECT id FROM moderation_case")
    await crew.says(crew.town.who.mo, f"/undo {case}")
    assert (crew.status(mei, members), crew.status(mei, crew.chat)) == ("left", "left")


async def test_a_warning_from_the_staffs_group_reaches_who_never_wrote_to_the_bot_among_members(crew: Crew) -> None:
    town, who = crew.town, crew.town.who
    shy = town.server.town.user("Shy")
    town.server.town.join(who.group, shy.id)
    await town.says(shy.id, "Lanterns, cheap!")
    heard = await crew.says(who.mo, "/mod warn Shy no selling here")
    warned = [one.chat for one in heard if "A warning from the staff" in (one.text or "") and one.chat != who.mo]
    assert warned == [who.group.id], "Mo is told, and nobody else of the staff"


async def test_who_is_nowhere_known_to_be_is_warned_aloud_nowhere_and_the_staff_hears_that_they_were_not_told(
    crew: Crew,
) -> None:
    town, who = crew.town, crew.town.who
    shy = town.server.town.user("Shy")
    town.server.town.join(who.group, shy.id)
    await town.says(shy.id, "Lanterns, cheap!")
    await town.after(town.server.people.leave(shy.id, who.group))
    heard = await crew.says(who.mo, "/mod warn Shy no selling here")
    assert {one.chat for one in heard} == {who.mo}
    assert any("could not write to" in one.text for one in heard)


async def test_of_several_groups_it_is_those_where_somebody_is_or_that_of_the_case_which_waits(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    islands = await crew.beside()
    ida = (await people.arrive(islands, "Ida")).id
    await town.after(people.post(ida, islands, "Hello, islands!"))
    told = await crew.moderate("ban ida")
    assert (crew.status(ida, islands), crew.status(ida, who.group), crew.status(ida, crew.chat)) == (
        "kicked",
        "left",
        "left",
    )
    assert "In Harbour Islands." in told.text
    await crew.moderate("unban ida")
    assert crew.status(ida, islands) == "left"

    await town.says(who.ben, "Who sails tomorrow?")
    spam = await people.post(who.ben, islands, "Buy my lanterns!")
    [card, _thanks] = await town.after(people.post(who.mei, islands, "/report spam", reply_to=spam.id))
    await crew.moderate("timeout ben 5")
    assert (crew.status(who.ben, islands), crew.status(who.ben, who.group)) == ("muted", "member")
    await crew.moderate("untimeout ben")
    await town.presses(who.mo, card, "Fine")
    await crew.moderate("timeout ben 5")
    assert (crew.status(who.ben, islands), crew.status(who.ben, who.group)) == ("muted", "muted")
    await crew.moderate("untimeout ben")
    assert (crew.status(who.ben, islands), crew.status(who.ben, who.group)) == ("member", "member")


async def test_a_ban_that_fails_in_one_of_several_groups_is_a_case_and_it_is_told_where_it_failed(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    islands = await crew.beside()
    await town.says(who.ben, "Who sails tomorrow?")
    await town.after(people.post(who.ben, islands, "Who else?"))
    await town.after(people.promote(who.anna, who.ben, islands))
    heard = await crew.says(who.mo, "/mod ban ben selling things")
    told = [one.text for one in heard if one.chat == who.mo]
    assert (crew.status(who.ben, who.group), crew.status(who.ben, islands)) == ("kicked", "administrator")
    assert any(one.startswith("Done: ban") for one in told)
    assert any(one.startswith("In Harbour Islands that did not work") for one in told)
    [(step,)] = await town.rows("SELECT step FROM moderation_case")
    assert step == "ban"


async def test_what_the_staff_reports_in_its_group_by_a_link_is_settled_where_it_was_said(crew: Crew) -> None:
    town, who = crew.town, crew.town.who
    spam = await town.server.people.post(who.ben, who.group, "Buy my lanterns!", topic=who.pier.id)
    await town.settled()
    bare = str(who.group.id).removeprefix("-100")
    link = f"https://t.me/c/{bare}/{who.pier.id}/{spam.id}"
    heard = await crew.says(who.mo, f"/report {link} spam")
    card = next(one for one in heard if one.chat == crew.chat.id)
    await town.presses(who.anna, card, "Hacked account")
    assert (crew.status(who.ben, who.group), crew.status(who.ben, crew.chat)) == ("muted", "left")


async def test_the_buttons_of_a_raid_act_where_each_takes_part(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    islands = await crew.beside()
    await town.says(who.anna, "/setup strictness strict")
    await town.says(who.anna, "/mode moderate ask")
    raid: list[tuple[int, Chat]] = []
    heard: list[Message] = []
    for name, chat in (("Ria", who.group), ("Rob", islands), ("Rex", who.group), ("Rue", islands)):
        one = (await people.arrive(chat, name)).id
        raid.append((one, chat))
        words = "Come and join our better server, it has everything!"
        heard += await town.after(people.post(one, chat, words))
    [card] = [one for one in heard if "A raid" in (one.text or "")]
    assert card.chat == crew.chat.id
    await town.presses(who.mo, card, "Hold them")
    assert [crew.status(one, chat) for one, chat in raid] == ["muted"] * len(raid)
    await town.presses(who.mo, card, "Ban them all")
    assert [crew.status(one, chat) for one, chat in raid] == ["kicked"] * len(raid)
    there = {one for one, _chat in raid} & set(crew.chat.members)
    assert not there, "nobody is acted on in the staff's group"


async def test_who_raids_several_groups_is_held_and_banned_in_each(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    islands = await crew.beside()
    await town.says(who.anna, "/setup strictness strict")
    await town.says(who.anna, "/mode moderate ask")
    raiders = [town.server.town.user(name).id for name in ("Ria", "Rob", "Rex")]
    raid = [(one, chat) for chat in (who.group, islands) for one in raiders]
    heard: list[Message] = []
    for one, chat in raid:
        await people.join(one, chat)
        heard += await town.after(people.post(one, chat, "Come and join our better server, it has everything!"))
    [card] = [one for one in heard if "A raid" in (one.text or "")]
    told = await town.presses(who.mo, card, "Hold them")
    assert "Done for 3 members." in told[-1].text
    assert [crew.status(one, chat) for one, chat in raid] == ["muted"] * len(raid)
    told = await town.presses(who.mo, card, "Ban them all")
    assert "Done for 3 members." in told[-1].text
    assert [crew.status(one, chat) for one, chat in raid] == ["kicked"] * len(raid)


async def test_what_is_lifted_in_a_group_of_members_is_lifted_there_alone_whoever_gave_it(crew: Crew) -> None:
    town, who, people = crew.town, crew.town.who, crew.town.server.people
    islands = await crew.beside()
    await town.says(who.ben, "Who sails tomorrow?")
    await town.says(who.mo, "/mod ban ben")
    await people.become(islands, who.ben, Membership(status="kicked"), by=who.anna)
    assert (crew.status(who.ben, islands), crew.status(who.ben, who.group)) == ("kicked", "kicked")
    await town.after(people.post(who.anna, islands, "/mod unban ben"))
    assert (crew.status(who.ben, islands), crew.status(who.ben, who.group)) == ("left", "kicked")
