"""`tintype doctor`: is everything there that a working house needs? It looks, and changes nothing."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from tintype.cli import surroundings
from tintype.cli.listening import is_loopback
from tintype.cli.opening import Folder, settings_of, start_logs
from tintype.cli.output import AsJson, Exit, rows
from tintype.cli.surroundings import Finding, State
from tintype.errors import Misconfigured, Trouble

if TYPE_CHECKING:
    from tintype.backends.vault import Vault
    from tintype.instagram.public import Health
    from tintype.settings import Settings

GB = 1024**3
_LOW, _EMPTY = 1 * GB, GB // 10  # free disk space, in bytes

Check = Callable[["Settings"], Awaitable[Finding]]


def doctor(
    online: Annotated[
        bool,
        typer.Option(
            "--online", help="Also ask the real Instagram, QStash, Cloudinary, and PUBLIC_URL, whether they are there."
        ),
    ] = False,
    hostile: Annotated[
        str | None, typer.Option(metavar="URL", help="Instead try on a running server of yours what strangers try.")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, database, files, Instagram and machine; ends with 1 when something must be mended.

    With --hostile URL it attacks your own server there, on this machine or where PUBLIC_URL says, and reports what gets through;
    a workspace's token in TINTYPE_TOKEN opens the doors that need one. It takes a minute, and leaves nothing behind.

    Keys of --json, for each check: check, state (ok, warn or fail), found, advice.
    """
    try:
        settings = settings_of(data)
    except Misconfigured as trouble:
        found = [Finding("settings", "fail", trouble.message, "correct the environment or the .env file")]
    else:
        start_logs(settings, quiet=True)
        found = asyncio.run(_attacked(settings, hostile) if hostile else _examine(settings, online=online))
    rows([asdict(one) for one in found], as_json=as_json, empty="")
    if any(one.state == "fail" for one in found):
        raise typer.Exit(Exit.TROUBLE)


async def _examine(settings: "Settings", *, online: bool) -> list[Finding]:
    found = [await _tried(check, settings) for check in CHECKS]
    found += [await _tried(wraps(check)(partial(check, online=online)), settings) for check in ASKED]
    asked = await _instagram(settings, online=online)
    return [surroundings.spelling(), *found, *asked]


async def _attacked(settings: "Settings", url: str) -> list[Finding]:
    from tintype.cli.hostility import Target, attack

    target = Target(url, os.environ.get("TINTYPE_TOKEN") or None)
    target.check([settings.host, urlsplit(settings.address()).hostname or ""])
    return [
        Finding(one.name, "warn" if one.is_skipped else "fail" if one.trouble else "ok", one.trouble or one.tried)
        for one in await attack(target)
    ]


async def _tried(check: Check, settings: "Settings") -> Finding:
    name = check.__name__.strip("_").replace("_", " ")
    try:
        return await check(settings)
    except Trouble as trouble:
        return Finding(name, "fail", trouble.message)
    except Exception as error:  # noqa: BLE001 - one check that breaks is a finding; the others must go on
        return Finding(
            name, "fail", f"could not be checked: {type(error).__name__}", "see the log with LOG_LEVEL=debug"
        )


async def _database(settings: "Settings") -> Finding:
    from tintype.backends.database import open_database, revision
    from tintype.backends.migrations import HEAD

    address = settings.database_address()
    if place := _missing_file(address):
        return Finding("database", "ok", f"{place} is made by the first start")
    database = open_database(address)
    try:
        await database.check()
        known = await revision(database)
    except Exception as error:  # noqa: BLE001 - drivers raise many kinds; which one it was is said by name only
        return Finding(
            "database", "fail", f"does not answer: {type(error).__name__}", "check DATABASE_URL and the server"
        )
    finally:
        await database.close()
    if known != HEAD:
        return Finding("database", "warn", f"stands at revision {known or 'none'}, not {HEAD}", "run: tintype migrate")
    return Finding("database", "ok", f"answers, at revision {HEAD}")


def _missing_file(address: str) -> Path | None:
    place = Path(address.removeprefix("sqlite:///"))
    return place if address.startswith("sqlite:///") and not place.exists() else None


async def _data_folder(settings: "Settings") -> Finding:
    folder = settings.data.resolve()
    place = _nearest(folder)
    if not place.is_dir() or not os.access(place, os.W_OK):
        return Finding(
            "data folder", "fail", f"{folder} cannot be written", "choose another with TINTYPE_DATA or --data"
        )
    return Finding(
        "data folder", "ok", f"{folder} {'can be written' if place == folder else 'is made by the first start'}"
    )


