"""Plain questions to the sample community, with the real models: the message that answers is cited, or none."""

from __future__ import annotations

import pytest

from bot.cli.output import open_app
from bot.core.settings import Settings
from storage import channels
from tests.command import Kinfolk

pytestmark = pytest.mark.slow

ANSWERED = {
    "What glue works for broken PLA prints?": "superglue",
    "When is the members' evening?": "27 November",
    "Can I use a sewing machine outside the café hours?": "the grey one",
    "Which nozzle and bed temperature do you use for PLA?": "215",
    "打印机喷头堵了怎么办？": "冷拔",
    "不小心把密码提交到 Git 了怎么撤回？": "reset --soft",
    "过期的黑白胶卷还能冲洗吗？": "五年以内",
    "B 树节点分裂时中间的键往上提还是复制？": "往上提",
}
UNKNOWN = ["Who repairs grand pianos?", "How do I renew my passport?", "怎么办理签证？", "附近哪里有游泳馆？"]


async def test_the_sample_answers_what_it_knows_and_nothing_else(kinfolk_imported: Kinfolk) -> None:
    told: dict[str, str] = {}
    async with open_app(Settings(home=kinfolk_imported.home)) as app:
        community = await app.community(None)
        answerer = await app.answerer()
        async with app.database.read() as connection:
            reach = await channels.reach(connection, community, None)
        for question in (*ANSWERED, *UNKNOWN):
            answer = await answerer.answer(community, question, reach=reach, language="en")
            told[question] = " ".join(one.text for one in answer.passages)
    assert {one: told[one] for one in UNKNOWN} == dict.fromkeys(UNKNOWN, "")
    assert {one: told[one] for one, words in ANSWERED.items() if words not in told[one]} == {}
