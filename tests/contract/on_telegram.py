"""Telegram, through what people do in its clients: our server for the tests, the real library, the adapter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from pydantic import SecretStr

from adapters.telegram.adapter import Telegram
from bot.core.actions import Button
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS as EVERY
from bot.core.counts import Counts
from bot.core.events import Named
from bot.core.things import Ref
from tests.contract.platform import (
    CLOSED,
    COMMANDS,
    DELETING,
    DESCRIBING,
    JOINING,
    OWN_BUTTONS,
    REFUSING,
    Platform,
    Recorder,
    Refused,
    Seen,
    SeenChannel,
    SeenMember,
    no_appeals,
    until_ready,
)
from tests.platforms.telegram import Harbour, TelegramServer, harbour, telegram_server
from tests.platforms.telegram.town import BOT_NAME, Chat, Membership, Message

LACKS = {
    CLOSED: "whoever is in a group of Telegram reads all its topics",
    COMMANDS: "a command is the words of a message on Telegram, which checks none of them",
    DELETING: "Telegram tells a bot of no message that somebody took away",
    DESCRIBING: "topics of Telegram have a name and nothing else",
    JOINING: "topics of Telegram are not joined: who is in the group is in them",
    OWN_BUTTONS: "Telegram's buttons are for everybody; whose a press is, is judged by whoever answers it",
    REFUSING: "Telegram tells of what happened and asks nobody's leave; the adapter keeps it until it can be stored",
}


def ref(*parts: object) -> Ref:
    return Ref("telegram", "/".join(str(part) for part in parts))


class OnTelegram:
    """The small community on the server for the tests."""

    lacks: Mapping[str, str] = LACKS

    def __init__(self, adapter: Telegram, heard: Recorder, server: TelegramServer, town: Harbour | None = None) -> None:
        self.adapter = adapter
        self.heard = heard
        self.server = server
        self.who = town or harbour(server.town)
        group = self.who.group.id
        self.bot, self.space = ref(server.town.bot), ref(group)
        self.owner, self.member = ref(self.who.anna), ref(self.who.ben)
        self.public, self.private = ref(group, f"t{self.who.pier.id}"), ref(group, f"t{self.who.office.id}")
        self.message = ref(group, self.who.hello.id)
        self.greeter = ref("greeter")
        self.presses: dict[str, tuple[Ref, Ref]] = {}

    async def spaces(self, _member: Ref) -> list[Named]:
        """Answer the adapter as if the group was met before."""
        return [Named(ref=self.space, name=self.who.group.title)]

    async def settle(self) -> None:
        """Wait until every update is confirmed, and what the bot did is told too."""
        while True:
            await self.server.updates.settled()
            ears = self.adapter.ears
            busy = set(ears.tasks) if ears else set()
            if not busy and not self.server.updates.waiting:
                return
            if busy:
                await asyncio.wait(busy)

    # What people do

    async def post(self, who: Ref, channel: Ref, text: str, reply_to: Ref | None = None) -> Ref:
        chat, topic = self._place(channel)
        answered = _last(reply_to) if reply_to else 0
        made = await self.server.people.post(_last(who), chat, text, topic=topic, reply_to=answered)
        return ref(chat.id, made.id)

    async def send(self, who: Ref, channel: Ref, name: str, data: bytes, text: str = "") -> Ref:
        chat, topic = self._place(channel)
        made = await self.server.people.send(_last(who), chat, name, data, caption=text, topic=topic)
        return ref(chat.id, made.id)

    def lose_files(self) -> None:
        self.server.town.files.clear()

    def to_bot(self, text: str) -> str:
        return f"@{BOT_NAME} {text}"

    async def edit(self, who: Ref, message: Ref, text: str) -> None:
        await self.server.people.edit(_last(who), self._message(message), text)

    async def delete(self, who: Ref, message: Ref) -> None:
        await self.server.people.delete(_last(who), self._message(message))

    async def react(self, who: Ref, message: Ref, emoji: str, *, on: bool) -> None:
        await self.server.people.react(_last(who), self._message(message), emoji, on=on)

    async def join(self, who: Ref, channel: Ref | None) -> None:
        if channel:
            raise Refused(LACKS[JOINING])
        await self.server.people.join(_last(who), self.who.group)

    async def leave(self, who: Ref, channel: Ref | None) -> None:
        if channel:
            raise Refused(LACKS[JOINING])
        await self.server.people.leave(_last(who), self.who.group)

    async def arrive(self, name: str, language: str) -> Ref:
        theirs = "zh-hans" if language.startswith("zh") else language
        return ref((await self.server.people.arrive(self.who.group, name, theirs)).id)

    async def command(self, who: Ref, channel: Ref, line: str) -> None:
        raise Refused(LACKS[COMMANDS])

    async def press(self, who: Ref, message: Ref, button: Button) -> None:
        shown = self._message(message)
        found = (one["callback_data"] for row in shown.keyboard for one in row)
        data = next(one for one in found if one.partition("@")[0] == button.token)
        query = await self.server.people.press(_last(who), shown, data)
        self.presses[query] = (who, ref(shown.chat, f"t{shown.topic}") if shown.topic else ref(shown.chat))
        await self.settle()

    async def describe(self, who: Ref, channel: Ref, description: str) -> None:
        raise Refused(LACKS[DESCRIBING])

    async def bring_bot(self, who: Ref) -> None:
        group, bot, owner = self.who.group, self.server.town.bot, _last(who)
        await self.server.people.become(group, bot, Membership(status="left"), by=owner)
        await self.settle()
        self.heard.arrivals.clear()
        await self.server.people.bring_bot(owner, group)

    # What people see

    async def sees(self, who: Ref, channel: Ref) -> list[Seen]:
        chat, topic = self._place(channel)
        if _last(who) != chat.id and not self.server.town.is_inside(chat, _last(who)):
            raise Refused("They are not in there.")
        shown = [self._seen(one) for one in chat.messages.values() if one.topic == topic and _is_shown(one)]
        return [*shown, *self._alerts(who, channel)]

    def _alerts(self, who: Ref, channel: Ref) -> list[Seen]:
        """Return what this member's client showed them in answer to a press."""
        told = self.server.methods.alerts
        pressed = [query for query, place in self.presses.items() if place == (who, channel) and told.get(query)]
        alert = Message(id=0, chat=0, author=self.server.town.bot, date=0)
        return [
            replace(self._seen(replace(alert, text=told[query])), message=ref("alert", query), only_me=True)
            for query in pressed
        ]

    def _seen(self, one: Message) -> Seen:
        return Seen(
            message=ref(one.chat, one.id),
            author=ref(one.author),
            text=one.text or one.caption,
            deleted=False,
            edited=bool(one.edited),
            only_me=one.chat > 0,
            reply_to=ref(one.chat, one.reply_to) if one.reply_to else None,
            reactions={emoji: set(map(ref, users)) for emoji, users in one.reactions.items() if users},
            buttons=[button["text"] for row in one.keyboard for button in row],
            files=dict(one.files),
            options=[option["text"] for option in one.poll["options"]] if one.poll else [],
            event="",
        )

    async def channels(self, who: Ref) -> dict[Ref, SeenChannel]:
        seen = []
        for chat in self.server.town.chats.values():
            if chat.type == "private" and chat.id == _last(who) and chat.messages:
                seen.append(_channel(ref(chat.id), "direct", archived=False, members={who, self.bot}))
            elif self.server.town.is_inside(chat, _last(who)):
                members = {ref(one) for one in chat.members if self.server.town.is_inside(chat, one)}
                seen.append(_channel(ref(chat.id), chat.title, archived=False, members=members))
                seen += [
                    _channel(ref(chat.id, f"t{one.id}"), one.name, archived=one.closed, members=members)
                    for one in chat.topics.values()
                ]
        return {one.ref: one for one in seen}

    async def who_is(self, member: Ref) -> SeenMember:
        town, found = self.server.town, self.who.group.members.get(_last(member))
        return SeenMember(
            here=town.is_inside(self.who.group, _last(member)),
            banned=found is not None and found.status == "kicked",
            quiet=found is not None and found.muted,
            roles=set(),
        )

    async def planned(self, who: Ref, made: Ref) -> str:
        return ""

    def _place(self, channel: Ref) -> tuple[Chat, int]:
        number, _slash, topic = channel.id.partition("/t")
        return self.server.town.chats[int(number)], int(topic or 0)

    def _message(self, message: Ref) -> Message:
        chat, _slash, number = message.id.partition("/")
        return self.server.town.chats[int(chat)].messages[int(number)]


