"""The documentation as pages: the files of docs/, and a readable page for each dialect's OpenAPI.

The files ship beside the program, so that what is read is about the version that runs. Everybody may read them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import FastAPI
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import bare
from tintype.errors import NotFound

PLACE = "/docs"
_PACKAGE = Path(__file__).parents[2]
# In an installed program they lie inside it, in a checkout beside it.
FOLDER = next((path for path in (_PACKAGE / "docs", _PACKAGE.parent / "docs") if path.is_dir()), _PACKAGE / "docs")

SECTIONS: Mapping[str, str] = {
    "": "Begin",
    "how-to": "How to",
    "dialects": "Dialects",
    "operations": "Operations",
    "moving": "Moving here",
    "house": "The house",
    "decisions": "Decisions",
}
_UNLISTED = frozenset({"house/plan"})

_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
_SLUG = re.compile(r"[^\w\- ]")
# What can be scrolled must be reached by the keyboard, and a heading of nothing is none.
_DRAWN = {
    "<pre>": '<pre tabindex="0">',
    "<table>": '<div class="scroll" tabindex="0"><table>',
    "</table>": "</table></div>",
    "<th></th>": "<td></td>",
}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One file of the documentation."""

    path: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of a dialect, as its page shows it."""

    method: str
    path: str
    summary: str
    words: Markup
    parameters: Sequence[Mapping[str, Any]]
    answers: Sequence[tuple[str, str]]


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""

    @app.get(PLACE)
    async def begin() -> Response:
        """Show the first chapter."""
        return RedirectResponse(f"{PLACE}/start", 307)

    @app.get(PLACE + "/api/{name}")
    async def api(name: str) -> Response:
        """Show what a dialect offers."""
        if name not in desk.described:
            raise NotFound(f"there is no dialect {name[:40]!r} here; known are: {', '.join(desk.described)}")
        found = desk.described[name]()
        return bare("docs_api.html", name=name, operations=_operations(found), **_menu(desk))

    @app.get(PLACE + "/{path:path}")
    async def chapter(path: str) -> Response:
        """Show one chapter."""
        path = path.removesuffix(".md")
        found = chapters().get(path)
        if found is None:
            raise NotFound(f"there is no chapter {path[:80]!r}")
        return bare("docs.html", chapter=found, body=drawn(found), **_menu(desk))


@cache
def chapters() -> Mapping[str, Chapter]:
    """Return all chapters by their paths, without an ending."""
    found: dict[str, Chapter] = {}
    for file in sorted(FOLDER.rglob("*.md")):
        path = file.relative_to(FOLDER).with_suffix("").as_posix()
        text = file.read_text(encoding="utf-8")
        heading = _HEADING.search(text)
        found[path] = Chapter(path, heading[1].replace("`", "") if heading else path, text)
    return found


@cache
def drawn(chapter: Chapter) -> Markup:
    """Return a chapter as HTML; headings can be linked to, and links between files lead to their pages."""
    tokens = _markdown().parse(chapter.text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", slug(tokens[place + 1].content))
        for child in token.children or ():
            href = child.attrGet("href") if child.type == "link_open" else None
            if isinstance(href, str):
                child.attrSet("href", _led(chapter.path, href))
    body = _markdown().renderer.render(tokens, _markdown().options, {})
    for plain, better in _DRAWN.items():
        body = body.replace(plain, better)
    return Markup(body)  # noqa: S704 - HTML in the files is escaped


def slug(heading: str) -> str:
    """Return the anchor of a heading, as the usual hosts of such files make it."""
    return _SLUG.sub("", heading.lower()).strip().replace(" ", "-")


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _led(path: str, href: str) -> str:
    """Return where a link of a chapter leads on these pages."""
    target, mark, anchor = href.partition("#")
    if not target or "://" in target or not target.endswith(".md"):
        return href
    parts: list[str] = []
    for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(target).parts):
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return f"{PLACE}/{'/'.join(parts).removesuffix('.md')}{mark}{anchor}"


def _menu(desk: ConsoleDesk) -> dict[str, Any]:
    groups: dict[str, list[Chapter]] = {name: [] for name in SECTIONS}
    for chapter in chapters().values():
        if chapter.path not in _UNLISTED:
            folder = chapter.path.rpartition("/")[0]
            groups.setdefault(folder, []).append(chapter)
    groups[""].sort(key=lambda one: one.path != "start")
    return {
        "menu": [(SECTIONS.get(name, name), found) for name, found in groups.items() if found],
        "dialects": list(desk.described),
    }


def _operations(document: Mapping[str, Any]) -> Sequence[Operation]:
    paths: Mapping[str, Mapping[str, Any]] = document.get("paths", {})
    return [_operation(one, path, known[one]) for path, known in paths.items() for one in _METHODS if one in known]


def _operation(method: str, path: str, one: Mapping[str, Any]) -> Operation:
    words = str(one.get("description", ""))
    answers = [(str(status), str(answer.get("description", ""))) for status, answer in one.get("responses", {}).items()]
    return Operation(
        method.upper(),
        path,
        str(one.get("summary", "")),
        Markup(_markdown().render(words)),  # noqa: S704 - HTML in it is escaped
        one.get("parameters", ()),
        answers,
    )
