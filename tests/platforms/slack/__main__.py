"""Serves the small community on a port: `python -m tests.platforms.slack PORT`, to try a bot by hand.

`POST /_ctl/VERB` with the arguments as JSON has people do something (`post write command press ...`); what Slack does
not let them do is answered with 403.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys

from aiohttp import web

from tests.platforms import Refused
from tests.platforms.slack.harbour import harbour
from tests.platforms.slack.server import Server, slack_server


def control(server: Server) -> web.Application:
    """Return what takes people's orders."""

    async def do(request: web.Request) -> web.Response:
        verb = getattr(server.people, request.match_info["verb"])
        try:
            made = verb(**(await request.json() if request.can_read_body else {}))
        except Refused as refused:
            return web.json_response({"error": str(refused)}, status=403)
        return web.json_response({"made": made}, dumps=_dumps)

    app = web.Application()
    app.router.add_post("/_ctl/{verb}", do)
    return app


def _dumps(told: object) -> str:
    return json.dumps(told, default=lambda one: vars(one) if dataclasses.is_dataclass(one) else str(one))


async def main(port: int) -> None:
    async with slack_server(port=port) as server:
        who = harbour(server)
        runner = web.AppRunner(control(server))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port + 1)
        await site.start()
        for name, value in server.environment.items():
            sys.stdout.write(f"{name}={value}\n")
        sys.stdout.write(f"{dataclasses.asdict(who)}\ncontrol: http://127.0.0.1:{port + 1}/_ctl/\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
