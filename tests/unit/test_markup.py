"""From the Markdown that skills write to what a platform shows: nothing lost, nothing cut that must stay whole, and
nothing alive that a member wrote. What Discord makes of it is read by `tests/unit/discord_rules`."""

from __future__ import annotations

import html
import re
import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.markup import DISCORD, LEAST, PLAIN, Dialect, discord, plain, split, write
from adapters.markup.lines import Style
from bot.core import wording
from bot.core.errors import Mistake
from bot.core.things import Ref
from bot.core.wording import escape
from tests.unit.discord_rules import pings, read

BARE = replace(PLAIN, item=lambda words, _mark, _depth: words, quote=lambda words: words)
"""Nothing but the words."""
NOTHING = "\u200b"
PIECES = st.sampled_from(
    [
        *"\\`*_~|[]()<>#+-.!:@&=/ \n\t",
        *("**", "__", "~~", "||", "``", "```", "```py\n", "\n\n", "\n> ", "\n>>> ", "\n- ", "\n1. ", "\n# ", "\n-# "),
        *("@everyone", "@here", "<@12>", "<@!12>", "<@&12>", "<#12>", "</ask:1>", "<t:1:R>", "<:cat:1>", "<id:guide>"),
        *(":smile:", "https://evil.example/a_b", "<https://a.b>", "[a](https://b.c)", "discord.gg/abc", "steam://run"),
        *(
            "[a](kinfolk:member:discord:1/2)",
            "1",
            "12",
            "everyone",
            "here",
            "wörter",
            "你好。",
            "👩‍👩‍👧",
            "e\u0301",
            NOTHING,
        ),
        *("&amp;", "&lt;", "<b>", "www.a.b", "\u202e", "\r\n", "\x00", "\u2028"),
    ]
)
MEMBER_TEXT = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))
MARKDOWN = st.lists(st.one_of(PIECES, st.text("ab *_`[]()>\n-1.", max_size=8)), max_size=60).map("".join)


def bare(text: str) -> str:
    """Return what can be seen of a text, whatever its spaces."""
    return "".join(text.replace(NOTHING, "").split())


# What members wrote


@given(text=MEMBER_TEXT)
@example("@everyone")
@example("1. one")
@example("__0__")
@example("a__b__c")
@example("https://evil.example")
def test_what_a_member_wrote_is_shown_as_it_is_and_nothing_in_it_lives(text: str) -> None:
    shown = read(write(escape(text), DISCORD))
    seen = wording._UNSEEN.sub("", text).replace("\x00", "")
    assert shown.alive == []
    assert " ".join(shown.text.replace(NOTHING, "").split()) == " ".join(seen.replace(NOTHING, "").split())


@given(text=MEMBER_TEXT, place=st.sampled_from(["{}", "**{}**", "- {}", "> {}", "a {} b", "[{}](https://a.b)"]))
def test_nobody_is_called_wherever_a_members_words_stand(text: str, place: str) -> None:
    wire = write(place.format(escape(text)), DISCORD)
    assert pings(wire) == []
    assert pings(text) == [] or NOTHING in wire


@given(text=MARKDOWN)
def test_not_even_what_a_skill_writes_calls_anybody(text: str) -> None:
    assert pings(write(text, DISCORD)) == [
        f"<@{name}>" for name in re.findall(r"kinfolk:member:discord:1/(2)", "")
    ] or ("kinfolk:member" in text)


def test_the_reader_of_the_tests_sees_what_lives() -> None:
    wire = "# a\n**b** <@1> @everyone [c](https://d.e) `f` https://g.h ||i|| :j: <t:1> discord.gg/k"
    expected = [
        "heading",
        "strong",
        "mention",
        "everyone",
        "link",
        "code",
        "address",
        "spoiler",
        "emoji",
        "time",
        "invite",
    ]
    assert read(wire).alive == expected
    assert read(write(escape(wire), DISCORD)).alive == []


def test_an_error_shows_what_it_was_given_and_its_own_marks_stay() -> None:
    error = Mistake("Not {value!r}, but `default`, {name}.", value="*a*", name="@everyone [x](https://a.b)")
    told = wording.told(error, lambda sentence: sentence)
    assert plain(told) == "Not '*a*', but default, @everyone [x](https://a.b)."
    assert read(write(told, DISCORD)).alive == ["code"]


# One dialect


