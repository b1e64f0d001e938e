"""The words of OpenAI's chat API: requests in, pieces and answers out."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.core.ports import Turn
from brains.engines.embeddings_api import Refusal
from brains.engines.generator_engine import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brains.engines.generator_engine import Finish

MOST_TURNS = 256
MOST_TOKENS = 2048
USUAL_TOKENS = 512
MOST_TEXT = 65536
"""Characters of all messages together: ten times what the default model has room for."""

END = b"data: [DONE]\n\n"
NOT_SERVED = ("tools", "functions", "stop", "logprobs", "logit_bias")
ROLES = "system, user or assistant"

Text = Annotated[str, StringConstraints(strict=True)]


class Part(BaseModel):
    """One part of a message's content; text is the only kind."""

    type: Literal["text"]
    text: Text


class Message(BaseModel):
    """One message; `developer` is what OpenAI calls `system` now."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[Part]

    @property
    def turn(self) -> Turn:
        """Return it as a turn."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Turn(role="system" if self.role == "developer" else self.role, text=text)


class Schema(BaseModel):
    """OpenAI's wrapping of a JSON schema."""

    model_config = ConfigDict(populate_by_name=True)

    document: dict[str, object] = Field(alias="schema")


class ResponseFormat(BaseModel):
    """In which form the answer is wanted."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`. Unknown fields, and the model's name, are let pass."""

    model_config = ConfigDict(frozen=True)

    messages: Annotated[list[Message], Field(min_length=1, max_length=MOST_TURNS)]
    max_tokens: Annotated[int, Field(strict=True, ge=1, le=MOST_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(strict=True, ge=1, le=MOST_TOKENS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    stream: Annotated[bool, Field(strict=True)] | None = None
    n: Literal[1] | None = None
    response_format: ResponseFormat | None = None

    @property
    def prompt(self) -> Prompt:
        """Return what is asked of the engine."""
        return Prompt(
            turns=[message.turn for message in self.messages],
            most=self.max_completion_tokens or self.max_tokens or USUAL_TOKENS,
            schema=_schema(self.response_format),
            temperature=self.temperature or 0.0,
        )


def read_chat(body: bytes) -> ChatRequest:
    """Read a request; raises Refusal with 400, which names the field."""
    try:
        request = ChatRequest.model_validate_json(body)
        asked = orjson.loads(body)
    except ValidationError as error:
        raise _refusal(error) from None
    for field in NOT_SERVED:
        if asked.get(field):
            raise Refusal(400, f"This server does not know '{field}'; leave it out.", param=field)
    _measure(request)
    return request


def write_prompt(turns: Sequence[Turn], *, model: str, most: int, schema: object, temperature: float) -> bytes:
    """Write the request for a streamed answer."""
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        "max_tokens": most,
        "temperature": temperature,
        "stream": True,
    }
    if schema is not None:
        wrapped = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wrapped}
    return orjson.dumps(body)


class Telling:
    """The documents of one answer, which share its id."""

    def __init__(self, model: str) -> None:
        self._head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}

    def piece(self, text: str) -> bytes:
        """Give the event that carries a piece."""
        return self._event({"content": text, "role": "assistant"}, None)

    def end(self, finish: Finish) -> bytes:
        """Give the event that says how it ended, and the one after which nothing comes."""
        return self._event({}, finish.reason) + END

    def whole(self, text: str, finish: Finish) -> dict[str, object]:
        """Give the answer in one document."""
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish.reason}
        usage = {
            "prompt_tokens": finish.read,
            "completion_tokens": finish.written,
            "total_tokens": finish.read + finish.written,
        }
        return self._head | {"object": "chat.completion", "choices": [choice], "usage": usage}

    def _event(self, delta: dict[str, str], reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return event(self._head | {"object": "chat.completion.chunk", "choices": [choice]})


def event(document: object) -> bytes:
    """Write a server-sent event."""
    return b"data: " + orjson.dumps(document) + b"\n\n"


def _schema(asked: ResponseFormat | None) -> dict[str, object] | None:
    match asked:
        case ResponseFormat(type="json_schema", json_schema=Schema(document=document)):
            return document
        case ResponseFormat(type="json_schema"):
            raise Refusal(
                400, "'response_format' of type json_schema needs json_schema.schema.", param="response_format"
            )
        case ResponseFormat(type="json_object"):
            return {"type": "object"}
    return None


def _measure(request: ChatRequest) -> None:
    size = sum(len(turn.text) for turn in request.prompt.turns)
    if size > MOST_TEXT:
        raise Refusal(
            400,
            f"The messages have {size} characters; at most {MOST_TEXT} are taken.",
            param="messages",
            code="context_length_exceeded",
        )


def _refusal(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    param = str(first["loc"][0]) if first["loc"] else None
    if param == "messages" and first["loc"][-1] == "role":
        return Refusal(400, f"A message's 'role' must be {ROLES}.", param=param)
    if param == "messages":
        return Refusal(
            400, f"'messages' must be a list of 1 to {MOST_TURNS} objects with 'role' and 'content'.", param=param
        )
    if param == "n":
        return Refusal(400, "This server gives one answer at a time; 'n' must be 1.", param=param)
    return Refusal(400, f"{param or 'The body'}: {first['msg']}.", param=param)
