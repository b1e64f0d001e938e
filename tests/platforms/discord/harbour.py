"""A small community on Discord: who is there, in which channels, with which rights."""

from __future__ import annotations

from dataclasses import dataclass

from tests.platforms.discord.town import MODERATOR, Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Harbour:
    """The numbers of a server and of what is on it.

    Anna owns it; Ben and Mei (who reads Chinese) are members; Mo moderates from below the bot's role, Noor from above.
    """

    guild: int
    anna: int
    ben: int
    mei: int
    mo: int
    noor: int
    greeter: int
    moderators: int
    wardens: int
    pier: int
    lanterns: int
    office: int
    questions: int
    hello: int


def harbour(town: Town) -> Harbour:
    """Set the community up: pier and lanterns are open, the office is for moderators, questions is a forum."""
    anna = town.user("Anna")
    guild = town.guild("Harbour Makers", anna)
    greeter = town.role(guild, "greeter")
    moderators = town.role(guild, "moderators", *MODERATOR)
    wardens = town.role(guild, "wardens", *MODERATOR, above_bot=True)
    ben, mei = town.newcomer(guild, "Ben", locale="zh-CN"), town.newcomer(guild, "小美", locale="zh-CN")
    mo, noor = town.newcomer(guild, "Mo", moderators), town.newcomer(guild, "Noor", wardens)
    pier = town.channel(guild, "pier", "Boats, and what floats.")
    (hello,) = town.seed(pier, 1, authors=[ben], text="Hello.")
    return Harbour(
        guild=guild,
        anna=anna,
        ben=ben,
        mei=mei,
        mo=mo,
        noor=noor,
        greeter=greeter,
        moderators=moderators,
        wardens=wardens,
        pier=pier,
        lanterns=town.channel(guild, "lanterns", "Light on the water."),
        office=town.channel(guild, "office", "Between moderators.", private=True, readers=[moderators, wardens]),
        questions=town.forum(guild, "questions", "Ask."),
        hello=hello,
    )
