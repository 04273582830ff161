"""The machinery of one house, opened by its settings: database, engine, blobs, cache, bus, and the keys that seal secrets."""

import fcntl
import os
import socket
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from tintype.backends import outbound as outbound_module
from tintype.backends.blobs import Blobs, open_blobs
from tintype.backends.bus import Bus, RedisBus
from tintype.backends.cache import Cache, MemoryCache, RedisCache
from tintype.backends.database import Database, in_transaction, open_database
from tintype.backends.engine import Engine
from tintype.backends.engine_remote import RemoteEngine
from tintype.backends.images import Images
from tintype.backends.journal import Journal
from tintype.backends.migrations import upgrade
from tintype.backends.names import Names
from tintype.backends.outbound import HttpOutbound, Outbound
from tintype.backends.recovery import Watch
from tintype.backends.vault import Vault, new_key
from tintype.errors import Misconfigured
from tintype.settings import Settings


@dataclass(frozen=True, slots=True)
class Backends:
    """The machinery of one house."""

    database: Database
    engine: Engine
    outbound: Outbound
    to_receivers: Outbound  # of webhooks: those who hang there hold no connection and no thread that others need
    vault: Vault
    blobs: Blobs
    cache: Cache
    bus: Bus
    images: Images
    works: bool  # whether this process works the jobs
    node: str  # under which it holds what it works on
    watch: Watch | None  # over the other nodes, where there may be some


async def open_backends(settings: Settings, stack: AsyncExitStack, work: bool) -> Backends:
    """Open everything, to be closed by `stack`; with `work` this process works the jobs, if nobody else does."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # for nobody else on this machine
    vault = vault_of(settings)
    database = open_database(settings.database_address())
    stack.push_async_callback(database.close)
    works = work and (not database.is_sqlite or lock(settings.data, stack))
    await upgrade(database)
    outbound = HttpOutbound(instagram_origin=settings.instagram_origin, allow=settings.outbound_allow)
    stack.push_async_callback(outbound.close)
    names = Names()
    stack.callback(names.close)
    to_receivers = HttpOutbound(
        instagram_origin=settings.instagram_origin, allow=settings.outbound_allow, resolver=names.resolve
    )
    stack.push_async_callback(to_receivers.close)
    outbound_module.forbid_when = in_transaction
    images = Images(settings.image_workers)
    stack.push_async_callback(images.close)
    cache, bus = _shared(settings, database)
    stack.push_async_callback(cache.close)
    stack.push_async_callback(bus.close)
    node = node_name()
    watch = Watch(database, node) if works and not database.is_sqlite else None
    engine = _engine(settings, database, works, watch)
    blobs = open_blobs(settings.blobs_address())
    return Backends(database, engine, outbound, to_receivers, vault, blobs, cache, bus, images, works, node, watch)


def _shared(settings: Settings, database: Database) -> tuple[Cache, Bus]:
    address = settings.redis_address()
    if address is None:
        return MemoryCache(), Journal(database)
    prefix = settings.redis_key_prefix
    return RedisCache(address, prefix=prefix), RedisBus(address, prefix=prefix)


def _engine(settings: Settings, database: Database, works: bool, watch: Watch | None) -> Engine:
    url = engine_url(settings, database)
    if not works:
        return RemoteEngine(url)
    # Loaded only where jobs are worked, as `engine_remote` says.
    from tintype.backends.engine_durable import DurableEngine

    return DurableEngine(url, executor=watch.node if watch else "local", watch=watch)


def engine_url(settings: Settings, database: Database) -> str:
    """Return where the engine keeps its jobs."""
    # Beside, not inside, our own file: the engine writes often and must not hold up anybody else's transactions.
    return f"sqlite:///{(settings.data / 'jobs.db').resolve()}" if database.is_sqlite else _sync_url(database.url)


def node_name() -> str:
    """Return a name for this process that no other has, and that tells people where it runs."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:6]}"


def _sync_url(url: str) -> str:
    return "postgresql+psycopg" + url[url.index("://") :]


def vault_of(settings: Settings) -> Vault:
    """Return what seals and opens secrets; without a key in the settings one is made in the data folder by the first start."""
    return Vault.of(_encryption_key(settings), (key.get_secret_value() for key in settings.encryption_keys_old))


def _encryption_key(settings: Settings) -> str:
    if settings.encryption_key is not None:
        return settings.encryption_key.get_secret_value()
    path = settings.data / "encryption.key"
    if not path.exists():
        if settings.database_url is not None:
            raise Misconfigured(
                "ENCRYPTION_KEY is needed with DATABASE_URL, because every node must have the same one; "
                "make one with: openssl rand -base64 32"
            )
        _write_key(path)
    return path.read_text().strip()


def _write_key(path: Path) -> None:
    # Written beside and linked into place, so that of two processes that start at once both read one whole key.
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    beside.touch(mode=0o600)
    beside.write_text(new_key() + "\n")
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def is_worked(settings: Settings) -> bool:
    """Tell whether a process works the jobs of this data folder now; on Postgres nobody has to wait for another."""
    place = settings.data / "jobs.lock"
    if not settings.database_address().startswith("sqlite") or not place.exists():
        return False
    with ExitStack() as stack:
        return not lock(settings.data, stack)


def lock(folder: Path, stack: ExitStack | AsyncExitStack) -> bool:
    """Take the data folder's lock; tell whether it was free. A killed process lets go of it."""
    file = stack.enter_context((folder / "jobs.lock").open("a"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def secret(value: SecretStr | None) -> str | None:
    """Return the text of a secret setting."""
    return value.get_secret_value() if value else None
