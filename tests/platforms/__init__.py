"""Servers that speak the platforms' protocols on loopback, so that the real client libraries can be tested."""

from __future__ import annotations


class Refused(Exception):
    """The platform refused what a person wanted."""
