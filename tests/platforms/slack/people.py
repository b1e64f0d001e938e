"""What people do in Slack's clients; what Slack does not let them do raises Refused."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from tests.platforms import Refused
from tests.platforms.slack.sockets import Envelope, Sockets
from tests.platforms.slack.world import APP, BOT, TEAM, Channel, Message, World


@dataclass(kw_only=True)
class Asked:
    """Something that somebody asked the bot for, where answers to it go, and what came."""

    id: str
    user: str
    channel: str
    envelope: Envelope
    message: str = ""
    made_at: float = field(default_factory=time.time)
    answers: list[dict] = field(default_factory=list)


class People:
    """Everybody in the workspace."""

    def __init__(self, world: World, sockets: Sockets, base: str) -> None:
        self.world = world
        self.sockets = sockets
        self.base = base
        self.asked: dict[str, Asked] = {}
        self.forms: dict[str, dict] = {}
        self.triggers: dict[str, str] = {}

    def _room(self, who: str, channel: str, *, writes: bool = True) -> Channel:
        room = self.world.channels.get(channel)
        if room is None or self.world.users[who].deleted:
            raise Refused("There is no such channel.")
        if writes and room.archived:
            raise Refused("The channel is archived.")
        if who not in room.members and (writes or room.private or room.im):
            raise Refused("They are not in that channel.")
        return room

    def post(self, who: str, channel: str, text: str, *, thread: str = "", **more: object) -> str:
        return self.world.post(who, self._room(who, channel), text, thread=thread, **more).ts

    def send(self, who: str, channel: str, name: str, data: bytes, text: str = "") -> str:
        """Send a file."""
        number = f"F{uuid.uuid4().hex[:10].upper()}"
        self.world.bytes[number] = data
        told = {"id": number, "name": name, "size": len(data), "url_private": f"{self.base}/files/{number}"}
        return self.post(who, channel, text, files=[told], subtype="file_share")

    def write(self, who: str, text: str) -> str:
        """Write to the bot alone; returns the conversation."""
        room = self.world.direct(who)
        self.world.post(who, room, text)
        return room.id

    def edit(self, who: str, channel: str, ts: str, text: str) -> None:
        room, message = self.world.find(channel, ts)
        if message.user != who:
            raise Refused("Only its author may change a message.")
        self.world.edit(room, message, text)

    def delete(self, who: str, channel: str, ts: str) -> None:
        room, message = self.world.find(channel, ts)
        if message.user != who and self.world.users[who].rank == 0:
            raise Refused("Only its author may delete a message.")
        self.world.delete(room, message)

    def react(self, who: str, channel: str, ts: str, name: str, *, on: bool = True) -> None:
        room, message = self.world.find(channel, ts)
        self.world.react(who, room, message, name, on=on)

    def join(self, who: str, channel: str, inviter: str = "") -> None:
        self.world.join(who, self.world.channels[channel], inviter)

    def leave(self, who: str, channel: str) -> None:
        self.world.leave(who, self.world.channels[channel])

    def arrive(self, name: str, locale: str) -> str:
        """Come to the workspace, and with that into the channels that newcomers are put into."""
        user = self.world.users[self.world.user(name, locale=locale)]
        self.world.user_changed(user, "team_join")
        for room in [one for one in self.world.channels.values() if one.joined_by_all]:
            self.world.join(user.id, room)
        return user.id

    def close_account(self, who: str, *, closed: bool) -> None:
        """Leave the workspace, or come back to it."""
        self.world.users[who].deleted = closed
        self.world.user_changed(self.world.users[who])

    def describe(self, who: str, channel: str, words: str, field: str = "purpose") -> None:
        room = self._room(who, channel)
        if self.world.users[who].rank == 0:
            raise Refused("The workspace lets only its staff do that.")
        self.world.describe(who, room, field, words)

    # Asking the bot

    def command(self, who: str, channel: str, command: str, text: str = "") -> Asked:
        room = self._room(who, channel, writes=False)
        return self._ask(
            "slash_commands",
            who,
            channel,
            {
                "token": "t",
                "team_id": TEAM,
                "team_domain": "harbour",
                "channel_id": channel,
                "channel_name": "directmessage" if room.im else room.name,
                "user_id": who,
                "user_name": self.world.users[who].name.lower(),
                "command": command,
                "text": text,
                "api_app_id": APP,
                "is_enterprise_install": "false",
            },
        )

    def press(self, who: str, channel: str, ts: str, value: str) -> Asked:
        """Press the button of a message that carries this."""
        room = self._room(who, channel, writes=False)
        message = room.messages.get(ts)
        if message is None or (message.only and message.only != who):
            raise Refused("They see no such message.")
        button = self._button(message, value)
        action = {**button, "block_id": "b1", "action_ts": self.world.stamp()}
        return self._ask(
            "interactive",
            who,
            channel,
            {
                "type": "block_actions",
                "container": {
                    "type": "message",
                    "message_ts": ts,
                    "channel_id": channel,
                    "is_ephemeral": bool(message.only),
                },
                "channel": {"id": channel, "name": room.name},
                "message": message.shown(),
                "state": {"values": {}},
                "actions": [action],
            },
            message=ts,
        )

    def _button(self, message: Message, value: str) -> dict:
        for block in message.blocks:
            for one in block.get("elements", ()):
                if one.get("value") == value:
                    return one
        raise Refused("There is no such button.")

    def press_home(self, who: str, value: str) -> Asked:
        """Press a button of the bot's home tab."""
        buttons = [one for block in self.world.homes[who]["blocks"] for one in block.get("elements", ())]
        button = next(one for one in buttons if one["value"] == value)
        action = {**button, "block_id": "b1", "action_ts": self.world.stamp()}
        view = {"type": "view", "view_id": "V1"}
        payload = {"type": "block_actions", "container": view, "actions": [action], "view": self.world.homes[who]}
        return self._ask("interactive", who, "", payload)

    def menu(self, who: str, channel: str, ts: str, callback: str) -> Asked:
        """Choose a command from the menu of a message."""
        room, message = self.world.find(channel, ts)
        self._room(who, channel, writes=False)
        return self._ask(
            "interactive",
            who,
            channel,
            {
                "type": "message_action",
                "callback_id": callback,
                "message_ts": ts,
                "channel": {"id": channel, "name": room.name},
                "message": message.shown(),
            },
        )

    def submit(self, who: str, filled: dict[str, str]) -> Envelope:
        """Fill in the form that is shown, and send it."""
        view = self.forms.pop(who)
        values = {
            block["block_id"]: {
                block["element"]["action_id"]: {
                    "type": "plain_text_input",
                    "value": filled.get(block["element"]["action_id"]),
                }
            }
            for block in view["blocks"]
        }
        shown = {**view, "id": "V2", "state": {"values": values}}
        payload = {"type": "view_submission", "view": shown, "response_urls": [], **self._who(who)}
        return self.sockets.send("interactive", payload, answers=True)

    def open_home(self, who: str) -> None:
        channel = self.world.direct(who).id
        self.world.tell(
            {"type": "app_home_opened", "user": who, "channel": channel, "tab": "home", "event_ts": self.world.stamp()}
        )

    def _who(self, who: str) -> dict:
        trigger = f"1.2.{uuid.uuid4().hex}"
        self.triggers[trigger] = who
        return {
            "user": {"id": who, "username": self.world.users[who].name.lower(), "team_id": TEAM},
            "team": {"id": TEAM, "domain": "harbour"},
            "api_app_id": APP,
            "token": "t",
            "trigger_id": trigger,
        }

    def _ask(self, kind: str, who: str, channel: str, payload: dict, message: str = "") -> Asked:
        name = uuid.uuid4().hex
        more = self._who(who)
        if kind == "slash_commands":
            more = {"trigger_id": more["trigger_id"]}
        if channel:
            more["response_url"] = f"{self.base}/respond/{name}"
        envelope = self.sockets.send(kind, {**payload, **more}, answers=True)
        made = Asked(id=name, user=who, channel=channel, envelope=envelope, message=message)
        self.asked[name] = made
        return made

    # What they see

    def sees(self, who: str, channel: str) -> list[Message]:
        room = self.world.channels.get(channel)
        if room is None or ((room.private or room.im) and who not in room.members):
            raise Refused("They do not see that channel.")
        return [one for one in sorted(room.messages.values(), key=lambda one: one.ts) if one.only in {"", who}]

    def channels(self, who: str) -> list[Channel]:
        rooms = self.world.channels.values()
        return [one for one in rooms if who in one.members or not (one.private or one.im)]

    def told_directly(self, who: str) -> list[Message]:
        room = next((one for one in self.world.channels.values() if one.im == who), None)
        return [one for one in self.sees(who, room.id) if one.user == BOT] if room else []
