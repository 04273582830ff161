"""A wire with a round trip: passes TCP on to a port, each new connection a round trip later, each byte half of one.

python bench/relay.py LISTEN_PORT TARGET_PORT MILLISECONDS
"""

import asyncio
import sys


async def relay(listen: int, target: int, round_trip: float) -> None:
    """Serve until the process ends."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, piece = await late.get()
                await asyncio.sleep(due - loop.time())
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()

        delivering = asyncio.create_task(deliver())
        try:
            while piece := await reader.read(65536):
                late.put_nowait((loop.time() + round_trip / 2, piece))
        except ConnectionError:
            pass
        late.put_nowait((loop.time() + round_trip / 2, b""))
        await asyncio.gather(delivering, return_exceptions=True)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(round_trip)  # the handshake
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
