"""Slack's mrkdwn: what it shows, and that nothing a member wrote pings, links or ends what it stands in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.markup import LEAST, SLACK, slack, split, write
from bot.core import wording
from bot.core.things import Ref
from bot.core.wording import escape

NOTHING = "\u200b"
PIECES = st.sampled_from(
    [
        *"<>&|*_~`:@#! \n",
        *("<!channel>", "<!here|x>", "<@U1>", "<#C1>", "<http://evil.test|bank.test>", "&lt;!channel&gt;", "@channel"),
        *("http://evil.test", "mailto:a@b.test", ":smile:", "```", "a", "你好", "> ", "\n&gt; "),
    ]
)
MEMBER_TEXT = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")


@settings(max_examples=25)
@given(text=MEMBER_TEXT)
def test_what_a_member_wrote_holds_nothing_that_slack_reads_as_its_own(text: str) -> None:
    shown = write(escape(text), SLACK)
    assert not re.search(r"[<>]", shown)
    assert not ENTITY.search(shown)
    assert "://" not in shown.replace(f"{NOTHING}://", "")


@settings(max_examples=25)
@given(name=MEMBER_TEXT)
def test_in_a_link_a_name_neither_ends_it_nor_begins_another(name: str) -> None:
    shown = write(f"[{escape(name)}](https://ours.test/a)", SLACK)
    assert len(re.findall(r"<", shown)) <= 1
    assert len(re.findall(r">", shown)) <= 1


@pytest.mark.parametrize(
    ("markdown", "wire"),
    [
        ("**bold** *slanted* ~~gone~~", "*bold* _slanted_ ~gone~"),
        ("# Head", "*Head*"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("`x < 1`", "`x &lt; 1`"),
        ("```py\n1 < 2\n```", "```\n1 &lt; 2\n```"),
        ("> quoted", "> quoted"),
        ("- one\n- two", "- one\n- two"),
        ("[our page](https://ours.test/a?b=1&c=2)", "<https://ours.test/a?b=1&amp;c=2|our page>"),
        (
            "[https://bank.test](https://evil.test)",
            f"https{NOTHING}://{NOTHING}bank{NOTHING}.{NOTHING}test (<https://evil.test>)",
        ),
        ("<https://a.b/c_d>", "<https://a.b/c_d>"),
        (wording.channel(Ref("slack", "C1"), "boats"), "<#C1>"),
        (wording.member(Ref("slack", "U1"), "Mo"), "<@U1>"),
        (wording.channel(Ref("slack", "C1>"), "boats"), "#boats"),
        (wording.channel(Ref("discord", "20"), "boats"), "#boats"),
        (wording.message(Ref("slack", "C1/1700000000.000100"), "that"), "that"),
    ],
)
def test_markdown_in_slacks_dialect(markdown: str, wire: str) -> None:
    assert write(markdown, SLACK) == wire


def test_a_message_is_pointed_to_where_its_address_is_known() -> None:
    dialect = slack(lambda channel, ts: f"https://harbour.slack.com/archives/{channel}/p{ts.replace('.', '')}")
    told = wording.message(Ref("slack", "C1/1700000000.000100"), "that")
    assert write(told, dialect) == "<https://harbour.slack.com/archives/C1/p1700000000000100|that>"


@settings(max_examples=25)
@given(text=st.lists(st.sampled_from(["a b. ", "<&> ", "**b** ", "`c` ", "\n", "你好。"]), max_size=80).map("".join))
def test_pieces_fit(text: str) -> None:
    assert all(0 < len(piece) <= LEAST for piece in split(text, SLACK, LEAST))
