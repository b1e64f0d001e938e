"""The shapes of what a person asks for on the page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from adapters.playground.space import LONGEST

LARGEST = 8 << 20
"""Bytes of a picture."""
Name = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=LONGEST)]


class _Asked(BaseModel):
    """What every deed says: who does it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    by: Name


class Picture(BaseModel):
    """A picture that goes with a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=200)]
    data: Annotated[Base64Bytes, Field(min_length=1, max_length=LARGEST)]


class Write(_Asked):
    """Post a message; with a picture it needs no words."""

    deed: Literal["write"]
    room: Name
    text: Text
    reply_to: Name = ""
    picture: Picture | None = None


class Change(_Asked):
    """Edit one's own message."""

    deed: Literal["change"]
    message: Name
    text: Text


class Remove(_Asked):
    """Delete one's own message; staff delete anybody's."""

    deed: Literal["remove"]
    message: Name


class Mark(_Asked):
    """Put an emoji under a message, or take it away."""

    deed: Literal["mark"]
    message: Name
    emoji: Annotated[str, Field(min_length=1, max_length=16)]
    on: bool


class Join(_Asked):
    """Join a channel; without one, come back into the space."""

    deed: Literal["join"]
    room: Name = ""


class Leave(_Asked):
    """Leave a channel; without one, the space."""

    deed: Literal["leave"]
    room: Name = ""


class Arrive(BaseModel):
    """Come into the space as somebody new."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    deed: Literal["arrive"]
    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
    language: Literal["en", "zh_CN"]


class Speak(_Asked):
    """Set the platform to a language."""

    deed: Literal["speak"]
    language: Literal["en", "zh_CN"]


class Use(_Asked):
    """Use a command."""

    deed: Literal["use"]
    room: Name
    line: Text


class Press(_Asked):
    """Press a button."""

    deed: Literal["press"]
    message: Name
    token: Annotated[str, Field(max_length=500)]


class Vote(_Asked):
    """Choose in a poll."""

    deed: Literal["vote"]
    message: Name
    option: Annotated[int, Field(ge=0, le=100)]


class Arrange(_Asked):
    """Make a channel, or change one, as staff."""

    deed: Literal["arrange"]
    room: Name = ""
    name: Annotated[str, Field(max_length=60)]
    description: Annotated[str, Field(max_length=500)] = ""
    private: bool = False
    archived: bool = False


class Fetch(_Asked):
    """Bring the bot into the space, as its owner."""

    deed: Literal["fetch"]


Asked = Annotated[
    Write | Change | Remove | Mark | Join | Leave | Arrive | Speak | Use | Press | Vote | Arrange | Fetch,
    Field(discriminator="deed"),
]
