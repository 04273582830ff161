"""Has pictures and videos made right before Instagram sees them: fetched, verified, converted when needed, kept under our own
address. What is right already is handed on as it is, byte for byte.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

from tintype.backends import video
from tintype.backends.blobs import Blobs
from tintype.backends.images import Fit, Images
from tintype.backends.outbound import Outbound
from tintype.core.publishing.clips import Mend, Problem, VideoRole, problems, recipe
from tintype.core.publishing.findings import Finding, reachable_base
from tintype.core.publishing.preflight import Fetched, look
from tintype.core.publishing.sniffing import HEAD, kind_of
from tintype.errors import Invalid, NotFound, TooLarge, Trouble, Unsupported
from tintype.instagram import LIMITS

__all__ = ["Finding", "Prepared", "Preparing", "Report", "Role", "Unfetchable", "Wanted", "fit_of", "warnings_in"]

Role = Literal["feed", "carousel", "story", "reel", "cover"]
Mode = Literal["pad", "crop", "as_is"]

PICTURE_MOST = 50 * 2**20  # before decoding
VIDEO_MOST = 1024 * 2**20  # before conversion, which may make it small enough
FILES = "/api/sns/instagram/files/"
_CHUNK = 2**20
_TYPES = {"jpg": "image/jpeg", "mp4": "video/mp4"}
_UNSEEN = "the file could not be looked at before publishing"
_WARNINGS = {
    "first frame only": "only the first frame of the animation is published",
    "characters left out": "no font on this machine draws some characters of the text, so they were left out",
}


class Unfetchable(Invalid):
    """Instagram cannot fetch the file; `findings` say why, by code and sentence."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(*(each.sentence for each in findings))
        self.findings = findings
        self.passing = any(each.passing for each in findings)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One picture or video to be made right: where it is, by address or by the key of a stored file, and what it is for."""

    kind: str  # picture or video
    url: str | None = field(default=None, repr=False)
    blob: str | None = None
    role: Role = "feed"
    mode: str = "pad"
    background: str = "white"
    ratio: float | None = None  # that the pictures of a carousel share
    text: str | None = None  # drawn on a picture


@dataclass(frozen=True, slots=True)
class Prepared:
    """What Instagram is to be given: an address, and the stored file behind it when it is an own copy.

    `changes` are words for what was done, `warnings` sentences for what somebody should know.
    """

    url: str = field(repr=False)
    blob: str | None = None
    digest: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What preparing would do: the changes, and what speaks against publishing or should be known."""

    changes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Made:
    """A file that is right: where its bytes are, and what is known of it."""

    suffix: str
    content: bytes | Path
    width: int
    height: int
    seconds: float | None
    changes: tuple[str, ...]
    digest: str | None = None  # of a picture, which was needed to know it again


