"""`/setup link` from the owners' side: what they are told, who must say yes, and what is one afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.events import Named
from bot.core.things import Rank, Ref
from storage import communities, policies
from storage.tables import MemberRow, MessageRow, TraceRow
from tests.unit.two_towns import ANA, ANNA, BEN, HERE, MAX, THERE, Towns, room, two_towns

pytestmark = pytest.mark.slow

OWNER = Rank.OWNER


@pytest.fixture
async def towns(home: Path) -> AsyncIterator[Towns]:
    async with two_towns(home) as opened:
        yield opened


async def names(towns: Towns) -> list[str]:
    async with towns.database.read() as connection:
        return [one.name for one in await communities.every(connection)]


async def test_both_owners_are_told_what_it_means_and_say_yes(towns: Towns) -> None:
    square = await towns.community(THERE)
    await towns.database.write(lambda c: policies.put(c, square, name="contact", value="the crier"))
    code = await towns.code(ANA, "setup link", rank=OWNER)
    asked = await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    assert "Shall Square become part of Plaza? It cannot be undone." in asked
    assert "Members of either may be shown what is said in the open channels of the other." in asked
    assert "The settings of Plaza hold" in asked
    assert "From Square come, since nobody set them in Plaza: contact = the crier" in asked
    assert "/setup link" in await towns.press(ANNA, "Yes, make them one", rank=OWNER)
    assert await names(towns) == ["Plaza", "Square"]
    assert f"/setup link {code} yes" in towns.told(ANA)[-1]
    assert "Shall Square become part of Plaza?" in await towns.command(ANA, "setup link", rank=OWNER)
    assert "Square is part of Plaza now." in await towns.press(ANA, "Yes, make them one", rank=OWNER)
    assert await names(towns) == ["Plaza"]
    assert "Square is part of Plaza now." in towns.told(ANNA)[-1]
    plaza = await towns.community(HERE)
    assert await towns.community(THERE) == plaza
    await towns.says(MAX, "good morning from the square")
    for model in (MemberRow, MessageRow, TraceRow):
        assert {number for (number,) in await towns.rows(model, "community_id")} == {plaza.id}
    assert "contact" in await towns.command(ANNA, "setup", rank=OWNER)


async def link(towns: Towns) -> None:
    """Let both owners say yes."""
    code = await towns.code(ANA, "setup link", rank=OWNER)
    await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    await towns.command(ANNA, f"setup link {code} yes", rank=OWNER)
    assert "is part of" in await towns.command(ANA, f"setup link {code} yes", rank=OWNER)


async def test_what_was_under_way_meanwhile_is_decided_in_the_community_that_there_is(towns: Towns) -> None:
    under_way = await towns.arrives(THERE, towns.given(MAX, "privacy off"))
    await link(towns)
    await towns.handle(under_way)
    plaza = await towns.community(HERE)
    assert {number for (number,) in await towns.rows(TraceRow, "community_id")} == {plaza.id}
    await towns.says(MAX, "I said no before that")
    assert "I said no before that" not in [text for (text,) in await towns.rows(MessageRow, "text")]


async def test_a_button_from_before_still_does_what_it_said(towns: Towns) -> None:
    await towns.command(MAX, "privacy forget")
    await link(towns)
    assert "0 left" in await towns.press(MAX, "Erase everything")
    assert MAX.name not in await towns.everything()


async def test_only_owners_link_and_no_code_for_accounts_links_communities(towns: Towns) -> None:
    assert "staff" in await towns.command(BEN, "setup link", rank=Rank.STAFF)
    code = await towns.code(ANA, "setup link", rank=OWNER)
    assert "staff" in await towns.command(MAX, f"setup link {code}", rank=Rank.STAFF)
    assert "no such code" in await towns.command(MAX, f"privacy link {code}")
    await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    assert "Only the owner" in await towns.press(ANNA, "Yes, make them one", rank=Rank.STAFF)
    assert "somebody else's" in await towns.press(MAX, "Yes, make them one", rank=OWNER)
    person = await towns.code(BEN)
    assert "no such code" in await towns.command(ANNA, f"setup link {person}", rank=OWNER)
    assert await names(towns) == ["Plaza", "Square"]


async def test_who_agreed_to_be_part_of_a_community_is_not_made_part_of_another_one(towns: Towns) -> None:
    harbour, harbours_owner = Named(ref=Ref("plaza", "h"), name="Harbour"), Named(ref=Ref("plaza", "ida"), name="Ida")
    inner = await towns.code(ANA, "setup link", rank=OWNER)
    await towns.command(ANNA, f"setup link {inner}", rank=OWNER)
    await towns.command(ANNA, f"setup link {inner} yes", rank=OWNER)
    offered = await towns.command(harbours_owner, "setup link", rank=OWNER, space=harbour)
    outer = offered.split("**")[1]
    await towns.command(ANA, f"setup link {outer}", rank=OWNER)
    await towns.command(ANA, f"setup link {outer} yes", rank=OWNER)
    await towns.command(harbours_owner, f"setup link {outer} yes", rank=OWNER, space=harbour)
    assert await names(towns) == ["Harbour", "Square"]
    assert "no such code" in await towns.command(ANA, f"setup link {inner} yes", rank=OWNER)
    assert await names(towns) == ["Harbour", "Square"], "Square agreed to Plaza alone"


async def test_what_a_linked_space_has_of_its_own_is_shown_by_its_name_and_changed(towns: Towns) -> None:
    await towns.command(ANNA, "setup read no", rank=OWNER)
    assert "no channel 'Square'" in await towns.command(ANNA, "setup read no channel:Square", rank=OWNER)
    await link(towns)
    assert "Square: no" in await towns.command(ANA, "setup", rank=OWNER)
    later = room(THERE, "later")
    await towns.says(ANNA, "nobody reads this one", where=later)
    assert "Done" in await towns.command(ANA, "setup read yes channel:Square", rank=OWNER)
    await towns.says(ANNA, "this one is read", where=room(THERE, "latest"))
    everything = await towns.everything()
    assert ("nobody reads this one" in everything, "this one is read" in everything) == (False, True)


async def test_a_code_that_was_given_to_the_wrong_command_is_not_spoilt(towns: Towns) -> None:
    code = await towns.code(ANA, "setup link", rank=OWNER)
    assert "no such code" in await towns.command(ANNA, f"privacy link {code}")
    await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    assert "Noted" in await towns.command(ANNA, f"setup link {code} yes", rank=OWNER)
    await towns.command(ANA, f"setup link {code} yes", rank=OWNER)
    assert await names(towns) == ["Plaza"]


async def test_a_code_of_the_same_community_and_a_no_link_nothing(towns: Towns) -> None:
    code = await towns.code(ANA, "setup link", rank=OWNER)
    assert "made in this very community" in await towns.command(BEN, f"setup link {code}", rank=OWNER)
    code = await towns.code(ANA, "setup link", rank=OWNER)
    await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    assert "Nothing was linked" in await towns.press(ANNA, "No", rank=OWNER)
    assert "no such code" in await towns.command(ANNA, f"setup link {code} yes", rank=OWNER)
    assert await names(towns) == ["Plaza", "Square"]


async def test_imported_names_that_both_have_are_no_reason_to_guess(towns: Towns) -> None:
    imported = Named(ref=Ref("import", "kim"), name="Kim")
    for space in (HERE, THERE):
        where = Named(ref=Ref("import", space.name), name="archive")
        await towns.says(imported, f"kim of {space.name}", where=where, space=space)
    code = await towns.code(ANA, "setup link", rank=OWNER)
    asked = await towns.command(ANNA, f"setup link {code}", rank=OWNER)
    assert "I cannot tell whether those are the same people" in asked
    assert await names(towns) == ["Plaza", "Square"]
