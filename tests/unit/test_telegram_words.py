"""References, links, markup, buttons and menus of Telegram: pure functions, each with what it must refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Message

from adapters.markup import LEAST, TELEGRAM, split, write
from adapters.telegram import names
from adapters.telegram.adapter import IN_A_GROUP, _chat_of, _in_chat
from adapters.telegram.keyboard import DATA, keyboard
from adapters.telegram.registering import MOST, menu
from adapters.telegram.trouble import Refused, in_words
from adapters.telegram.words import bidding, cut, text_of, without_name
from bot.budget import Budget, Urgency
from bot.core.actions import Ban, Button, Delete, OpenDirect, Say
from bot.core.commands import Command
from bot.core.ports import Limits
from bot.core.things import Rank, Ref
from bot.core.wording import channel, escape, member, message
from tests.clocks import PatientClock
from tests.platforms.telegram.html import Unreadable, parse

GROUP, TOPIC, SPACE = Ref("telegram", "-1001"), Ref("telegram", "-1001/t7"), Ref("telegram", "-1001")


def test_what_is_named_is_read_back() -> None:
    assert names.place(names.chat(-1001, 7)) == names.Place(-1001, 7)
    assert names.place(names.chat(-1001, names.GENERAL)) == names.Place(-1001, 0)
    assert names.parts(names.message(-1001, 45)) == names.Message(-1001, 45)
    assert names.user(names.member(42)) == 42
    assert names.group_of(names.chat(-1001, 7)) == names.group_of(names.message(-1001, 7)) == GROUP
    assert names.chosen(names.invitation("bot", -1001).partition("start=")[2]) == -1001


@pytest.mark.parametrize("name", ["", "x", "-1001/7/8", "-1001/tx", "1.5", "٣", "9" * 21, "--1"])
def test_what_is_no_place_is_none(name: str) -> None:
    with pytest.raises(names.Unknown, match="telegram:"):
        names.place(Ref("telegram", name))
    with pytest.raises(names.Unknown, match="discord:"):
        names.place(Ref("discord", "-1001"))


@pytest.mark.parametrize("payload", ["", "g", "g1001", "x-1001", "g-", "g-1x", "g-" + "9" * 30, "g-1001 more"])
def test_a_payload_of_somebody_elses_names_no_group(payload: str) -> None:
    assert names.chosen(payload) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/match boats", ("match", "", "boats")),
        ("/match@Kinfolk_Bot  boats ", ("match", "kinfolk_bot", "boats")),
        ("/HELP", ("help", "", "")),
        ("/match\nboats", ("match", "", "boats")),
        ("say /match", None),
        ("/ match", None),
        ("/match-maker", None),
        ("//match", None),
    ],
)
def test_a_command_is_what_a_message_begins_with(text: str, expected: tuple | None) -> None:
    found = bidding(text)
    assert (found and (found.name, found.to, found.rest)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@kinfolk_bot, match boats", "match boats"),
        ("@Kinfolk_Bot: hi", "hi"),
        ("@kinfolk_bottle match", "@kinfolk_bottle match"),
        ("hi @kinfolk_bot", "hi @kinfolk_bot"),
        ("/match@kinfolk_bot boats", "/match boats"),
        ("/match@other_bot boats", "/match@other_bot boats"),
    ],
)
def test_the_bots_own_name_is_left_out_where_it_stands_in_front(text: str, expected: str) -> None:
    assert without_name(text, "kinfolk_bot") == expected


def said(text: str, *entities: dict) -> Message:
    chat = {"id": -1001, "type": "supergroup", "title": "g"}
    told = {"message_id": 1, "date": 1, "chat": chat, "text": text, "entities": list(entities)}
    return Message.de_json(told, None)


def test_links_and_names_are_read_behind_emoji_which_count_twice() -> None:
    person = {"id": 42, "is_bot": False, "first_name": "小美"}
    told = said(
        "😀 ask 小美 or look here",
        {"type": "text_mention", "offset": 7, "length": 2, "user": person},
        {"type": "text_link", "offset": 18, "length": 4, "url": "https://a.example/x"},
    )
    assert text_of(told) == "😀 ask @小美 or look here (https://a.example/x)"
    assert text_of(told, by_reference=True) == "😀 ask telegram:42 or look here (https://a.example/x)"


def test_a_poll_says_its_question_and_its_options() -> None:
    chat = {"id": -1001, "type": "supergroup", "title": "g"}
    from tests.platforms.telegram.methods import poll

    told = Message.de_json({"message_id": 1, "date": 1, "chat": chat, "poll": poll("When?", ["Now", "星期二"])}, None)
    assert text_of(told) == "When?\n- Now\n- 星期二"


def test_names_are_one_line_and_end() -> None:
    assert cut("  a\n b ") == "a b"
    assert len(cut("x" * 10**6)) == 100


# The dialect


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**a** *b* ~~c~~", "<b>a</b> <i>b</i> <s>c</s>"),
        ("# Head\na < b & c", "<b>Head</b>\na &lt; b &amp; c"),
        ("> a\n> b", "<blockquote>a\nb</blockquote>"),
        ("- one\n- two", "- one\n- two"),
        ("`a<b`", "<code>a&lt;b</code>"),
        ("```py\n1 < 2\n```", '<pre><code class="language-py">1 &lt; 2</code></pre>'),
        ("[x](https://a.example/?b&c)", '<a href="https://a.example/?b&amp;c">x</a>'),
        (channel(Ref("telegram", "-1000000000001/t7"), "pier"), '<a href="https://t.me/c/1/7">#pier</a>'),
        (channel(Ref("telegram", "-1000000000001"), "g"), '<a href="https://t.me/c/1/1">#g</a>'),
        (message(Ref("telegram", "-1001234567890/45"), "this"), '<a href="https://t.me/c/1234567890/45">this</a>'),
        (message(Ref("telegram", "-1000000002001/45"), "this"), '<a href="https://t.me/c/2001/45">this</a>'),
        (message(Ref("telegram", "-1012345678901/45"), "this"), '<a href="https://t.me/c/12345678901/45">this</a>'),
        (message(Ref("telegram", "-1001234567/45"), "this"), "this"),
        (message(Ref("telegram", "-77/45"), "this"), "this"),
        (member(Ref("telegram", "42"), "Ana"), "@\u200bAna"),
        (channel(Ref("discord", "20"), "pier"), "#pier"),
    ],
)
def test_markdown_in_telegrams_dialect(markdown: str, html: str) -> None:
    assert write(markdown, TELEGRAM) == html


@given(text=st.text(min_size=1, max_size=80), place=st.sampled_from(["{}", "**{}**", "> {}", "[{}](https://a.b)"]))
def test_whatever_a_member_wrote_telegram_can_parse_and_nobody_is_called(text: str, place: str) -> None:
    shown, entities = parse(write(place.format(escape(text)), TELEGRAM))
    alive = {one["type"] for one in entities} - {"bold", "blockquote", "text_link", "bot_command"}
    assert alive == set()
    assert parse("<b>@somebody</b>")[1], "the reader of the tests sees what lives"
    with pytest.raises(Unreadable):
        parse(f"<x>{shown}")


def test_an_address_that_a_link_shows_is_nothing_besides() -> None:
    """As Telegram reads it: a link's own words hold no other."""
    shown, entities = parse(write("[0.00](https://a.b)", TELEGRAM))
    assert (shown, [one["type"] for one in entities]) == ("0.00 (https://a.b)", ["text_link"])
    assert [one["type"] for one in parse("<code>https://a.b</code> https://a.b")[1]] == ["code", "url"]


