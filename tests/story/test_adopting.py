"""A community adopts an encoder that it taught: by the command line with real weights, and as members see it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.playground.asked import Change
from bot.app import App
from bot.core.ports import Adapter, Scope
from storage import encodings, tuned
from tests.command import Kinfolk
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER
from tests.tuned import FOLDER, TunedEncoder, adoptions, weights
from tests.unit.tiny_encoder import planted, write_model

pytestmark = pytest.mark.slow

BREAD = "my sourdough starter is slow, how warm do you proof the dough, and which rye flour for the crumb?"
YEAR = 1_700_000_000.0
PLAN = ("--batch", 32, "--judged", 100, "--rate", "1e-2", "--community", "plaza")


def channels(kinfolk: Kinfolk, text: str, **settings: str) -> list[str]:
    done = kinfolk.run("match", "--text", text, "--community", "plaza", "--k", 2, "--json", **settings)
    return [one["channel"] for one in json.loads(done.stdout)["suggestions"]]


def matching(kinfolk: Kinfolk, **settings: str) -> str:
    checks = json.loads(kinfolk.run("doctor", "--json", **settings).stdout)["checks"]
    return next(one["words"] for one in checks if one["check"] == "matching")


def test_what_is_no_better_is_refused_what_is_better_serves_and_goes_with_whom_it_learned_from(tmp_path: Path) -> None:
    home = tmp_path / "home"
    kinfolk = Kinfolk(home=home)
    write_model(tmp_path / "net")
    settings = {"KINFOLK_ENCODER": f"path:{tmp_path / 'net'}", "KINFOLK_GENERATOR": "none", "KINFOLK_PLAYGROUND": "off"}
    told = tmp_path / "plaza.jsonl"
    rows = [
        {"channel": one.channel, "user": one.author, "text": one.text, "ts": YEAR + one.at} for one in planted(800).said
    ]
    told.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        kinfolk.run("import", "jsonl", told, "--community", "plaza", "--wait", **settings)
        before = channels(kinfolk, "sourdough crumb and rye flour", **settings)
        out = tmp_path / "worthless"
        refused = kinfolk.run(
            *("train", "encoder", "--steps", 1, "--out", out, "--adopt", *PLAN[:-4], "--rate", "1e-9", *PLAN[-2:]),
            expect=1,
            **settings,
        )
        assert "does not place texts better than its base beyond doubt" in refused.stderr
        assert "goes by the encoder that serves everything" in matching(kinfolk, **settings)

        done = kinfolk.run("train", "encoder", "--steps", 60, "--adopt", *PLAN, **settings)
        assert "The matching of plaza goes by" in done.stderr
        assert "plaza: net-tuned" in matching(kinfolk, **settings)
        assert channels(kinfolk, "sourdough crumb and rye flour", **settings)[0] == before[0] == "baking"
        again = ("train", "encoder", "--adopt", "--from", home / tuned.FOLDER / "1", "--community", "plaza")
        assert "adopted for plaza already" in kinfolk.run(*again, expect=1, **settings).stderr

        dropped = json.loads(kinfolk.run("train", "encoder", "--drop", "--json", **settings).stdout)
        assert dropped == {"community": "plaza", "dropped": True}
        assert "goes by the encoder that serves everything" in matching(kinfolk, **settings)
        assert not list((home / tuned.FOLDER).glob("adopted-*"))

        served = json.loads(kinfolk.run(*again, "--json", **settings).stdout)
        assert (served["serves"], served["better"]) == (True, True)
        forgotten = json.loads(kinfolk.run("member", "forget", "u3", "--yes", "--json", **settings).stdout)
        assert (forgotten["left"], forgotten["erased"]["encoders"]) == (0, 2)
        assert "goes by the encoder that serves everything" in matching(kinfolk, **settings)
        assert channels(kinfolk, "sourdough crumb and rye flour", **settings)[0] == "baking"
        late = kinfolk.run(*again[:4], out, "--anyway", *again[-2:], expect=1, **settings)
        assert "Somebody whom it learned from is not here any more" in late.stderr
    finally:
        kinfolk.end_companions()


async def test_a_living_bot_suggests_by_what_was_adopted_and_edits_and_forgets_reach_it(
    opening: Opening, home: Path
) -> None:
    encoder, text = TunedEncoder(), f"{BREAD} I wonder since Tuesday"

    def tune(app: App) -> Sequence[Adapter]:
        app._adoptions = adoptions(home, app.database, encoder)
        app._stack.push_async_callback(app._adoptions.close)
        return ()

    async with opening(beside=tune) as harbour:
        community, adopting = await harbour.community(), harbour.app.adoptions
        weights(home, [(await harbour.member(OWNER)).id])

        async def held(who: str) -> int:
            [store] = await adopting.stores()
            member = await harbour.member(who)
            return await store.count(Scope(community=community.id, authors=frozenset({member.id})))

        async def kept(text: str) -> bool:
            kept = functools.partial(encodings.kept, fingerprint=encoder.fingerprint, texts=[text])
            return bool(await harbour.app.database.look(kept))

        before = await harbour.command(OWNER, "general", f"/match {BREAD}")
        assert "bread-and-ferments" in before
        assert encoder.asked == []
        await adopting.begin(community, folder=FOLDER, encoder=encoder)
        await harbour.indexed()
        assert await adopting.serving(community) is not None
        encoder.asked.clear()
        assert "bread-and-ferments" in await harbour.command(OWNER, "general", f"/match {BREAD}")
        assert BREAD in encoder.asked

        many = await held(MEMBER)
        told = await harbour.says(MEMBER, "introductions", text)
        await harbour.indexed()
        assert (await held(MEMBER), await kept(text)) == (many + 1, True)
        await harbour.does(
            Change(deed="change", by=MEMBER, message=told, text="Never mind the starter, it rose at last.")
        )
        await harbour.indexed()
        assert (await kept(text), await kept("Never mind the starter, it rose at last.")) == (False, True)

        number = (await harbour.member(MEMBER)).id
        await harbour.command(MEMBER, "introductions", "/privacy forget yes")
        [store] = await adopting.stores()
        assert await store.count(Scope(community=community.id, authors=frozenset({number}))) == 0
        assert await adopting.serving(community) is not None, "it did not learn from them"
        assert "bread-and-ferments" in await harbour.command(OWNER, "general", f"/match {BREAD}")

        await adopting.drop(community)
        await harbour.indexed()
        assert await store.count(Scope(community=community.id)) == 0
        encoder.asked.clear()
        assert "bread-and-ferments" in await harbour.command(OWNER, "general", f"/match {BREAD}")
        assert encoder.asked == []
