"""All that examines a message of one community, put together: rules, heads as corrected here, and the memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.core.i18n import _
from brains.moderation.detection import Detection, verdict
from brains.moderation.learned import Learned
from brains.moderation.memory import SpamMemory
from brains.moderation.pictures import PictureWatch, text_of
from brains.moderation.signature import skeleton
from brains.moderation.undisguise import Undisguised, undisguise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.core.i18n import Translate
    from bot.core.ports import Encoder, Picture, Vector
    from bot.core.things import Ref
    from brains.moderation.detection import Kind, Post, Verdict
    from brains.moderation.heads import Heads
    from brains.moderation.pictures import KnownPictures
    from brains.moderation.raids import Raid, RaidWatch
    from brains.moderation.rulebook import Rulebooks

LOOKS: dict[str, str] = {
    "toxicity": _("sounds insulting ({sure:.0%} sure)"),
    "hate": _("sounds hateful ({sure:.0%} sure)"),
    "sexual": _("sounds sexual ({sure:.0%} sure)"),
    "spam": _("looks like spam or a scam ({sure:.0%} sure)"),
    "self_harm": _("may be about harming oneself ({sure:.0%} sure)"),
}
DOUBTFUL = 0.5
"""How sure a head is of what is not chosen to be quoted: that it is harm is likelier than not."""
CARELESS = frozenset({"repeats", "figures", "markup", "marks"})
"""Tricks of disguise that people also use without a thought: ahhhh, gr8, a bold syllable, an accent."""
KINDS: dict[str, Kind] = {one: one for one in ("toxicity", "hate", "sexual", "spam", "self_harm")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What came of examining a message: all detections, what each head thinks of it, and the raid that is on."""

    undisguised: Undisguised
    detections: tuple[Detection, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    raid: Raid | None = None

    @property
    def verdict(self) -> Verdict:
        """Return what all detections together say."""
        return verdict(list(self.detections))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moderator:
    """The detectors of one community as they are now. `rules` gives the rulebook of a channel, `raids` watches all.

    `encoder` is the fingerprint of the vectors that posts come with; empty where there is none.
    """

    rules: Rulebooks | None = None
    raids: RaidWatch | None = None
    heads: Heads | None = None
    encoder: str = ""
    memory: SpamMemory = field(default_factory=SpamMemory)
    album: KnownPictures | None = None
    watch: PictureWatch = field(default_factory=PictureWatch)
    learned: Learned = field(default_factory=Learned)

    async def encoded(self, post: Post, encoder: Callable[[], Awaitable[Encoder]]) -> Post:
        """Return a post with the vector of its plain form, where it was disguised. Raises Overloaded or Gone.

        The encoder is asked for only then.
        """
        undone = undisguise(post.text)
        if post.vector is None or not undone.tricks or not undone.plain.strip():
            return post
        return replace(post, plain_vector=(await (await encoder()).encode([undone.plain]))[0])

    def examine(self, post: Post, translate: Translate = str, *, pictures: Sequence[Picture] = ()) -> Examination:
        """Let every detector look at a message and its pictures, which count in the windows from then on."""
        undone = undisguise(post.text)
        found: list[Detection] = []
        if self.rules is not None:
            found += self.rules(post.channel).examine(post, undone, translate)
        scores = self._scores(post, undone)
        found += self._heard(scores, post, undone, translate)
        found += self.memory.examine(post, undone.plain, translate)
        found += self.watch.examine(post, pictures, known=self.album, translate=translate)
        found += self._written(post, text_of(pictures), translate)
        bones = skeleton(undone.plain)
        raid = self.raids.said(post.author, post.at, bones, post.joined_at, post.space) if self.raids else None
        return Examination(undisguised=undone, detections=tuple(found), scores=scores, raid=raid)

    def weigh(self, post: Post) -> Verdict:
        """Say what rules and heads make of words that the bot is about to say itself; no window counts them."""
        return self._weighed(post, undisguise(post.text))[0]

    def may_quote(self, post: Post) -> bool:
        """Say whether words may be chosen to be repeated to many: silence costs little, so a doubt is enough."""
        undone = undisguise(post.text)
        if undone.tricks - CARELESS:
            return False
        said, scores = self._weighed(post, undone)
        return said == "allow" and max(scores.values(), default=0.0) < DOUBTFUL

    def _weighed(self, post: Post, undone: Undisguised) -> tuple[Verdict, Mapping[str, float]]:
        found = self.rules(post.channel).read(post.text, undone) if self.rules is not None else []
        scores = self._scores(post, undone)
        return verdict(found + self._heard(scores, post, undone, str)), scores

    def came(self, member: Ref, at: datetime, space: Ref | None = None) -> Raid | None:
        """Take note of somebody who came into a space; return the raid that is on."""
        return self.raids.came(member, at, space) if self.raids is not None else None

    def _written(self, post: Post, words: str, translate: Translate) -> list[Detection]:
        """Return what speaks against words that stand in pictures: no vector is made of these."""
        if not words:
            return []
        written = replace(post, text=words, vector=None, plain_vector=None)
        undone = undisguise(words)
        found = self._heard(self._scores(written, undone), written, undone, translate)
        found += self.memory.examine(written, undone.plain, translate)
        said = translate(_("in the picture: {reason}"))
        return [replace(one, reason=said.format(reason=one.reason)) for one in found]

    def _vector(self, post: Post, undone: Undisguised) -> Vector | None:
        """Return the vector of the plain form, None where the heads cannot read it."""
        if self.heads is None or not self.heads.serves(self.encoder):
            return None
        return _read(post, undone)

    def _scores(self, post: Post, undone: Undisguised) -> dict[str, float]:
        """Return how sure each head is, as the community's verdicts corrected it."""
        if self.heads is None or not undone.plain.strip():
            return {}
        vector = self._vector(post, undone)
        rows = None if vector is None else vector[None, :]
        shipped = self.heads.scores([undone.text], [undone.plain], rows, tricks=[undone.tricks])
        own = _read(post, undone)
        return {head: self.learned.adjust(head, float(scores[0]), own) for head, scores in shipped.items()}

    def _heard(
        self, scores: Mapping[str, float], post: Post, undone: Undisguised, translate: Translate
    ) -> list[Detection]:
        """Return what each head makes of its score by its thresholds, and the words that it rests on."""
        if self.heads is None or not scores:
            return []
        found: list[Detection] = []
        sees = self._vector(post, undone) is not None
        thresholds = self.heads.thresholds(with_vector=sees, text=undone.plain)
        for head, score in scores.items():
            if score < thresholds[head].flag:
                continue
            words = self.heads.explain(undone.plain, head)
            # Letters alone know too little of what is said to take anything away.
            removes = sees and score >= thresholds[head].remove and head != "self_harm"
            found.append(
                Detection(
                    detector=head,
                    kind=KINDS[head],
                    severity="remove" if removes else "flag",
                    reason=_reason(head, score, words, translate),
                    score=score,
                    found=words[0] if words else "",
                )
            )
        return found


def _read(post: Post, undone: Undisguised) -> Vector | None:
    """Return the vector of what its readers take a message for, as heads were taught by such."""
    return post.plain_vector if undone.tricks else post.vector


def _reason(head: str, score: float, words: list[str], translate: Translate) -> str:
    looks = translate(LOOKS[head]).format(sure=np.floor(score * 1000) / 1000)
    if not words:
        return looks
    sentence = translate(_("{looks}, above all for: {words}"))
    return sentence.format(looks=looks, words=", ".join(words))
