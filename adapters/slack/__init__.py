"""Slack, by slack-sdk and Bolt: the one package that imports its SDKs."""

from __future__ import annotations

from adapters.slack.adapter import Slack, Tokens

__all__ = ["Slack", "Tokens"]
