"""A community adopts an encoder that it taught: by the command line with real weights, and as members see it."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.playground.asked import Change
from bot.app import App, open_app
from bot.checkup import _matching
from bot.cli.adopt_encoder import adopt, drop
from bot.core.errors import Mistake
from bot.core.ports import Adapter, Scope
from bot.core.settings import Settings
from brains.engines.encoders import parse_local
from brains.training.encoder import Outcome, train_encoder
from brains.training.encoder_community import read_community
from brains.training.encoder_loop import Plan
from brains.training.encoder_texts import Telling
from storage import encodings, tuned
from tests.command import Kinfolk
from tests.story.conftest import Opening
from tests.story.town import MEMBER, OWNER
from tests.tuned import FOLDER, TunedEncoder, adoptions, weights
from tests.unit.tiny_encoder import planted, write_model

pytestmark = pytest.mark.slow

BREAD = "my sourdough starter is slow, how warm do you proof the dough, and which rye flour for the crumb?"
TALK = planted(800)
YEAR = 1_700_000_000.0
PLAN = Plan(seconds=1, steps=60, batch=32, judged=100, rate=1e-2)
BASE = "goes by the encoder that serves everything"


def teach(settings: Settings, out: Path, plan: Plan) -> Outcome:
    """Train on the community as the command line does."""

    async def read() -> Telling:
        async with open_app(settings) as app:
            return await read_community(app.database, await app.community(None))

    model = parse_local(settings.encoder)
    return train_encoder(asyncio.run(read()), out, model=model, plan=plan, threads=1)


async def asked(settings: Settings) -> tuple[str, str]:
    """Return which channel a text fits best, and what the doctor says of matching."""
    async with open_app(settings) as app:
        found = (await app.matchmaker("en")).for_texts(
            await app.community(None), ["sourdough crumb and rye flour"], k=1
        )
        [[offer]] = [offers async for offers in found]
        return offer.channel.name, (await _matching(app)).words


@pytest.mark.long
def test_what_is_no_better_is_refused_what_is_better_serves_and_goes_with_whom_it_learned_from(
    tmp_path: Path, home: Path
) -> None:
    write_model(tmp_path / "net")
    kinfolk, told = Kinfolk(home=home), tmp_path / "plaza.jsonl"
    variables = {"KINFOLK_ENCODER": f"path:{tmp_path / 'net'}", "KINFOLK_GENERATOR": "none"}
    settings = Settings(_env_file=None, home=home, encoder=variables["KINFOLK_ENCODER"], generator="none")
    rows = [{"channel": one.channel, "user": one.author, "text": one.text, "ts": YEAR + one.at} for one in TALK.said]
    told.write_text("".join(json.dumps(row) + "\n" for row in rows))
    good, worthless = home / tuned.FOLDER / "1", tmp_path / "worthless"
    try:
        kinfolk.run("import", "jsonl", told, "--community", "plaza", "--wait", **variables)
        assert not teach(settings, worthless, replace(PLAN, steps=1, rate=1e-9)).better
        with pytest.raises(Mistake, match="does not place texts better than its base beyond doubt"):
            asyncio.run(adopt(settings, None, worthless, anyway=False))
        assert asyncio.run(asked(settings)) == ("baking", BASE)

        assert teach(settings, good, PLAN).better
        done = asyncio.run(adopt(settings, None, good, anyway=False))
        assert (done["serves"], done["better"]) == (True, True)
        assert asyncio.run(asked(settings)) == ("baking", f"plaza: {done['adopted']}")
        with pytest.raises(Mistake, match="adopted for plaza already"):
            asyncio.run(adopt(settings, None, good, anyway=False))

        asyncio.run(drop(settings, None))
        assert asyncio.run(asked(settings)) == ("baking", BASE)
        assert sorted(one.name for one in (home / tuned.FOLDER).iterdir()) == ["1"]

        again = kinfolk.run("train", "encoder", "--adopt", "--from", good, "--json", **variables)
        assert json.loads(again.stdout) == done
        forgotten = json.loads(kinfolk.run("member", "forget", "u3", "--yes", "--json", **variables).stdout)
        assert (forgotten["left"], forgotten["erased"]["encoders"]) == (0, 2)
        assert list((home / tuned.FOLDER).iterdir()) == []
        assert asyncio.run(asked(settings)) == ("baking", BASE)
        with pytest.raises(Mistake, match="Somebody whom it learned from is not here any more"):
            asyncio.run(adopt(settings, None, worthless, anyway=True))
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