@pytest.mark.parametrize(
    ("markdown", "wire"),
    [
        ("**bold** *it* ~~no~~ `code`", "**bold** *it* ~~no~~ `code`"),
        ("*a **b** c* ***d***", "*a **b** c* ***d***"),
        ("*a***b**", f"*a*{NOTHING}**b**"),
        ("`` a`b `` and ``` a``b ```", "`` a`b `` and a\\`\\`b"),
        ("# One\n#### Four\nwords", "# One\n### Four\nwords"),
        ("> said\n> so\n\nafter", "> said\n> so\n\nafter"),
        ("3. three\n4. four\n   - inner\n     more", "3. three\n4. four\n  - inner\n    more"),
        ("- \n- a", "- \n- a"),
        ("```python main\nx = '*'\n```", "```python\nx = '*'\n```"),
        ("````\na ``` b\n````", f"```\na `{NOTHING}`{NOTHING}` b\n```"),
        ("```\n```", f"```\n{NOTHING}\n```"),
        ("[words](https://a.b/c_(d))", "[words](<https://a.b/c_%28d%29>)"),
        ("<https://a.b/c_d>", "<https://a.b/c_d>"),
        ("[https://bank.example](https://evil.example)", "https\\://bank.example (<https://evil.example>)"),
        ("[bank.example](https://evil.example)", "bank.example (<https://evil.example>)"),
        ("[x](javascript:alert)", "\\[x](javascript:alert)"),
        ("![x](https://a.b)", "![x](<https://a.b>)"),
        ("<b>&amp;</b>", "\\<b>&amp;\\</b>"),
        ("snake_case 2*3*4 ¯\\\\\\_(ツ)\\_/¯", "snake\\_case 2*3*4 ¯\\\\\\_(ツ)\\_/¯"),
        ("a\n===\nb\n---", "a\n===\nb\n---"),
        ("1986\\. A year", "1986\\. A year"),
    ],
)
def test_markdown_in_discords_dialect(markdown: str, wire: str) -> None:
    assert write(markdown, DISCORD) == wire


@pytest.mark.parametrize(
    ("markdown", "wire", "words"),
    [
        (wording.channel(Ref("discord", "20"), "boats_"), "<#20>", "#boats_"),
        (wording.member(Ref("discord", "1/30"), "*Mo*"), "<@30>", "@*Mo*"),
        (wording.role(Ref("discord", "1/&40"), "staff"), "<@&40>", "@staff"),
        (wording.message(Ref("discord", "20/50"), "that"), "[that](<https://discord.com/channels/7/20/50>)", "that"),
        (wording.message(Ref("discord", "21/50"), "that"), "that", "that"),
        (wording.channel(Ref("slack", "C1"), "boats"), "#boats", "#boats"),
        (wording.channel(Ref("discord", "20>"), "boats"), "#boats", "#boats"),
        (wording.member(Ref("jsonl", "a (b)] c"), "everyone"), f"@{NOTHING}everyone", "@everyone"),
        (f"**{wording.channel(Ref('discord', '20'), 'x')}**", "**<#20>**", "#x"),
    ],
)
def test_references_become_the_platforms_own(markdown: str, wire: str, words: str) -> None:
    assert write(markdown, discord({"20": "7"}.get)) == wire
    assert plain(markdown) == words


@given(name=MEMBER_TEXT, ref=st.builds(Ref, st.sampled_from(["discord", "jsonl"]), st.text(min_size=1, max_size=20)))
def test_a_link_to_a_reference_is_read_back_whatever_it_holds(name: str, ref: Ref) -> None:
    _words, _end, address = wording.channel(ref, name).rpartition("](")
    assert wording.reference(address.removesuffix(")")) == ("channel", ref)
    assert bare(plain(wording.channel(ref, name))) == bare(f"#{plain(escape(name))}")


# Pieces


