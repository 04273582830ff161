"""Tintype's own program, started as a user starts it: in a process, from a folder of its own, without our environment."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds a busy machine may take
TERM_SECONDS = 10.0  # promised for the end after SIGTERM


@dataclass(slots=True)
class Program:
    """A running command; what it says goes to files."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def line(self, part: str = "") -> str:
        """Wait for the first line on stdout that has `part` in it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            ended = self.process.poll() is not None
            for line in self.out.read_text().splitlines(keepends=True):
                if part in line and line.endswith("\n"):
                    return line.strip()
            if ended:
                break
            time.sleep(0.02)
        raise AssertionError(
            f"{part!r} was not said; stdout: {self.out.read_text()!r} stderr: {self.err.read_text()!r}"
        )

    def end(self) -> int:
        """Ask it to end as an init system does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(TERM_SECONDS)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def started(folder: Path, *arguments: str, **environment: str) -> Generator[Program]:
    """Start a command that stays; it is killed at the end of the block if it still runs."""
    folder.mkdir(exist_ok=True)
    number = len(list(folder.glob("*.out")))
    out, err = folder / f"{number}.out", folder / f"{number}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tintype", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env=_environment(folder, environment),
            preexec_fn=_hears_interrupts,
        )
    program = Program(process, out, err)
    try:
        yield program
    finally:
        if process.poll() is None:
            program.kill()


def _hears_interrupts() -> None:
    # A shell starts what it puts into the background deaf to Ctrl-C, and so is everything below it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tintype", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=_environment(folder, environment),
        timeout=PATIENCE,
    )


def _environment(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200", **given}


def fetch(url: str, *, body: object = None, **headers: str) -> tuple[int, bytes]:
    """Ask a server; returns status and body, whatever the status."""
    sent = None if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    try:
        with urlopen(Request(url, sent, {**kind, **headers}), timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def fetch_json(url: str, *, body: object = None, **headers: str) -> Any:
    """Return the JSON of a 2xx answer."""
    status, said = fetch(url, body=body, **headers)
    assert status < 300, said
    return json.loads(said)