async def _blobs(settings: "Settings") -> Finding:
    from tintype.backends.blobs import open_blobs

    if settings.blobs_url is None and not settings.data.exists():
        return Finding("blobs", "ok", "a folder in the data folder, made by the first start")
    try:
        await open_blobs(settings.blobs_address()).health()
    except Trouble as trouble:
        return Finding("blobs", "fail", trouble.message, "check BLOBS_URL, its credentials and its permissions")
    return Finding("blobs", "ok", "can be written")


async def _cache(settings: "Settings") -> Finding:
    address = settings.redis_address()
    if address is None:
        return Finding("cache", "ok", "in memory; several nodes need REDIS_URL")
    from tintype.backends.cache import RedisCache

    cache = RedisCache(address, prefix=settings.redis_key_prefix)
    try:
        await cache.health()
    except Trouble as trouble:
        return Finding("cache", "fail", trouble.message, "check REDIS_URL and the server")
    finally:
        await cache.close()
    return Finding("cache", "ok", "Redis answers")


async def _engine(settings: "Settings") -> Finding:
    from tintype.machinery import is_worked

    if not settings.database_address().startswith("sqlite"):
        return await surroundings.nodes(settings)
    if is_worked(settings):
        return Finding("engine", "ok", "a running process works the jobs")
    return Finding("engine", "warn", *surroundings.IDLE)


async def _encryption_key(settings: "Settings") -> Finding:
    found = _key_in_place(settings)
    if found.state == "fail":
        return found
    with suppress(Trouble, OSError):  # which the checks of the database and of the data folder tell
        pair = await _pair(settings)
        stranger = _vault(settings).stranger(pair) if pair is not None else None
        if stranger is not None:
            advice = "set that one as ENCRYPTION_KEY, or add it to ENCRYPTION_KEYS_OLD"
            wrong = f"it is not the one that sealed what is stored here, {stranger}; nothing starts with it"
            return Finding("encryption key", "fail", wrong, advice)
    return found


def _key_in_place(settings: "Settings") -> Finding:
    place = settings.data / "encryption.key"
    if settings.encryption_key is not None:
        return Finding("encryption key", "ok", "ENCRYPTION_KEY is set")
    if settings.database_url is not None:
        advice = "make one with: openssl rand -base64 32, and give it to every node"
        return Finding("encryption key", "fail", "ENCRYPTION_KEY is needed with DATABASE_URL", advice)
    if not place.exists():
        return Finding("encryption key", "ok", f"{place} is made by the first start")
    if place.stat().st_mode & 0o077:
        return Finding("encryption key", "warn", f"others of this machine may read {place}", f"chmod 600 {place}")
    return Finding("encryption key", "ok", f"{place}; keep a copy of it beside your backups, not in them")


async def _app_credentials(settings: "Settings") -> Finding:
    pairs = {
        "Instagram": (settings.instagram_app_id, settings.instagram_app_secret),
        "Facebook": (settings.facebook_app_id, settings.facebook_app_secret),
    }
    half = [name for name, pair in pairs.items() if any(pair) and not all(pair)]
    whole = [name for name, pair in pairs.items() if all(pair)]
    if half:
        advice = f"set both {half[0].upper()}_APP_ID and {half[0].upper()}_APP_SECRET"
        return Finding("app credentials", "fail", f"the {half[0]} app is set by half", advice)
    if not whole:
        advice = "set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or register accounts with a token of their own"
        return Finding("app credentials", "warn", "no app is set, so nobody can connect by login", advice)
    return Finding("app credentials", "ok", f"set for {' and '.join(whole)} Login")


async def _registration(settings: "Settings") -> Finding:
    shown = not is_loopback(settings.host) or not is_loopback(urlsplit(settings.address()).hostname or "")
    if settings.admin_token is None and shown:
        return Finding("registration", "warn", "whoever reaches this server can register", "set ADMIN_TOKEN")
    return Finding("registration", "ok", "needs ADMIN_TOKEN" if settings.admin_token else "open to this machine only")


async def _scrape_key(settings: "Settings") -> Finding:
    shown = not is_loopback(settings.host) or not is_loopback(urlsplit(settings.address()).hostname or "")
    if settings.api_key is None and shown:
        return Finding("scrape key", "warn", "whoever reaches this server can have posts downloaded", "set API_KEY")
    return Finding("scrape key", "ok", "API_KEY is set" if settings.api_key else "open to this machine only")


