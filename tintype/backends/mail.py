"""Letters by SMTP: for what a person has to hear who looks at nothing here. The one way out that does not speak HTTP.

It leads to the operator's own mail server alone, so no address guard stands in it.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from tintype.errors import Misconfigured, Unreachable

SECONDS = 30.0  # for each step of a conversation
_PORTS = {"smtp": 587, "smtps": 465}
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Letter:
    """A plain letter; one that comes twice has the same `name`, by which mailboxes show it once."""

    name: str
    to: Sequence[str]
    subject: str
    text: str
    at: datetime


class Mail(Protocol):
    """Takes letters."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter on.

        Raises `Unreachable` when it was not taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class SmtpMail:
    """A mail server, by TLS from the first byte or as soon as it offers that; passwords never go to another machine without."""

    host: str
    port: int
    is_secure: bool
    sender: str
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str, sender: str | None) -> "SmtpMail":
        """Read `smtp://user:password@host:port`, or `smtps://…`; raises `Misconfigured` for anything else."""
        try:
            parts = urlsplit(url)
            usual = _PORTS[parts.scheme]
            port = parts.port or usual
        except (ValueError, KeyError):
            raise Misconfigured("SMTP_URL: write smtp://user:password@host:587, or smtps:// and port 465") from None
        if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise Misconfigured(
                "SMTP_URL: write only user, password, host and port, as in smtp://user:password@host:587"
            )
        if sender is None or "@" not in parseaddr(sender)[1]:
            raise Misconfigured("SMTP_FROM: write the address that letters come from, as in tintype@example.com")
        user = unquote(parts.username) if parts.username else None
        return cls(parts.hostname, port, parts.scheme == "smtps", sender, user, unquote(parts.password or ""))

    async def send(self, letter: Letter) -> None:
        await self._tried(lambda: self._send(letter), "did not take a letter")

    async def check(self) -> bool:
        """Say hello and who we are, as before every letter, and send none; return whether TLS hides what is said.

        Raises `Unreachable` when no letter would get so far.
        """
        return await self._tried(self._greet, "cannot be used")

    async def _tried(self, talk: Callable[[], T], otherwise: str) -> T:
        try:
            return await asyncio.to_thread(talk)
        except (OSError, MessageError, ValueError) as error:  # smtplib's own are among the first
            # Its words may repeat what was sent, where a password may be.
            raise Unreachable(f"the mail server at {self.host!r} {otherwise} ({_word(error)})") from error

    def _send(self, letter: Letter) -> None:
        message = self._message(letter)
        with self._opened() as server:
            server.send_message(message)

    def _greet(self) -> bool:
        with self._opened() as server:
            return isinstance(server.sock, ssl.SSLSocket)

    @contextmanager
    def _opened(self) -> Generator[smtplib.SMTP]:
        """Yield the server as letters are given to it: with TLS where it can be had, and after it knows us."""
        with self._connected() as server:
            server.ehlo_or_helo_if_needed()
            if not self.is_secure and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            elif not self.is_secure and self.user is not None and self.host not in _HERE:
                raise _InTheClear
            if self.user is not None:
                server.login(self.user, self.password)
            yield server

    def _connected(self) -> smtplib.SMTP:
        if self.is_secure:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS)

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        # One with a comma in it would be two, and the first of them somebody else.
        message["To"] = ", ".join(one for one in letter.to if parseaddr(one)[1] == one)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(letter.at)
        message["Message-ID"] = f"<{letter.name}@{parseaddr(self.sender)[1].rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # so that no absence is answered to it (RFC 3834)
        message.set_content(letter.text)
        return message


class _InTheClear(smtplib.SMTPException):
    """A password would have gone to another machine without TLS."""


_WORDS = (
    (_InTheClear, "it offers no TLS, and no password goes to another machine without"),
    (smtplib.SMTPAuthenticationError, "it does not accept the user and password"),
    (smtplib.SMTPNotSupportedError, "it does not offer what is needed: to log in, or to write to such an address"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "it does not speak TLS there"),
    (ConnectionRefusedError, "nobody listens there"),
    (TimeoutError, "it does not answer"),
    (UnicodeError, "there are characters that cannot be sent, in user or password perhaps"),
)


def _word(error: Exception) -> str:
    name = next((words for kind, words in _WORDS if isinstance(error, kind)), type(error).__name__)
    code = getattr(error, "smtp_code", None)
    return f"{name}: {code}" if code else name
