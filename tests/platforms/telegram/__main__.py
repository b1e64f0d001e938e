"""`python -m tests.platforms.telegram PORT`: the server with a small community, until it is interrupted.

Prints one line of JSON that says how a bot is pointed at it and the numbers of everything, then serves.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from dataclasses import fields

from tests.platforms.telegram.harbour import Harbour, harbour
from tests.platforms.telegram.server import telegram_server


async def serve(port: int) -> None:
    """Serve until cancelled."""
    async with telegram_server(port) as server:
        told = {"environment": server.environment, "harbour": numbers(harbour(server.town))}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def numbers(found: Harbour) -> dict[str, int]:
    """Return the number of everybody and everything."""
    every = {one.name: getattr(found, one.name) for one in fields(found)}
    return {name: value if isinstance(value, int) else value.id for name, value in every.items()}


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.platforms.telegram", description=__doc__)
    parser.add_argument("port", type=int, help="0 for any free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
