"""A mail server on a loopback port: takes letters, in the clear or by TLS, or says no as often as it is told to."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class MailServer:
    """Where it listens, what it refuses next, and what arrived: every command, those in the clear, and the letters by themselves.

    With `tls` it is spoken to by TLS: `at_once`, or as soon as somebody says STARTTLS.
    """

    tls: ssl.SSLContext | None = None
    at_once: bool = False
    port: int = 0
    denies: bool = False
    refusals: list[str] = field(default_factory=list[str])
    commands: list[str] = field(default_factory=list[str])
    clear: list[str] = field(default_factory=list[str])
    letters: list[EmailMessage] = field(default_factory=list[EmailMessage])

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        with suppress(OSError):
            writer.write(b"220 here\r\n")
            while line := await reader.readline():
                said = line.decode("latin-1").strip()
                self.commands.append(said)
                is_hidden = writer.get_extra_info("ssl_object") is not None
                if not is_hidden:
                    self.clear.append(said)
                if said.upper() == "STARTTLS" and self.tls is not None and not is_hidden:
                    writer.write(b"220 go on\r\n")
                    await writer.start_tls(self.tls)
                elif said.upper() == "DATA":
                    writer.write(b"354 go on\r\n")
                    raw = await reader.readuntil(b"\r\n.\r\n")
                    self.letters.append(message_from_bytes(raw[:-5], policy=policy.default))
                    writer.write(b"250 taken\r\n")
                else:
                    writer.write(self._answer(said.split(" ")[0].upper(), is_hidden=is_hidden))
                if said.upper() == "QUIT":
                    break
        writer.close()

    def _answer(self, verb: str, *, is_hidden: bool) -> bytes:
        match verb:
            case "EHLO" if self.tls is not None and not is_hidden:
                return b"250-here\r\n250 STARTTLS\r\n"
            case "EHLO":
                return b"250-here\r\n250 AUTH PLAIN\r\n"
            case "MAIL" if self.refusals:
                return f"{self.refusals.pop(0)}\r\n".encode()
            case "AUTH":
                return b"535 unknown\r\n" if self.denies else b"235 known\r\n"
            case "QUIT":
                return b"221 bye\r\n"
            case _:
                return b"250 ok\r\n"


@asynccontextmanager
async def mail_server(
    host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, *, at_once: bool = False
) -> AsyncGenerator[MailServer]:
    """Serve one."""
    found = MailServer(tls, at_once)
    server = await asyncio.start_server(found.talk, host, 0, ssl=tls if at_once else None)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
