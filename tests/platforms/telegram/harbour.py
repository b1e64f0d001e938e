"""A small community on Telegram: who is there, and in which topics."""

from __future__ import annotations

from dataclasses import dataclass

from tests.platforms.telegram.town import Chat, Message, Topic, Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Harbour:
    """A forum and what is in it. Anna owns it, Mo is an administrator; Ben and Mei (who reads Chinese) are members."""

    group: Chat
    anna: int
    ben: int
    mei: int
    mo: int
    pier: Topic
    lanterns: Topic
    office: Topic
    hello: Message


def harbour(town: Town) -> Harbour:
    """Set the community up: everybody opened a conversation with the bot."""
    anna, ben = town.user("Anna", started=True).id, town.user("Ben", started=True).id
    mei = town.user("小美", language="zh-hans", started=True).id
    mo = town.user("Mo", started=True).id
    group = town.group("Harbour Makers", anna, forum=True)
    for one in (ben, mei):
        town.join(group, one)
    town.join(group, mo, "administrator")
    pier, lanterns, office = (town.topic(group, name, anna) for name in ("pier", "lanterns", "office"))
    hello = town.keep(group, ben, text="Hello.", topic=pier.id)
    return Harbour(
        group=group, anna=anna, ben=ben, mei=mei, mo=mo, pier=pier, lanterns=lanterns, office=office, hello=hello
    )
