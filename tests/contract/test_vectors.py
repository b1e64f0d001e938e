"""Every vector store, embedded or grown, answers alike."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import pytest

from bot.core.errors import Misconfigured
from bot.core.ports import Point, Scope
from storage.vectors import open_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from bot.core.ports import Hit, Vector, VectorStore

    Open = Callable[..., VectorStore]

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

SIZE = 16
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Scope(community=1)
WORDS = ("garden", "bicycle", "compiler", "学习编程", "咖啡", "weather", "music", "机器学习", "tea", "chess")


def unit(seed: int) -> Vector:
    drawn = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


def point(number: int, text: str = "", **changes: object) -> Point:
    plain = Point(
        id=UUID(int=number), vector=unit(number), text=text, community=1, channel=number, author=number, at=NOON
    )
    return replace(plain, **changes)


def numbers(hits: list[Hit]) -> list[int]:
    return [hit.id.int for hit in hits]


async def everything(vectors: VectorStore, scope: Scope = HERE) -> list[int]:
    return [key.int for key in (await vectors.scroll(scope, limit=500)).ids]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("vectors")
    yield folder
    for owner in folder.glob("*/owner"):
        os.kill(int(owner.read_text()), signal.SIGTERM)


def embedded(root: Path) -> Open:
    return lambda name, size=SIZE: open_folder(root, name, size, idle=120)


def local(_root: Path) -> Open:
    pytest.importorskip("qdrant_client")
    from storage.vectors.server import ServerVectorStore, in_memory

    class Kept(ServerVectorStore):
        async def close(self) -> None:
            """Its points are in memory, so it stays open for the next store."""

    client = in_memory()
    return lambda name, size=SIZE: Kept(lambda: client, collection=name, size=size)


def server(_root: Path) -> Open:
    url = os.environ.get("TEST_QDRANT_URL")
    if not url:
        pytest.skip("TEST_QDRANT_URL names no Qdrant server")
    from storage.vectors import open_server

    return lambda name, size=SIZE: open_server(url, os.environ.get("TEST_QDRANT_KEY", ""), name, size)


STORES = {"embedded": embedded, "local": local, "server": server}
SHARED = uuid4().hex


@pytest.fixture(scope="module", params=STORES)
def open_store(request: pytest.FixtureRequest, root: Path) -> Open:
    return STORES[request.param](root)


@pytest.fixture
def name() -> str:
    return uuid4().hex


@pytest.fixture
async def vectors(open_store: Open) -> AsyncIterator[VectorStore]:
    """Give a store that is empty again after each test, since a process takes a second to start."""
    store = open_store(SHARED)
    yield store
    for community in (1, 2):
        await store.delete((await store.scroll(Scope(community=community), limit=2_000)).ids)
    await store.close()


@pytest.fixture
async def fresh(open_store: Open, name: str) -> AsyncIterator[VectorStore]:
    """Give a store that never held a point: engines count deleted points in word statistics for a while."""
    store = open_store(name)
    yield store
    await store.close()


@pytest.fixture
async def reference(root: Path, name: str) -> AsyncIterator[VectorStore]:
    """Give an embedded store to compare with."""
    store = embedded(root)(f"{name}-reference")
    yield store
    await store.close()


async def test_upsert_replace_delete(vectors: VectorStore) -> None:
    await vectors.upsert([point(1, channel=5), point(2), point(3)])
    await vectors.upsert([point(1, channel=6, vector=unit(77))])
    await vectors.delete([UUID(int=2), UUID(int=404)])
    assert await everything(vectors) == [1, 3]
    [hit] = await vectors.search(HERE, vector=unit(77), limit=1)
    assert (hit.id.int, hit.channel, hit.author, hit.at) == (1, 6, 1, NOON)
    assert hit.score == pytest.approx(1.0, abs=1e-5)
    assert await vectors.count(replace(HERE, channels=frozenset({5}))) == 0


async def test_a_cleared_collection_is_empty_and_takes_new_points(fresh: VectorStore) -> None:
    await fresh.upsert([point(1), point(2, community=2)])
    await fresh.clear()
    assert await everything(fresh) == []
    assert await fresh.count(Scope(community=2)) == 0
    await fresh.upsert([point(3, "weather")])
    assert await everything(fresh) == [3]
    assert numbers(await fresh.search(HERE, text="weather")) == [3]


async def test_a_replaced_text_is_no_longer_found(vectors: VectorStore) -> None:
    await vectors.upsert([point(1, "my old bicycle"), point(2, "a garden")])
    assert numbers(await vectors.search(HERE, text="bicycle")) == [1]
    await vectors.upsert([point(1, "my new car")])
    assert await vectors.search(HERE, text="bicycle") == []
    assert numbers(await vectors.search(HERE, text="cars")) == [1]


async def test_dense_is_by_cosine(vectors: VectorStore) -> None:
    stored = [point(number) for number in range(1, 60)]
    await vectors.upsert(stored)
    cosines = {one.id.int: float(one.vector @ unit(900)) for one in stored}
    hits = await vectors.search(HERE, vector=unit(900), limit=7)
    assert numbers(hits) == sorted(cosines, key=lambda key: -cosines[key])[:7]
    assert [hit.score for hit in hits] == pytest.approx([cosines[hit.id.int] for hit in hits], abs=1e-5)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("who else is running?", [1]),
        ("Run", [1]),
        ("机器学习", [3, 4]),
        ("编程", [4]),
        ("the of and", []),
        ("", []),
        ("nothing of the sort", []),
    ],
)
async def test_words_in_english_and_chinese(vectors: VectorStore, question: str, found: list[int]) -> None:
    texts = ["Some of us run every morning", "Tea in the garden", "他们在学习机器翻译,机器很多", "我想学习编程"]
    await vectors.upsert([point(number, text) for number, text in enumerate(texts, 1)])
    assert numbers(await vectors.search(HERE, text=question)) == found


async def test_rare_words_weigh_more(vectors: VectorStore) -> None:
    await vectors.upsert([point(number, "chess club tonight") for number in range(1, 20)])
    await vectors.upsert([point(50, "chess and xylophones")])
    assert numbers(await vectors.search(HERE, text="chess xylophones", limit=1)) == [50]


async def test_hybrid_prefers_what_both_sides_find(vectors: VectorStore) -> None:
    await vectors.upsert([point(number, "tea") for number in range(1, 30)])
    await vectors.upsert([point(40, "a rare samovar", vector=unit(900)), point(41, "another samovar")])
    assert numbers(await vectors.search(HERE, vector=unit(900), text="samovar", limit=2)) == [40, 41]
    only_words_that_say_nothing = await vectors.search(HERE, vector=unit(900), text="the", limit=1)
    assert numbers(only_words_that_say_nothing) == [40]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, [1, 2, 3, 4]),
        ({"community": 2}, [5]),
        ({"community": 3}, []),
        ({"channels": frozenset({10})}, [1, 2]),
        ({"channels": frozenset({10, 11, 99})}, [1, 2, 3]),
        ({"channels": frozenset()}, []),
        ({"authors": frozenset({7})}, [1, 3]),
        ({"authors": frozenset()}, []),
        ({"not_authors": frozenset({7})}, [2, 4]),
        ({"not_authors": frozenset({7, 8, 9})}, []),
        ({"since": NOON + timedelta(hours=1)}, [2, 3, 4]),
        ({"until": NOON + timedelta(hours=1)}, [1]),
        ({"since": NOON + timedelta(hours=1), "until": NOON + timedelta(hours=3)}, [2, 3]),
        ({"channels": frozenset({10, 12}), "not_authors": frozenset({8}), "until": NOON + timedelta(days=1)}, [1, 4]),
        ({"channels": frozenset({10}), "authors": frozenset({7, 8}), "not_authors": frozenset({7})}, [2]),
        ({"channels": frozenset(range(10, 900)), "not_authors": frozenset(range(100, 900))}, [1, 2, 3, 4]),
        ({"channels": frozenset(range(100, 900))}, []),
    ],
)
async def test_scopes(vectors: VectorStore, changes: dict[str, object], left: list[int]) -> None:
    places = {1: (10, 7), 2: (10, 8), 3: (11, 7), 4: (12, 9), 5: (10, 7)}
    await vectors.upsert(
        [
            point(
                number,
                "tea",
                channel=channel,
                author=author,
                at=NOON + timedelta(hours=number - 1),
                community=1 + number // 5,
            )
            for number, (channel, author) in places.items()
        ]
    )
    scope = replace(HERE, **changes)
    assert await everything(vectors, scope) == left
    assert await vectors.count(scope) == len(left)
    assert sorted(numbers(await vectors.search(scope, vector=unit(1)))) == left
    assert sorted(numbers(await vectors.search(scope, text="tea"))) == left
    assert sorted(numbers(await vectors.search(scope, vector=unit(1), text="tea"))) == left


async def test_scroll_pages_in_the_order_of_ids(vectors: VectorStore) -> None:
    keys = [*sorted(np.random.default_rng(3).choice(10**6, 25, replace=False).tolist()), 2**127, 2**128 - 1]
    order = np.random.default_rng(4).permutation(len(keys))
    await vectors.upsert([point(1, id=UUID(int=keys[at]), vector=unit(keys[at] % 991)) for at in order])
    seen: list[int] = []
    after = None
    for _ in range(3):
        page = await vectors.scroll(HERE, after=after, limit=10)
        seen += [key.int for key in page.ids]
        assert page.vectors.dtype == np.float32
        np.testing.assert_allclose(page.vectors, [unit(key.int % 991) for key in page.ids], atol=1e-6)
        after = page.after
    assert seen == keys
    assert after is None
    assert (await vectors.scroll(HERE, after=UUID(int=keys[0]), limit=1)).ids == (UUID(int=keys[1]),)
    past_the_end = await vectors.scroll(HERE, after=UUID(int=2**128 - 1))
    assert (past_the_end.ids, past_the_end.vectors.shape, past_the_end.after) == ((), (0, SIZE), None)


async def test_an_empty_store_answers(vectors: VectorStore) -> None:
    assert await vectors.search(HERE, vector=unit(1), text="tea") == []
    assert await vectors.count(HERE) == 0
    await vectors.upsert([])
    await vectors.delete([])
    await vectors.optimize()
    assert (await vectors.scroll(HERE)).ids == ()
    await vectors.upsert([point(1)])
    assert await vectors.search(HERE, vector=unit(1), limit=0) == []
    assert await vectors.search(HERE) == []


async def test_any_text_is_taken(vectors: VectorStore) -> None:
    odd = ["\ud800 broken 🦊", "\x00", "🦊🦊", "é" * 50_000, "ﷺ مرحبا", "zebra " * 20_000]
    await vectors.upsert([point(number, text) for number, text in enumerate(odd, 1)])
    assert numbers(await vectors.search(HERE, text="broken \udfff")) == [1]
    assert numbers(await vectors.search(HERE, text="مرحبا")) == [5]
    assert numbers(await vectors.search(HERE, text="zebra")) == [6]


async def test_a_vector_that_does_not_fit_is_refused(vectors: VectorStore) -> None:
    for bad in (np.ones(SIZE + 1, np.float32), np.full(SIZE, np.nan, np.float32)):
        with pytest.raises(ValueError, match="not a vector of 16"):
            await vectors.upsert([point(1), point(2, vector=bad)])
        with pytest.raises(ValueError, match="not a vector of 16"):
            await vectors.search(HERE, vector=bad)
    assert await vectors.count(HERE) == 0
    await vectors.upsert([point(1, vector=unit(1).astype(np.float64)[None, :])])
    assert await vectors.count(HERE) == 1


async def test_a_channel_that_does_not_fit_is_refused(vectors: VectorStore) -> None:
    await vectors.upsert([point(1, channel=2**31 - 1)])
    assert [hit.channel for hit in await vectors.search(HERE, vector=unit(1))] == [2**31 - 1]
    for changes in ({"channel": 2**31}, {"channel": -1}, {"community": 2**31}):
        with pytest.raises(ValueError, match="not a community and a channel"):
            await vectors.upsert([point(2, **changes)])
    assert await vectors.count(HERE) == 1


async def test_points_stay(open_store: Open, name: str) -> None:
    first = open_store(name)
    await first.upsert([point(1, "tea"), point(2, "coffee")])
    await first.close()
    second = open_store(name)
    assert numbers(await second.search(HERE, text="coffee")) == [2]
    await second.close()


async def test_another_size_is_refused(open_store: Open, name: str) -> None:
    first = open_store(name)
    await first.upsert([point(1)])
    other = open_store(name, SIZE * 2)
    await first.close()
    with pytest.raises(Misconfigured, match="16 dimensions and the encoder gives 32"):
        await other.count(HERE)
    await other.close()


async def test_a_batch_of_many_frames(vectors: VectorStore) -> None:
    await vectors.upsert([point(number, channel=number % 5) for number in range(1, 1_001)])
    assert await vectors.count(replace(HERE, channels=frozenset({0, 1}))) == 400
    await vectors.delete([UUID(int=number) for number in range(1, 1_001, 2)])
    assert await vectors.count(HERE) == 500


def ranking(hits: list[Hit]) -> list[tuple[float, list[int]]]:
    """Ranks as groups of equal scores, since equals may come in any order; the last, cut group is left out."""
    groups: dict[float, list[int]] = {}
    for hit in hits:
        groups.setdefault(round(hit.score, 4), []).append(hit.id.int)
    return [(score, sorted(keys)) for score, keys in groups.items()][:-1]


def rankings(vectors: VectorStore) -> Iterator[Awaitable[list[Hit]]]:
    for scope in (HERE, replace(HERE, channels=frozenset(range(8)), not_authors=frozenset({4}))):
        yield vectors.search(scope, vector=unit(901), limit=40)
        for words in ("garden chess", "学习 tea", "music"):
            yield vectors.search(scope, text=words, limit=40)


async def test_same_ranking_as_the_embedded_store(fresh: VectorStore, reference: VectorStore) -> None:
    drawn = np.random.default_rng(11)
    stored = [
        point(number, " ".join(drawn.choice(WORDS, 6)), channel=number % 20, author=number % 33)
        for number in range(1, 401)
    ]
    await reference.upsert(stored)
    await fresh.upsert(stored)
    for ask, ask_too in zip(rankings(reference), rankings(fresh), strict=True):
        ours, theirs = ranking(await ask), ranking(await ask_too)
        assert [keys for _, keys in ours] == [keys for _, keys in theirs]
        assert [score for score, _ in ours] == pytest.approx([score for score, _ in theirs], abs=2e-3)


async def test_same_fusion_as_the_embedded_store(fresh: VectorStore, reference: VectorStore) -> None:
    stored = [point(number, " ".join(["tea"] * number + ["music"] * (30 - number))) for number in range(1, 30)]
    scores = []
    for store in (reference, fresh):
        await store.upsert(stored)
        hits = await store.search(HERE, vector=unit(901), text="tea", limit=29)
        scores.append({hit.id: round(hit.score, 5) for hit in hits})
    assert len(scores[0]) == 29
    assert scores[0] == scores[1]


async def test_a_search_is_quick_on_a_small_store(vectors: VectorStore) -> None:
    await vectors.upsert([point(number, "tea") for number in range(1, 200)])
    start = time.perf_counter()
    for number in range(10):
        assert len(await vectors.search(HERE, vector=unit(number), text="tea")) == 10
    assert (time.perf_counter() - start) / 10 < 0.5
