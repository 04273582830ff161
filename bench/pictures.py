"""Serves the files of a folder at next to no cost, so that what is measured beside it keeps the processors.

python bench/pictures.py PORT FOLDER

A thread a connection; the kernel sends each file from where it has it.
"""

import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path


def serve(port: int, folder: Path) -> None:
    """Serve the JPEGs of a folder until the process ends."""
    files = {b"/" + path.name.encode(): path for path in folder.glob("*.jpg")}
    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, files), daemon=True).start()


def _answer(connection: socket.socket, files: Mapping[bytes, Path]) -> None:
    with connection, connection.makefile("rb") as asked:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while line := asked.readline():
                while asked.readline().strip():
                    pass
                _send(connection, files.get(line.split(b" ")[1]), body=line.startswith(b"GET"))
        except OSError:
            return  # whoever asked has what it wanted


def _send(connection: socket.socket, path: Path | None, *, body: bool) -> None:
    if path is None:
        connection.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        return
    with path.open("rb") as file:
        size = path.stat().st_size
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: %d\r\n\r\n" % size)
        if body:
            connection.sendfile(file)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
