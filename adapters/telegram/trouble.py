"""What Telegram refuses, in words for whoever reads `/why`: it names few of its reasons in a way that people know."""

from __future__ import annotations

UNOPENED = (
    "bot can't initiate conversation",
    "bot was blocked by the user",
    "user is deactivated",
    "PEER_ID_INVALID",
    "bot can't send messages to bots",
)
"""How Telegram says that somebody takes no direct messages from the bot."""
NOT_FOUND = ("message to delete not found", "message to edit not found", "MESSAGE_ID_INVALID")
UNCHANGED = ("message is not modified", "TOPIC_NOT_MODIFIED")
"""How it says that what was wanted is so already."""
WORDS = {
    "message can't be deleted for everyone": "Telegram lets nobody take that message away any more: it is too old",
    "message can't be deleted": "I lack Delete Messages, or it is older than 48 hours",
    "message can't be edited": "I change my own messages only",
    "not enough rights": "I lack a right for that. Make me an administrator with it: group, Administrators, my name",
    "CHAT_ADMIN_REQUIRED": "I am no administrator there. Make me one: group, Administrators",
    "need administrator rights": "I am no administrator there. Make me one: group, Administrators",
    "user is an administrator": "they are an administrator, and Telegram lets no bot act on those",
    "can't remove chat owner": "they own the group, and nobody acts on them",
    "can't restrict self": "I do not act on myself",
    "method is available only for supergroups": "small groups have no such thing; switch on Topics or a public link",
    "method is available for supergroup": "small groups have no such thing; switch on Topics or a public link",
    "PARTICIPANT_ID_INVALID": "they never were in this group",
    "USER_NOT_PARTICIPANT": "they are not in this group",
    "user not found": "nobody of that number is known to me",
    "the chat is not a forum": "topics are switched off in this group. Switch them on: group, Edit, Topics",
    "TOPIC_CLOSED": "the topic is closed",
    "message thread not found": "the topic was deleted",
    "chat not found": "I am not in that chat",
    "bot was kicked": "I was taken out of that group",
    "bot is not a member": "I am not in that chat",
    "group chat was deactivated": "that group does not exist any more",
    "have no rights to send": "nobody of my rank may write there. Make me an administrator",
    "REACTION_INVALID": "this group does not allow that emoji as a reaction",
    "can't parse entities": "Telegram did not understand how I wrote it",
    "message is too long": "the text is too long for one message",
}
"""What parts of Telegram's descriptions mean."""


class Refused(Exception):
    """What Telegram would not let happen; the text says why and what to do. `opens` is where a conversation begins."""

    def __init__(self, words: str, *, opens: str = "") -> None:
        super().__init__(words)
        self.opens = opens


def says(error: Exception, parts: tuple[str, ...]) -> bool:
    """Say whether a refusal is one of these."""
    told = str(error).lower()
    return any(part.lower() in told for part in parts)


def in_words(error: Exception) -> str:
    """Return what a refusal means, with Telegram's own words."""
    told = str(error)
    meaning = next((words for part, words in WORDS.items() if part.lower() in told.lower()), "")
    return f"{meaning} (Telegram: {told})" if meaning else f"Telegram refuses: {told}"
