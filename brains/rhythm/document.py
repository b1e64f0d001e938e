"""A pulse as the JSON document that `kinfolk pulse` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.core.things import Message
    from brains.rhythm.pulse import Part, Pulse
    from brains.rhythm.topics import Topic
    from brains.rhythm.trends import Mood


def document(pulse: Pulse, named: Callable[[Message], str]) -> dict[str, object]:
    """Write a pulse; `named` gives what a message is called outside, such as its imported id."""
    return {
        "since": pulse.window.since.isoformat(),
        "until": pulse.window.until.isoformat(),
        "reads_mood": pulse.reads,
        "all": _part(pulse, pulse.whole, named),
        "channels": [
            {"channel": one.channel.name if one.channel else "", **_part(pulse, one, named)} for one in pulse.lively
        ],
    }


def _part(pulse: Pulse, part: Part, named: Callable[[Message], str]) -> dict[str, object]:
    return {
        "messages": part.messages,
        "messages_before": part.messages_before,
        "people": part.people,
        "mood": _mood(part.mood),
        "mood_before": _mood(part.mood_before),
        "days": [{"day": one.day.isoformat(), "messages": one.messages, "mood": _mood(one.mood)} for one in part.days],
        "hours": list(part.hours),
        "rising": [_topic(pulse, one, named) for one in part.change.rising],
        "falling": [_topic(pulse, one, named) for one in part.change.falling],
    }


def _mood(mood: Mood | None) -> dict[str, object] | None:
    if mood is None:
        return None
    return {"mean": round(mood.mean, 4), "low": round(mood.low, 4), "high": round(mood.high, 4), "n": mood.n}


def _topic(pulse: Pulse, topic: Topic, named: Callable[[Message], str]) -> dict[str, object]:
    return {
        "topic": topic.name,
        "terms": list(topic.terms),
        "messages": topic.now,
        "messages_before": topic.before,
        "times": round(topic.times, 2),
        "z": round(topic.z, 2),
        "evidence": [named(pulse.said[row]) for row in topic.rows if row in pulse.said],
    }