@dataclass(frozen=True, slots=True)
class Preparing:
    """Makes media right. `base` is our own public address; `serves` tells whether Instagram can fetch from it.

    With `uploads`, videos' bytes are sent to Instagram, so that nobody has to fetch those.
    """

    outbound: Outbound
    blobs: Blobs
    images: Images
    base: str
    serves: bool = True
    uploads: bool = False
    _converting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), repr=False)

    async def prepare(self, wanted: Wanted) -> Prepared:
        """Return what Instagram is to be given.

        Raises `Unfetchable` for an address that Instagram cannot use, `Invalid`, `Unsupported` or `TooLarge` for a file
        that cannot be made right, and `NotFound` for a key without a file. An address at which only we could not look is
        handed on with a warning.
        """
        with _folder(wanted) as folder:
            source = _source(wanted, Path(folder))
            with source.opened() as file:
                found = await self._had(wanted, file, robots=not self._keeps(wanted))
                if isinstance(found, Finding):
                    return _handed_on(wanted, found)
                made = await self._made(wanted, source, file)
            return await self._placed(wanted, made, found)

    async def inspect(self, wanted: Wanted) -> Report:
        """Return what `prepare` would do and say, without storing anything; no trouble with the file is raised."""
        with _folder(wanted) as folder:
            source = _source(wanted, Path(folder))
            try:
                with source.opened() as file:
                    found = await self._had(wanted, file, robots=True)
                    if isinstance(found, Finding):
                        return Report(findings=(found,))
                    report = await self._foreseen(wanted, source, file)
            except (Invalid, Unsupported, TooLarge, NotFound) as trouble:
                return Report(findings=(Finding(_code(trouble), trouble.message),))
        own = self._hindrance(wanted, report.changes, found)
        return replace(report, findings=(*report.findings, *found.notes, *([own] if own else [])))

    async def _had(self, wanted: Wanted, file: IO[bytes], *, robots: bool) -> Fetched | Finding:
        """Get the file, from its address or from the store."""
        most = PICTURE_MOST if wanted.kind == "picture" else VIDEO_MOST
        if wanted.blob is None:
            want: Literal["picture", "video"] = "picture" if wanted.kind == "picture" else "video"
            return await look(self.outbound, wanted.url or "", file, most_bytes=most, want=want, robots=robots)
        held = await self.blobs.head(wanted.blob)
        if held is None:
            raise NotFound("the file that was to be published is not stored here any more; upload it again")
        if held.size > most:
            raise TooLarge(f"the file has {held.size} bytes, {most} are taken")
        async for chunk in self.blobs.stream(wanted.blob):
            file.write(chunk)
        file.flush()
        file.seek(0)
        kind = kind_of(file.read(HEAD))
        file.seek(0)
        return Fetched(kind, "", "", held.size)

    async def _made(self, wanted: Wanted, source: "_Source", file: IO[bytes]) -> _Made:
        if wanted.kind == "picture":
            fitted = await self.images.fit(file.read(), fit_of(wanted))
            return _Made("jpg", fitted.data, fitted.width, fitted.height, None, fitted.changes, fitted.digest)
        role = _video_role(wanted.role)
        clip = await video.probe(source.path)
        _refuse_hopeless(problems(clip, role))
        how = recipe(clip, role)
        if how is None and clip.container == "mp4":
            return _Made("mp4", source.path, clip.width, clip.height, clip.seconds, ())
        how = how or _repacked()
        out = source.path.with_name("made.mp4")
        async with self._converting:
            await video.convert(source.path, out, how)
        made = await video.probe(out)
        if left := problems(made, role):
            raise Invalid(*(f"even after conversion {problem.sentence}" for problem in left))
        return _Made("mp4", out, made.width, made.height, made.seconds, _conversions(clip, how))

    async def _foreseen(self, wanted: Wanted, source: "_Source", file: IO[bytes]) -> Report:
        if wanted.kind == "picture":
            fitted = await self.images.fit(file.read(), fit_of(wanted))
            notes = tuple(
                Finding(_warning_code(change), words, blocking=False)
                for change, words in _warned(fitted.changes).items()
            )
            return Report(fitted.changes, notes, fitted.width, fitted.height)
        clip = await video.probe(source.path)
        role = _video_role(wanted.role)
        found = problems(clip, role)
        how = recipe(clip, role) or (None if clip.container == "mp4" else _repacked())
        notes = tuple(Finding(each.code, each.sentence, blocking=each.mend is Mend.NOTHING) for each in found)
        return Report(_conversions(clip, how) if how else (), notes, clip.width, clip.height, clip.seconds)

    async def _placed(self, wanted: Wanted, made: _Made, found: Fetched) -> Prepared:
        """Keep what was made under our own address, or hand on the original one where ours is of no use."""
        warnings = tuple(_warned(made.changes).values())
        told = Prepared("", None, None, made.width, made.height, found.bytes, made.seconds, made.changes, warnings)
        if not self._keeps(wanted):
            if hindrance := self._hindrance(wanted, made.changes, found):
                raise Unfetchable(hindrance, *found.notes)
            return replace(told, url=wanted.url or "")
        digest, size = await _named(made)
        name = f"{digest}.{made.suffix}"
        key = f"publishing/{name}"
        held = await self.blobs.head(key)
        if held is None or held.size != size:
            body = made.content if isinstance(made.content, bytes) else _chunks(made.content)
            await self.blobs.put(key, body, content_type=_TYPES[made.suffix])
        return replace(told, url=f"{self.base}{FILES}{name}", blob=key, digest=digest, bytes=size)

    def _keeps(self, wanted: Wanted) -> bool:
        return self.serves or (self.uploads and wanted.kind == "video")

    def _hindrance(self, wanted: Wanted, changes: tuple[str, ...], found: Fetched) -> Finding | None:
        """Return why Instagram cannot have a file that needs an own copy."""
        if self._keeps(wanted) or not (changes or found.notes or wanted.url is None):
            return None
        return reachable_base(self.base) or Finding("own_address", "this service cannot be reached by Instagram")


