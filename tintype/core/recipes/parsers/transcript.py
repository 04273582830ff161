"""What is said in a video, written down by a server that speaks OpenAI's transcriptions: whisper.cpp, faster-whisper, a hosted one.

`POST {base}/audio/transcriptions` and nothing else. The sound leaves as WAV, which every server takes without a decoder of
its own, at the rate that speech models listen at; ten minutes of it are 19 MB, below the 25 MB that hosted ones allow.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.backends.video import probe, sound
from tintype.core.recipes.budget import Budget
from tintype.core.recipes.plain import plain
from tintype.errors import Forbidden, Misconfigured, TooLarge, Unreachable

LONGEST = 600  # seconds of sound that are listened to
_ANSWER_BYTES = 1024 * 1024  # an hour of speech is 60 kB
_TEXT_LENGTH = 20_000
_HEALTH_SECONDS = 10.0
_FORMS = ("json", None)  # of the answer: some servers know no other than their own, and refuse the word


@dataclass(frozen=True, slots=True)
class SpeechPolicy:
    """Where the server is and what one video may cost."""

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    seconds: float = 60.0
    longest: int = LONGEST
    at_once: int = 1  # a model on a machine at home hears one video after the other anyway


@dataclass(frozen=True, slots=True)
class Listener:
    """Writes down what is said in videos."""

    policy: SpeechPolicy
    outbound: Outbound
    _turns: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", asyncio.Semaphore(self.policy.at_once))

    async def listen(self, video: Path, budget: Budget) -> str:
        """Return what is said in a video, nothing when it has no sound.

        Raises `Invalid` or `Unsupported` for a video that cannot be heard, `Unreachable` or `Misconfigured` when the server
        gave no answer.
        """
        if (await probe(video)).audio_codec is None:
            return ""
        with tempfile.TemporaryDirectory(prefix="sound-") as folder:
            heard = Path(folder) / "sound.wav"
            await sound(video, heard, longest=self.policy.longest)
            wave = await asyncio.to_thread(heard.read_bytes)
        async with self._turns:
            return await self._written(wave, budget)

    async def check(self) -> str:
        """Test the connection: something answers there, and does not refuse the key. Many servers list no models."""
        request = Outgoing("GET", self._url("models"), headers=self._headers())
        answer = await self.outbound.send(request, _limits(_HEALTH_SECONDS))
        if answer.status in (401, 403):
            raise Misconfigured("the transcription server does not take the key: check TRANSCRIPTION_API_KEY")
        if answer.status >= 500:
            raise Unreachable(f"the transcription server answers {answer.status}", retryable=True)
        return "the transcription server answers"

    async def _written(self, wave: bytes, budget: Budget) -> str:
        sentence = "there was no time left to ask the transcription server"
        for form in _FORMS:
            if budget.is_spent:
                break
            with budget.spending() as left:
                answer = await self._ask(wave, form, min(left, self.policy.seconds))
            text = _text(answer) if answer.status == 200 else None
            if text is not None:
                return plain(text)[:_TEXT_LENGTH]
            if answer.status in (401, 403, 404):
                raise Misconfigured(
                    f"the transcription server answers {answer.status}: key, model or address are wrong"
                )
            sentence = f"the transcription server answers {answer.status} and no text"
            if answer.status in (408, 429, 502, 503, 504):
                break
        raise Unreachable(sentence, retryable=True)

    async def _ask(self, wave: bytes, form: str | None, seconds: float) -> Answer:
        fields = {"model": self.policy.model, **({"response_format": form} if form else {})}
        kind, body = _form(fields, wave)
        headers = {**self._headers(), "content-type": kind}
        request = Outgoing("POST", self._url("audio/transcriptions"), headers=headers, content=body)
        try:
            return await self.outbound.send(request, _limits(seconds))
        except TooLarge as trouble:
            raise Unreachable("the transcription server answers more than any speech", retryable=True) from trouble
        except Forbidden as trouble:
            said = f"{trouble.message}; if it is yours, add its host:port to OUTBOUND_ALLOW"
            raise Misconfigured(said) from trouble

    def _url(self, path: str) -> str:
        return f"{self.policy.base_url.rstrip('/')}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.policy.key}"} if self.policy.key else {}


def _limits(seconds: float) -> Policy:
    return Policy(total_seconds=seconds, first_byte_seconds=seconds, max_bytes=_ANSWER_BYTES, https_only=False)


def _form(fields: Mapping[str, str], wave: bytes) -> tuple[str, bytes]:
    border = token_hex(16)
    heads = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    head = 'Content-Disposition: form-data; name="file"; filename="sound.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    parts = "".join(f"--{border}\r\n{one}\r\n" for one in heads) + f"--{border}\r\n{head}"
    return f"multipart/form-data; boundary={border}", parts.encode() + wave + f"\r\n--{border}--\r\n".encode()


def _text(answer: Answer) -> str | None:
    """Return the text in an answer, whatever its form; None when there is none."""
    kind = answer.headers.get("content-type", "")
    try:
        said: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        plainly = kind.startswith("text/plain") and not answer.body.lstrip().startswith(b"<")
        return answer.body.decode("utf-8", "replace") if plainly else None
    if not isinstance(said, dict):
        return None
    body = cast("dict[str, Any]", said)
    if isinstance(body.get("text"), str):
        return str(body["text"])
    segments = body.get("segments")
    parts = cast("list[object]", segments) if isinstance(segments, list) else []
    spoken = [cast("dict[str, Any]", one).get("text") for one in parts if isinstance(one, dict)]
    return " ".join(one.strip() for one in spoken if isinstance(one, str)) or None
