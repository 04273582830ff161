"""What `tintype doctor` asks of a house's surroundings: the mail server, QStash, the database's clock, its own address, and versions."""

import json
import platform
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tintype import __version__
from tintype.cli.listening import is_loopback
from tintype.errors import Trouble

if TYPE_CHECKING:
    from tintype.backends.outbound import Answer
    from tintype.settings import Settings

SKEW, WRONG = 30.0, 300.0  # seconds by which a clock may differ: signatures and tokens go by it

IDLE = ("nobody works the jobs now", "start: tintype serve, or tintype worker")

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    state: State
    found: str
    advice: str | None = None


def spelling() -> Finding:
    """Look for names of settings that are nearly right: what they set is not set."""
    from tintype.settings.misspelt import given, misspelt

    found = misspelt(given())
    if not found:
        return Finding("settings", "ok", "every setting can be read")
    told = "; ".join(f"{name} is no setting, {meant} is" for name, meant in found.items())
    return Finding("settings", "warn", told, "correct the name in the environment or the .env file")


async def letters(settings: "Settings") -> Finding:
    """Say hello to the mail server, and log in there; no letter is sent."""
    from tintype.backends.mail import SmtpMail
    from tintype.machinery import secret

    url = secret(settings.smtp_url)
    if url is None:
        return Finding("letters", "ok", "SMTP_URL is not set; nobody is written to")
    mail = SmtpMail.of(url, settings.smtp_from)
    try:
        is_hidden = await mail.check()
    except Trouble as trouble:
        return Finding("letters", "fail", trouble.message, "check SMTP_URL; letters are kept for a day meanwhile")
    known = f"the mail server at {mail.host!r} takes {'us as its user' if mail.user else 'letters'}"
    if is_hidden:
        return Finding("letters", "ok", f"{known}, by TLS")
    state: State = "ok" if is_loopback(mail.host) else "warn"
    return Finding("letters", state, f"{known}, in the clear", "use smtps://, or a server that offers STARTTLS")


async def qstash(settings: "Settings", *, online: bool) -> Finding:
    """Ask QStash whether it takes our token, and whether the keys that it signs with are ours."""
    from tintype.machinery import secret

    token = secret(settings.qstash_token)
    if token is None:
        return Finding("qstash", "ok", "not set; POST /sync queues its jobs here")
    if not online and "qstash_url" not in settings.model_fields_set:
        return Finding("qstash", "ok", "not asked", "add --online to ask qstash.upstash.io")
    try:
        answer = await _asked(settings, f"{settings.qstash_url}/v2/keys", token)
    except Trouble as trouble:
        return Finding("qstash", "fail", trouble.message, "check QSTASH_URL and the way out to it")
    if answer.status in (401, 403):
        return Finding(
            "qstash", "fail", f"does not take QSTASH_TOKEN: it answers {answer.status}", "check QSTASH_TOKEN"
        )
    ours = [secret(settings.qstash_current_signing_key), secret(settings.qstash_next_signing_key)]
    if (theirs := _signing_keys(answer)) and theirs[0] not in ours:
        advice = "set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY as its console shows them"
        return Finding("qstash", "fail", "signs with a key that is none of ours, so its calls are refused", advice)
    told = "takes our token, and its keys are ours" if theirs else "answers, and says nothing of its keys"
    return Finding("qstash", "ok", told)


def _signing_keys(answer: "Answer") -> list[str]:
    try:
        said: Any = json.loads(answer.body)
        return [str(said["current"]), str(said["next"])] if answer.status == 200 else []
    except (ValueError, KeyError, TypeError):
        return []


async def public_address(settings: "Settings", *, online: bool) -> Finding:
    """Look at the address by which the world is to reach this server, and when asked try the way."""
    address = settings.address()
    parts = urlsplit(address)
    if is_loopback(parts.hostname or ""):
        advice = "set PUBLIC_URL to the https address of your proxy; Instagram redirects to no other"
        state: State = "ok" if settings.instagram_origin else "warn"
        return Finding("public address", state, f"{address} is reached from this machine only", advice)
    if parts.scheme != "https":
        advice = "serve it over https: Instagram redirects and calls to no other, and tokens travel in the clear"
        return Finding("public address", "warn", f"{address} is not https", advice)
    if not online:
        return Finding("public address", "ok", address)
    try:
        answer = await _asked(settings, f"{address}/healthz")
    except Trouble as trouble:
        return Finding(
            "public address", "warn", trouble.message, "start the server, and see that its proxy leads there"
        )
    if answer.status != 200:
        found = f"{address}/healthz answers {answer.status}"
        return Finding("public address", "warn", found, "see that the proxy there leads to this server")
    return Finding("public address", "ok", f"{address} leads to a server that is alive")


async def _asked(settings: "Settings", url: str, token: str | None = None) -> "Answer":
    from tintype.backends.outbound import HttpOutbound, Outgoing, Policy

    outbound = HttpOutbound(allow=settings.outbound_allow)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        return await outbound.send(Outgoing("GET", url, headers=headers), Policy(total_seconds=5, https_only=False))
    finally:
        await outbound.close()


async def nodes(settings: "Settings") -> Finding:
    """Count the servers and workers that work the jobs of a database server now."""
    from tintype.backends.database import open_database, revision
    from tintype.backends.migrations import HEAD
    from tintype.backends.recovery import living

    database = open_database(settings.database_address())
    try:
        found = len(await living(database)) if await revision(database) == HEAD else 0
    finally:
        await database.close()
    if not found:
        return Finding("engine", "warn", *IDLE)
    return Finding("engine", "ok", f"{found} {'process works' if found == 1 else 'processes work'} the jobs")


async def database_clock(settings: "Settings") -> Finding:
    """Compare this machine's clock with the database server's, by which all nodes are compared."""
    from tintype.backends.database import open_database

    if settings.database_address().startswith("sqlite"):
        return Finding("database clock", "ok", "the same as this machine's")
    database = open_database(settings.database_address())
    try:
        async with database.read() as connection:
            theirs = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    except Exception as error:  # noqa: BLE001 - drivers raise many kinds; the check of the database tells of it
        return Finding("database clock", "fail", f"could not be asked: {type(error).__name__}", "see database")
    finally:
        await database.close()
    return clock("database clock", theirs, datetime.now(UTC))


def clock(check: str, theirs: datetime, now: datetime) -> Finding:
    """Judge by how much two clocks differ."""
    off = abs((theirs - now).total_seconds())
    state: State = "ok" if off <= SKEW else "warn" if off <= WRONG else "fail"
    return Finding(check, state, f"{off:.0f} s off", None if state == "ok" else "let the machine set its clock by NTP")


async def versions(settings: "Settings") -> Finding:
    """Name what this house is made of, as a report of a fault wants it."""
    import pyvips

    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    found = f"Tintype {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return Finding("versions", "ok", f"{found}, libvips {libvips}, Graph API {settings.instagram_graph_version}")
