"""Starts servers side by side and measures what a request costs them: CPU time of the whole process tree, and latency."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 120.0  # seconds in which a server has to be there, on a machine that is busy otherwise
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of request cost a server: requests, CPU microseconds per request, latencies in milliseconds."""

    requests: int
    cpu_us: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server under measurement."""

    name: str
    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """CPU time used so far by the server and its children."""
        return sum(_cpu(pid) for pid in _tree(self.process.pid))

    def own_cpu_seconds(self) -> float:
        """CPU time used so far by the server without its children."""
        return _cpu(self.process.pid)

    def memory_mb(self) -> float:
        """Resident memory of the server and its children."""
        return sum(_memory(pid) for pid in _tree(self.process.pid))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    name: str,
    command: list[str],
    port: int,
    path: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Generator[Server]:
    """Start a server and wait until it answers `path`, whatever it answers; end it afterwards."""
    process = subprocess.Popen(
        command, env={**os.environ, **(env or {})}, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}")
        yield Server(name, process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def pretending() -> Generator[Server]:
    """Run a pretend Instagram in a process of its own."""
    port = free_port()
    program = str(Path(sys.executable).with_name("tintype"))
    with running("simulator", [program, "simulate", "--port", str(port)], port, "/_world") as server:
        yield server


@contextlib.contextmanager
def simulator() -> Generator[str]:
    """Run a pretend Instagram in a process of its own; gives its address."""
    with pretending() as server:
        yield server.origin


def measure(server: Server, path: str, headers: Mapping[str, str], *, connections: int = 64, seconds: int = 4) -> Cost:
    """Ask a server for `path` from `connections` connections for some seconds (after one to warm up)."""
    _wrk(server, path, headers, connections, 1)
    before = server.cpu_seconds()
    said = _wrk(server, path, headers, connections, seconds)
    used = server.cpu_seconds() - before
    requests = int(_found(r"(\d+) requests in", said))
    return Cost(requests, used / requests * 1e6, _milliseconds(said, "50%"), _milliseconds(said, "99%"))


def measure_among(
    server: Server, path: str, tokens: Path, folder: Path, *, connections: int = 64, seconds: int = 4
) -> Cost:
    """Ask a server for `path` as `measure` does, each time with any one of the bearer tokens that stand in a file."""
    script = folder / "any.lua"
    script.write_text(
        "local tokens = {}\nmath.randomseed(7)\n"
        f"for line in io.lines('{tokens}') do tokens[#tokens + 1] = 'Bearer ' .. line end\n"
        "request = function()\n  wrk.headers['Authorization'] = tokens[math.random(#tokens)]\n"
        f"  return wrk.format('GET', '{path}')\nend\n"
    )
    _wrk(server, path, {}, connections, 1, script)
    before = server.cpu_seconds()
    said = _wrk(server, path, {}, connections, seconds, script)
    used = server.cpu_seconds() - before
    if re.search(r"Non-2xx or 3xx responses", said):
        raise RuntimeError(f"{server.name} answered with errors: {said}")
    requests = int(_found(r"(\d+) requests in", said))
    return Cost(requests, used / requests * 1e6, _milliseconds(said, "50%"), _milliseconds(said, "99%"))


def measure_posts(
    server: Server, path: str, body: str, folder: Path, *, connections: int = 64, seconds: int = 4
) -> Cost:
    """Post a JSON body that the server refuses with 4xx, over and over, as `measure` reads."""
    script = folder / "post.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n")
    _wrk(server, path, {}, connections, 1, script)
    before = server.cpu_seconds()
    said = _wrk(server, path, {}, connections, seconds, script)
    used = server.cpu_seconds() - before
    requests = int(_found(r"(\d+) requests in", said))
    refused = int(_found(r"Non-2xx or 3xx responses: (\d+)", said))
    if refused != requests:
        raise RuntimeError(f"{server.name} took {requests - refused} requests that it should refuse")
    return Cost(requests, used / requests * 1e6, _milliseconds(said, "50%"), _milliseconds(said, "99%"))


def need(program: str, package: str) -> str:
    """Return a program's path; ends the benchmark with what to install when it is missing."""
    found = shutil.which(program)
    if found is None:
        sys.exit(f"this benchmark needs {program}: install the package {package}")
    return found


def _wrk(
    server: Server, path: str, headers: Mapping[str, str], connections: int, seconds: int, script: Path | None = None
) -> str:
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{server.port}{path}"
    wrk = need("wrk", "wrk")
    scripted = ["-s", str(script)] if script else []
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *scripted, *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if errors and script is None:
        raise RuntimeError(f"{server.name} answered {errors.group(1)} requests for {path} with an error")
    return done.stdout


def _milliseconds(said: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", said)
    if found is None:
        raise RuntimeError(f"wrk said something unexpected: {said}")
    value, unit = found.groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"wrk said something unexpected: {said}")
    return found.group(1)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server for {url} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found.group(1)) / 1024 if found else 0.0
