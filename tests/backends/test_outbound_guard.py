"""Hostile addresses against the way out: none is called, whatever its spelling and however it is reached."""

from collections.abc import Iterable, Sequence

import httpcore2
import pytest

from tests.backends.remote import answer, remote
from tintype.backends.outbound import Guard, HttpOutbound, Outgoing, Policy
from tintype.errors import Forbidden, Misconfigured

ANY = Policy(total_seconds=60, https_only=False, max_redirects=3)
PUBLIC = "157.240.20.63"
ATTACKS = (
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://0.0.0.0/",
    "http://[::ffff:127.0.0.1]/",
    "http://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "http://localhost/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://www.instagram.com@127.0.0.1/",
    "http://157.240.20.63:22/",
    "ftp://157.240.20.63/",
    "file:///etc/passwd",
    "http:///nowhere",
    "//127.0.0.1/",
    "http://[fe80::1]/",
    "http://127.0.0.1\\@www.instagram.com/",
    "http://[::1/",
    "http://www.instagram.com:99999999/",
    "http://www.instagram.com/\r\nHost: 127.0.0.1",
)


class Dial(httpcore2.AsyncNetworkBackend):
    """Notes what is dialled, and lets nothing through."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.dialled.append((host, port))
        raise httpcore2.ConnectError("nobody there")


class Names:
    """A resolver that gives the answers of a script, one after the other, and counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


@pytest.mark.parametrize("url", ATTACKS)
async def test_a_hostile_address_is_refused(url: str) -> None:
    outbound = HttpOutbound()
    with pytest.raises(Forbidden):
        await outbound.send(Outgoing("GET", url), ANY)
    await outbound.close()


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/", "http://localhost/x", "//169.254.169.254/", "file:///etc/passwd", "http://157.240.20.63:22/"],
)
async def test_a_redirect_to_a_hostile_address_is_refused(target: str) -> None:
    async with remote(answer(b"", f"Location: {target}", status="302 Found")) as here:
        outbound = HttpOutbound(allow=(here.place,))
        with pytest.raises(Forbidden):
            await outbound.send(Outgoing("GET", here.url()), ANY)
        await outbound.close()
    assert len(here.asked) == 1


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], ["10.1.1.1", PUBLIC], [PUBLIC, "::1"], []])
async def test_one_bad_address_among_the_answers_refuses_the_name(answers: list[str]) -> None:
    dial = Dial()
    with pytest.raises(Forbidden):
        await Guard(Names(answers), frozenset(), dial).connect_tcp("rebind.example", 80)
    assert dial.dialled == []


async def test_a_name_that_changes_its_mind_is_dialled_where_it_was_checked() -> None:
    dial, names = Dial(), Names([PUBLIC], ["127.0.0.1"])
    with pytest.raises(httpcore2.ConnectError):
        await Guard(names, frozenset(), dial).connect_tcp("rebind.example", 443)
    assert dial.dialled == [(PUBLIC, 443)]
    assert names.asked == 1


async def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    dial = Dial()
    with pytest.raises(httpcore2.ConnectError):
        await Guard(Names([PUBLIC, "157.240.20.64"]), frozenset(), dial).connect_tcp("two.example", 443)
    assert dial.dialled == [(PUBLIC, 443), ("157.240.20.64", 443)]


async def test_only_the_two_web_ports_are_dialled() -> None:
    dial = Dial()
    with pytest.raises(Forbidden):
        await Guard(Names([PUBLIC]), frozenset(), dial).connect_tcp("mail.example", 25)
    assert dial.dialled == []


async def test_an_allowed_host_is_called_by_its_exact_name_and_port_only() -> None:
    async with remote(answer(b"mine")) as here:

        async def names(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        outbound = HttpOutbound(allow=(f"nas.home:{here.port}",), resolver=names)
        found = await outbound.send(Outgoing("GET", f"http://nas.home:{here.port}/"), Policy())
        assert found.body == b"mine"
        assert here.asked[0].headers["host"] == f"nas.home:{here.port}"
        for other in (f"http://sub.nas.home:{here.port}/", "http://nas.home/", f"http://127.0.0.1:{here.port}/"):
            with pytest.raises(Forbidden):
                await outbound.send(Outgoing("GET", other), ANY)
        await outbound.close()


@pytest.mark.parametrize("entry", ["nas.home", "*.home:80", "http://nas.home:80", "nas.home:", "u@nas.home:80", ""])
def test_an_allow_entry_that_is_not_exact_is_a_wrong_setting(entry: str) -> None:
    with pytest.raises(Misconfigured, match="OUTBOUND_ALLOW"):
        HttpOutbound(allow=(entry,))


@pytest.mark.parametrize("origin", ["127.0.0.1:8001", "ftp://x", "http://x/path", "http://u@x", "http://x?a=1"])
def test_an_origin_that_is_more_than_an_origin_is_a_wrong_setting(origin: str) -> None:
    with pytest.raises((Misconfigured, Forbidden)):
        HttpOutbound(instagram_origin=origin)


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://scontent-fra3-1.cdninstagram.com/v/1.jpg", True),
        ("https://fbcdn.net/1.jpg", True),
        ("https://notfbcdn.net/1.jpg", False),
        ("https://fbcdn.net.evil.example/1.jpg", False),
        ("http://scontent.fbcdn.net/1.jpg", False),
    ],
)
async def test_a_policy_narrows_hosts_and_scheme(url: str, called: bool) -> None:
    names = Names(["127.0.0.1"])
    outbound = HttpOutbound(resolver=names)
    with pytest.raises(Forbidden):
        await outbound.send(Outgoing("GET", url), Policy(host_suffixes=(".cdninstagram.com", ".fbcdn.net")))
    assert names.asked == called
    await outbound.close()
