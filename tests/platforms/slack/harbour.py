"""A small community: an owner, a member, somebody else, an open and a closed channel, and what was said first."""

from __future__ import annotations

from tests.platforms.slack.server import Harbour, Server
from tests.platforms.slack.world import BOT


def harbour(server: Server) -> Harbour:
    """Set up the community: Anna owns it, all of them are on the pier, and Anna is in the office."""
    world = server.world
    anna, ben = world.user("Anna", rank=2), world.user("Ben")
    mei = world.user("Mei", locale="zh-CN")
    pier = world.channel("pier", {anna, ben, mei, BOT}, joined_by_all=True)
    office = world.channel("office", {anna, BOT}, private=True)
    lanterns = world.channel("lanterns", {anna, mei, BOT})
    server.admin = anna
    hello = world.seed(pier, ben, "Hello.")
    server.harbour = Harbour(anna=anna, ben=ben, mei=mei, pier=pier, office=office, lanterns=lanterns, hello=hello)
    return server.harbour
