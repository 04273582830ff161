"""`tintype session`: lend this house your own login at Instagram, for posts that are shown to people only."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, note, thing
from tintype.errors import Invalid

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.downloads import Session

sessions = typer.Typer(
    help="Your own login at Instagram, for posts that need one. It is yours that Instagram may limit.",
    no_args_is_help=True,
)


@sessions.command("add")
def add_session(
    post: Annotated[
        str,
        typer.Argument(metavar="URL", help="Any post that you can see: it is read once, to prove the session."),
    ],
    cookies: Annotated[
        Path | None, typer.Option("--cookies", metavar="FILE", help="Where the cookies are. Else standard input.")
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option("--user-agent", help="That of the browser the cookies come from; it should be the same."),
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Keep the cookies of a browser that is logged in, once they are proven; an earlier session is replaced.

    They are taken as JSON, as a cookies.txt file or as a Cookie header, and sealed: nobody can read them here again.
    No password is ever asked for. Keys of --json: id, added_at, proven_at, parked_at, reason.
    """
    text = _read(cookies)

    async def add(house: "House") -> dict[str, object]:
        from tintype.instagram.links import parse_link

        shortcode = parse_link(post).shortcode
        if shortcode is None:
            raise Invalid("the address leads to no post; give that of any post you can see")
        return _row(await house.downloads.member.lend(text, shortcode, user_agent))

    kept = in_house(settings_of(data), add)
    thing(kept, as_json=as_json, sentence="the session works and is kept; posts that need a login are read with it now")


def _read(place: Path | None) -> str:
    if place is None:
        if sys.stdin.isatty():
            note("Paste the cookies, then press Ctrl-D.")
        return sys.stdin.read()
    try:
        return place.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{place} cannot be read: {type(error).__name__}", param_hint="--cookies") from None


@sessions.command("status")
def show_session(data: Folder = None, as_json: AsJson = False) -> None:
    """Say whether there is a session, and whether it works.

    Keys of --json: id, added_at, proven_at, parked_at, reason; without a session all of them are null.
    """

    async def look(house: "House") -> dict[str, object]:
        found = await house.downloads.member.sessions.find()
        return _row(found)

    found = in_house(settings_of(data), look)
    thing(found, as_json=as_json, sentence=_said(found))


def _said(found: dict[str, object]) -> str:
    if found["id"] is None:
        return "there is no session"
    if found["parked_at"] is None:
        return f"there is a session, proven on {found['proven_at']:%Y-%m-%d %H:%M} UTC"
    return (
        f"there is a session, and it rests: {found['reason']}. Log in to instagram.com in your browser, do what it asks, "
        "and add the cookies again"
    )


@sessions.command("remove")
def remove_session(data: Folder = None, as_json: AsJson = False) -> None:
    """Forget the session and its cookies.

    Keys of --json: removed.
    """

    async def remove(house: "House") -> None:
        await house.downloads.member.sessions.remove()

    in_house(settings_of(data), remove)
    thing({"removed": True}, as_json=as_json, sentence="the session is forgotten")


def _row(session: "Session | None") -> dict[str, object]:
    return {name: getattr(session, name, None) for name in ("id", "added_at", "proven_at", "parked_at", "reason")}
