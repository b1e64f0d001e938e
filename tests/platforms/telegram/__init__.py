"""Telegram on loopback: the Bot API behind a real socket, so that the real python-telegram-bot speaks with it.

In a test::

    async with telegram_server() as server:         # a free port; server.api, server.token, server.environment
        found = harbour(server.town)                # a small community; or make your own with server.town
        ...                                         # start the bot on server.environment, or an adapter on its fields
        made = await server.people.post(found.ben, found.group, "Hello!", topic=found.pier.id)
        await server.updates.settled()              # the bot has confirmed all that it was told

The parts raise `tests.platforms.Refused` where Telegram refuses a person:

- `town`: sets up, with nobody's right: `user group topic join keep private`, and the fields `hears_all webhook menus`.
- `people`: `post album write edit delete react press join leave arrive promote bring_bot make_topic rename_topic
  close_topic upgrade become`.
- `updates`: `push push_raw settled polled`, and `offsets`, what was confirmed.
- `methods`: `answered` and `alerts` of presses, `drafts`.
- `faults`: `limit fail slow hold tear calls`, and `gaps`, what this server lacks.

As a program, `python -m tests.platforms.telegram PORT` serves the same with the small community, and every verb as
`POST /_ctl/people.post` with the arguments as JSON: `{"made": ...}`, or 403 `{"error": ...}` where Telegram refuses.
"""

from __future__ import annotations

from tests.platforms.telegram.harbour import Harbour, harbour
from tests.platforms.telegram.server import TOKEN, TelegramServer, telegram_server

__all__ = ["TOKEN", "Harbour", "TelegramServer", "harbour", "telegram_server"]
