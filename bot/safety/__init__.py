"""Attempts to make the bot misbehave, made on the whole bot over a platform that only records what it is sent."""
