"""Slack on loopback: a workspace with its Web API, Socket Mode, addresses for answers, and files.

In a test::

    async with slack_server() as server:      # a free port; server.api, server.environment
        who = harbour(server)                 # a small community; or make your own with server.world
        ...                                   # start the bot on server.environment, or an adapter on its fields
        await server.sockets.connected()
        ts = server.people.post(who.ben, who.pier, "Hello!")
        await server.sockets.settled()        # every envelope was acknowledged, or given up
        asked = server.people.command(who.ben, who.pier, "/match", "boats")
        server.people.sees(who.ben, who.pier)     # what Ben's client shows him, what he alone sees included

- `world`: the workspace. Of what `user channel seed direct` set up nobody is told; the other verbs tell the bot.
- `people`: `post write edit delete react join leave arrive close_account describe`, `command press press_home menu
  submit open_home`, `sees channels told_directly`. What Slack does not let people do raises `tests.platforms.Refused`.
- `sockets`: `disconnect cut raw event send connected settled`, and the fields `patience` (seconds until an envelope
  that nobody acknowledged is sent again), `refuses`, `envelopes`, `lines`.
- `limit(method, seconds, times)` answers 429, `fail(method, code, times)` a code; `most` is the longest page; `scopes`
  are what the app was given; `rejects` refuses a token with a code; `broken` holds methods that answer 503; `asked`
  counts calls, `calls` holds them.
"""

from __future__ import annotations

from tests.platforms.slack.harbour import harbour
from tests.platforms.slack.people import Asked
from tests.platforms.slack.server import ADMIN_TOKEN, Harbour, Server, slack_server

__all__ = ["ADMIN_TOKEN", "Asked", "Harbour", "Server", "harbour", "slack_server"]