@given(text=st.text(alphabet="a& <😀*`\n", max_size=600))
def test_pieces_are_parsed_each_and_none_is_too_long(text: str) -> None:
    for piece in split(text, TELEGRAM, LEAST):
        shown, _entities = parse(piece)
        assert len(shown.encode("utf-16-le")) // 2 <= TELEGRAM.length(piece) <= LEAST


# Buttons, menus, limits


def test_buttons_keep_their_rows_and_wrap_where_they_get_too_wide() -> None:
    buttons = [Button(label=f"{n}" * 14, press="t", token=f"t{n}", row=n // 3) for n in range(4)]
    made = keyboard(buttons, home=-1001)
    assert made
    assert [[one.callback_data for one in row] for row in made.inline_keyboard] == [
        ["t0@-1001", "t1@-1001"],
        ["t2@-1001"],
        ["t3@-1001"],
    ]
    assert keyboard([]) is None
    for token in ("", "t" * (DATA + 1)):
        with pytest.raises(Refused, match="64 bytes"):
            keyboard([Button(label="x", press="t", token=token)])


def test_a_menu_has_what_its_readers_may_use_and_never_too_much() -> None:
    commands = [Command(name=f"c{n}", help="Help", rank=Rank(n % 3)) for n in range(400)]
    assert len(menu(commands, Rank.OWNER, str)) == MOST
    assert {one.command for one in menu(commands[:6], Rank.MEMBER, str)} == {"c0", "c3"}


def test_topics_and_acts_on_members_take_the_turns_of_their_group() -> None:
    for action, where in (
        (Say(to=TOPIC, text="x"), TOPIC),
        (Delete(message=Ref("telegram", "-1001/45"), channel=TOPIC), TOPIC),
        (Ban(member=Ref("telegram", "42"), space=SPACE), Ref("telegram", "42")),
    ):
        assert _chat_of(action, where) == "telegram:-1001"
    direct = OpenDirect(member=Ref("telegram", "42"), text="x", space=SPACE)
    assert _chat_of(direct, direct.member) == "telegram:42"
    assert (_in_chat("telegram:-1001"), len(_in_chat("telegram:42"))) == (IN_A_GROUP, 1)


async def test_chats_may_differ_in_what_they_take() -> None:
    clock = PatientClock()
    limits = Limits(chat=((9, 1.0),), overall=(100, 1.0), chats=lambda name: ((1, 60.0),) if name == "few" else ())
    budget = Budget(limits, clock)
    held = [await budget.take("many", Urgency.REPLY) for _ in range(20)]
    assert all(not one for one in held)
    await budget.take("few", Urgency.REPLY)
    assert not budget.take_spare("few")
    assert budget.take_spare("many")


def test_a_refusal_is_told_with_telegrams_own_words() -> None:
    told = in_words(Exception("Bad Request: not enough rights to restrict/unrestrict chat member"))
    assert told.startswith("I lack a right")
    assert "not enough rights" in told
    assert in_words(Exception("Bad Request: SOMETHING_NEW")) == "Telegram refuses: Bad Request: SOMETHING_NEW"
