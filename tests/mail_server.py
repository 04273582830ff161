"""A mail server on a loopback port: takes letters, or says no as often as it is told to."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class MailServer:
    """Where it listens, what it refuses next, and what arrived: every command, and the letters by themselves."""

    port: int = 0
    refusals: list[str] = field(default_factory=list[str])
    commands: list[str] = field(default_factory=list[str])
    letters: list[EmailMessage] = field(default_factory=list[EmailMessage])

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            said = line.decode().strip()
            self.commands.append(said)
            match said.split(" ")[0].upper():
                case "EHLO":
                    writer.write(b"250-here\r\n250 AUTH PLAIN\r\n")
                case "MAIL" if self.refusals:
                    writer.write(f"{self.refusals.pop(0)}\r\n".encode())
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    raw = await reader.readuntil(b"\r\n.\r\n")
                    self.letters.append(message_from_bytes(raw[:-5], policy=policy.default))
                    writer.write(b"250 taken\r\n")
                case "AUTH":
                    writer.write(b"235 known\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 ok\r\n")
        writer.close()


@asynccontextmanager
async def mail_server(host: str = "127.0.0.1") -> AsyncGenerator[MailServer]:
    """Serve one."""
    found = MailServer()
    server = await asyncio.start_server(found.talk, host, 0)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
