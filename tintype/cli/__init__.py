"""The command line: every command, and how it ends.

Commands import what they need when they run, so that `tintype --help` and shell completion answer at once.
"""

import logging
import sqlite3
from collections.abc import Sequence
from typing import Annotated

import typer

from tintype import __version__
from tintype.cli.archiving import backup, move, restore
from tintype.cli.connecting import accounts
from tintype.cli.demonstrating import demo
from tintype.cli.doctor import doctor
from tintype.cli.erasing import erase, export
from tintype.cli.feeding import feeds, sync
from tintype.cli.fetching import fetch
from tintype.cli.keeping import migrate, tokens, vault, workspaces
from tintype.cli.lending import sessions
from tintype.cli.measuring import insights
from tintype.cli.output import EXIT_CODES, Exit, complain, exit_code, say
from tintype.cli.people import users
from tintype.cli.picking import apps
from tintype.cli.publishing import posts, publish
from tintype.cli.recipes import recipe
from tintype.cli.serving import serve, simulate, worker
from tintype.cli.webhooks import webhooks
from tintype.errors import Trouble
from tintype.logs import Redaction

app = typer.Typer(
    name="tintype",
    help="Your own Instagram backend.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        say(f"tintype {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for command in (
    *(serve, worker, demo, simulate, migrate, doctor, backup, restore, move, export, erase),
    *(sync, fetch, recipe, publish, insights),
):
    app.command()(command)

for name, group in (
    ("workspace", workspaces),
    ("token", tokens),
    ("user", users),
    ("account", accounts),
    ("feed", feeds),
    ("posts", posts),
    ("vault", vault),
    ("session", sessions),
    ("app", apps),
    ("webhooks", webhooks),
):
    app.add_typer(group, name=name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, or raises SystemExit with it."""
    try:
        app(arguments, prog_name="tintype")
    except Trouble as trouble:
        complain(trouble.message)
        return exit_code(trouble)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:
        logging.getLogger(__name__).debug("the command broke", exc_info=True)
        complain(_fault(error))
        return Exit.TROUBLE
    return Exit.OK


def _fault(error: Exception) -> str:
    """Say what broke: a file or a disk of this machine, a database that is none any more, or something of ours."""
    if isinstance(error, OSError) and error.strerror:
        place = Redaction()(str(error.filename or ""))
        return f"{place}: {error.strerror}" if place else error.strerror
    told = getattr(error, "orig", None)
    if type(told) is sqlite3.DatabaseError:  # what this kind alone is for, and none that comes of it
        return f"the database cannot be read: {told}; put a backup back with `tintype restore`"
    said = Redaction()(str(error))
    return f"a fault of Tintype itself: {type(error).__name__}: {said}; LOG_LEVEL=debug shows where"
