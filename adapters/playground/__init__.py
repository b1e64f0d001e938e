"""The playground: a small chat platform of our own, on a page of this machine, to try the bot without a token."""

from adapters.playground.adapter import Playground
from adapters.playground.past import Past, PastChannel, PastMember, PastMessage

__all__ = ["Past", "PastChannel", "PastMember", "PastMessage", "Playground"]
