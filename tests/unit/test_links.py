"""Links: found however they are written, and told apart by where they lead."""

import gzip
import os
import threading
from pathlib import Path

import pytest

from bot.core.errors import Mistake
from brains.moderation import domains, links
from brains.moderation.domains import DomainFile, imitated, is_under, registered

PHISHING = Path(os.environ.get("MODERATION_DATA", "")) / "phishing_domains.tsv.gz"


def hosts(text: str) -> list[str]:
    return [one.host for one in links.find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://www.example.com/a?b=c. and example.org, too", ["www.example.com", "example.org"]),
        ("hxxps://evil[.]com/x", ["evil.com"]),
        ("my-shop dot com, my-shop (dot) net", ["my-shop.com", "my-shop.net"]),
        ("d9623点com", ["d9623.com"]),
        ("看http://a.cn/x。好", ["a.cn"]),
        ("http://1.2.3.4/x and 10.0.0.1:8080", ["1.2.3.4", "10.0.0.1"]),
        ("https://paypal.com@evil.example.net/", ["evil.example.net"]),
        ("https://user.github.io and EXAMPLE.CO.UK", ["user.github.io", "example.co.uk"]),
        ("main.rs README.md foo.py v1.2.3 1.2.3.4 3.14 e.g. i.e. U.S.A. etc.and", []),
        ("write to me@example.com or the dot com era", []),
        ("docs.rs/tokio www.deno.so", ["docs.rs", "www.deno.so"]),
        ("", []),
    ],
)
def test_links_are_found_and_what_is_none_is_not(text: str, found: list[str]):
    assert hosts(text) == found


def test_each_link_says_what_it_is():
    def what(text: str) -> set[str]:
        (link,) = links.find(text)
        names = ("hidden", "bare", "is_ip", "is_invite", "is_short")
        return {name for name in names if getattr(link, name)}

    assert what("http://example.com") == set()
    assert what("hxxp://example.com") == {"hidden"}
    assert what("http://1.2.3.4/") == {"is_ip"}
    assert what("http://192.168.0.1/") == what("http://127.0.0.1:8080") == set()
    assert what("https://bit.ly/x") == {"is_short"}
    for invite in ("discord.gg/a", "t.me/+a", "t.me/joinchat/a", "join.slack.com/t/a", "chat.whatsapp.com/a"):
        assert what(invite) == {"bare", "is_invite"}
    assert what("t.me/somebody") == {"bare"}
    assert what("https://discord.com/channels/1/2") == set()


def test_a_markdown_link_that_says_another_domain_is_masked():
    (masked, *_rest) = links.find("[paypal.com](https://evil.example.net/login)")
    (honest,) = links.find("[the docs](https://example.com/docs)")

    assert (masked.masked, masked.host) == ("paypal.com", "evil.example.net")
    assert honest.masked == ""


def test_the_registered_part_of_a_name():
    assert registered("a.b.example.co.uk") == "example.co.uk"
    assert registered("localhost") == ""
    assert is_under("a.b.example.com", frozenset({"example.com"})) == "example.com"
    assert is_under("badexample.com", frozenset({"example.com"})) == ""


def test_lookalikes_of_well_known_domains():
    imitations = {
        "paypa1.com": "paypal.com",
        "discrod.com": "discord.com",
        "steamcomunity.com": "steamcommunity.com",
        "rnicrosoft.com": "microsoft.com",
        "pаypal.com": "paypal.com",
        "wikimedia.org": "",
        "xn--pypal-4ve.com": "paypal.com",
        "paypal.com": "",
        "discard.example": "discord.com",
        "slick.com": "",
        "example.com": "",
    }
    assert {domain: imitated(domain) for domain in imitations} == imitations
    assert imitated("ourowm.org", domains.WELL_KNOWN | {"ourown.org"}) == "ourown.org"


def test_a_well_known_name_before_that_of_somebody_else():
    hosts = [
        "paypal.com.example.net",
        "www.paypal.com-login.example.net",
        "paypal.com.cn",
        "docs.github.com",
        "a.b.org",
    ]
    assert [domains.worn(host) for host in hosts] == ["paypal.com", "paypal.com", "", "", ""]
    assert [one.masked for one in links.find("https://paypal.com@evil.example.net/ https://me:x@example.net")] == [
        "paypal.com",
        "",
    ]


def test_a_large_file_is_read_beside_and_one_too_large_is_refused(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("".join(f"domain{number}.example\n" for number in range(domains.AT_ONCE // 16)))
    listed = DomainFile(path)
    listed.check()
    listed.refresh()
    for one in threading.enumerate():
        if one.name == "domains":
            one.join()
    assert "domain7.example" in listed.black
    again = DomainFile(path)
    again.load()
    assert again.black == listed.black

    with path.open("wb") as file:
        file.truncate(domains.LARGEST + 1)
    with pytest.raises(Mistake, match="larger than 8000000 bytes"):
        listed.check()


def test_a_file_that_is_gone_keeps_what_was_read(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("one.example\n0.0.0.0 two.example\nfuzzylist brand.example\nwhitelist\tfine.example\n")
    listed = DomainFile(path)
    listed.refresh()
    path.unlink()
    listed.refresh()

    assert listed.black == {"one.example", "two.example"}
    assert listed.white == {"fine.example"}


@pytest.mark.skipif(not PHISHING.exists(), reason="the public list of phishing domains is not on this machine")
def test_a_public_list_of_phishing_is_read(tmp_path):
    path = tmp_path / "phishing.tsv"
    path.write_bytes(gzip.decompress(PHISHING.read_bytes()))
    listed = DomainFile(path)
    listed.load()

    told = [row.split("\t") for row in path.read_text().splitlines()]
    assert len(listed.black) == len({name.lower() for kind, name in told if kind == "blacklist"}) > 10_000
    assert len(listed.white) == len({name.lower() for kind, name in told if kind == "whitelist"}) > 1_000
