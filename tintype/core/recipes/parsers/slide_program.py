"""The program that reads the words on pictures, in a process of its own: its models hold half a gigabyte while it lives.

It is started as a file of its own. A picture is its length in four bytes and its bytes on standard input; the answer is
one line of JSON with the words' boxes. It ends when its input does. It needs the extra `ocr`.
"""

import json
import os
import sys
from typing import Any, BinaryIO

THREADS = 1  # a second one gains a fifth and takes a whole core from everybody else


def main() -> None:
    """Answer pictures until there are no more; whatever the libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    engine = _engine()
    while (data := _picture(sys.stdin.buffer)) is not None:
        answers.write(json.dumps(_boxes(engine, data)) + "\n")
        answers.flush()


def _engine() -> Any:
    from rapidocr import RapidOCR  # pyright: ignore[reportMissingImports, reportUnknownVariableType] - the extra `ocr`

    threads = {f"EngineConfig.onnxruntime.{name}_op_num_threads": THREADS for name in ("intra", "inter")}
    made: Any = RapidOCR(params={"Global.log_level": "critical", **threads})  # pyright: ignore[reportUnknownVariableType]
    return made


def _picture(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    return source.read(int.from_bytes(head, "big")) if len(head) == 4 else None


def _boxes(engine: Any, data: bytes) -> list[dict[str, object]]:
    try:
        read = engine(data)
    except Exception as error:  # noqa: BLE001 - a hostile picture may break any layer of it; the next one is read
        sys.stderr.write(f"a picture was not read: {type(error).__name__}\n")
        return []
    if read.txts is None:
        return []
    return [
        {"text": text, "score": float(score), "corners": [[float(x), float(y)] for x, y in box]}
        for text, score, box in zip(read.txts, read.scores, read.boxes, strict=True)
    ]


if __name__ == "__main__":
    main()
