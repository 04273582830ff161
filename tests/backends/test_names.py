"""Names of receivers are looked up apart from everything else: what hangs there keeps nobody waiting."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from tintype.backends.names import Names
from tintype.errors import Unreachable

PATIENCE = 20.0  # what hangs does so until it is let go: who waits for it waits in vain
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 443))] * 2


class System:
    """What the system would say, without asking anybody: some names hang until they are let go, and one is unknown."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked = Counter[str]()

    def look(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked[host] += 1
        if host.startswith("hangs"):
            self.over.wait()
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return list(FOUND)


@pytest.fixture
async def system() -> AsyncGenerator[System]:
    found = System()
    yield found
    found.over.set()


async def test_names_that_hang_keep_nobody_waiting(system: System) -> None:
    names = Names(look=system.look)
    hung = [asyncio.create_task(names.resolve(f"hangs-{number}.example", 443)) for number in range(96)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        assert await names.resolve("well.example", 443) == ["192.0.2.7"]
        await asyncio.to_thread(threading.get_ident)  # the threads of everything else
    assert not any(task.done() for task in hung)
    system.over.set()
    assert await asyncio.gather(*hung) == [["192.0.2.7"]] * 96
    names.close()


async def test_a_name_that_hangs_holds_one_thread_however_often_it_is_asked_for(system: System) -> None:
    names = Names(look=system.look)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await names.resolve("hangs.example", 443)
    waiting = asyncio.create_task(names.resolve("hangs.example", 443))
    await asyncio.sleep(0)
    system.over.set()
    assert await waiting == ["192.0.2.7"]
    assert system.asked["hangs.example"] == 1
    assert await names.resolve("hangs.example", 443) == ["192.0.2.7"]
    assert system.asked["hangs.example"] == 2, "nothing is remembered: addresses change"
    names.close()


@pytest.mark.parametrize("host", ["unknown.example", "a" * 64 + ".example"])
async def test_a_name_without_an_address_is_said(host: str) -> None:
    def look(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host != "unknown.example":
            host.encode("idna")  # as the system's own does
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    names = Names(look=look)
    with pytest.raises(Unreachable, match="has no address") as said:
        await names.resolve(host, 443)
    assert isinstance(said.value.__cause__, OSError | UnicodeError)
    names.close()
