"""The playground's page in a real browser, as somebody who tries the bot meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from adapters.playground import Past, Playground
from bot.core.actions import Ban, Button, CreatePoll, Delete, Edit, Say, Timeout
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.decisions import Decision, Mode, Ruling, Step, Trace, Verdict
from bot.core.errors import Misconfigured
from bot.core.events import (
    ButtonPressed,
    CommandGiven,
    MemberJoined,
    MessageDeleted,
    MessageEdited,
    MessagePosted,
    ReactionAdded,
)
from bot.core.wording import channel, escape, member, message
from tests.drawing import saved, scene
from tests.web.browser import Reader, find_browser, open_browser
from tests.web.harbour import BAIT, Brain, harbour, ref

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.xdist_group("page")]
GENERAL = ref("general")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser(find_browser()) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def there() -> AsyncIterator[tuple[Playground, Brain]]:
    async with harbour() as opened:
        yield opened


@pytest.fixture
def playground(there: tuple[Playground, Brain]) -> Playground:
    return there[0]


@pytest.fixture
def brain(there: tuple[Playground, Brain]) -> Brain:
    return there[1]


@pytest_asyncio.fixture(loop_scope="module")
async def reader(browser: Browser, playground: Playground) -> AsyncIterator[Reader]:
    """Open the page as its owner, in English; whatever the browser complains of fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    opened = Reader(page=await context.new_page(), url=playground.url)
    await opened.open()
    yield opened
    await context.close()
    assert opened.troubles == []


async def no_past() -> Past:
    return Past()


