"""Examines the bot's place on Slack for `kinfolk doctor`: its tokens, its scopes, the connection, its channels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from adapters.slack import needs, told
from adapters.slack.adapter import WRONG
from adapters.slack.link import PAGE
from adapters.slack.link import WRONG as WRONG_APP
from adapters.slack.web import REJECTED, Refused
from bot.core.errors import KinfolkError, Misconfigured
from bot.core.ports import Finding

if TYPE_CHECKING:
    from adapters.slack.adapter import Tokens
    from adapters.slack.told import Told
    from adapters.slack.web import Api, Who
    from bot.core.counts import Counts

PATIENCE = 60.0
"""Seconds for all of it."""
NAMED = 6
"""Channels that are named; the others are counted."""
ANEW = (
    f"Paste the manifest anew (kinfolk manifest slack) at {PAGE}, your app, App Manifest, then Install App > Reinstall."
)
WRONG_ADMIN = (
    "KINFOLK_SLACK_ADMIN_TOKEN: Slack refuses it ({code}). Take it out, or copy it anew: {page}, OAuth & Permissions."
)


async def examine(tokens: Tokens, *, counts: Counts, address: str = "") -> list[Finding]:
    """Return what is well on Slack and what is not."""
    found: list[Finding] = []
    try:
        tokens.check()
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession(trust_env=True) as session:
            await _look(tokens.api(session, counts, address), found)
    except KinfolkError as error:
        found.append(Finding(name="slack", state="bad", words=str(error)))
    except Refused as refused:
        found.append(Finding(name="slack", state="bad", words=f"Slack refuses: {refused}"))
    except TimeoutError:
        words = f"Slack took longer than {PATIENCE:.0f} s to answer. Is this machine online? Try again in a while."
        found.append(Finding(name="slack", state="bad", words=words))
    return found


async def _look(api: Api, found: list[Finding]) -> None:
    me = await _who(api, "bot", WRONG)
    words = f"the token is accepted: {told.text(me, 'user')} in {told.text(me, 'team')} ({told.text(me, 'team_id')})"
    found.append(Finding(name="slack", state="ok", words=words))
    found.append(_scopes(api))
    found.append(await _connection(api))
    found.append(await _channels(api))
    found.append(await _admin(api))


async def _who(api: Api, who: Who, wrong: str) -> Told:
    try:
        return await api.call("auth.test", who=who)
    except Refused as refused:
        if refused.code in REJECTED:
            raise Misconfigured(wrong.format(code=refused.code, page=PAGE)) from None
        raise


def _scopes(api: Api) -> Finding:
    held = api.scopes.get("bot", frozenset())
    missing = [need for need in needs.NEEDS if need.scope not in held]
    if not missing:
        return Finding(name="slack scopes", state="ok", words=f"all {len(needs.NEEDS)} scopes are granted")
    lacking = "; ".join(f"{need.scope} ({need.why})" for need in missing)
    return Finding(name="slack scopes", state="bad", words=f"missing: {lacking}. {ANEW}")


async def _connection(api: Api) -> Finding:
    try:
        await api.call("apps.connections.open", who="app")
    except Refused as refused:
        words = WRONG_APP.format(code=refused.code, page=PAGE)
        return Finding(name="slack connection", state="bad", words=words)
    return Finding(name="slack connection", state="ok", words="Slack lets the app connect (Socket Mode)")


async def _channels(api: Api) -> Finding:
    try:
        kinds = "public_channel,private_channel"
        answer = await api.call("users.conversations", types=kinds, exclude_archived=True, limit=200)
    except Refused as refused:
        return Finding(name="slack channels", state="bad", words=str(refused))
    names = [told.text(one, "name") for one in told.parts(answer, "channels")]
    if not names:
        words = "I am in no channel, and read none. Bring me into one: /invite @Kinfolk"
        return Finding(name="slack channels", state="warn", words=words)
    more = bool(told.text(answer, "response_metadata", "next_cursor"))
    left = len(names) - NAMED
    rest = f" and {left}{' or more' if more else ''} others" if left > 0 else ""
    told_of = ", ".join(f"#{name}" for name in names[:NAMED])
    words = f"I am in {told_of}{rest}, and read nothing else. Bring me into others: /invite @Kinfolk"
    return Finding(name="slack channels", state="ok", words=words)


async def _admin(api: Api) -> Finding:
    if not api.has("admin"):
        words = "none is set, so that I take away what I said alone, and the staff is asked to delete the rest by hand"
        return Finding(name="slack admin", state="ok", words=words)
    try:
        me = await _who(api, "admin", WRONG_ADMIN)
    except Misconfigured as wrong:
        return Finding(name="slack admin", state="bad", words=str(wrong))
    user = told.part(await api.call("users.info", user=told.text(me, "user_id")), "user")
    if not told.is_set(user, "is_admin", "is_owner"):
        words = f"{told.text(me, 'user')} is no admin, and Slack lets admins alone delete what others wrote"
        return Finding(name="slack admin", state="bad", words=words)
    held = api.scopes.get("admin", frozenset())
    missing = [need.scope for need in needs.ADMIN if need.scope not in held]
    if missing:
        lacks = f"the token of {told.text(me, 'user')} lacks {', '.join(missing)}"
        words = f"{lacks}. kinfolk manifest slack --admin asks for that"
        return Finding(name="slack admin", state="warn", words=words)
    words = f"the token of {told.text(me, 'user')} is accepted: what others wrote can be deleted"
    return Finding(name="slack admin", state="ok", words=words)
