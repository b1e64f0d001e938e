"""The rhythm of a community: what happened, in digests; how it fares, in its pulse."""
