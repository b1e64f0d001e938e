"""The words of OpenAI's embeddings API: requests in, answers and errors out."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

if TYPE_CHECKING:
    from brains.engines.encoder_engine import Vectors

MOST_INPUTS = 2048
MOST_BYTES = 32 * 2**20
"""Bytes of a request's body: 2,048 texts of four times the 4,000 characters that a chat platform allows."""

FINGERPRINT = "kinfolk-fingerprint"
"""The header that names the weights behind an answer."""

Encoding = Literal["float", "base64"]
Text = Annotated[str, StringConstraints(strict=True)]


class Refusal(Exception):
    """What a request is answered when it is not granted: an HTTP status and OpenAI's error fields."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param

    def body(self) -> dict[str, dict[str, str | None]]:
        """Return OpenAI's error document."""
        kind = {429: "rate_limit_error", 401: "authentication_error"}.get(self.status)
        kind = kind or ("invalid_request_error" if self.status < 500 else "server_error")  # noqa: PLR2004
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class EmbeddingsRequest(BaseModel):
    """The body of `POST /v1/embeddings`. Unknown fields, and the model's name, are let pass."""

    model_config = ConfigDict(frozen=True)

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST_INPUTS)]
    encoding_format: Encoding = "float"
    dimensions: int | None = None

    @property
    def texts(self) -> list[str]:
        """Return the inputs as a list."""
        return [self.input] if isinstance(self.input, str) else self.input


def read_request(body: bytes, size: int) -> EmbeddingsRequest:
    """Read a request; raises Refusal with 400, which names the field."""
    try:
        request = EmbeddingsRequest.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None
    if request.dimensions not in {None, size}:
        raise Refusal(400, f"This model has {size} dimensions and cannot give others.", param="dimensions")
    return request


def answer(vectors: Vectors, *, model: str, tokens: int, encoding: Encoding) -> dict[str, object]:
    """Give the answer of `POST /v1/embeddings`."""
    packed = pack(vectors) if encoding == "base64" else vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(packed)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def pack(vectors: Vectors) -> list[str]:
    """Write vectors as OpenAI does for `base64`: little-endian float32."""
    return [base64.b64encode(row).decode() for row in vectors.astype("<f4")]


def unpack(embedding: str | list[float]) -> Vectors:
    """Read one vector of an answer, packed or not; raises ValueError."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding), "<f4").astype(np.float32)
    return np.asarray(embedding, np.float32)


def error_message(body: bytes) -> tuple[str, str | None]:
    """Read the message and the code of an error document, or of whatever else a server said."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"]), error.get("code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return body[:200].decode("utf-8", "replace"), None


def _refusal(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    param = str(first["loc"][0]) if first["loc"] else None
    if first["type"] == "too_long":
        return Refusal(400, f"A request may hold at most {MOST_INPUTS} inputs.", param=param, code="too_many_inputs")
    if param == "input":
        return Refusal(400, "'input' must be a string, or a list of one or more strings.", param=param)
    return Refusal(400, first["msg"], param=param)
