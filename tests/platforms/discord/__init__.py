"""Discord on loopback: simcord's model of it behind real sockets, so that the real discord.py speaks with it.

In a test::

    async with discord_server() as server:          # a free port; server.api, server.gateway_url, server.token
        found = harbour(server.town)                # a small community; or make your own with server.town
        ...                                         # start the bot on server.environment, or an adapter on its fields
        await server.gateway.connected()            # a client has identified
        number = await server.people.post(found.ben, found.pier, "Hello!")
        await server.gateway.settled()              # the client has read all that it was told
        asked = await server.uses.command(found.ben, found.pier, "match", {"interests": "kites"})
        answer = await server.uses.answered(asked)  # the bot's answers: answer.text, .ephemeral, .messages, .modal
        await server.views.sees(found.ben, found.pier)      # what Ben's client shows him, ephemeral answers included

The parts, which name everything by its number and raise `tests.platforms.Refused` where Discord refuses a person:

- `town`: sets up, with nobody's right: `guild user member newcomer role channel forum category seed take_rights
  give_rights advance approved closed`. `seed(channel, 500)` makes an old past of which nothing is told.
- `people`: `post edit delete delete_many react thread forum_post archive_thread join_thread arrive join leave
  call_oneself direct post_directly take_direct_messages bring_bot take_bot`.
- `staff`: `make_channel change_channel remove_channel permit close_channel open_channel change_role give_role
  remove_role rename kick ban unban`.
- `uses`: `command menu complete press forge submit answer answered acknowledged commands`.
- `views`: `sees channels direct_channel member is_banned events role_names`.
- `gateway`: `ask_to_reconnect close cut invalidate forget frame event settled connected`, and the fields
  `refuses shards identified resumed`. An unapproved intent (`town.approved`) closes with 4014, a wrong token with 4004.
- `faults`: `limit fail slow tear pace clear requests hasty`, and `asked invalid gaps headers`. `hasty()` holds what was
  asked although it had been told to wait; `gaps` what this server lacks, and should be empty at the end of a test.

As a program, `python -m tests.platforms.discord PORT` serves the same with the small community, and every verb as
`POST /_ctl/people.post` with the arguments as JSON: `{"made": ...}`, or 403 `{"error": ...}` where Discord refuses.
"""

from __future__ import annotations

from tests.platforms.discord.harbour import Harbour, harbour
from tests.platforms.discord.people import Sent
from tests.platforms.discord.server import DiscordServer, discord_server

__all__ = ["DiscordServer", "Harbour", "Sent", "discord_server", "harbour"]
