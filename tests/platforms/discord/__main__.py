"""`python -m tests.platforms.discord PORT`: the server with a small community, until it is interrupted.

Prints one line of JSON that says how a bot is pointed at it and the numbers of everything, then serves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from dataclasses import asdict

from tests.platforms.discord.harbour import harbour
from tests.platforms.discord.server import discord_server


async def serve(port: int) -> None:
    """Serve until cancelled."""
    async with discord_server(port) as server:
        found = asdict(harbour(server.town))
        sys.stdout.write(json.dumps({"environment": server.environment, "harbour": found}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.platforms.discord", description=__doc__)
    parser.add_argument("port", type=int, help="0 for any free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
