"""Recipes from the command line: `recipe`, from a post, a file or a pipe to the screen, and on to where recipes are kept."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import NAMESPACE_URL, uuid5

import typer

from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, note, say, say_json
from tintype.errors import Invalid, Misconfigured, NotFound

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.recipes import Outlet, Parsed, Receipt, Recipe, Words
    from tintype.instagram.public import PublicPost

_LONGEST = 200_000  # characters of a text: a caption has 2,200, a page of a book 3,000
_LARGEST = 32 * 2**20  # bytes of a picture
_PATIENCE = 60.0  # seconds for the slides of a carousel
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF")
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Target(StrEnum):
    """Where a recipe can be put."""

    TANDOOR = "tandoor"
    MEALIE = "mealie"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class _Words:
    """What a recipe is made of."""

    text: str = ""
    link: str | None = None
    post: "PublicPost | None" = field(default=None, repr=False)
    picture: bytes | None = field(default=None, repr=False)


def recipe(
    source: Annotated[
        str,
        typer.Argument(metavar="URL|FILE|-", help="Address of a post, a text or a picture, or - for standard input."),
    ],
    to: Annotated[
        Target | None,
        typer.Option("--to", help="Put the recipe there as well; the same one is not put there twice."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder for --to folder; else RECIPE_FOLDER.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Put it there even if it is there already.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take the best guess where no recipe is found.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print the recipe in a post or a text as Markdown; no server is needed.

    --json prints schema.org's JSON-LD. Where the recipe was put is said on stderr.
    """
    words = _read(source)
    chosen = settings_of(data, recipe_outlet=to.value if to else "none", recipe_folder=output)

    async def make(house: "House") -> "tuple[_Words, Recipe, Receipt | None]":
        known = await _looked_up(house, words)
        parsed = await _parsed(house, known, force=force)
        outlet = house.kitchen.pipeline.uploading.outlet
        put = await _put(house, outlet, known, parsed.value, again=again) if outlet else None
        return known, parsed.value, put

    known, made, receipt = in_house(chosen, make)
    _show(made, known.link, as_json=as_json)
    if receipt is not None:
        note(f"It is at {receipt.url}")
        for warning in receipt.warnings:
            note(warning)


def _read(source: str) -> _Words:
    """Return the words of a file or a pipe, the picture that a file is, or the link that either is to be had from."""
    if source.startswith(("https://", "http://")):
        return _Words(link=source)
    try:
        content = sys.stdin.buffer.read(_LARGEST + 1) if source == "-" else Path(source).read_bytes()
    except OSError as error:
        said = f"{source} is neither an address that begins with https:// nor a file that can be read: {error.strerror}"
        raise typer.BadParameter(said, param_hint="URL|FILE|-") from None
    if len(content) > _LARGEST:
        raise typer.BadParameter(f"at most {_LARGEST // 2**20} MiB are read", param_hint="URL|FILE|-")
    if content.startswith(_PICTURES):
        return _Words(picture=content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = f"{source} is neither a text in UTF-8 nor a picture as JPEG, PNG or WebP"
        raise typer.BadParameter(said, param_hint="URL|FILE|-") from None
    if len(text) > _LONGEST:
        raise typer.BadParameter(f"at most {_LONGEST} characters are read", param_hint="URL|FILE|-")
    line = text.strip()
    return _Words(link=line) if line.startswith("https://") and len(line.split()) == 1 else _Words(text)


async def _looked_up(house: "House", words: _Words) -> _Words:
    if words.link is None:
        return words
    from tintype.instagram.links import parse_link
    from tintype.instagram.public import resolve

    link = await resolve(house.backends.outbound, parse_link(words.link))
    if link.shortcode is None:
        raise Invalid(f"the link leads to a {link.kind}, not to a post or reel")
    post = await house.downloads.look(link.shortcode)
    return _Words(post.caption or "", link.url, post)


async def _parsed(house: "House", words: _Words, *, force: bool) -> "Parsed[Recipe]":
    from tintype.core.recipes import Context

    reading = house.kitchen.pipeline.reading
    if words.picture is not None and reading.slides is None and reading.eyes is None:
        raise Misconfigured("reading pictures needs the extra ocr: install tintype[ocr]")
    parsed = await reading.read(words.text, Context(force=force), _Media(house, words))
    if parsed is None:
        raise NotFound("there is no recipe in this; --force takes the best guess")
    return parsed


@dataclass(slots=True)
class _Media:
    """A picture that was given, or the files of a post, for words that its caption does not have."""

    house: "House"
    given: _Words
    words: "Words" = field(init=False)

    def __post_init__(self) -> None:
        from tintype.core.recipes import Words

        self.words = Words()

    async def pictures(self) -> list[bytes]:
        if self.given.picture:
            return [self.given.picture]
        post = self.given.post
        if post is not None and post.kind.value == "VIDEO":
            return []  # the picture before a video says nothing that the video does not
        return [path.read_bytes() for path in await self._files("IMAGE")]

    async def video(self) -> Path | None:
        return next(iter(await self._files("VIDEO")), None)

    async def keep(self, words: "Words") -> None:
        self.words = words

    async def _files(self, kind: str) -> list[Path]:
        post, downloads = self.given.post, self.house.downloads
        found = (await downloads.ask(post.shortcode, wait=_PATIENCE)).post if post else None
        names = [file.name for file in found.files if file.kind == kind] if found else []
        return [(await downloads.file(post.shortcode, name))[0] for name in names] if post else []


async def _put(house: "House", outlet: "Outlet", words: _Words, made: "Recipe", *, again: bool) -> "Receipt":
    """Put a recipe where it is wanted, unless it is there, and give it its picture."""
    from tintype.core.recipes import Order, place

    key = await house.kitchen.pipeline.extracting.copy_cover(words.post) if words.post else None
    cover = await house.backends.blobs.get(key) if key else words.picture
    # The same text has the same name every time, by which the target knows it again.
    name = str(uuid5(NAMESPACE_URL, words.link or words.text or sha256(words.picture or b"").hexdigest()))
    order = Order(name, made, _EVER, words.link, cover)
    receipt = await place(outlet, order, begun=not again)
    if cover is not None:
        await outlet.illustrate(receipt, cover)
    return receipt


def _show(made: "Recipe", link: str | None, *, as_json: bool) -> None:
    from tintype.core.recipes import jsonld, markdown

    if as_json:
        say_json(jsonld(made, url=link))
    else:
        say(markdown(made, url=link).rstrip())
