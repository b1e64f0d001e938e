"""What the playground refuses, and in which words. The page says the same in its reader's language."""

from __future__ import annotations

from bot.core.errors import Mistake

SENTENCES = {
    "no_member": "There is no member {name!r} here.",
    "no_channel": "There is no channel {name!r} here.",
    "no_message": "There is no message {name!r} here.",
    "no_thread": "There is no thread {name!r} here.",
    "no_command": "There is no command /{name}. Type / to see what there is.",
    "rank": "/{name} is for staff. Switch to a member of the staff to use it.",
    "foreign": "{name!r} is not on the playground.",
    "cannot": "The playground cannot do {name}.",
    "private": "{name} does not see this channel.",
    "join_first": "Join #{name} to take part in it.",
    "out": "{name} is not in this community; come back in first.",
    "banned": "{name} is banned here.",
    "quiet": "{name} is timed out and may not write until {until} UTC.",
    "archived": "#{name} is archived; nobody writes there.",
    "deleted": "This message is deleted.",
    "not_yours": "Only its author may change this message.",
    "not_mine": "The bot may change its own messages only.",
    "not_private": "This message was said to everybody, not to one member.",
    "staff_only": "Only staff may do this.",
    "protected": "{name} cannot be moderated.",
    "taken": "There is a channel #{name} already.",
    "no_button": "This message has no such button any more.",
    "not_for_you": "This button is for {name}.",
    "no_option": "This poll has no such option.",
    "empty": "There is nothing to say.",
    "too_long": "A message is at most {most} characters long; this one has {length}.",
}


class Refused(Mistake):
    """The playground says no. `code` names the sentence, `details` are what it is about."""

    def __init__(self, code: str, **details: str | int) -> None:
        super().__init__(SENTENCES[code], **details)
        self.code = code
