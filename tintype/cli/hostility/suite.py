"""The suite: which attacks there are, in which order, and what became of each."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tintype.cli.hostility import framing, pages, payloads
from tintype.cli.hostility.wire import Place
from tintype.cli.listening import is_loopback
from tintype.errors import Invalid, Unavailable

Attack = Callable[[Place], Awaitable[str]]

ATTACKS: tuple[Attack, ...] = (
    framing.two_lengths,
    framing.length_and_chunks,
    framing.odd_encodings,
    framing.odd_chunks,
    framing.odd_headers,
    framing.odd_hosts,
    framing.large_headers,
    framing.large_bodies,
    pages.false_hosts,
    pages.whole_addresses,
    pages.foreign_pages,
    pages.foreign_forms,
    pages.nameless_pages,
    pages.cookies_and_frames,
    pages.crooked_paths,
    pages.split_answers,
    pages.open_redirects,
    pages.odd_methods,
    payloads.inner_addresses,
    payloads.deep_bodies,
    payloads.packed_bodies,
    payloads.odd_letters,
)


@dataclass(frozen=True, slots=True)
class Target:
    """A server of one's own, and a workspace token for the doors that need one."""

    url: str
    token: str | None = field(default=None, repr=False)

    def check(self, own: Sequence[str]) -> None:
        """Go on when this is a server of one's own: on this machine, or at the address that the settings name.

        Raises `Invalid` for anybody else's.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("--hostile: give the address of your server, like http://127.0.0.1:8000")
        if not is_loopback(parts.hostname) and parts.hostname not in {*own, socket.gethostname()}:
            raise Invalid(
                f"--hostile: {parts.hostname} is not known to be yours; run this where PUBLIC_URL or HOST names it"
            )


@dataclass(frozen=True, slots=True)
class Probed:
    """One attack: what was tried, and how it got through, if it did."""

    name: str
    tried: str
    trouble: str
    is_skipped: bool = False


async def attack(target: Target) -> list[Probed]:
    """Try everything; slow senders hold their connections meanwhile.

    Raises `Unavailable` when nobody answers in the first place.
    """
    place = Place.of(target.url)
    await _is_there(place)
    slow = asyncio.create_task(_tried(place, framing.slow_senders))
    found = [await _tried(place, one) for one in ATTACKS]
    found += await _by_key(place, target.token)
    found.append(await slow)
    found.append(Probed("after all", "It still answers, and nothing showed its inside.", await _after(place)))
    return found


async def _is_there(place: Place) -> None:
    try:
        answer = await place.ask("GET", "/healthz")
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"nobody answers at {place.name}: {error}") from None
    if answer.status != 200:
        raise Unavailable(f"what answers at {place.name} is no Tintype: /healthz says {answer.status}")


async def _by_key(place: Place, token: str | None) -> list[Probed]:
    app_id, key = await payloads.made_app(place, token) if token else ("", "")

    async def inner(at: Place) -> str:
        return await payloads.inner_addresses_by_key(at, key, token or "")

    async def pictures(at: Place) -> str:
        return await payloads.swelling_pictures(at, key)

    inner.__doc__, pictures.__doc__ = payloads.inner_addresses_by_key.__doc__, payloads.swelling_pictures.__doc__
    if not key:
        why = "this token opens no workspace" if token else "not tried: give a workspace's token with TINTYPE_TOKEN"
        return [Probed(name, why, "", is_skipped=True) for name in ("inner addresses by key", "swelling pictures")]
    try:
        return [
            await _tried(place, inner, "inner addresses by key"),
            await _tried(place, pictures, "swelling pictures"),
        ]
    finally:
        await payloads.removed_app(place, token or "", app_id)


async def _tried(place: Place, one: Attack, name: str = "") -> Probed:
    tried = (one.__doc__ or "").strip()
    name = name or getattr(one, "__name__", "").replace("_", " ")
    try:
        return Probed(name, tried, await one(place))
    except (OSError, TimeoutError) as error:
        return Probed(name, tried, f"the server could not be reached any more: {type(error).__name__}")


async def _after(place: Place) -> str:
    answer = await place.ask("GET", "/healthz")
    return payloads.shown_tracebacks(place) if answer.status == 200 else "it does not answer any more"
