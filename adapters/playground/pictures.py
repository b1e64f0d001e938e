"""Which pictures the page shows: what a file is, by how it begins, whatever it is called."""

from __future__ import annotations

UNKNOWN = "application/octet-stream"
"""What a page offers to download and never shows."""
BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def kind_of(data: bytes) -> str:
    """Return the media type of a picture; of anything else only that it is unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in BEGINNINGS if data.startswith(beginning)), UNKNOWN)
