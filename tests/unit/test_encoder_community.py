"""What an encoder learns from a stored community: public channels, of those who let their words be collected."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.events import MessagePosted, Named
from bot.core.things import Audience, Community, Ref
from brains.training.encoder_community import lost, read_community
from brains.training.encoder_texts import answered
from storage import communities, members, spaces, tuned
from storage.erasure import forget
from storage.intake import Intake
from tests.tables import open_database
from tests.words import MONDAY

SPACE = Named(ref=Ref("plaza", "s"), name="Plaza")
ANA, BEN, CAT = (Named(ref=Ref("plaza", name), name=name) for name in ("ana", "ben", "cat"))
ROOMS = {
    name: Named(ref=Ref("plaza", f"s/{name}"), name=name, audience=audience)
    for name, audience in {"bread": Audience.EVERYONE, "bikes": Audience.EVERYONE, "staff": Audience.MEMBERS}.items()
}


def posted(number: int, by: Named, room: str) -> MessagePosted:
    text = f"How would I mend number {number} of these {room}?" if number % 2 else f"With glue, {number} of {room}."
    return MessagePosted(
        message=Ref("plaza", f"s/{number}"),
        channel=ROOMS[room],
        author=by,
        text=text,
        at=MONDAY + timedelta(minutes=number),
        source="plaza",
        reply_to=Ref("plaza", f"s/{number - 5}") if number % 2 == 0 and number > 5 else None,
    )


TALK = [
    posted(number, (ANA, BEN, CAT)[number % 3], ("bread", "bikes", "bread", "bikes", "staff")[number % 5])
    for number in range(1, 501)
]


@pytest.mark.slow
async def test_closed_channels_and_who_withholds_are_left_out_and_a_forget_takes_the_encoder(tmp_path: Path):
    async with open_database(tmp_path) as database:

        async def begin(connection) -> Community:
            community = await communities.find_or_make(connection, "plaza", MONDAY)
            await spaces.belong(connection, SPACE, community)
            intake = Intake(community, MONDAY)
            await intake.begin(connection)
            await intake.store(connection, TALK)
            cat = await members.by_ref(connection, community, CAT.ref)
            await members.set_consent(connection, cat.id, collected=False, now=MONDAY)
            return community

        community = await database.write(begin)
        told = await read_community(database, community)
        assert {one.channel for one in told.said} == {"bread", "bikes"}
        kept = [one for one in TALK if one.author != CAT and one.channel.name != "staff"]
        assert {one.text for one in told.said} == {one.text for one in kept}
        by_reply = {(one.text, other.text) for one, other in answered(told.said) if other.reply_to == one.id}
        assert len(by_reply) > 20

        assert not await lost(database, community, told)
        card = tmp_path / tuned.FOLDER / "1" / tuned.CARD
        card.parent.mkdir(parents=True)
        card.write_text(json.dumps(tuned.marked({one.author for one in told.said})))
        for who, left in ((CAT, True), (ANA, False)):
            async with database.read() as connection:
                member = await members.by_ref(connection, community, who.ref)
            done = await forget(database, None, None, community, member, home=tmp_path, now=MONDAY)
            assert card.exists() is left
            assert done.erased.get("encoders", 0) == (not left)
            assert await lost(database, community, told) is not left
