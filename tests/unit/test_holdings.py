"""Every table says whose its rows are: a member's, so that they are exported and erased, or why nobody's."""

from __future__ import annotations

import pytest
from sqlmodel import SQLModel

from bot.core.things import Community, Member, Ref
from storage import exporting, holdings
from storage.probes import Probes
from storage.rows import table
from storage.tables import PERSONAL, Personal, metadata
from storage.trail import Survey, Trail

COLM = Member(id=7, ref=Ref("discord", "h/colm"), name="Colm Doherty", person=1)
FOUND = Survey(
    community=Community(id=1, name="harbour"),
    member=COLM,
    probes=Probes.of(member=str(COLM.ref), messages=(), words=()),
    said={},
    cached=(),
    trail=Trail(rooms=(3,)),
)
HOW = "say whose its rows are: `__personal__` in storage/tables.py, else storage/holdings.py and storage/exporting.py"


def test_every_table_is_erased_and_exported_or_says_why_not() -> None:
    erased = {some.store for some in holdings.rows(FOUND)}
    told = set(exporting.SECTIONS) | set(exporting.COUNTED)
    assert set(metadata.tables) - erased - set(holdings.NOT_PERSONAL) == set(), HOW
    assert erased & set(holdings.NOT_PERSONAL) == set(), "either members' or nobody's"
    assert (erased - told, told - erased) == (set(), set()), "what is erased is exported, and nothing else"
    assert set(holdings.NOT_PERSONAL) <= set(metadata.tables), "a table that is gone"


@pytest.mark.parametrize(("model", "personal"), PERSONAL.items())
def test_what_a_table_says_of_itself_names_its_columns(model: type[SQLModel], personal: Personal) -> None:
    assert {personal.by, *personal.shows, personal.room or personal.by, personal.case or personal.by} <= set(
        table(model).c.keys()
    )
    wanted = {f"{personal.by} = :{personal.by}_1"}
    if personal.room:
        wanted.add(f"{personal.room} IN (__[POSTCOMPILE_{personal.room}_1])")
    [some] = [some for some in holdings.rows(FOUND) if some.model is model]
    told = [str(condition) for condition in some.conditions]
    hanging = [one for one in told if "moderation_case.member_id =" in one and ".member_id !=" in one]
    assert len(hanging) == bool(personal.case)
    assert all(f"{personal.case} IN (SELECT" in one for one in hanging)
    assert {one.partition(".")[2] for one in told if one not in hanging} == wanted