async def _cloudinary(settings: "Settings", *, online: bool) -> Finding:
    """Ask Cloudinary whether it takes our signature, and say what of the feeds' pictures lies there."""
    from tintype.backends.outbound import HttpOutbound
    from tintype.rooms import cloud_of

    given = (settings.cloudinary_cloud_name, settings.cloudinary_api_key, settings.cloudinary_api_secret)
    if not all(given):
        advice = "set CLOUDINARY_CLOUD_NAME, CLOUDINARY_API_KEY and CLOUDINARY_API_SECRET, or none of them"
        half = Finding("cloudinary", "fail", "the cloud is set by half, so own copies are shown", advice)
        return half if any(given) else Finding("cloudinary", "ok", "not set; own copies are shown")
    if not online and "cloudinary_upload_prefix" not in settings.model_fields_set:
        found = f"not asked; {await _hosted(settings)}"
        return Finding("cloudinary", "ok", found, "add --online to ask api.cloudinary.com")
    outbound = HttpOutbound(allow=settings.outbound_allow)
    cloud = cloud_of(settings, outbound)
    assert cloud is not None
    try:
        await cloud.check()
    except Trouble as trouble:
        return Finding(
            "cloudinary", "fail", f"{trouble.message}; {await _hosted(settings)}", "own copies are shown meanwhile"
        )
    finally:
        await outbound.close()
    return Finding("cloudinary", "ok", f"takes our signature; {await _hosted(settings)}")


async def _hosted(settings: "Settings") -> str:
    from tintype.backends.database import open_database, revision
    from tintype.backends.migrations import HEAD
    from tintype.core.feed import HostingRecords

    if _missing_file(settings.database_address()):
        return "nothing lies there yet"
    database = open_database(settings.database_address())
    try:
        if await revision(database) != HEAD:
            return "what lies there is known after a migration"
        found = await HostingRecords(database).standing(settings.cloudinary_cloud_name or "")
    finally:
        await database.close()
    told = f"{found.there} pictures lie there, {found.waiting} wait, {found.leaving} are to go"
    return f"{told} (last: {found.problem})" if found.problem else told


async def _push(settings: "Settings") -> Finding:
    """Look at what pushes need: a key that can be read, somebody to write to, and pages that browsers trust."""
    is_right, key = await _push_key(settings)
    if not is_right:
        return Finding(
            "push", "fail", key, "give the ENCRYPTION_KEY that it was made under, also in ENCRYPTION_KEYS_OLD"
        )
    parts = urlsplit(settings.address())
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        advice = "serve it over https and set PUBLIC_URL: browsers subscribe on no other page"
        return Finding("push", "warn", f"{key}; {settings.address()} is not https", advice)
    if settings.push_contact is None and parts.scheme != "https":
        advice = "set PUSH_CONTACT=mailto:you@your.domain; Apple takes no push without one"
        return Finding(
            "push", "ok" if is_loopback(parts.hostname or "") else "warn", f"{key}; no contact is given", advice
        )
    return Finding("push", "ok", f"{key}; contact {settings.push_contact or settings.address()}")


async def _push_key(settings: "Settings") -> tuple[bool, str]:
    """Return whether the key for pushes is right, or yet to be made, and what there is to say of it."""
    from tintype.core.notifications import opened_key

    pair = await _pair(settings)
    if pair is None:
        return True, "the key is made by the first start"
    try:
        return True, f"the key begins with {opened_key(_vault(settings), pair).public[:8]}"
    except (Trouble, OSError) as error:
        return (
            False,
            f"the key for pushes cannot be used: {error.message if isinstance(error, Trouble) else error.strerror}",
        )


async def _pair(settings: "Settings") -> bytes | None:
    """Return the sealed key pair for pushes; None when no start has made it yet."""
    from tintype.backends.database import open_database, revision
    from tintype.backends.migrations import HEAD
    from tintype.core.notifications import PushRecords

    if _missing_file(settings.database_address()):
        return None
    database = open_database(settings.database_address())
    try:
        return await PushRecords(database).key() if await revision(database) == HEAD else None
    finally:
        await database.close()


def _vault(settings: "Settings") -> "Vault":
    from tintype.backends.vault import Vault

    key = settings.encryption_key
    text = key.get_secret_value() if key else (settings.data / "encryption.key").read_text().strip()
    return Vault.of(text, (old.get_secret_value() for old in settings.encryption_keys_old))


async def _recipes(settings: "Settings") -> Finding:
    """Ask where recipes go, and the servers that help with them, whether they are there."""
    from tintype.backends.images import Images
    from tintype.backends.outbound import HttpOutbound
    from tintype.kitchen import helpers_of, outlet_of

    outbound, images = HttpOutbound(allow=settings.outbound_allow), Images(1)
    try:
        outlet, helpers = outlet_of(settings, outbound), helpers_of(settings, outbound, images)
        made = outlet is not None and (outlet.name != "folder" or (settings.recipe_folder or Path()).exists())
        told = [await _standing_of(outlet.check)] if outlet and made else []
        told += [await _standing_of(check) for check in helpers.checks().values()]
    finally:
        await images.close()
        await outbound.close()
    if away := [said for there, said in told if not there]:
        return Finding("recipes", "fail", "; ".join(away), "see docs/how-to/recipes.md and recipes-with-a-model.md")
    known = "; ".join(said for _, said in told)
    return Finding("recipes", "ok", known or ("are put away" if outlet else "stay in the queue, and rules read them"))


