"""Accounts of one human: linked by a code that both confirm, and from then on one in all that is theirs to say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.events import Named
from bot.core.things import Ref
from storage import proofs, retention
from storage.tables import ConsentRow, MemberRow, MessageRow, PersonRow, ProofRow
from tests.recording import EVERYTHING
from tests.unit.two_towns import ANA, ANNA, BEN, HERE, MAX, THERE, Towns, room, two_towns

pytestmark = pytest.mark.slow

BEFORE = "hello, {} is here"


@pytest.fixture
async def towns(home: Path) -> AsyncIterator[Towns]:
    async with two_towns(home) as opened:
        yield opened


async def persons(towns: Towns) -> dict[str, int]:
    return {str(ref).partition(":")[2]: number for ref, number in await towns.rows(MemberRow, "ref", "person_id")}


async def test_nothing_is_linked_before_both_sides_were_shown_the_other_and_said_yes(towns: Towns) -> None:
    offered = await towns.command(ANA, "privacy link")
    code = offered.split("**")[1]
    assert f"/privacy link {code}" in offered
    assert "may read and erase all that I hold about you" in offered
    asked = await towns.command(ANNA, f"privacy link {code}")
    assert "**Ana Ferreira** (Plaza, Plaza)" in asked
    assert "Did somebody else tell you to do this? Say no." in asked
    assert len(set((await persons(towns)).values())) == 4
    waits = await towns.press(ANNA, "Yes, that is me")
    assert "your other account has to say yes" in waits
    [called] = towns.told(ANA)
    assert "**anna.ferreira** (Square, Square) entered your code" in called
    assert len(set((await persons(towns)).values())) == 4, "a code that is entered and confirmed there links nothing"
    asked = await towns.command(ANA, "privacy link")
    assert "**anna.ferreira** (Square, Square)" in asked
    assert "one person to me" in await towns.press(ANA, "Yes, that is me")
    numbers = await persons(towns)
    assert (numbers["ana"], len(set(numbers.values()))) == (numbers["anna"], 3)
    assert "**Ana Ferreira**" in towns.told(ANNA)[-1]
    assert "**anna.ferreira** (Square, Square)" in await towns.command(ANA, "privacy")
    assert "**Ana Ferreira** (Plaza, Plaza)" in await towns.command(ANNA, "privacy")
    assert await towns.rows(ProofRow, "code") == [], "a code is worth something once"
    assert len(await towns.rows(PersonRow, "id")) == 3


async def test_a_code_is_for_whom_it_was_made_and_in_words_where_nobody_can_be_answered_alone(home: Path) -> None:
    async with two_towns(home, can=EVERYTHING - {"only", "buttons"}) as towns:
        assert await towns.command(ANA, "privacy link") == ""
        [offered] = towns.told(ANA)
        code = offered.split("**")[1]
        await towns.command(ANNA, f"privacy link {code}")
        assert f"/privacy link {code} yes" in towns.told(ANNA)[-1]
        await towns.command(ANNA, f"privacy link {code} yes")
        await towns.command(ANA, f"privacy link {code} yes")
        numbers = await persons(towns)
        assert numbers["ana"] == numbers["anna"]
        assert all(not getattr(one, "text", "") or hasattr(one, "member") for one in towns.platforms["plaza"].done)


@pytest.mark.parametrize("who", [ANA, ANNA], ids=["who made it", "who entered it"])
async def test_a_no_of_either_makes_the_code_worthless(towns: Towns, who) -> None:
    code = await towns.code(ANA)
    await towns.command(ANNA, f"privacy link {code}")
    await towns.command(ANNA, f"privacy link {code} yes") if who is ANA else None
    await towns.command(ANA, "privacy link") if who is ANA else None
    assert "Nothing was linked" in await towns.press(who, "No")
    assert "no such code" in await towns.command(ANNA, f"privacy link {code} yes")
    assert len(set((await persons(towns)).values())) == 4


async def test_wrong_own_used_and_late_codes_are_refused_in_words(towns: Towns) -> None:
    code = await towns.code(ANA)
    assert "I know no such code" in await towns.command(ANNA, "privacy link ZZZZ2222")
    assert "your own code" in await towns.command(ANA, f"privacy link {code}")
    assert "your own code" in await towns.command(ANA, f"privacy link {code} yes"), "nobody confirmed on the other side"
    await towns.command(ANNA, f"privacy link {code.lower()}")
    assert "I know no such code" in await towns.command(MAX, f"privacy link {code}"), "somebody holds it already"
    assert "I know no such code" in await towns.command(MAX, f"privacy link {code} yes")
    await towns.command(ANNA, f"privacy link {code} yes")
    await towns.command(ANA, f"privacy link {code} yes")
    assert "I know no such code" in await towns.command(ANNA, f"privacy link {code}"), "it was used"
    assert "linked already" in await towns.command(ANNA, f"privacy link {await towns.code(ANA)}")
    late = await towns.code(BEN)
    await towns.clock.sleep(proofs.LASTING.total_seconds() + 1)
    assert "I know no such code" in await towns.command(MAX, f"privacy link {late}")
    assert len(set((await persons(towns)).values())) == 3


async def test_a_yes_comes_after_the_question_and_not_with_the_code(towns: Towns) -> None:
    code = await towns.code(ANA)
    asked = await towns.command(ANNA, f"privacy link {code} yes")
    assert "Is **Ana Ferreira** (Plaza, Plaza) you as well?" in asked
    assert "your own code" in await towns.command(ANA, f"privacy link {code} yes")


async def test_nobody_comes_by_a_code_by_guessing(towns: Towns) -> None:
    code = await towns.code(ANA)
    for number in range(proofs.TRIES):
        assert "no such code" in await towns.command(MAX, f"privacy link AAAA222{number + 2}")
    assert "Try again in ten minutes" in await towns.command(MAX, f"privacy link {code}")
    assert "Is **Ana" in await towns.command(ANNA, f"privacy link {code}"), "others may"
    await towns.clock.sleep(proofs.LASTING.total_seconds() + 1)
    assert "Is **Ana" in await towns.command(MAX, f"privacy link {await towns.code(ANA)}")
    assert len(proofs.ALPHABET) ** len(code) > 10**12


async def test_a_no_on_one_platform_is_a_no_on_the_other(towns: Towns) -> None:
    await towns.link(ANA, ANNA)
    await towns.command(ANA, "privacy off")
    await towns.says(ANNA, "a secret of the square")
    await towns.says(MAX, "no secret of the square")
    texts = [text for (text,) in await towns.rows(MessageRow, "text")]
    assert ("a secret of the square" in texts, "no secret of the square" in texts) == (False, True)
    await towns.command(ANNA, "privacy on")
    await towns.says(ANA, "collected again")
    assert "collected again" in [text for (text,) in await towns.rows(MessageRow, "text")]


@pytest.mark.parametrize("refuses", [ANA, ANNA])
async def test_who_had_said_no_somewhere_has_said_no_everywhere_once_linked(towns: Towns, refuses) -> None:
    other = ANNA if refuses is ANA else ANA
    await towns.command(other, "privacy on")
    await towns.command(refuses, "privacy off")
    await towns.link(ANA, ANNA)
    assert await towns.rows(ConsentRow, "collected") == [(False,), (False,)]
    await towns.command(ANNA, "privacy unlink")
    await towns.command(ANNA, "privacy on")
    assert await towns.rows(ConsentRow, "collected") == [(False,), (True,)], "each for itself again"
    assert "linked to no other" in await towns.command(ANA, "privacy unlink")


async def test_an_export_has_both_and_of_nobody_else(towns: Towns) -> None:
    await towns.link(ANA, ANNA)
    await towns.command(ANNA, "privacy export")
    [file] = next(
        one for one in reversed(towns.platforms["square"].done) if getattr(one, "attachments", ())
    ).attachments
    document = json.loads(file.data)
    [other] = document["linked"]
    said = {one["community"]: [row["text"] for row in one["message"]] for one in (document, other)}
    assert said == {"Square": [BEFORE.format(ANNA.name)], "Plaza": [BEFORE.format(ANA.name)]}
    assert BEN.name not in file.data.decode()


async def test_a_forget_leaves_nothing_in_either_and_both_stay_forgotten(towns: Towns) -> None:
    await towns.link(ANA, ANNA)
    await towns.code(ANA)
    assert "All of this holds for your linked accounts too" in await towns.command(ANNA, "privacy forget")
    proof = await towns.press(ANNA, "Erase everything")
    assert "messages: 2" in proof
    assert proof.splitlines()[-1] == "I looked again, everywhere: 0 left."
    everything = await towns.everything()
    for trace in (ANA.name, ANNA.name, str(ANA.ref), str(ANNA.ref), "Ferreira"):
        assert trace not in everything, trace
    assert BEN.name in everything
    for who in (ANA, ANNA):
        await towns.says(who, "I am back")
    assert "I am back" not in await towns.everything()
    assert len(await towns.rows(PersonRow, "id")) == 2


async def test_who_is_forgotten_after_a_split_is_named_nowhere_and_the_other_stays(towns: Towns) -> None:
    await towns.link(ANA, ANNA)
    await towns.command(ANA, "privacy")
    await towns.command(ANA, "privacy unlink")
    await towns.command(ANNA, "privacy forget yes")
    everything = await towns.everything()
    assert (ANNA.name in everything, str(ANNA.ref) in everything) == (False, False)
    assert BEFORE.format(ANA.name) in everything


async def test_codes_are_told_erased_and_purged(towns: Towns) -> None:
    code = await towns.code(ANA)
    await towns.command(MAX, "privacy link AAAA2222")
    await towns.command(ANA, "privacy export")
    [file] = next(one for one in reversed(towns.platforms["plaza"].done) if getattr(one, "attachments", ())).attachments
    [told] = json.loads(file.data)["proof"]
    assert (told["subject"], told["made"]) == ("person", True)
    await towns.command(ANA, "privacy forget yes")
    assert code not in await towns.everything()
    later = towns.clock.now() + proofs.LASTING + timedelta(seconds=1)
    await towns.database.write(lambda connection: retention.purge_events(connection, later))
    assert await towns.rows(ProofRow, "code") == []


async def test_the_yes_may_be_said_where_they_talk_to_the_bot_alone_whatever_community_that_counts_to(
    towns: Towns,
) -> None:
    alley, terrace = (Named(ref=Ref(of, "t"), name=name) for of, name in (("square", "Alley"), ("plaza", "Terrace")))
    code = await towns.code(ANA)
    await towns.command(ANNA, f"privacy link {code}")
    assert "your other account" in await towns.command(ANNA, f"privacy link {code} yes", space=alley)
    assert "one person" in await towns.command(ANA, f"privacy link {code} yes", space=terrace)
    rows = {
        (ref, community): person
        for ref, community, person in await towns.rows(MemberRow, "ref", "community_id", "person_id")
    }
    here, there = await towns.community(HERE), await towns.community(THERE)
    assert rows[str(ANA.ref), here.id] == rows[str(ANNA.ref), there.id]
    assert len(set(rows.values())) == 5, "what they are elsewhere is nobody's word"


async def test_the_same_account_in_two_communities_links_too(towns: Towns) -> None:
    terrace = Named(ref=Ref("plaza", "t"), name="Terrace")
    await towns.says(ANA, "here as well", where=room(terrace), space=terrace)
    assert [number for ref, number in await towns.rows(MemberRow, "ref", "person_id") if ref == str(ANA.ref)] == [1, 5]
    code = await towns.code(ANA)
    asked = await towns.command(ANA, f"privacy link {code}", space=terrace)
    assert "Is **Ana Ferreira** (Plaza, Plaza) you as well?" in asked
    await towns.command(ANA, f"privacy link {code} yes", space=terrace)
    assert "one person" in await towns.command(ANA, f"privacy link {code} yes")
    assert [number for ref, number in await towns.rows(MemberRow, "ref", "person_id") if ref == str(ANA.ref)] == [1, 1]
    await towns.command(ANA, "privacy off")
    assert await towns.rows(ConsentRow, "collected") == [(False,), (False,)]
