"""Cases and lessons on SQLite and on PostgreSQL: both keep, count, teach, make anew and erase the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from sqlalchemy import func, select

from bot.core.actions import Exhibit, KeepAppeal, KeepCase, KeepReport, SettleCase
from bot.core.events import Named
from bot.core.ports import Appealable
from bot.core.things import Ref
from storage import acquaintance, casebook, cases, communities, exhibits, lessons, members, spaces
from storage.casebook import purge
from storage.cases import Tally
from storage.connection import Connection
from storage.db import Database
from storage.intake import Intake
from storage.lessons import Encoded, Kept
from storage.tables import EvidenceRow
from tests.words import MONDAY, said

TEXT = "buy lanterns"


async def test_a_case_is_kept_settled_learned_from_appealed_and_erased(database: Database) -> None:
    async def work(connection: Connection) -> list[object]:
        here = await communities.find_or_make(connection, "harbour", MONDAY)
        intake = Intake(here, MONDAY)
        await intake.begin(connection)
        await intake.store(connection, [said(TEXT), said("hello")])
        [who] = await members.every(connection, here)
        [spoken] = await exhibits.of(connection, here, who.id, [said(TEXT).message])
        shown = Exhibit(message=Ref("discord", "h/x"), channel=spoken.channel, text=TEXT, at=MONDAY)
        opened = KeepCase(case="K7QX3M", member=who.ref, about="spam", reason="", points=3, exhibits=(shown,))
        opened = replace(opened, detectors=("spam",))
        day = {"quarantine": timedelta(days=1), "now": MONDAY}
        settled = SettleCase(case="K7QX3M", verdict="spam", by=who.ref)
        plea = KeepAppeal(case="K7QX3M", member=who.ref, text="no", state="open")
        report = KeepReport(case="K7QX3M", member=who.ref, reason="rude")
        told: list[object] = [
            await casebook.keep(connection, here, who, opened, trace="", **day),
            await casebook.report(connection, here, who, report, now=MONDAY),
            len(await cases.queue(connection, here)),
            await casebook.settle(connection, here, settled, **day),
            await casebook.appeal(connection, here, plea, **day),
            await cases.points(connection, who.id, MONDAY),
            await cases.wrong_reports(connection, who.id, MONDAY),
            [one.id for one in await cases.of_message(connection, here, shown.message)],
            [one.id for one in await cases.appealed(connection, here)],
            (await cases.precision(connection, here, MONDAY))[0],
            await lessons.version(connection, here, MONDAY, "e h"),
        ]
        [lesson] = await lessons.waiting(connection, 9)
        vector = np.ones(4, dtype=np.float32)
        made = Encoded(id=lesson.id, vector=vector, signature=b"s", width=9, logit=0.5, made_by="e h")
        await lessons.encoded(connection, [made])
        await lessons.save(
            connection, here, Kept(version="1", data=b"\x00", report={"heads": {}}, built_at=MONDAY), fingerprint="e h"
        )
        told += [
            await lessons.version(connection, here, MONDAY + timedelta(days=1), "e h"),
            await lessons.learned_version(connection, here),
            await lessons.restore(connection, "e h"),
            await lessons.restore(connection, "e newer"),
            [(one.text, one.logit) for one in await lessons.of(connection, here)],
            await lessons.ordinary(connection, here, 9),
            (await acquaintance.of(connection, who.id, MONDAY + timedelta(days=1))).messages,
            await purge(connection, here, MONDAY + timedelta(days=1), limit=9),
            await purge(connection, here, MONDAY + timedelta(days=1), limit=9),
            (await connection.execute(select(func.count()).select_from(EvidenceRow))).scalar_one(),
        ]
        return told

    told = await database.write(work)
    assert told == [
        *("", "", 1, "", "", 3, 0, ["K7QX3M"], ["K7QX3M"]),
        *(Tally(detector="spam", settled=1), "1.1.0.0", "1.1.1.1", "1", 0, 1, [(TEXT, 0.5)], ["hello", TEXT], 2),
        *(4, 0, 0),
    ]


async def test_what_was_done_to_somebody_can_be_appealed_in_every_community_newest_first(database: Database) -> None:
    quarantine = timedelta(days=1)
    rooms = [Named(ref=Ref("wire", name), name=name) for name in ("harbour", "boats")]
    ben, ann = (Named(ref=Ref("wire", name), name=name) for name in ("ben", "ann"))

    async def work(connection: Connection) -> list[Appealable]:
        for number, room in enumerate(rooms):
            here = await spaces.settle(connection, room, MONDAY)
            intake = Intake(here, MONDAY)
            await intake.begin(connection)
            await intake.meet_members(connection, [ben, ann])
            for case, who, step, standing, noted in (
                ("BANNED", ben, "ban", "settled", room.ref),
                ("WARNED", ben, "warn", "open", None),
                ("UNDONE", ben, "kick", "withdrawn", room.ref),
                ("WAITS", ben, "", "open", room.ref),
                ("HERS", ann, "ban", "settled", room.ref),
            ):
                member = await members.by_ref(connection, here, who.ref)
                assert member is not None
                kept = KeepCase(case=f"{case}{number}", member=who.ref, about="hand", reason="", step=step, space=noted)
                at = MONDAY + timedelta(hours=10 * number + (case == "WARNED"))
                await casebook.keep(
                    connection, here, member, replace(kept, standing=standing), quarantine=quarantine, trace="", now=at
                )
            plea = KeepAppeal(case=f"WARNED{number}", member=ben.ref, text="no", state="open")
            await casebook.appeal(connection, here, plea, quarantine=quarantine, now=MONDAY)
        return await cases.appealable(connection, [ben.ref, Ref("wire", "nobody")])

    assert await database.write(work) == [
        Appealable(case=f"{case}{number}", account=ben.ref, space=rooms[number])
        for number in (1, 0)
        for case in ("WARNED", "BANNED")
    ]
