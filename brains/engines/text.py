"""What becomes of a text before it is tokenised: any `str` is fit to be encoded, and none takes long."""

from __future__ import annotations

import re
from typing import Literal

LONGEST_TEXT = 8192
"""Characters a text is cut to. No piece of the vocabulary has more than 16 and a model sees 512, so that the cut takes
nothing that the model would have seen, while 5 MB of text cost no more than 8 kB."""

GLANCE = 65536
"""Characters looked at when blanks are squeezed out before the cut, so that indented text keeps its words."""

E5 = re.compile(r"(^|[-_./])e5([-_.]|$)", re.IGNORECASE)


def clean(text: str) -> str:
    """Cut a text to what a model can see, and replace lone surrogates, which no tokeniser takes."""
    if len(text) > LONGEST_TEXT:
        text = " ".join(text[:GLANCE].split())[:LONGEST_TEXT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def is_prefixed(model: str) -> bool:
    """Say, by its name, whether a model was trained with `passage: ` and `query: `: E5, instruct models aside."""
    return E5.search(model) is not None and "instruct" not in model.lower()


def prefix(model: str, kind: Literal["passage", "query"]) -> str:
    """Give what is put before a text for this model."""
    return f"{kind}: " if is_prefixed(model) else ""