def fit_of(wanted: Wanted) -> Fit:
    """Return what a picture has to be like for its use."""
    free = wanted.role in ("story", "cover")  # Instagram states no ratio for these, only an advice
    mode: Mode = "crop" if wanted.mode == "crop" else "as_is" if wanted.mode == "as_is" else "pad"
    return Fit(
        ratio_min=(LIMITS.story_video_aspect_min if free else LIMITS.image_aspect_min).value,
        ratio_max=(LIMITS.video_aspect_max if free else LIMITS.image_aspect_max).value,
        width_min=LIMITS.image_width_min.whole,
        width_max=LIMITS.image_width_max.whole,
        bytes_max=(LIMITS.cover_bytes if wanted.role == "cover" else LIMITS.image_bytes).whole,
        mode=mode,
        background=wanted.background,
        ratio=wanted.ratio,
        text=wanted.text,
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a file is put that was fetched: in memory, or in a file when programs have to read it."""

    path: Path
    in_memory: bool

    def opened(self) -> IO[bytes]:
        return BytesIO() if self.in_memory else self.path.open("w+b")


def _folder(wanted: Wanted) -> AbstractContextManager[str]:
    return nullcontext("") if wanted.kind == "picture" else tempfile.TemporaryDirectory(prefix="tintype-")


def _source(wanted: Wanted, folder: Path) -> _Source:
    if wanted.url is None and wanted.blob is None:
        raise Invalid("a picture or a video is needed, by its address or as an uploaded file")
    return _Source(folder / "source", wanted.kind == "picture")


def _handed_on(wanted: Wanted, found: Finding) -> Prepared:
    if not found.ours:
        raise Unfetchable(found)
    return Prepared(wanted.url or "", warnings=(f"{_UNSEEN}: {found.sentence}",))


def _video_role(role: Role) -> VideoRole:
    return "story" if role == "story" else "carousel" if role == "carousel" else "reel"


def _refuse_hopeless(found: tuple[Problem, ...]) -> None:
    hopeless = [problem.sentence for problem in found if problem.mend is Mend.NOTHING]
    if hopeless:
        raise Invalid(*hopeless)


def _repacked() -> video.Recipe:
    limits = (LIMITS.video_width_max.whole, None, LIMITS.video_bits.whole)
    return video.Recipe(False, False, *limits, LIMITS.audio_rate_max.whole, LIMITS.audio_channels_max.whole)


def _conversions(clip: video.Clip, how: video.Recipe) -> tuple[str, ...]:
    happens = {
        "repacked": not how.picture,
        "picture converted": how.picture,
        "rotated": how.picture and clip.rotation != 0,
        "scaled": how.picture and clip.width > how.width_max,
        "sound converted": how.sound and clip.audio_codec is not None,
    }
    return tuple(word for word, so in happens.items() if so)


def _warned(changes: tuple[str, ...]) -> dict[str, str]:
    """Return the changes that somebody should know of, in sentences."""
    found: dict[str, str] = {}
    for change in changes:
        word, _, detail = change.partition(": ")
        if word in _WARNINGS:
            found[change] = f"{_WARNINGS[word]}: {detail}" if detail else _WARNINGS[word]
    return found


def warnings_in(notes: Iterable[str]) -> Sequence[str]:
    """Return those of the words that were kept of a preparation that somebody should know of."""
    return [note for note in notes if note.startswith((*_WARNINGS.values(), _UNSEEN))]


def _warning_code(change: str) -> str:
    return change.partition(":")[0].replace(" ", "_")


def _code(trouble: Trouble) -> str:
    return trouble.findings[0].code if isinstance(trouble, Unfetchable) else trouble.kind.value


async def _named(made: _Made) -> tuple[str, int]:
    """Return a file's SHA-256 and its length in bytes."""
    if isinstance(made.content, Path):
        return await asyncio.to_thread(_digest, made.content)
    assert made.digest is not None
    return made.digest, len(made.content)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.seek(0, 2)


async def _chunks(path: Path) -> AsyncGenerator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