@given(text=MARKDOWN, limit=st.integers(LEAST, LEAST + 60))
@example("a" * 500, LEAST)
@example("> " + "**" + "a b. " * 99 + "**", LEAST)
def test_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    pieces = split(text, DISCORD, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert all(piece.count("\n```") % 2 == piece.startswith("```") for piece in map(_unquoted, pieces))
    assert bare("".join(split(text, BARE, limit))) == bare(write(text, BARE))


def _unquoted(piece: str) -> str:
    return re.sub(r"^> ", "", piece, flags=re.MULTILINE)


@given(text=st.lists(st.sampled_from(["👩‍👩‍👧‍👦", "e\u0301\u0323", "🇫🇷", "한", "a", "👍🏽"]), min_size=60).map("".join))
def test_what_is_seen_as_one_character_stays_one(text: str) -> None:
    whole = ("👩‍👩‍👧‍👦", "e\u0301\u0323", "🇫🇷", "한", "a", "👍🏽")
    for piece in split(text, DISCORD, LEAST):
        assert re.fullmatch("|".join(whole).join(("(?:", ")*")), piece)


@pytest.mark.parametrize(
    ("markdown", "begins"),
    [
        ("a" * 60 + "\n\n" + "b" * 60 + "\nc", ["a" * 60, "b" * 60 + "\nc"]),
        ("a" * 60 + "\n" + "b" * 60, ["a" * 60, "b" * 60]),
        ("One is here. " * 9, ["One is here. " * 7, "One is here. One is here."]),
        ("word " * 30, ["word " * 20, "word " * 10]),
        ("你好，世界。" * 20, ["你好，世界。" * 16, "你好，世界。" * 4]),
        ("a" * 50 + "\n\n# h\n" + "b" * 90, ["a" * 50, "# h\n" + "b" * 90]),
        ("1. " + "a" * 90 + "\n2. " + "b" * 90, ["1. " + "a" * 90, "2. " + "b" * 90]),
        ("> " + "a" * 90 + "\n> " + "b" * 90, ["> " + "a" * 90, "> " + "b" * 90]),
        ("**" + "word " * 30 + "end**", ["**" + "word " * 18 + "word**", "**" + "word " * 11 + "end**"]),
        ("```py\n" + "x = 1\n" * 20 + "```", ["```py\n" + "x = 1\n" * 15 + "```", "```py\n" + "x = 1\n" * 5 + "```"]),
        (
            "a" * 80 + " [ten words](https://a.b/" + "c" * 40 + ")",
            ["a" * 80, "[ten words](<https://a.b/" + "c" * 40 + ">)"],
        ),
        ("a" * 90 + " `code in one`", ["a" * 90, "`code in one`"]),
        ("[words](https://a.b/" + "c" * 90 + ")", ["words (https\\://a.b/" + "c" * 80, "c" * 10 + ")"]),
    ],
)
def test_where_a_text_is_cut(markdown: str, begins: list[str]) -> None:
    assert split(markdown, DISCORD, LEAST) == [one.strip() for one in begins]


def test_a_text_that_fits_is_one_piece_and_an_empty_one_none() -> None:
    assert split("**a**\n\nb", DISCORD, 2000) == ["**a**\n\nb"]
    assert split("a" * 2000, DISCORD, 2000) == ["a" * 2000]
    assert split(" \n", DISCORD, 2000) == []


ORDINARY = "a **b** `c` [d](https://e.f/g) " * 330


def cut_and_timed(text: str) -> tuple[list[str], float]:
    """Cut a text as it is and escaped; return the pieces and the seconds of the processor's time."""
    began = time.process_time()
    pieces = [*split(text, DISCORD, 2000), *split(escape(text), DISCORD, 2000)]
    return pieces, time.process_time() - began


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 10_000, "*" * 10_000, "`" * 10_000, "![" * 5_000, "[a](" * 2_500, "*a_" * 3_300, "~~a" * 3_300),
        *("[" * 5_000 + "]" * 5_000, "<https://a" * 1_000, "> " * 5_000, "- " * 5_000, "\\" * 10_000, "&" * 10_000),
        *("".join("`" * (number % 70) + "a" for number in range(280)), "\n".join("  " * n + "- a" for n in range(140))),
        *("a" * 10_000, "a\n" * 5_000, "a\u0301" * 5_000, "a" + "\u0301" * 10_000, "`a` " * 2_500, "**a** b " * 1_250),
    ],
    ids=lambda text: f"{text[:4]!r}",
)
def test_a_hostile_text_takes_no_longer_than_another(text: str) -> None:
    pieces, took = cut_and_timed(text)
    if took >= 1.0:  # half a second each, or else everything is slow at the moment
        assert took < 8 * cut_and_timed(ORDINARY)[1]  # what grows by the square takes a hundred times as long
    assert all(len(piece) <= 2000 for piece in pieces)
    assert bare("".join(split(escape(text), BARE, 2000))) == bare(text)


# Another dialect is a table of functions

HTML = Dialect(
    text=html.escape,
    begin=lambda words: words,
    styles={Style.BOLD: ("<b>", "</b>"), Style.ITALIC: ("<i>", "</i>"), Style.STRUCK: ("<s>", "</s>")},
    code=lambda text: f"<code>{html.escape(text)}</code>",
    fence=lambda body, language: (
        f'<pre><code class="language-{html.escape(language)}">{html.escape(body)}</code></pre>'
    ),
    link=lambda label, address: f'<a href="{html.escape(address)}">{html.escape(label)}</a>',
    reference=lambda _kind, _ref: None,
    heading=lambda words, _level: f"<b>{words}</b>",
    item=lambda words, mark, depth: "  " * (depth - 1) + (f"{mark} {words}".replace("- ", "• ", 1) if mark else words),
    quote=lambda words: f"<blockquote>{words}</blockquote>",
    length=lambda words: len(html.unescape(re.sub(r"<[^>]*>", "", words)).encode("utf-16-le")) // 2,
)


def test_a_platform_with_tags_and_another_unit_only_adds_a_dialect() -> None:
    text = "# Head & *shoulders*\n> a < b\n> **c**\n\n- [x](https://a.b?c&d)\n\n```py\n1 < 2\n```"
    assert write(text, HTML) == (
        "<b>Head &amp; <i>shoulders</i></b>\n<blockquote>a &lt; b\n<b>c</b></blockquote>\n\n"
        '• <a href="https://a.b?c&amp;d">x</a>\n\n<pre><code class="language-py">1 &lt; 2</code></pre>'
    )
    pieces = split("> " + "**👍 & so** " * 40, HTML, LEAST)
    assert all(HTML.length(piece) <= LEAST for piece in pieces)
    assert all(piece.startswith("<blockquote><b>") and piece.endswith("</b></blockquote>") for piece in pieces)
