"""Slack, by slack-bolt: the one package that imports its SDK."""
