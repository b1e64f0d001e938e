"""The town of the stories is as it is told: who is in which of its channels."""

from __future__ import annotations

import pytest

from tests.story.town import ROOMS, Mistake, Town


async def test_the_town_names_who_is_where(harbour: Town) -> None:
    rooms = [room.named.name for room in harbour.page._space.rooms.values()]
    assert {who: {name for name in rooms if harbour.is_in(who, name)} for who in ROOMS} == ROOMS
    for who, inside in ROOMS.items():
        outside = min({"bread-and-ferments", "garden", "general"} - inside)
        with pytest.raises(Mistake, match=f"Join #{outside}"):
            await harbour.says(who, outside, "hello")
        await harbour.says(who, min(inside), "hello")
        assert "hello" in [post.text for post in harbour.sees(who, min(inside))]
