"""A pulse in three sentences: how much was said, in what mood, and about what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.core import wording
from bot.core.i18n import _
from bot.core.wording import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.i18n import Translate
    from brains.rhythm.pulse import Part, Pulse
    from brains.rhythm.topics import Topic
    from brains.rhythm.trends import Mood

SAME = 0.1
"""Share by which a number of messages may differ and still be called about as many."""
MILD = 0.05
"""How far from 0 the interval of a mood must stay to be called positive or negative."""
TOLD = 3


def told(pulse: Pulse, part: Part, translate: Translate) -> list[str]:
    """Return the three sentences about a part of a pulse, as Markdown."""
    if not part.messages:
        sentence = translate(_("Nothing was said here in {days} days."))
        return [sentence.format(days=pulse.window.days)]
    return [_volume(pulse, part, translate), _mood(pulse, part, translate), _topics(part, translate)]


def _volume(pulse: Pulse, part: Part, translate: Translate) -> str:
    lively = [one for one in pulse.lively if one.messages]
    if part.channel is None and len(lively) > 1:
        sentence = _("{count} messages by {people} members in {days} days, {change}; {share} of them in {channel}.")
        busiest = lively[0]
        assert busiest.channel is not None  # noqa: S101 - only channels are lively
        channel = wording.channel(busiest.channel.ref, busiest.channel.name)
        share = f"{busiest.messages / part.messages:.0%}"
    else:
        sentence = _("{count} messages by {people} members in {days} days, {change}; most of them around {hour}:00.")
        channel = share = ""
    return translate(sentence).format(
        count=part.messages,
        people=part.people,
        days=pulse.window.days,
        change=_compared(part, translate),
        channel=channel,
        share=share,
        hour=max(range(len(part.hours)), key=lambda hour: part.hours[hour]),
    )


def _compared(part: Part, translate: Translate) -> str:
    if not part.messages_before:
        return translate(_("while nothing is held of as many days before"))
    more = part.messages / part.messages_before - 1
    if abs(more) < SAME:
        return translate(_("about as many as in as many days before"))
    sentence = (
        _("{share} more than in as many days before") if more > 0 else _("{share} fewer than in as many days before")
    )
    return translate(sentence).format(share=f"{abs(more):.0%}")


def _mood(pulse: Pulse, part: Part, translate: Translate) -> str:
    if not pulse.reads:
        return translate(_("I cannot tell the mood: I learned it with another encoder than the one in use."))
    if part.mood is None:
        return translate(_("Too few spoke for me to tell the mood."))
    sentence = translate(_("The mood was {mood} ({mean} on a scale from −1 to +1), {change}."))
    mood, change = translate(called(part.mood)), translate(_changed(part.mood, part.mood_before))
    return sentence.format(mood=mood, mean=signed(part.mood.mean), change=change)


def called(mood: Mood) -> str:
    """Return the word for a mood: positive or negative where its whole interval is."""
    if mood.low > MILD:
        return _("positive")
    return _("negative") if mood.high < -MILD else _("neutral")


def signed(value: float) -> str:
    """Write a mood with its sign, to two digits."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")  # what rounds to nothing has no minus


def _changed(mood: Mood, before: Mood | None) -> str:
    if before is None:
        return _("with nothing before to hold it beside")
    if not mood.differs(before):
        return _("as before, as far as can be told")
    return _("better than before") if mood.mean > before.mean else _("worse than before")


def _topics(part: Part, translate: Translate) -> str:
    rising, falling = part.change.rising[:TOLD], part.change.falling[:TOLD]
    if rising and falling:
        sentence = _("This week more was said of {rising}, and less of {falling}, than in the four weeks before.")
    elif rising:
        sentence = _("This week more was said of {rising} than in the four weeks before.")
    elif falling:
        sentence = _("This week less was said of {falling} than in the four weeks before.")
    else:
        sentence = _("No topic stands out this week beside the four weeks before.")
    return translate(sentence).format(rising=_listed(rising, translate), falling=_listed(falling, translate))


def _listed(found: Sequence[Topic], translate: Translate) -> str:
    one = translate(_("{topic} ({times} times as often)"))
    return translate(_("; ")).join(one.format(topic=f"**{escape(topic.name)}**", times=times(topic)) for topic in found)


def times(topic: Topic) -> str:
    """Write how many times as often a topic is spoken of, to two digits that tell."""
    return f"{topic.times:.0f}" if topic.times >= 10 else f"{topic.times:.2g}"  # noqa: PLR2004 - digits
