"""Letters on their way to a mail server: what it hears, in the clear and by TLS, and what its trouble is called."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.authority import certify
from tests.mail_server import mail_server
from tintype.backends.mail import Letter, SmtpMail
from tintype.errors import Misconfigured, Unreachable

LETTER = Letter(
    "name.1", ("ann@example.com", "bo@example.com"), "Größe", "It is so.\n.\n", datetime(2026, 11, 27, tzinfo=UTC)
)
SENDER = "Tintype <tintype@example.com>"


def known(user: str, password: str) -> str:
    return b64encode(f"\0{user}\0{password}".encode()).decode()


async def test_a_letter_arrives_as_it_was_written() -> None:
    async with mail_server() as server:
        await SmtpMail.of(f"smtp://127.0.0.1:{server.port}", SENDER).send(LETTER)
        (letter,) = server.letters
    assert (letter["From"], letter["To"]) == (SENDER, "ann@example.com, bo@example.com")
    assert (letter["Subject"], letter["Message-ID"]) == ("Größe", "<name.1@example.com>")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "It is so." in letter.get_content()
    heard = [one.lower() for one in server.commands]
    assert [one for one in heard if one.startswith("rcpt")] == ["rcpt to:<ann@example.com>", "rcpt to:<bo@example.com>"]


async def test_a_user_is_named_with_a_password_that_is_decoded_and_never_shown() -> None:
    async with mail_server() as server:
        mail = SmtpMail.of(f"smtp://me:p%40ss%3Aword@127.0.0.1:{server.port}", SENDER)
        await mail.send(LETTER)
    assert f"AUTH PLAIN {known('me', 'p@ss:word')}" in server.commands
    assert "p@ss" not in repr(mail)


async def test_a_password_does_not_go_to_another_machine_in_the_clear() -> None:
    async with mail_server("127.0.0.2") as server:  # to the rule this is another machine: it has another name
        with pytest.raises(Unreachable, match="offers no TLS, and no password goes") as found:
            await SmtpMail.of(f"smtp://me:hidden@127.0.0.2:{server.port}", SENDER).send(LETTER)
    assert not [one for one in server.commands if one.startswith("AUTH")]
    assert "hidden" not in found.value.message


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_letter_and_password_go_by_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    tls, authority = certify(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    async with mail_server("127.0.0.2", tls, at_once=scheme == "smtps") as server:
        mail = SmtpMail.of(f"{scheme}://me:hidden@127.0.0.2:{server.port}", SENDER)
        await mail.send(LETTER)
        assert await mail.check() is True
    assert len(server.letters) == 1
    assert [one for one in server.clear if not one.startswith(("EHLO", "ehlo", "STARTTLS"))] == []
    assert ("STARTTLS" in server.clear) == (scheme == "smtp")
    assert f"AUTH PLAIN {known('me', 'hidden')}" in server.commands


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("fault", ["a stranger vouches for it", "it is somebody else"])
async def test_nothing_is_told_to_a_server_that_cannot_prove_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, fault: str
) -> None:
    tls, authority = certify(tmp_path, "127.0.0.3" if fault == "it is somebody else" else "127.0.0.1")
    if fault == "it is somebody else":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    async with mail_server("127.0.0.1", tls, at_once=scheme == "smtps") as server:
        mail = SmtpMail.of(f"{scheme}://me:hidden@127.0.0.1:{server.port}", SENDER)
        for attempt in (mail.send(LETTER), mail.check()):
            with pytest.raises(Unreachable, match="its certificate is not trusted") as found:
                await attempt
            assert "hidden" not in found.value.message
    assert server.letters == []
    assert not [one for one in server.commands if one.startswith(("AUTH", "MAIL"))]


async def test_a_check_logs_in_and_sends_nothing() -> None:
    async with mail_server() as server:
        mail = SmtpMail.of(f"smtp://me:hidden@127.0.0.1:{server.port}", SENDER)
        assert await mail.check() is False
        assert [one.split(" ")[0].upper() for one in server.commands] == ["EHLO", "AUTH", "QUIT"]
        server.denies = True
        with pytest.raises(Unreachable, match="does not accept the user and password: 535") as found:
            await mail.check()
        assert "hidden" not in found.value.message
    with pytest.raises(Unreachable, match="nobody listens there"):
        await mail.check()


async def test_tls_is_not_spoken_where_it_was_promised() -> None:
    async with mail_server() as server:
        with pytest.raises(Unreachable, match="does not speak TLS there"):
            await SmtpMail.of(f"smtps://127.0.0.1:{server.port}", SENDER).check()


async def test_an_address_that_reads_as_two_is_left_out() -> None:
    async with mail_server() as server:
        to = ("root,x@example.com", "ann@example.com")
        await SmtpMail.of(f"smtp://127.0.0.1:{server.port}", SENDER).send(replace(LETTER, to=to))
    assert [one for one in server.commands if one.lower().startswith("rcpt")] == ["rcpt TO:<ann@example.com>"]


@pytest.mark.parametrize("to", ["ann@example.com\nBcc: bo@example.com", "änn@example.com", "root,x@example.com"])
async def test_an_address_that_cannot_be_written_to_is_trouble(to: str) -> None:
    async with mail_server() as server:
        with pytest.raises(Unreachable):
            await SmtpMail.of(f"smtp://127.0.0.1:{server.port}", SENDER).send(replace(LETTER, to=(to,)))
    assert server.letters == []


async def test_what_is_not_taken_is_trouble_that_may_pass() -> None:
    async with mail_server() as server:
        mail = SmtpMail.of(f"smtp://127.0.0.1:{server.port}", SENDER)
        server.refusals.append("451 later")
        with pytest.raises(Unreachable, match="451"):
            await mail.send(LETTER)
        await mail.send(LETTER)
        assert len(server.letters) == 1
    with pytest.raises(Unreachable):
        await mail.send(LETTER)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("mail.example.com", SENDER),
        ("http://mail.example.com", SENDER),
        ("http://mail.example.com:587", SENDER),
        ("smtp://", SENDER),
        ("smtp://mail.example.com:port", SENDER),
        ("smtp://mail.example.com/path", SENDER),
        ("smtp://mail.example.com?tls=no", SENDER),
        ("smtp://mail.example.com", None),
        ("smtp://mail.example.com", "nobody"),
    ],
)
def test_settings_that_cannot_be_are_said_without_the_password(url: str, sender: str | None) -> None:
    with pytest.raises(Misconfigured, match="SMTP_"):
        SmtpMail.of(url, sender)


def test_ports_are_those_that_everybody_uses() -> None:
    assert SmtpMail.of("smtp://mail.example.com", SENDER).port == 587
    assert SmtpMail.of("smtps://mail.example.com", SENDER).port == 465
