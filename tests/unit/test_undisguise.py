"""Undoing disguise: every trick by name, ordinary writing unharmed, hostile texts in bounded time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brains.evals.disguise import WAYS, disguise
from brains.moderation.undisguise import LONGEST, ready, skeleton, undisguise
from brains.moderation.unigrams import unigrams

TRICKS = [
    ("f r e e  m o n e y now", "free money now", "spread"),
    ("f r e e m o n e y", "free money", "spread"),
    ("е с т ь  р а б о т а  д л я  в с е х", "есть работа для всех", "spread"),
    ("e a r n   5 0 0 $   n o w !", "earn 500$ now!", "spread"),
    ("c.l.i.c.k here", "click here", "spread"),
    ("加 微 信 领取", "加微信 领取", "spread"),
    ("ea rn mo ney fast", "earn money fast", "broken"),
    ("freeeee", "free", "repeats"),
    ("1nv3st now, m0ney fr33", "invest now, money free", "figures"),
    ("c@sh p@$$word", "cash password", "figures"),
    ("pаураl account", "paypal account", "lookalikes"),
    ("Пpивeт, нyжнa paбoтa", "Привет, нужна работа", "lookalikes"),
    ("fᏒᎬᎬ mοnεy", "fREE money", "lookalikes"),
    ("ｆｒｅｅ　ｍｏｎｅｙ！", "free money!", "styled"),
    ("𝓯𝓻𝓮𝓮 𝐦𝐨𝐧𝐞𝐲", "free money", "styled"),
    ("ⓕⓡⓔⓔ 🅼🅾🅽🅴🆈", "free MONEY", "styled"),
    ("||f||ree money", "free money", "markup"),
    ("f\u200br\u2060e\u200de", "free", "invisible"),
    ("f̶r̶e̶e̶", "free", "marks"),
    ("f̴̛̀r̵̂͒ȩ̸̌ḙ̷͂", "free", "marks"),
    ("\u202eyenom eerf", "free money", "turned"),
    ("f\u200br33 m0ne\u2060y", "free money", "figures"),
    ("g e t  m o n e y  n o w!", "get money now!", "spread"),
]

ORDINARY = [
    "Has anyone tried v1.2.3 of h264 on x86? 1st run 50s, 2nd 4ms, b2b p2p web3 mp3 utf8 python3 at 10:30",
    "int foo_bar(a*b) || $path ${HOME} snake__case **kwargs 0xfff a1b2c3d4e5 6e74 <-> i++ M1s",
    "see https://www.example.com/w1k1/f00?q=a+b&c=d_e or mail me@example.com, @n1ck",
    "The U.S.A., i.e. e.g. a b c d e f g, x y z; I, II, XVIII and XXXIII",
    "**bold** ||whole spoiler|| ~~gone~~ `code` *so* it is",
    "Straße für Łódź, żółć, Größe, Übung",
    "Việt Nam rất đẹp, tôi yêu phở",
    "हिन्दी में लिखा हुआ, क़लम",
    "שָׁלוֹם עוֹלָם וְכֹל טוּב",
    "สวัสดีครับ ที่นี่ น้ำ",
    "می‌خواهم بروم",
    "👨\u200d👩\u200d👧 ❤️ 🇩🇪 1️⃣ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Обычный русский текст: IT-специалист, PRы, API-шка, сор, а я уеду в Сочи",
    "Первая строка.nВторая строка.nnТретья",
    "Ελληνικά: καλημέρα σε όλους, τι κάνετε;",
    "Δt is 5 μs, α-helix, 5 kΩ, K₂CO₃ at 20 ℃",
    "中文，你好！（测试）我们 明天 见，价格 100 元。",
    "日本語のテキスト、東京で會う。",
    "I was in to it, any more of it? can not, may be, an other one in side",
]


@pytest.mark.parametrize(("text", "plain", "trick"), TRICKS)
def test_each_trick_is_undone_and_named(text: str, plain: str, trick: str):
    found = undisguise(text)

    assert (found.text, found.plain) == (text, plain)
    assert trick in found.tricks


@pytest.mark.parametrize(
    "text",
    [
        "(f)(r)(e)(e) (m)(o)(n)(e)(y)",
        "||f||||r||||e||||e|| ||m||||o||||n||||e||||y||",
        "f🔥r🔥e🔥e m♥️o♥️n♥️e♥️y",
        "f'r'e'e m'o'n'e'y",
        "f\nr\ne\ne\nm\no\nn\ne\ny",
        "f\u2009r\u2009e\u2009e\u2009m\u2009o\u2009n\u2009e\u2009y",
        "f\U0001d173r\U0001bca0e\U00013430e money",
        "f\u0640r\u0640e\u0640e m\u0640oney",
    ],
)
def test_letters_are_joined_whatever_stands_between_them(text: str):
    found = undisguise(text)
    assert (found.plain, bool(found.tricks)) == ("free money", True)


@pytest.mark.parametrize("text", ["(a)(b)(c)(d)(e)", "m[i][j][k][l]", "x←y←z←w", "y\nn\ny\nn", "K♥Q♥J♥T", "y'all'd've"])
def test_single_letters_that_are_no_writing_stay(text: str):
    assert undisguise(text).plain == text


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_writing_stays_as_it_is(text: str):
    found = undisguise(text)

    assert (found.plain, found.tricks) == (text, frozenset())


def test_traditional_chinese_is_simplified_and_no_trick():
    assert undisguise("賺錢網絡").plain == "赚钱网络"
    assert undisguise("賺錢網絡").tricks == frozenset()
    assert undisguise("東京で會う").plain == "東京で會う"


def test_a_skeleton_has_no_spaces_and_no_marks():
    assert skeleton("Free, money: NOW!") == "freemoneynow"


@pytest.mark.parametrize("how", WAYS)
def test_measured_disguises_are_undone_for_the_most_part(how):
    text = "Earn money from home today, contact our manager for the free training and receive your profit"

    hidden = disguise(text, how, 3)
    left = set(undisguise(hidden).plain.lower().replace(",", "").split())
    words = set(text.lower().replace(",", "").split())

    assert len(words & set(hidden.lower().split())) < 0.6 * len(words)
    assert len(words & left) >= 0.8 * len(words)
    assert disguise(text, how, 3) == hidden


def test_a_model_of_words_finds_them_in_letters():
    model = unigrams()

    assert model.split("clickthelinkbelow") == ["click", "the", "link", "below"]
    assert model.cost("money") < model.cost("mnoye")
    assert model.split("") == []


@given(st.text(max_size=200) | st.text(alphabet="ab e1 30@$.·*|_~-\u200bаеё加Ｆ̶\u0301", max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_plain_form_of_a_plain_form_is_itself(text: str):
    plain = undisguise(text).plain

    assert undisguise(plain).plain == plain
    assert len(plain) <= 2 * len(text) + 2


@pytest.mark.parametrize(
    "text",
    [
        "free money " * 100_000,
        "f r e e m o n e y " * 60_000,
        "a" * 1_000_000,
        "m0n3y fr33 inv3st " * 60_000,
        "z\u0321\u0322\u0323\u0334" * 250_000,
        "😀" * 1_000_000,
        "\u200b" * 1_000_000,
        "пpивeт мир " * 100_000,
        "ab " * 333_333,
        "a.b." * 250_000,
        "||a||b" * 160_000,
        "賺" * 1_000_000,
    ],
    ids=lambda text: repr(text[:9]),
)
def test_a_million_characters_take_less_than_a_second(text: str):
    ready()
    before = time.process_time()
    found = undisguise(text)

    assert time.process_time() - before < 1.0
    assert len(found.plain) <= 2 * LONGEST


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"{number:040b}".replace("0", "a") for number in range(400)),
        " ".join(f"{number:09d}".replace("0", "e").replace("7", "t") for number in range(10**8, 10**8 + 1000)),
        "aaa" + "cd" * 5_000,
    ],
    ids=["long words of figures", "many words of figures", "a drawn-out word without end"],
)
def test_what_would_take_long_is_bounded(text: str):
    """A fifth of a second, for what took half a second and takes a hundredth: a machine may be slow."""
    ready()
    before = time.process_time()
    undisguise(text)

    assert time.process_time() - before < 0.2


def test_half_a_character_is_no_error():
    assert undisguise("a\ud800b").plain == "a?b"
