"""Letters on their way to a mail server: what it hears, and what its trouble is called."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from tests.mail_server import mail_server
from tintype.backends.mail import Letter, SmtpMail
from tintype.errors import Misconfigured, Unreachable

LETTER = Letter(
    "name.1", ("ann@example.com", "bo@example.com"), "Größe", "It is so.\n.\n", datetime(2026, 11, 27, tzinfo=UTC)
)
SENDER = "Tintype <tintype@example.com>"


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
    known = b64encode(b"\0me\0p@ss:word").decode()
    assert f"AUTH PLAIN {known}" in server.commands
    assert "p@ss" not in repr(mail)


async def test_a_password_does_not_go_to_another_machine_in_the_clear() -> None:
    async with mail_server("127.0.0.2") as server:  # to the rule this is another machine: it has another name
        with pytest.raises(Unreachable) as found:
            await SmtpMail.of(f"smtp://me:hidden@127.0.0.2:{server.port}", SENDER).send(LETTER)
    assert not [one for one in server.commands if one.startswith("AUTH")]
    assert "hidden" not in found.value.message


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
