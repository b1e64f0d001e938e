"""How much was said: who wrote when and where, without a word of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlmodel import col

from storage.messages import within
from storage.rows import columns
from storage.tables import MessageRow

if TYPE_CHECKING:
    import numpy.typing as npt

    from bot.core.ports import Scope
    from storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """Messages (n,), oldest first: the numbers of them, their channels and authors, and seconds since the epoch."""

    ids: npt.NDArray[np.int64]
    channels: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]


async def written(connection: Connection, scope: Scope) -> Written:
    """Return where, by whom and when everything in scope was written."""
    oldest = (col(MessageRow.sent_at), col(MessageRow.id))
    chosen = select(*columns(MessageRow, "id", "channel_id", "author_id", "sent_at"))
    rows = (await connection.execute(chosen.where(*within(scope)).order_by(*oldest))).all()
    return Written(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        channels=np.array([row[1] for row in rows], dtype=np.int64),
        authors=np.array([row[2] for row in rows], dtype=np.int64),
        times=np.array([row[3].timestamp() for row in rows], dtype=np.float64),
    )
