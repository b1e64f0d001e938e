"""A community's rules, compiled once, and what they say of a message. Pure, but for windows and a file of domains."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bot.core.i18n import _
from brains.moderation import counting, links
from brains.moderation.detection import Detection
from brains.moderation.domains import WELL_KNOWN, DomainFile, imitated, is_under, registered, worn
from brains.moderation.expressions import Expressions
from brains.moderation.presets import MEANINGS, PRESETS
from brains.moderation.rules import ChannelRules, Rules, expressions, phrases
from brains.moderation.undisguise import LONGEST, skeleton, whole_characters
from brains.moderation.windows import Said, Windows, pairs
from brains.moderation.words import Words, is_by_letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.core.i18n import Translate
    from bot.core.things import Ref
    from brains.moderation.detection import Kind, Post
    from brains.moderation.links import Link
    from brains.moderation.presets import Consequence, Figures, Limit, Preset
    from brains.moderation.undisguise import Undisguised

SHOWN = 60
"""Characters of what was found that a reason repeats."""
PARTS = 20
"""Parts of an address that are compared with those which the rules name."""
BONES = 500
"""Letters of a text that are compared with others."""


def figures(rules: ChannelRules, preset: Preset) -> Figures:
    """Return what rules allow: the preset's figures, but for those that they set themselves."""
    from dataclasses import asdict

    own: dict[str, object] = {}
    for name, limit in rules.limits:
        own |= {} if limit is None else {name: None if limit == "off" else limit}
    own |= {name: getattr(rules.links, name) for name in ("invites", "lookalikes", "masked", "shorteners", "addresses")}
    newcomers = rules.newcomers
    own |= {"newcomer": newcomers.messages, "newcomer_links": newcomers.links, "newcomer_mentions": newcomers.mentions}
    own |= {"young_account": newcomers.younger_than_hours, "just_joined": newcomers.joined_within_hours}
    if isinstance(rules, Rules):
        for name, limit in (("raid_joins", rules.raid.joins), ("raid_alike", rules.raid.alike)):
            own |= {} if limit is None else {name: None if limit == "off" else limit}
        own["raid_quiet"] = rules.raid.quiet
    limits = {name for name, limit in rules.limits if limit is not None} | {"raid_joins", "raid_alike"} & own.keys()
    changed = {name: value for name, value in own.items() if value is not None or name in limits}
    base = PRESETS[rules.preset or preset]
    assert asdict(base).keys() >= changed.keys()  # noqa: S101 - every field of the rules is one of the table
    return replace(base, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rulebook:
    """The rules of one channel. `windows` are its community's, over all channels."""

    figures: Figures
    words: Words
    expressions: Expressions
    windows: Windows
    only: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()
    domains: DomainFile | None = None
    roles: frozenset[Ref] = frozenset()
    off: bool = False

    def examine(self, post: Post, undisguised: Undisguised, translate: Translate = str) -> list[Detection]:
        """Return all that is against the rules, with reasons; the post counts in the windows from then on."""
        if self.off or post.roles & self.roles:
            return []
        text, plain = whole_characters(post.text[:LONGEST]), undisguised.plain
        leads = _links(text, plain)
        found = self.read(text, undisguised, leads, translate)
        bones = skeleton(plain)[:BONES]
        said = Said(
            author=post.author,
            channel=post.channel,
            at=post.at,
            message=post.message,
            bones=bones,
            pairs=pairs(bones),
            mentions=counting.mentions(text),
            links=len(leads),
            attachments=len(post.files),
            emoji=counting.emoji(text),
        )
        self.windows.note(said)
        found += self._too_much(said, translate)
        found += self._again(said, translate)
        found += self._newcomer(post, said, translate)
        return found

    def read(
        self, text: str, undisguised: Undisguised, leads: Sequence[Link] | None = None, translate: Translate = str
    ) -> list[Detection]:
        """Return what in the words and links of a text is against the rules, whoever says it; no window counts it."""
        if self.off:
            return []
        plain = undisguised.plain
        texts = (plain,) if plain == text else (plain, text)
        found = _links(text, plain) if leads is None else leads
        return [*self._said(texts, undisguised.tricks, translate), *self._leads(found, translate)]

    def _said(self, texts: Sequence[str], tricks: frozenset[str], translate: Translate) -> Iterator[Detection]:
        """Find words and expressions, each once, in the plain form and in the text as it is."""
        hits = {hit.phrase: hit for text in texts for hit in self.words.find(text)}
        apart = self.words.find_pulled_apart(texts[0]) if tricks & {"spread", "broken"} else []
        apart = [hit for hit in apart if hit.phrase not in hits]
        unsure = {hit.phrase for hit in apart if not is_by_letters(hit.found, texts[-1])}
        hits |= {hit.phrase: hit for hit in apart}
        for hit in hits.values():
            reason = translate(_("says “{found}”, which the rules do not want (“{word}”)")).format(
                found=hit.found[:SHOWN], word=hit.phrase.text[:SHOWN]
            )
            severity = "flag" if hit.phrase in unsure else hit.phrase.severity
            yield Detection(detector="words", kind="rule", severity=severity, reason=reason, found=hit.found)
        matched = {one: piece for text in texts for one, piece in self.expressions.find(text)}
        for one, piece in matched.items():
            reason = translate(_("“{found}” matches the expression {name}")).format(
                found=piece[:SHOWN].strip(), name=one.title
            )
            yield Detection(detector="expressions", kind="rule", severity=one.severity, reason=reason, found=piece)

    def _leads(self, found: Sequence[Link], translate: Translate) -> Iterator[Detection]:
        """Judge where a message leads."""
        if not found:
            return
        if self.domains is not None:
            self.domains.refresh()
        for link in found:
            if self._is_allowed(link):
                continue
            for consequence, kind, sentence, more in self._against(link):
                if consequence != "allow":
                    reason = translate(sentence).format(link=link.address[:SHOWN], more=more)
                    yield Detection(
                        detector="links", kind=kind, severity=consequence, reason=reason, found=link.written
                    )

    def _is_allowed(self, link: Link) -> bool:
        white = self.domains.white if self.domains else frozenset()
        named = _names(link, self.allow) or is_under(link.host, white)
        return bool(named) and not link.masked

    def _against(self, link: Link) -> Iterator[tuple[Consequence, Kind, str, str]]:
        """Yield what is against a link: the consequence, the kind, the sentence, and what it also names."""
        figures, black = self.figures, self.domains.black if self.domains else frozenset()
        if blocked := _names(link, self.block):
            yield "remove", "rule", _("leads to {link}; the rules block {more}"), blocked
        elif listed := is_under(link.host, black):
            yield "remove", "scam", _("leads to {link}; {more} is on the list of bad domains"), listed
        elif self.only and not _names(link, self.only):
            yield "flag", "rule", _("leads to {link}; the rules name the only domains that may be linked"), ""
        if link.masked:
            yield figures.masked, "scam", _("says that it leads to {more}, and leads to {link}"), link.masked
        if like := imitated(link.domain, WELL_KNOWN | self.allow) or worn(link.host):
            yield figures.lookalikes, "scam", _("leads to {link}, which looks like {more}"), like
        if link.is_invite:
            yield figures.invites, "spam", _("invites into another community: {link}"), ""
        if link.is_short:
            yield figures.shorteners, "spam", _("hides where it leads: {link}"), ""
        if link.is_ip:
            yield figures.addresses, "scam", _("leads to a number instead of a name: {link}"), ""

    def _too_much(self, said: Said, translate: Translate) -> Iterator[Detection]:
        """Count what one author did lately, this message among it."""
        for name, meaning in MEANINGS.items():
            limit: Limit | None = getattr(self.figures, name)
            own = 1 if name == "flood" else getattr(said, name)
            if limit is None or not own:
                continue
            lately = self.windows.of(said.author, said.at, limit.seconds)
            count = len(lately) if name == "flood" else sum(getattr(one, name) for one in lately)
            if count >= limit.count and (name == "flood" or count > 0):
                sentence = translate(_("{count} {things} within {seconds} seconds; {most} are too many"))
                reason = sentence.format(
                    count=count, things=translate(meaning), seconds=limit.seconds, most=limit.count
                )
                yield _counted(name, limit, reason, lately, said)

    def _again(self, said: Said, translate: Translate) -> Iterator[Detection]:
        """Count how often the same was said: by one author, and in how many channels by anybody."""
        limits = [("duplicates", self.figures.duplicates), ("crossposts", self.figures.crossposts)]
        longest = max((limit.seconds for _name, limit in limits if limit is not None), default=0)
        known = self.windows.copies(said, longest) if longest and said.bones else []
        if len(known) < 2:  # noqa: PLR2004 - this one itself
            return
        for name, limit in limits:
            if limit is None:
                continue
            copies = [one for one in known if one.at > said.at - timedelta(seconds=limit.seconds)]
            if name == "duplicates":
                copies = [one for one in copies if one.author == said.author]
                count, sentence = len(copies), _("said the same {count} times within {seconds} seconds")
            else:
                count = len({one.channel for one in copies})
                people = len({one.author for one in copies})
                sentence = _("the same was said in {count} channels within {seconds} seconds, by {people} members")
                if people > 1 and count == 1:
                    count, sentence = people, _("{count} members said the same within {seconds} seconds")
                if len({one.channel for one in copies if one.author == said.author}) < limit.count:
                    limit = replace(limit, severity="flag")  # noqa: PLW2901 - two may thank in the same words
            if count >= limit.count:
                people = len({one.author for one in copies})
                reason = translate(sentence).format(count=count, seconds=limit.seconds, people=people)
                yield _counted(name, limit, reason, copies, said)

    def _newcomer(self, post: Post, said: Said, translate: Translate) -> Iterator[Detection]:
        """Look at who writes: first messages, a young account, somebody who has just come in."""
        figures = self.figures
        who = list(_newness(post, figures, translate))
        if not who:
            return
        if said.links and figures.newcomer_links != "allow":
            reason = translate(_("a link, by {who}")).format(who=who[0])
            yield Detection(detector="newcomers", kind="spam", severity=figures.newcomer_links, reason=reason)
        if figures.newcomer_mentions and said.mentions >= figures.newcomer_mentions:
            reason = translate(_("{count} mentions, by {who}")).format(count=said.mentions, who=who[0])
            yield Detection(detector="newcomers", kind="spam", severity="flag", reason=reason)


def _links(text: str, plain: str) -> list[Link]:
    """Find the links of a text as it is, and those that only its plain form shows."""
    leads = links.find(text)
    if plain == text:
        return leads
    known = {(one.host, one.path) for one in leads}
    return leads + [one for one in links.find(plain) if (one.host, one.path) not in known]


def _newness(post: Post, figures: Figures, translate: Translate) -> Iterator[str]:
    """Say in what an author is new."""
    if post.before is not None and post.before < figures.newcomer:
        yield translate(_("somebody whose message number {number} it is")).format(number=post.before + 1)
    for hours, since, sentence in (
        (figures.young_account, post.registered_at, _("an account of less than {hours} hours")),
        (figures.just_joined, post.joined_at, _("somebody who came in less than {hours} hours ago")),
    ):
        if hours and since is not None and post.at - since < timedelta(hours=hours):
            yield translate(sentence).format(hours=hours)


def _counted(name: str, limit: Limit, reason: str, ones: Sequence[Said], said: Said) -> Detection:
    """Make a detection of what was counted; the other messages are those that it rests on."""
    related = tuple(one.message for one in ones if one.message is not None and one.message != said.message)
    kind: Kind = "spam" if name == "crossposts" else "flood"
    return Detection(detector=name, kind=kind, severity=limit.severity, reason=reason, related=related[-20:])


@dataclass(slots=True, kw_only=True, eq=False)
class Rulebooks:
    """The rulebooks of a community's channels, each compiled when it is first needed; called with a channel."""

    rules: Rules
    preset: Preset = "gentle"
    presets: Callable[[Ref], Preset] | None = None
    windows: Windows = field(default_factory=Windows)
    _files: dict[str, DomainFile] = field(default_factory=dict)
    _common: tuple[Words, Expressions] = field(init=False)
    _made: dict[tuple[str, Preset], Rulebook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Compile what most channels have, so that no message waits for it."""
        registered("example.com")
        for part in (self.rules, *self.rules.channels.values()):
            if file := self._file(part.links.file):
                file.load()
        self._common = (
            Words(phrases(self.rules.words), self.rules.words.allow),
            Expressions(expressions(self.rules.expressions)),
        )

    def __call__(self, channel: Ref) -> Rulebook:
        """Return the rulebook of a channel; raises Mistake for rules that were not read by `rules.read`."""
        preset = self.presets(channel) if self.presets else self.preset
        own = str(channel) if str(channel) in self.rules.channels or self._is_off(channel) else ""
        if (own, preset) not in self._made:
            self._made[own, preset] = self._make(own, channel, preset)
        return self._made[own, preset]

    def _file(self, path: str) -> DomainFile | None:
        """Return a file of domains, one for all channels that name it."""
        return self._files.setdefault(path, DomainFile(Path(path))) if path else None

    def _is_off(self, channel: Ref) -> bool:
        return str(channel) in self.rules.excepted.channels

    def _make(self, own: str, channel: Ref, preset: Preset) -> Rulebook:
        from bot.core.things import Ref

        common, special = self.rules, self.rules.channels.get(own, ChannelRules())
        merged = _merged(common, special)
        every = [*phrases(common.words), *phrases(special.words)]
        return Rulebook(
            figures=figures(merged, preset),
            words=Words(every, [*common.words.allow, *special.words.allow])
            if special.words.model_fields_set
            else self._common[0],
            expressions=Expressions(expressions(common.expressions + special.expressions))
            if special.expressions
            else self._common[1],
            windows=self.windows,
            only=_domains(merged.links.only),
            allow=_domains(merged.links.allow),
            block=_domains(common.links.block + special.links.block),
            domains=self._file(merged.links.file),
            roles=frozenset(Ref.parse(one) for one in common.excepted.roles),
            off=self._is_off(channel),
        )


def _domains(names: Sequence[str]) -> frozenset[str]:
    """Return domains and addresses as they are compared, however staff wrote them: with a scheme, `*.` or a dot."""
    bare = (re.sub(r"^(?:[a-z]+://)?(?:www\.|\*?\.)?", "", name.strip().lower()) for name in names)
    return frozenset(name.strip("/") for name in bare) - {""}


def _names(link: Link, names: frozenset[str]) -> str:
    """Return which name a link is under: a domain, or an address up to the end of a part of its path."""
    if not names:
        return ""
    address = link.address.lower()
    places = islice((one.start() for one in re.finditer(r"[/?#&]", address)), PARTS)
    under = next((address[:at] for at in places if address[:at] in names), "")
    return under or (address.strip("/") if address.strip("/") in names else is_under(link.host, names))


def _merged(common: Rules, special: ChannelRules) -> ChannelRules:
    """Return the rules of a channel: what it sets itself, else what its community sets."""
    parts = {}
    for part in ("links", "limits", "newcomers"):
        ours, theirs = getattr(common, part), getattr(special, part)
        parts[part] = ours.model_copy(update={name: getattr(theirs, name) for name in theirs.model_fields_set})
    return ChannelRules(preset=special.preset or common.preset, **parts)
