"""Jobs a second through the engine, on SQLite and on Postgres, beside huey on SQLite and procrastinate on Postgres.

    python -m bench.engine [--jobs 1000] [--rounds 3] [--cache FOLDER]

A job does nothing. Each side is a process of its own that first takes all of them, one after the other, and then works them, four
at a time, until the last has ended; rounds take turns, each on an empty database. The engine runs as Tintype uses it: what is
accepted survives a kill, at most one of the same kind waits, what became of a job can be looked up for a week, and on Postgres a
node takes over what a dead one left. Processor time is that of the side's process, and of Postgres where it works on one.
huey and procrastinate are installed into a folder outside of the tree, once; what cannot be installed is left out.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from tests.servers import postgres_server

AT_ONCE = 4

# What all sides share: they tell when the last job was taken, and when the last has ended.
BEGINNING = """
import json, resource, sys, time
where, jobs = sys.argv[1], int(sys.argv[2])
def now():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime
def tell(begun, taken, ended):
    print(json.dumps([*(b - a for a, b in zip(begun, taken)), *(b - a for a, b in zip(taken, ended))]))
"""

TINTYPE = """
import asyncio
from tintype.backends.database import open_database
from tintype.backends.engine import QUEUE, Job
from tintype.backends.engine_durable import DurableEngine
from tintype.backends.engine_remote import RemoteEngine
from tintype.backends.migrations import upgrade
from tintype.backends.recovery import Watch
from tintype.machinery import node_name

async def main():
    database = None if where.startswith('sqlite') else open_database(where)
    if database is not None:
        await upgrade(database)
    def watch():
        return None if database is None else Watch(database, node_name())
    url = where.replace('postgresql:', 'postgresql+psycopg:')
    done, all_done = 0, asyncio.Event()
    async def nothing(number):
        nonlocal done
        done += 1
        if done == jobs:
            all_done.set()
        return {}
    engine = DurableEngine(url, executor=node_name(), watch=watch())
    await engine.start([Job('bench.nothing', nothing)])
    await engine.close()  # its tables are there now
    taking = RemoteEngine(url)
    begun = now()
    for number in range(jobs):
        await taking.enqueue('bench.nothing', str(number), unique=f'bench.nothing:{number}')
    taken = now()
    await taking.close()
    engine = DurableEngine(url, executor=node_name(), watch=watch())
    await engine.start([Job('bench.nothing', nothing)])
    await all_done.wait()
    ended = now()
    await engine.close()
    if database is not None:
        await database.close()
    tell(begun, taken, ended)

asyncio.run(main())
"""

HUEY = """
import threading
from huey import SqliteHuey
from huey.consumer import Consumer
queue = SqliteHuey(filename=where, results=False)
done, all_done, lock = 0, threading.Event(), threading.Lock()
@queue.task()
def nothing(number):
    global done
    with lock:
        done += 1
        if done == jobs:
            all_done.set()
begun = now()
for number in range(jobs):
    nothing(str(number))
taken = now()
consumer = Consumer(queue, workers=AT_ONCE, worker_type='thread', periodic=False, initial_delay=0.01, max_delay=0.5)
consumer.start()
all_done.wait()
ended = now()
tell(begun, taken, ended)
consumer.stop_flag.set()
"""

PROCRASTINATE = """
import asyncio, logging
import procrastinate

