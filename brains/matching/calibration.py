"""The numbers of matching that were fitted across communities, with their source.

What differs from one community to another is fitted on its own messages when profiles are built: `choice`, `gate`.
All of it was fitted on training and validation data: posts of 400 discussion groups (the newest 12 of each 60 training
posts held out), a developers' chat before July 2023, and 150 intents (validation part).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GateWeights:
    """A logistic model: does a text belong in the community?"""

    bias: float
    told: float
    near: float


GATE = GateWeights(bias=0.19, told=3.55, near=1.34)
"""Held-out messages against greetings, and against assistants' queries (out of scope) where these are off topic; the
three communities weigh the same. Fitted on two and tried on the third, 85 to 99 % of its messages of six and more terms
pass, and 10 to 15 % of greetings."""

FLOOR = 0.15
"""A suggestion that scores less is not worth a member's time: nothing fits. On the same validation data 85, 99 and 94 %
of messages get a suggestion, 63 and 90 % of those of a few words, 3 to 12 % of greetings, 17 to 25 % of queries that
are out of scope (in 400 groups on everything half of these do get one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberWeights:
    """A choice model: which channel will a member use next? `content` weighs the community's own model of texts."""

    content: float
    newcomers: float


MEMBER = MemberWeights(content=0.27, newcomers=0.78)
"""Conditional logit over 109 members' first uses of channels, in five windows of a developers' chat before July 2023;
fitted on four and tried on the fifth, nDCG@10 is .79, of newcomers alone .77, of EASE .75."""

MEMBER_FLOOR = 0.02
"""Nothing fits below this, or below the share of blind choice where more than fifty are open.
On the same splits .3 % of the channels used next score less, and over half of all candidates do. There, of scores
.02 to .05 (.1 to .2, .4 to .7) 3.7 % (13.6 %, 53 %) came true."""
