"""What is said in a video is written down by a server, however that behaves; nothing else of the video leaves."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.backends.films import film
from tests.doubles.model_server import SPEECH_MODES, ModelServer, model_server
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Listener, SpeechPolicy
from tintype.core.recipes.budget import Budget
from tintype.errors import Invalid, Misconfigured, Trouble, Unreachable

SPOKEN = "Take two cups of flour. Mix it with three eggs. Bake it for forty minutes."
HEARD = {"good", "plain text", "segments only", "response_format refused with 400", "json refused with 500"}
MENDED_BY_HAND = {"wrong key", "no such path"}


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("videos") / "spoken.mp4", seconds=3)


@asynccontextmanager
async def listening(server: ModelServer, **facts: Any) -> AsyncGenerator[Listener]:
    outbound = HttpOutbound(allow=(f"127.0.0.1:{server.port}",))
    try:
        yield Listener(SpeechPolicy(server.base_url, "whisper-1", **facts), outbound)
    finally:
        await outbound.close()


@pytest.mark.parametrize("mode", SPEECH_MODES)
async def test_every_server_ends_in_a_text_or_a_plain_word(mode: str, video: Path) -> None:
    budget = Budget(seconds=2.5 if mode == "slow" else 30)
    async with model_server(speech=mode, spoken=SPOKEN) as (server, _), listening(server) as listener:
        try:
            found: str | Trouble = await listener.listen(video, budget)
        except Trouble as trouble:
            found = trouble
        assert 1 <= len(server.heard) <= 2
        if mode in HEARD:
            assert found == SPOKEN
        elif mode == "empty":
            assert found == ""
        elif mode in MENDED_BY_HAND:
            assert isinstance(found, Misconfigured)
        else:
            assert isinstance(found, Unreachable)
        assert budget.is_spent == (mode == "slow")


async def test_the_sound_is_as_speech_models_want_it_and_no_longer_than_it_may_be(video: Path) -> None:
    async with model_server(spoken=SPOKEN, key="sk-1") as (server, here):
        async with listening(server, longest=1, key="sk-1") as listener:
            assert await listener.listen(video, Budget()) == SPOKEN
        asked = here.asked[0]
        assert asked.headers["authorization"] == "Bearer sk-1"
        assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="model"\r\n\r\nwhisper-1' in asked.body
        wave = asked.body[asked.body.index(b"RIFF") :]
        assert int.from_bytes(wave[22:24], "little") == 1
        assert int.from_bytes(wave[24:28], "little") == 16_000
        assert 30_000 < len(wave) < 33_000


async def test_a_silent_video_asks_nobody(tmp_path: Path) -> None:
    silent = film(tmp_path / "silent.mp4", seconds=1, sound=None)
    async with model_server(spoken=SPOKEN) as (server, _), listening(server) as listener:
        assert await listener.listen(silent, Budget()) == ""
        assert server.heard == []


async def test_a_file_that_is_no_video_asks_nobody(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0\0\0\x20ftypisom" + bytes(500))
    async with model_server() as (server, _), listening(server) as listener:
        with pytest.raises(Invalid):
            await listener.listen(broken, Budget())
        assert server.heard == []


async def test_what_is_written_down_is_plain_text(video: Path) -> None:
    said = "Add <b>two</b> cups {{ 7*7 }} of flour, see https://evil.example/x @shop"
    async with model_server(spoken=said) as (server, _), listening(server) as listener:
        heard = await listener.listen(video, Budget())
        assert not re.search(r"[<>{}]|https?:|@", heard)
        assert heard.startswith("Add two cups")


async def test_a_spent_budget_asks_nobody(video: Path) -> None:
    async with model_server() as (server, _), listening(server) as listener:
        with pytest.raises(Unreachable, match="no time"):
            await listener.listen(video, Budget(seconds=0.5))
        assert server.heard == []


async def test_the_connection_can_be_tested() -> None:
    async with model_server(key="sk-right") as (server, _):
        async with listening(server, key="sk-wrong") as listener:
            with pytest.raises(Misconfigured, match="TRANSCRIPTION_API_KEY"):
                await listener.check()
        async with listening(server, key="sk-right") as listener:
            assert "answers" in await listener.check()
    async with listening(server) as listener:
        with pytest.raises(Unreachable):
            await listener.check()


async def test_a_server_on_a_private_address_has_to_be_let_through(video: Path) -> None:
    async with model_server() as (server, _):
        outbound = HttpOutbound()
        with pytest.raises(Misconfigured, match="OUTBOUND_ALLOW"):
            await Listener(SpeechPolicy(server.base_url, "whisper-1"), outbound).listen(video, Budget())
        await outbound.close()