def _last(named: Ref) -> int:
    return int(named.id.rpartition("/")[2])


def _is_shown(one: Message) -> bool:
    return not one.deleted and (one.text is not None or bool(one.caption or one.files or one.poll))


def _channel(named: Ref, name: str, *, archived: bool, members: set[Ref]) -> SeenChannel:
    direct = name == "direct"
    return SeenChannel(
        ref=named, name=name, description="", archived=archived, private=False, direct=direct, members=members
    )


async def _nothing(_space: Ref) -> None:
    return None


async def _never() -> None:
    return None


@contextlib.asynccontextmanager
async def on_telegram() -> AsyncIterator[Platform]:
    """Open Telegram with the adapter connected."""
    async with telegram_server() as server:
        heard, clock = Recorder(), SystemClock()
        adapter = Telegram(
            token=SecretStr(server.token),
            clock=clock,
            counts=Counts(clock),
            known=_nothing,
            spaces=lambda member: driver.spaces(member),
            appeals=no_appeals,
            latest=_never,
            api=server.api,
        )
        driver = OnTelegram(adapter, heard, server)
        running = asyncio.create_task(adapter.run(heard.put, EVERY))
        try:
            await until_ready(adapter.ready, running)
            await driver.settle()
            heard.arrivals.clear()
            yield driver
            heard.full = False
            await driver.settle()
        finally:
            running.cancel()
            await asyncio.wait([running])
        assert server.faults.gaps == []
