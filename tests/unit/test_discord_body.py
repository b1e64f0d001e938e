"""What is sent to Discord: who is rung for, how buttons are laid out, what goes with files."""

from __future__ import annotations

import orjson

from adapters.discord.body import Body, components
from bot.core.actions import Attachment, Button


def rows(count: int, wide: int = 1) -> list[Button]:
    """Return rows of so many buttons each."""
    return [
        Button(label=f"{row}.{number}", press="x.y", row=row, token=f"t{row}.{number}")
        for row in range(count)
        for number in range(wide)
    ]


def test_it_rings_for_whom_it_names_and_for_nobody_else() -> None:
    said = Body(text="<@1> and <@!2>, <@1>: @everyone @here <@&3> <#4>").new().payload
    assert said["allowed_mentions"] == {"parse": [], "users": ["1", "2"], "replied_user": False}
    many = Body(text=" ".join(f"<@{number}>" for number in range(1, 200))).new().payload
    assert len(many["allowed_mentions"]["users"]) == 100, "Discord takes no more"
    assert Body(text="hello").changed().payload["allowed_mentions"]["users"] == []


def test_a_new_message_is_taken_once_and_what_is_aside_is_so() -> None:
    first, second = Body(text="x").new().payload, Body(text="x").new().payload
    assert first["enforce_nonce"]
    assert first["nonce"] != second["nonce"]
    aside = Body(text="x", aside=True).new().payload
    assert aside["flags"] == 64
    assert "nonce" not in aside
    assert "flags" not in first


def test_a_reply_is_said_though_what_it_answers_is_gone() -> None:
    said = Body(text="x", reply_to=7).new().payload
    assert said["message_reference"] == {"message_id": "7", "fail_if_not_exists": False}
    assert "message_reference" not in Body(text="x").new().payload


def test_buttons_stand_in_their_rows() -> None:
    laid = components(rows(5, 5))
    assert [len(row["components"]) for row in laid] == [5] * 5
    assert [one["custom_id"] for one in laid[1]["components"]] == [f"t1.{number}" for number in range(5)]
    long = components([Button(label="x" * 200, press="x.y", token="t")])
    assert len(long[0]["components"][0]["label"]) == 80


def test_what_does_not_fit_becomes_menus() -> None:
    [row] = components(rows(1, 12))
    [menu] = row["components"]
    assert menu["type"] == 3
    assert [one["value"] for one in menu["options"]] == [f"t0.{number}" for number in range(12)]
    laid = components(rows(8, 3))
    assert len(laid) <= 5
    assert [one["value"] for row in laid for one in row["components"][0]["options"]] == [
        button.token for button in rows(8, 3)
    ]
    ids = [one["custom_id"] for row in components(rows(7, 20)) for one in row["components"]]
    assert len(ids) == len(set(ids)) == 5


def test_files_go_with_what_is_said() -> None:
    packed = Body(text="here", files=(Attachment(name="a.json", data=b"{}"), Attachment(name="b.txt", data=b"b"))).new()
    payload, *files = packed.multipart
    told = orjson.loads(payload["value"])
    assert told["content"] == "here"
    assert told["attachments"] == [{"id": 0, "filename": "a.json"}, {"id": 1, "filename": "b.txt"}]
    assert [(one["name"], one["value"].read()) for one in files] == [("files[0]", b"{}"), ("files[1]", b"b")]