async def _standing_of(check: Callable[[], Awaitable[object]]) -> tuple[bool, str]:
    try:
        found = await check()
    except Trouble as trouble:
        return False, trouble.message
    return True, str(getattr(found, "sentence", found))


async def _ffmpeg(settings: "Settings") -> Finding:
    del settings
    from tintype.backends.video import ffmpeg

    program = ffmpeg()
    if program is None:
        return Finding(
            "ffmpeg", "warn", "not found: videos without a thumbnail stay without a poster", "install ffmpeg"
        )
    return Finding("ffmpeg", "ok", program)


async def _disk(settings: "Settings") -> Finding:
    free = shutil.disk_usage(_nearest(settings.data.resolve())).free
    state: State = "ok" if free >= _LOW else "warn" if free >= _EMPTY else "fail"
    return Finding("disk", state, f"{free / GB:.1f} GB free", None if state == "ok" else "make room for pictures")


def _nearest(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


async def _public_posts(settings: "Settings") -> Finding:
    from tintype.backends.database import open_database, revision
    from tintype.backends.migrations import HEAD
    from tintype.core.downloads import StoredStandings, way_health
    from tintype.instagram import utc_now

    if _missing_file(settings.database_address()):
        return Finding("public posts", "ok", "nobody was asked for one yet")
    database = open_database(settings.database_address())
    try:
        found = await way_health(StoredStandings(database), utc_now()) if await revision(database) == HEAD else []
    finally:
        await database.close()
    told = "; ".join(f"{one.way} {_standing(one)}" for one in found) or "nobody was asked for one yet"
    verdicts = {one.verdict.value for one in found}
    if "limited" in verdicts:
        advice = "nothing to mend here: Instagram limits this address; ask for less, and wait"
        return Finding("public posts", "warn", told, advice)
    if "broken" in verdicts:
        advice = "most likely Instagram changed and the way is broken for all: look for an update"
        return Finding("public posts", "warn", told, advice)
    return Finding("public posts", "ok", told)


def _standing(health: "Health") -> str:
    if health.verdict.value in ("limited", "broken"):
        return f"is {health.verdict.value} ({health.reason}), tried again {health.next_at:%Y-%m-%d %H:%M} UTC"
    last = f"last worked {health.last_success:%Y-%m-%d %H:%M} UTC" if health.last_success else "was not used yet"
    return f"{last}, {health.left} of {health.budget} look-ups an hour left"


CHECKS: tuple[Check, ...] = (
    _data_folder,
    _database,
    _blobs,
    _cache,
    _engine,
    _encryption_key,
    _app_credentials,
    _registration,
    _scrape_key,
    _public_posts,
    _recipes,
    _push,
    _ffmpeg,
    _disk,
    surroundings.letters,
    surroundings.database_clock,
    surroundings.versions,
)

ASKED = (surroundings.public_address, surroundings.qstash, _cloudinary)  # those that ask more when they may go online


async def _instagram(settings: "Settings", *, online: bool) -> list[Finding]:
    """Ask whether Instagram answers, and by its Date header whether our clock is right."""
    now = datetime.now(UTC)
    if settings.instagram_origin is None and not online:
        return [
            Finding("instagram", "ok", "not asked", "add --online to ask graph.instagram.com"),
            Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, compared with nobody"),
        ]
    from tintype.backends.outbound import HttpOutbound, Outgoing, Policy

    outbound = HttpOutbound(instagram_origin=settings.instagram_origin, allow=settings.outbound_allow)
    try:
        answer = await outbound.send(Outgoing("HEAD", "https://graph.instagram.com/"), Policy(total_seconds=5))
    except Trouble as trouble:
        advice = "check INSTAGRAM_ORIGIN" if settings.instagram_origin else "check the way out to the internet"
        return [Finding("instagram", "fail", trouble.message, advice)]
    finally:
        await outbound.close()
    whom = f"what stands at {settings.instagram_origin}" if settings.instagram_origin else "graph.instagram.com"
    return [Finding("instagram", "ok", f"{whom} answers"), _clock(answer.headers.get("date"), datetime.now(UTC))]


def _clock(theirs: str | None, now: datetime) -> Finding:
    if theirs is None:
        return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, compared with nobody")
    return surroundings.clock("clock", parsedate_to_datetime(theirs), now)
