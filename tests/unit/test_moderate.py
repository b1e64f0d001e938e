"""kinfolk moderate and kinfolk rules: lines are read, judged and printed one by one; a wrong one is named."""

from datetime import UTC, datetime

import orjson
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.core.errors import Mistake
from bot.core.policies import Policy, check
from bot.core.things import Ref
from brains.moderation.lines import APART, UNKNOWN, Lines


def lines() -> Lines:
    return Lines(lambda name: Ref("line", name))


def test_a_line_is_a_post_and_authors_are_known_by_their_earlier_lines():
    read = lines()
    first = read.post(b'{"text": "hi", "author": "ann", "channel": "tea", "ts": 1767225600}', 1)
    second = read.post(b'{"text": "again", "author": "ann", "ts": "2026-01-01T00:00:05"}', 2)
    nobody = [read.post(b'{"text": "x"}', number) for number in (3, 4)]

    assert (first.text, first.channel, first.before) == ("hi", Ref("line", "tea"), 0)
    assert first.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (second.before, (second.at - first.at).seconds) == (1, 5)
    assert nobody[0].author != nobody[1].author
    assert (nobody[0].before, nobody[1].at - nobody[0].at) == (UNKNOWN, APART)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "Line 7: needs a JSON object"),
        (b"[]", "Line 7: needs a JSON object"),
        (b'{"txt": "x"}', "Line 7: needs a JSON object"),
        (b'{"text": 5}', "Line 7: needs a JSON object"),
        (b'{"text": "x", "author": []}', "Line 7: `author` must be text."),
        (b'{"text": "x", "ts": "soon"}', "Line 7: `ts` is neither seconds nor ISO 8601."),
        (b'{"text": "x", "ts": 1e300}', "Line 7: `ts` is neither"),
        (b'{"text": "x", "ts": true}', "Line 7: `ts` is neither"),
    ],
)
def test_a_wrong_line_is_named(line: bytes, said: str):
    with pytest.raises(Mistake) as raised:
        lines().post(line, 7)

    assert said in str(raised.value)


@pytest.mark.slow
def test_lines_before_a_wrong_one_are_judged_and_printed_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("KINFOLK_HOME", str(tmp_path))
    given = b'{"text": "hello"}\n\n{"text": "log in at discrod.com"}\n{"text": 1}\n{"text": "never read"}\n'
    result = CliRunner().invoke(app, ["moderate", "--no-encoder"], input=given)
    documents = [orjson.loads(line) for line in result.stdout.splitlines()]

    assert [one["verdict"] for one in documents] == ["allow", "flag"]
    assert documents[1]["scores"]["links"] == 1.0
    assert documents[1]["reasons"] == ["links: leads to discrod.com, which looks like discord.com"]
    assert isinstance(result.exception, Mistake)
    assert "Line 4" in str(result.exception)


def test_a_file_of_rules_is_tried_and_its_mistake_told_with_file_and_line(tmp_path):
    good, bad, gone = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "gone.yaml"
    good.write_text("preset: standard\n")
    bad.write_text("preset: standard\nlimits:\n  flood: lots\n")
    said = [CliRunner().invoke(app, ["rules", "check", str(one)]) for one in (good, bad, gone)]

    assert said[0].exit_code == 0
    assert f"{bad}: Line 3: limits.flood" in str(said[1].exception)
    assert "gone.yaml cannot be read" in str(said[2].exception)


def test_rules_are_a_document_that_no_command_sets():
    with pytest.raises(Mistake, match="kinfolk rules set FILE"):
        check("rules", "words: {}")

    assert check("rules", "") == ""
    assert Policy().strictness == "gentle"
