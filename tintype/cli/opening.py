"""How a command gets its settings, its logs and its house; heavy modules are imported only when one is opened."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.settings import Settings

T = TypeVar("T")

Folder = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Data folder; else TINTYPE_DATA, else ./tintype-data."),
]


def settings_of(data: Path | None = None, **given: Any) -> "Settings":
    """Return the settings of the environment with the command's own options (None: not given) on top.

    Raises `Misconfigured`.
    """
    from tintype.settings import load

    chosen = {name: value for name, value in given.items() if value is not None}
    return load(**chosen, **({"data": data} if data else {}))


def start_logs(settings: "Settings", *, quiet: bool = False) -> None:
    """Begin to log to stderr; `quiet` commands only warn, unless LOG_LEVEL was set."""
    from tintype import logs

    level = "warning" if quiet and "log_level" not in settings.model_fields_set else settings.log_level
    logs.set_up(settings.log_format, level, secrets=secrets_of(settings))


def secrets_of(settings: "Settings") -> list[str]:
    """Return the values of all secret settings, and the passwords in addresses, for the logs' mask."""
    from pydantic import SecretStr

    from tintype.settings.shown import passwords

    values: list[object] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        values.extend(value if isinstance(value, tuple) else (value,))  # pyright: ignore[reportUnknownArgumentType] - of any setting
    values.extend(issuer.secret for issuer in settings.auth_issuers)
    hidden = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    texts = (*hidden, *settings.storages.values(), *(value for value in values if isinstance(value, str)))
    return hidden + [word for text in texts if "://" in text for word in passwords(text)]


@contextmanager
def uncollected() -> Generator[None]:
    """Load and build what stays, without the collector's rounds: it would look through all of that time and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def in_house(settings: "Settings", act: "Callable[[House], Awaitable[T]]", *, work: bool = False) -> T:
    """Open the house, do one thing in it, and close it; with `work` jobs are worked here unless a server does."""
    start_logs(settings, quiet=True)

    async def visit() -> T:
        async with AsyncExitStack() as stack:
            with uncollected():
                from tintype.app import open_house

                house = await stack.enter_async_context(open_house(settings, work=work))
            return await act(house)

    return asyncio.run(visit())
