"""The page about webhooks names everything that receivers meet, and what it tells them to write works."""

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from tintype.cli.webhooks import webhooks
from tintype.core.webhooks import ALL, CUSTOM, EVENTS, EVERYTHING, PRESETS, Progress, State
from tintype.core.webhooks.advice import REASONS
from tintype.core.webhooks.signing import Keys, new_private, new_secret, sign

PAGE = (Path(__file__).parents[3] / "docs" / "dialects" / "webhooks.md").read_text()
BODY = b'{"action":"fp.upload","timestamp":1443444905,"id":1,"text":{"filename":"Z\xc3\xbcrich.jpg"}}'
SECRET = new_secret()


def signed() -> Mapping[str, str]:
    """The headers of a delivery of this moment, which receivers believe for five minutes."""
    return sign(Keys(SECRET, new_private()), "msg_1", datetime.now(UTC), BODY, 1).headers


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("word", [*EVENTS, *PRESETS, CUSTOM, *REASONS])
def test_every_word_has_its_row(word: str) -> None:
    assert f"| `{word}` |" in PAGE


@pytest.mark.parametrize("word", [ALL, EVERYTHING, *Progress, *State])
def test_every_state_and_group_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("command", [one.name for one in webhooks.registered_commands])
def test_every_command_is_explained(command: str) -> None:
    assert f"tintype webhooks {command}" in PAGE


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("body", [BODY, BODY + b" "], ids=["ours", "another"])
def test_what_python_receivers_are_told_to_write_works(number: int, body: bytes) -> None:
    headers = {name.lower(): value for name, value in signed().items()}
    given: dict[str, Any] = {"secret": SECRET, "body": body, "headers": headers}
    with suppress(WebhookVerificationError):
        exec(snippets("python")[number], given)
    assert bool(given.get("event") or given.get("ok") or given.get("genuine")) is (body == BODY)


def test_what_a_shell_is_told_to_do_works(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_bytes(BODY)
    headers = signed()
    given = {"PATH": os.environ["PATH"], "FS_TIMESTAMP": headers["FS-Timestamp"], "SECRET": SECRET}
    (line,) = snippets("sh")
    said = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=given, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == headers["FS-Signature"]