async def test_a_picture_is_sent_shown_and_can_be_fetched(reader: Reader, brain: Brain, playground: Playground) -> None:
    data = saved(scene(1))
    chosen = {"name": "gift.png", "mimeType": "image/png", "buffer": data}
    await reader.page.locator("#composer input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    await expect(reader.page.locator("#composer .context")).to_contain_text("gift.png")
    await reader.page.get_by_role("button", name="Send").click()

    shown = reader.page.locator("article .files img").last
    await expect(shown).to_have_attribute("alt", "gift.png")
    await expect(shown).to_have_js_property("naturalWidth", 320)
    await expect(shown).to_be_in_viewport(ratio=1)
    (file,) = told(brain, MessagePosted)[-1].files
    assert (file.name, file.kind, file.size) == ("gift.png", "image/png", len(data))
    assert await playground.fetch(file, limit=len(data)) == data

    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"}
    await reader.page.locator("#composer input[type=file]").set_input_files(text)  # type: ignore[arg-type]
    await expect(reader.page.get_by_text("The playground shows PNG, JPEG, WebP and GIF.")).to_be_visible()


async def test_the_newest_is_followed_while_it_grows_and_who_scrolled_up_stays(reader: Reader) -> None:
    for number in range(40):
        await reader.say(f"line {number}")
        await expect(reader.message(f"line {number}")).to_be_visible()
    log, last = reader.page.locator("#log"), reader.message("line 39")
    grows = "(row, tall) => { row.style.height = tall; row.dispatchEvent(new Event('load')); }"
    await expect(last).to_be_in_viewport(ratio=1)

    await last.evaluate("row => { row.style.height = '500px'; }")
    await log.dispatch_event("scroll")
    await last.evaluate(grows, "400px")
    await expect(last).to_be_in_viewport(ratio=1)

    await log.hover()
    await reader.page.mouse.wheel(0, -900)
    await expect(last).not_to_be_in_viewport()
    await last.evaluate(grows, "450px")
    await expect(last).not_to_be_in_viewport()


async def test_what_is_written_while_the_last_is_on_its_way_is_kept_and_sent_when_asked(reader: Reader) -> None:
    arrives = asyncio.Event()

    async def late(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await reader.page.route("**/api/do?*", late)
    await reader.say("the first")
    await reader.say("the second")
    arrives.set()
    await expect(reader.message("the second")).to_be_visible()
    await expect(reader.field).to_have_value("")

    arrives.clear()
    await reader.say("the third")
    await reader.field.press_sequentially("half of the")
    arrives.set()
    await expect(reader.message("the third")).to_be_visible()
    await expect(reader.field).to_have_value("half of the")
    await expect(reader.message("half of the")).to_have_count(0)


async def test_what_could_not_be_sent_comes_back_before_what_was_written_since(reader: Reader) -> None:
    fails = asyncio.Event()

    async def lost(route: Route) -> None:
        if (route.request.post_data_json or {})["deed"] != "write":
            await route.continue_()
            return
        await fails.wait()
        await route.fulfill(status=503, json={"error": "Not now.", "code": "", "details": {}})

    await reader.page.route("**/api/do?*", lost)
    await reader.say("nobody hears this")
    await reader.field.press_sequentially("and on it goes")
    fails.set()
    await expect(reader.field).to_have_value("nobody hears this\nand on it goes")
    await expect(reader.message("nobody hears this")).to_have_count(0)
    reader.troubles.clear()  # the browser's word on the 503


async def come_in(reader: Reader, name: str) -> None:
    await reader.page.get_by_label("Your name").fill(name)
    await reader.page.get_by_role("button", name="Come in", exact=True).click()
    await expect(reader.page.locator("#who")).to_contain_text(name)


def told(brain: Brain, kind: type) -> list:
    return [one.event for one in brain.arrivals if isinstance(one.event, kind)]


async def test_what_is_written_is_shown_and_told(reader: Reader, brain: Brain) -> None:
    await reader.say("Is **bold** <b>safe</b>? See #garden and `code`, https://example.org/a_b_c.")

    message = reader.message("Is bold")
    await expect(message.locator("strong", has_text="bold")).to_have_count(1)
    await expect(message.locator("b")).to_have_count(0)
    await expect(message).to_contain_text("<b>safe</b>")
    await expect(message.locator("code")).to_have_text("code")
    await expect(message.locator("a[target]")).to_have_attribute("href", "https://example.org/a_b_c")
    assert brain.arrivals[0].event.text.startswith("Is **bold**")
    await message.locator("a", has_text="#garden").click()
    await expect(reader.page.locator("#head h2")).to_contain_text("garden")


async def test_lists_and_quotes_are_shown_as_such(reader: Reader) -> None:
    await reader.say("> quoted\n1. one\n2. two\n- dot\n```\nx = 1 < 2\n```")

    message = reader.message("quoted")
    await expect(message.locator("blockquote")).to_have_text("quoted")
    await expect(message.locator("ol li")).to_have_text(["one", "two"])
    await expect(message.locator("ul li")).to_have_text(["dot"])
    await expect(message.locator("pre")).to_have_text("x = 1 < 2")


async def test_what_the_bot_quotes_is_words_and_what_it_names_is_a_link(reader: Reader, playground: Playground) -> None:
    bait = "**not** _so_ [x](https://evil.example) `y` > z https://evil.example"
    where, who = channel(ref("garden"), "gar_den"), member(ref("colm"), "colm")
    text = f"# Head\n**{where}** for {who}: {escape(bait)}\n{escape('1. one')}\n{channel(ref('nowhere'), '[no]')}"
    made = (await playground.act(Say(to=GENERAL, text=text))).made
    assert made
    await playground.act(Say(to=GENERAL, text=f"{message(made, 'That *one*')} is **it**"))

    shown = reader.message("not").last
    await expect(shown.locator(".words")).to_contain_text(f"#gar_den for @Colm Doherty: {bait}")
    await expect(shown.locator(".words")).to_contain_text("1. one")
    await expect(shown.locator(".words")).to_contain_text("#[no]")
    await expect(shown.locator(".words strong")).to_have_text(["Head", "#gar_den"])
    await expect(shown.locator(".words em, .words code, .words li, .words a[target]")).to_have_count(0)
    await expect(reader.page.locator("#spoken")).to_have_text("Kinfolk: That *one* is it")
    await reader.message("That *one*").last.locator("a").click()
    await expect(reader.page.locator(".message.found")).to_contain_text("gar_den")
    await shown.locator("strong a").click()
    await expect(reader.page.locator("#head h2")).to_contain_text("garden")


async def test_a_command_is_completed_and_given_by_keyboard(reader: Reader, brain: Brain) -> None:
    await reader.field.press_sequentially("/m")
    await expect(reader.page.locator(".offer strong")).to_have_text(["/match", "/mod", "/mode"])
    for _ in range(2):
        await reader.page.keyboard.press("ArrowDown")
    await reader.page.keyboard.press("Tab")
    await expect(reader.field).to_have_value("/mode ")
    await reader.page.keyboard.type("guard ")
    await expect(reader.page.locator(".offer strong")).to_have_text(["off", "watch", "ask", "act"])
    await reader.page.keyboard.type("wa")
    await reader.page.keyboard.press("Enter")
    await expect(reader.field).to_have_value("/mode guard watch ")
    await reader.page.keyboard.press("Escape")
    await reader.page.keyboard.press("Enter")
    await expect(reader.field).to_have_value("")

    (given,) = told(brain, CommandGiven)
    assert (given.command, given.arguments) == ("mode", {"skill": "guard", "mode": "watch"})


async def test_members_are_offered_what_they_may_use(reader: Reader) -> None:
    await reader.become("Colm")
    await reader.field.press_sequentially("/")

    await expect(reader.page.locator(".offer strong", has_text="/match")).to_have_count(1)
    await expect(reader.page.locator(".offer strong", has_text="/setup")).to_have_count(0)


async def test_who_types_before_the_messages_are_there_keeps_what_is_offered(reader: Reader) -> None:
    typed = asyncio.Event()

    async def late(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await reader.page.route("**/api/messages*", late)
    await reader.become("Colm")
    await reader.field.press_sequentially("/ma")
    typed.set()
    await expect(reader.messages.first).to_be_visible()

    await expect(reader.field).to_be_focused()
    await expect(reader.field).to_have_value("/ma")
    await expect(reader.page.locator(".offer strong", has_text="/match")).to_have_count(1)


async def test_a_private_answer_is_tinted_and_its_button_works(reader: Reader, brain: Brain) -> None:
    await reader.say("/match rye bread")

    answer = reader.page.locator(".message.only")
    await expect(answer).to_contain_text("Only you see this")
    await expect(answer).to_contain_text("/match rye bread")
    await answer.get_by_role("button", name="Bring me there").click()
    await expect(answer).to_contain_text("Done: see you there.")
    assert told(brain, ButtonPressed)[0].button == "t1"
    await reader.become("Sam Okafor")
    await expect(reader.message("The cat")).to_be_visible()
    await expect(answer).to_have_count(0)


async def test_ones_own_message_is_edited_and_deleted(reader: Reader, brain: Brain) -> None:
    await reader.say("Tomorow at six.")
    await expect(reader.message("Tomorow")).to_be_visible()
    await reader.field.press("ArrowUp")
    await expect(reader.field).to_have_value("Tomorow at six.")
    await reader.say("Tomorrow at six.")
    message = reader.message("Tomorrow at six.")
    await expect(message).to_contain_text("(edited)")
    await reader.use(message, "Delete")

    await expect(reader.page.locator(".tombstone").last).to_contain_text("Message deleted")
    await expect(reader.message("Tomorrow at six.")).to_have_count(0)
    assert [one.text for one in told(brain, MessageEdited)] == ["Tomorrow at six."]
    assert len(told(brain, MessageDeleted)) == 1


async def test_a_reply_and_a_reaction(reader: Reader, brain: Brain) -> None:
    await reader.use(reader.message("That was the cat."), "Reply")
    await reader.say("Poor cat.")
    await expect(reader.message("Poor cat.").locator(".quote")).to_contain_text("That was the cat.")
    await reader.use(reader.message("Poor cat."), "React 👍")
    pressed = reader.message("Poor cat.").locator(".reaction")
    await expect(pressed).to_have_text("👍 1")
    await pressed.click()

    await expect(pressed).to_have_count(0)
    assert [one.emoji for one in told(brain, ReactionAdded)] == ["👍"]


async def test_another_member_does_not_see_a_private_channel(reader: Reader) -> None:
    private = reader.page.locator("#channels .channel", has_text="staff-room")
    await expect(private).to_be_visible()
    await reader.become("Colm")

    await expect(reader.page.locator("#channels .channel", has_text="garden")).to_be_visible()
    await expect(private).to_have_count(0)


async def test_a_channel_is_joined_before_one_writes_there(reader: Reader, brain: Brain) -> None:
    await reader.go_to("film-club")
    await expect(reader.page.locator(".obstacle")).to_contain_text("You are only reading #film-club.")
    await reader.page.locator(".obstacle button").click()
    await reader.say("What is on tonight?")

    await expect(reader.message("What is on tonight?")).to_be_visible()
    assert told(brain, MemberJoined)[0].channel.ref == ref("film-club")


async def test_an_answer_grows_and_says_why(reader: Reader) -> None:
    await reader.say("Kinfolk, which glue holds?")
    answer = reader.page.locator(".message.bot").last
    await expect(answer).to_contain_text("nobody there had luck with hot glue.")
    await expect(answer).not_to_contain_text("(edited)")
    await answer.locator(".link.why").click()

    panel = reader.page.locator("#side")
    await expect(panel).to_contain_text("a question that members answered before")
    await expect(panel.locator(".ruling.done")).to_contain_text("say “Cyanoacrylate")
    await expect(panel.locator(".steps")).to_contain_text("not a newcomer")
    await panel.locator(".evidence .quote").click()
    await expect(reader.page.locator("#head h2")).to_contain_text("3d-printing")
    await expect(reader.page.locator(".message.found")).to_contain_text("Cyanoacrylate (superglue)")


async def test_what_it_would_have_done_is_shown_where_it_would_have(reader: Reader) -> None:
    await reader.say(f"Get {BAIT} here")

    ghost = reader.message(BAIT).locator(".ghost")
    await expect(ghost).to_contain_text("It would delete the message.")
    await expect(ghost).to_contain_text("guard · watch")
    await ghost.get_by_role("button", name="Why it did not").click()
    await expect(reader.page.locator("#side .ruling.declined")).to_contain_text("/mode guard act lets it act")


async def test_what_it_would_have_said_is_shown_where_it_would_have(reader: Reader, playground: Playground) -> None:
    say = Say(to=GENERAL, text="Welcome, **Nadia**!")
    decision = Decision(skill="welcome", actions=(say,), reason="Nadia is new here")
    ruling = Ruling(decision=0, action=say, kept=False, why="welcome only watches here")
    trace = Trace(
        id="t9",
        event="MemberJoined playground:nadia  1.0",
        kind="MemberJoined",
        at=SystemClock().now(),
        steps=(Step(skill="welcome", mode=Mode.WATCH, outcome="one proposal", milliseconds=1.0),),
        verdict=Verdict(decisions=(decision,), rulings=(ruling,)),
    )
    playground.watched(trace)

    ghost = reader.page.locator(".ghost")
    await expect(ghost).to_contain_text("It would say “Welcome, Nadia!”")
    await ghost.get_by_role("button", name="Why it did not").click()
    await expect(reader.page.locator("#side")).to_contain_text("welcome only watches here")


async def test_a_newcomer_comes_in(reader: Reader, brain: Brain) -> None:
    await reader.page.locator("#who").click()
    await reader.page.locator("#dialog").get_by_role("button", name="Come in as a newcomer").click()
    await come_in(reader, "Nadia")
    await expect(reader.page.locator("#head h2")).to_contain_text("introductions")
    await expect(reader.page.locator(".message.found")).to_contain_text("Welcome, Nadia!")
    await expect(reader.page.locator(".context")).to_have_text("Answering KinfolkWelcome, Nadia!")
    await reader.say("Hello, I am new.")

    await expect(reader.message("Hello, I am new.").locator(".quote")).to_contain_text("Welcome, Nadia!")
    await expect(reader.page.locator(".channel.unread")).to_have_count(0)
    assert told(brain, MemberJoined)[0].member.name == "Nadia"


async def test_a_newcomer_who_is_writing_already_is_led_to_the_greeting_by_a_word(
    reader: Reader, brain: Brain, playground: Playground
) -> None:
    brain.greets = False
    await reader.page.locator("#begin").get_by_role("button", name="Come in as a newcomer").click()
    await come_in(reader, "Nadia")
    await reader.field.fill("Hello, I")
    await playground.act(Say(to=ref("garden"), text="Nobody is meant by this."))
    await playground.act(Say(to=ref("introductions"), text="Welcome, **Nadia**!"))
    await expect(reader.page.locator("#toast")).to_contain_text("Kinfolk greets you in #introductions.")
    await expect(reader.page.locator("#head h2")).to_contain_text("general")
    await reader.page.get_by_role("button", name="Take me there").click()

    await expect(reader.page.locator(".message.found")).to_contain_text("Welcome, Nadia!")
    await expect(reader.page.locator("#toast")).to_be_hidden()


async def test_the_first_page_says_what_to_try_until_it_is_put_away(reader: Reader) -> None:
    card = reader.page.locator("#begin")
    await card.get_by_role("button", name="Ask why").click()
    await expect(reader.page.locator("#side")).to_contain_text("Choose “What happened here” on a message")
    await card.get_by_role("button", name="Be Colm and ask /match").click()
    await expect(reader.page.locator("#who")).to_contain_text("Colm")
    await expect(reader.page.locator(".message.only")).to_contain_text("You may feel at home")
    await card.get_by_role("button", name="Ask why").click()
    await expect(reader.page.locator("#side .decision")).to_contain_text("asked for with /match")
    await card.get_by_label("Close").click()
    await expect(card).to_be_hidden()
    await reader.page.reload()
    await reader.field.wait_for()
    await expect(card).to_be_hidden()


async def test_what_the_bot_takes_back_is_said_to_be_so(reader: Reader, playground: Playground) -> None:
    made = (await playground.act(Say(to=GENERAL, text="Not what I meant."))).made
    assert made
    await expect(reader.message("Not what I meant.")).to_be_visible()
    await playground.act(Delete(message=made, channel=GENERAL))

    await expect(reader.page.locator(".tombstone").last).to_contain_text("Kinfolk took this back")
    await expect(reader.page.locator(".tombstone").last).to_contain_text("What happened here")


async def test_what_a_decision_did_is_told_once_and_shortly(reader: Reader, brain: Brain) -> None:
    await reader.say("/match rye bread")
    answer = reader.page.locator(".message.only")
    await answer.get_by_role("button", name="Bring me there").click()
    await expect(answer).to_contain_text("Done: see you there.")
    made, trace = brain.traces[0]
    (decision,) = trace.verdict.decisions
    steps = tuple(replace(step, outcome=decision.reason) for step in trace.steps[:1])
    verdict = replace(trace.verdict, decisions=(replace(decision, confidence=1.0),))
    brain.traces[:] = [(made, replace(trace, steps=steps, verdict=verdict))]
    await answer.locator(".link.why").click()

    shown = reader.page.locator("#side .decision")
    await expect(shown.get_by_text("asked for with /match")).to_have_count(1)
    await expect(shown).not_to_contain_text("sure")
    await expect(shown.locator(".ruling")).to_have_text("Done: say “You may feel at home in #bread-and-ferments: …”")


async def test_the_page_speaks_chinese(reader: Reader, brain: Brain) -> None:
    await reader.page.locator("#language").select_option("zh_CN")
    await expect(reader.page.locator("#who")).to_contain_text("你是")
    await expect(reader.field).to_have_attribute("placeholder", "在 #general 发言，输入 / 使用命令")
    await expect(reader.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await reader.page.locator("#write").fill("/help")
    await reader.page.keyboard.press("Enter")
    await expect(reader.field).to_have_value("")
    await reader.page.locator("#log").press("ArrowUp")
    await expect(reader.page.locator(".message:focus .tools")).to_have_attribute("aria-label", "可对这条消息做的事")
    assert told(brain, CommandGiven)[0].member.language == "zh_CN"


async def test_the_theme_stays_chosen(reader: Reader) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await reader.page.evaluate(ground)
    await reader.page.locator("#theme").select_option("dark")
    dark = await reader.page.evaluate(ground)
    await reader.page.reload()
    await reader.field.wait_for()

    assert (light, dark) == ("rgb(255, 255, 255)", await reader.page.evaluate(ground))
    assert dark != light
    await reader.page.locator("#theme").select_option("auto")
    await reader.page.emulate_media(color_scheme="dark")
    assert await reader.page.evaluate(ground) == dark


async def test_on_a_phone_the_panes_are_drawers(reader: Reader) -> None:
    await reader.page.set_viewport_size({"width": 390, "height": 844})
    channels, side = reader.page.locator("#channels"), reader.page.locator("#side")
    await expect(channels).to_be_hidden()
    await expect(side).to_be_hidden()
    await reader.page.locator("#top").get_by_label("Channels").click()
    await channels.locator(".channel", has_text="repair-cafe").click()
    await expect(reader.page.locator("#head h2")).to_contain_text("repair-cafe")
    await expect(channels).to_be_hidden()
    await reader.page.locator("#top").get_by_label("Members, and what happened").click()
    await expect(side).to_be_visible()
    await reader.page.keyboard.press("Escape")
    await expect(side).to_be_hidden()

    assert await reader.page.evaluate("document.documentElement.scrollWidth") == 390


async def test_the_keyboard_reaches_everything(reader: Reader) -> None:
    await reader.page.keyboard.press("Alt+ArrowDown")
    await expect(reader.page.locator("#head h2")).to_contain_text("introductions")
    await reader.page.keyboard.press("Alt+ArrowUp")
    await expect(reader.page.locator("#head h2")).to_contain_text("general")
    await reader.page.locator("#log").focus()
    await reader.page.keyboard.press("?")
    await expect(reader.page.locator("#dialog")).to_contain_text("Edit your last message")
    await reader.page.keyboard.press("Escape")
    await expect(reader.page.locator("#dialog")).to_be_hidden()


async def test_what_happens_elsewhere_is_marked_and_read_out(reader: Reader, playground: Playground) -> None:
    await playground.act(Say(to=ref("introductions"), text="A word in another channel."))
    entry = reader.page.locator(".channel", has_text="introductions")
    await expect(entry.locator(".count")).to_have_text("1")
    await playground.act(Say(to=GENERAL, text="A word in this one."))
    await expect(reader.page.locator("#spoken")).to_have_text("Kinfolk: A word in this one.")
    await entry.click()

    await expect(reader.message("A word in another channel.")).to_be_visible()
    await expect(entry.locator(".count")).to_have_count(0)


async def test_a_lost_connection_is_caught_up_with_nothing_lost_or_doubled(
    reader: Reader, playground: Playground
) -> None:
    await reader.page.context.set_offline(True)
    made = [await playground.act(Say(to=GENERAL, text=f"While you were out {number}.")) for number in range(3)]
    assert made[1].made
    await playground.act(Edit(message=made[1].made, channel=GENERAL, text="Changed while you were out."))
    await reader.page.context.set_offline(False)

    await expect(reader.messages.filter(has_text="while you were out")).to_have_count(3, timeout=15_000)
    await expect(reader.message("Changed while you were out.")).to_be_visible()
    reader.troubles[:] = [one for one in reader.troubles if "ERR_INTERNET_DISCONNECTED" not in one]


async def test_what_moderation_does_is_shown(reader: Reader, playground: Playground) -> None:
    await reader.become("Colm")
    await reader.say("Something unkind.")
    await expect(reader.message("Something unkind.")).to_be_visible()
    posted = str(await reader.message("Something unkind.").get_attribute("data-message"))
    await playground.act(Delete(message=ref(posted), channel=GENERAL))
    await expect(reader.page.locator(".tombstone").last).to_contain_text("Deleted by Kinfolk")
    await playground.act(Timeout(member=ref("colm"), minutes=5))
    await expect(reader.page.locator(".obstacle")).to_contain_text("You are timed out until")
    await playground.act(Ban(member=ref("colm")))

    await expect(reader.page.locator("#log")).to_contain_text("You are banned from this community.")
    await expect(reader.page.locator("#channels .channel")).to_have_count(0)


async def test_a_poll_is_voted_in(reader: Reader, playground: Playground) -> None:
    await playground.act(CreatePoll(channel=GENERAL, question="When shall we meet?", options=("Monday", "Tuesday")))
    await reader.page.locator(".option", has_text="Tuesday").click()

    await expect(reader.page.locator(".option.mine")).to_have_text("Tuesday1")


async def test_the_buttons_of_each_offer_stand_in_a_row(reader: Reader, playground: Playground) -> None:
    labels = ["Join #a", "Not for me", "Join #b", "Not for me"]
    buttons = tuple(Button(label=one, press="x", token=str(at)) for at, one in enumerate(labels))
    await playground.act(Say(to=GENERAL, text="Two offers", buttons=buttons))
    await playground.act(Say(to=GENERAL, text="One question", buttons=buttons[:3]))

    await expect(reader.message("Two offers").locator(".buttons")).to_have_count(2)
    await expect(reader.message("One question").locator(".buttons")).to_have_count(1)


async def test_what_is_refused_is_said_in_words(reader: Reader, brain: Brain) -> None:
    await reader.say("/mode guard loudly")

    await expect(reader.page.locator("#toast")).to_contain_text("mode is one of off, watch, ask, act")
    await expect(reader.field).to_have_value("/mode guard loudly")
    assert brain.arrivals == []
    reader.troubles[:] = [one for one in reader.troubles if "422" not in one]


async def test_the_banner_says_what_is_being_prepared(browser: Browser, there: tuple[Playground, Brain]) -> None:
    playground, brain = there
    brain.banner = "Preparing the encoder, once: 40 %"
    reader = Reader(page=await browser.new_page(), url=playground.url)
    await reader.open()
    banner = reader.page.locator("#banner")
    await expect(banner).to_have_text("Preparing the encoder, once: 40 %")
    brain.banner = ""

    await expect(banner).to_be_hidden()
    await reader.page.close()


async def test_a_thousand_messages_are_quick(reader: Reader, playground: Playground) -> None:
    for number in range(1000):
        await playground.act(Say(to=GENERAL, text=f"Message number {number}, about *nothing* in #garden."))
    await expect(reader.message("Message number 999")).to_be_visible(timeout=60_000)
    await expect(reader.messages.filter(has_text="Message number")).to_have_count(1000, timeout=60_000)
    milliseconds = await reader.page.evaluate(
        """async () => {
          const begun = performance.now();
          (await import("/static/app.js")).drawAll();
          document.getElementById("log").getBoundingClientRect();
          return performance.now() - begun;
        }"""
    )

    assert milliseconds < 20_000  # .4 s on an idle machine; what grows with the square of the messages takes minutes


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:8088"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"x-kinfolk": None},
        {"content-type": "text/plain"},
    ],
)
async def test_what_another_page_sends_is_refused(
    playground: Playground, brain: Brain, headers: dict[str, str | None]
) -> None:
    asked = b'{"deed": "write", "by": "ana", "room": "general", "text": "Hello"}'
    right = {"content-type": "application/json", "x-kinfolk": "page", "origin": playground.url}
    wrong = {name: value for name, value in (right | headers).items() if value is not None}
    async with httpx.AsyncClient(base_url=playground.url, verify=False, trust_env=False) as client:
        refused = await client.post("/api/do", content=asked, headers=wrong)
        assert brain.arrivals == []
        allowed = await client.post("/api/do", content=asked, headers=right)

    assert refused.status_code in {403, 415}
    assert "script-src 'self'" in refused.headers["content-security-policy"]
    assert (allowed.status_code, len(brain.arrivals)) == (200, 1)


async def test_another_page_reads_nothing(playground: Playground) -> None:
    async with httpx.AsyncClient(base_url=playground.url, verify=False, trust_env=False) as client:
        refused = await client.get("/api/state", headers={"origin": "https://evil.example"})
        rebound = await client.get("/api/state", headers={"host": "evil.example"})
        allowed = await client.get("/api/state")

    assert (refused.status_code, rebound.status_code, allowed.status_code) == (403, 403, 200)


async def test_a_request_too_large_is_refused(playground: Playground, brain: Brain) -> None:
    headers = {"content-type": "application/json", "x-kinfolk": "page"}
    async with httpx.AsyncClient(base_url=playground.url, verify=False, trust_env=False) as client:
        refused = await client.post("/api/do", content=b" " * (12 * 2**20 + 1), headers=headers)

    assert refused.status_code == 413
    assert brain.arrivals == []


async def test_a_port_in_use_is_named(playground: Playground, brain: Brain) -> None:
    port = int(playground.url.rpartition(":")[2])
    second = Playground(port=port, past=no_past, why=brain.why, ready=str, clock=SystemClock())
    with pytest.raises(Misconfigured, match=f"KINFOLK_PLAYGROUND_PORT.*127.0.0.1:{port}"):
        await second.run(brain.put, COMMANDS)
