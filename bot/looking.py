"""Looks at the pictures of a message: fetches them from their platform, and has them looked at by the worker."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from pathlib import PurePath
from typing import TYPE_CHECKING

from bot.core.errors import KinfolkError, Mistake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from bot.core.events import File
    from bot.core.ports import Adapter, Picture, Pictures

log = logging.getLogger(__name__)

ENDINGS = frozenset({"png", "jpg", "jpeg", "webp", "gif"})
MOST = 4
"""Pictures of one message that are looked at: an album that hides its scam behind four others is seldom."""
LARGEST = 8 << 20
"""Bytes of one."""
REMEMBERED = 256
"""Pictures whose look is kept by their bytes: a wave sends the same file again and again."""
FETCH = "fetch"


def is_picture(file: File) -> bool:
    """Say whether a file is called a picture, by its media type, or else by its name."""
    kind = file.kind.lower().partition(";")[0].rpartition("/")[2]
    ending = PurePath(file.name.lower()).suffix.removeprefix(".")
    return kind in ENDINGS or ("image" not in file.kind and ending in ENDINGS)


class Looking:
    """Looks at pictures wherever they were sent; what cannot be seen is passed over, and said in the log."""

    def __init__(self, adapters: Mapping[str, Adapter], pictures: Callable[[], Awaitable[Pictures]]) -> None:
        self._adapters = adapters
        self._pictures = pictures
        self._seen: OrderedDict[bytes, asyncio.Task[Picture]] = OrderedDict()

    async def look(self, platform: str, files: Iterable[File]) -> tuple[Picture, ...]:
        """Return what is seen in the pictures among the files of a message, as far as they can be had."""
        adapter = self._adapters.get(platform)
        if adapter is None or FETCH not in adapter.can:
            return ()
        found = [one for one in files if is_picture(one)][:MOST]
        return tuple([picture for one in found if (picture := await self._look_at(adapter, one))])

    async def _look_at(self, adapter: Adapter, file: File) -> Picture | None:
        try:
            data = await adapter.fetch(file, limit=LARGEST)
            # Whoever leaves does not end the look: the next message may bring the same file, and a wave surely does.
            return await asyncio.shield(self._once(data))
        except Mistake as refused:
            log.info("a picture on %s was not looked at: %s", adapter.platform, refused)
        except KinfolkError as error:
            log.warning("a picture on %s could not be looked at: %s", adapter.platform, error)
        return None

    def _once(self, data: bytes) -> asyncio.Task[Picture]:
        """Look at a file, unless somebody does or did already; one that failed is looked at again."""
        digest = hashlib.sha256(data).digest()
        known = self._seen.pop(digest, None)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = asyncio.create_task(self._see(data))
            known.add_done_callback(_heard)
        self._seen[digest] = known
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return known

    async def _see(self, data: bytes) -> Picture:
        return await (await self._pictures()).look(data)


def _heard(look: asyncio.Task[Picture]) -> None:
    """Take note of what went wrong, also where whoever wanted to know has left."""
    if not look.cancelled():
        look.exception()