async def main():
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=where))
    done, all_done = 0, asyncio.Event()
    @app.task(name='nothing')
    async def nothing(number):
        nonlocal done
        done += 1
        if done == jobs:
            all_done.set()
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        begun = now()
        for number in range(jobs):
            await nothing.configure(queueing_lock=f'nothing:{number}').defer_async(number=str(number))
        taken = now()
        worker = asyncio.create_task(app.run_worker_async(concurrency=AT_ONCE, install_signal_handlers=False))
        await all_done.wait()
        ended = now()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    tell(begun, taken, ended)

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant: its name, the Python that runs it, and its program."""

    name: str
    python: str
    program: str
    postgres: bool

    def run(self, jobs: int) -> "Round":
        """Work so many jobs on an empty database."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobs-")))
            where, before = self._file(folder), 0.0
            if self.postgres:
                where = stack.enter_context(postgres_server())
                before = spent_by_postgres(where)
            program = BEGINNING + self.program.replace("AT_ONCE", str(AT_ONCE))
            command = [self.python, "-c", program, where, str(jobs)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
            if done.returncode:
                raise RuntimeError(f"{self.name} failed: {done.stderr[-2000:]}")
            taking, cpu, working, more = json.loads(done.stdout.splitlines()[-1])
            beside = spent_by_postgres(where) - before if self.postgres else 0.0
            return Round(jobs / taking, jobs / working, (cpu + more) / jobs * 1000, beside / jobs * 1000)

    def _file(self, folder: Path) -> str:
        return f"sqlite:///{folder / 'jobs.db'}" if self.name.startswith("Tintype") else str(folder / "jobs.db")


@dataclass(frozen=True, slots=True)
class Round:
    """What one side did: jobs taken and worked a second, and milliseconds of processors for one of them."""

    taken: float
    worked: float
    cpu: float
    beside: float  # of Postgres


def spent_by_postgres(url: str) -> float:
    """Return the processor seconds of a PostgreSQL server and of all that served for it."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    head = psutil.Process(int((Path(row[0]) / "postmaster.pid").read_text().split()[0]))
    used = head.cpu_times()
    living = [one.cpu_times() for one in head.children(recursive=True)]
    return (
        used.user
        + used.system
        + used.children_user
        + used.children_system
        + sum(one.user + one.system for one in living)
    )


def installed(cache: Path) -> str | None:
    """Return a Python that has both queues, made in `cache` when it is not there yet; None where that fails."""
    home = cache / "queues"
    python = home / "bin" / "python"
    wanted = ["huey", "procrastinate", "psycopg[binary,pool]"]
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=False, capture_output=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *wanted], check=False, capture_output=True)
    there = subprocess.run([str(python), "-c", "import huey, procrastinate"], check=False, capture_output=True)
    return str(python) if there.returncode == 0 else None


def report(found: Mapping[str, Sequence[Round]]) -> None:
    """Print each side's medians."""
    print(f"{'':24}{'taken/s':>10}{'worked/s':>10}{'ms CPU a job':>14}{'of Postgres':>13}")
    for name, rounds in found.items():
        figures = [statistics.median(getattr(one, part) for one in rounds) for part in Round.__dataclass_fields__]
        taken, worked, cpu, beside = figures
        print(f"{name:24}{taken:>10.0f}{worked:>10.0f}{cpu:>14.2f}" + (f"{beside:>13.2f}" if beside else ""))


def main() -> None:
    """Let the sides take turns."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jobs", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    mark = hashlib.sha256(str(Path.home()).encode()).hexdigest()[:8]
    options.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / f"tintype-bench-{mark}")
    given = options.parse_args()
    sides = [
        Side("Tintype, SQLite", sys.executable, TINTYPE, postgres=False),
        Side("Tintype, Postgres", sys.executable, TINTYPE, postgres=True),
    ]
    other = installed(given.cache)
    if other is None:
        print("not installed here, and left out: huey, procrastinate")
    else:
        sides[1:1] = [Side("huey, SQLite", other, HUEY, postgres=False)]
        sides += [Side("procrastinate, Postgres", other, PROCRASTINATE, postgres=True)]
    os.environ.pop("DATABASE_URL", None)
    found: dict[str, list[Round]] = {side.name: [] for side in sides}
    for _ in range(given.rounds):
        for side in sides:
            found[side.name].append(side.run(given.jobs))
    print(f"{given.jobs} jobs that do nothing, {AT_ONCE} at a time, {given.rounds} rounds; medians")
    report(found)


if __name__ == "__main__":
    main()
