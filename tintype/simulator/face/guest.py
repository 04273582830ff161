"""Somebody before a page of the face: what they asked, and whether they may pull levers from it."""

from dataclasses import dataclass, field

from starlette.requests import Request

from tintype.simulator.arrival import Client, host_of, loopback
from tintype.simulator.world import World


@dataclass(frozen=True, slots=True)
class Guest:
    """A request of a person's browser; `origin` is the simulator's own address."""

    request: Request
    world: World
    client: Client = field(repr=False)
    origin: str

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path."""
        return segments_of(self.request)

    @property
    def trusted(self) -> bool:
        """Whether the panel opens: they sit at this machine and call it by a loopback name, unless a setting lets others in.

        The name counts too, for somebody else's may lead here (DNS rebinding).
        """
        if self.world.settings.panel_elsewhere:
            return True
        client = self.request.client
        here = client is not None and loopback(f"//[{client.host}]" if ":" in client.host else f"//{client.host}")
        return here and loopback(f"//{self.request.headers.get('host', '')}")

    @property
    def at_home(self) -> bool:
        """Whether a page of our own sent this form; a browser that does not say where it comes from is not believed."""
        site = self.request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        return (
            self.request.headers.get("origin") == f"{self.request.url.scheme}://{self.request.headers.get('host', '')}"
        )

    def asked(self, name: str) -> str:
        """A parameter of the query, empty when left out."""
        return self.request.query_params.get(name, "")

    def number(self, name: str, default: int = 1) -> int:
        """A small number of the query from 1 on; nonsense counts as the default."""
        text = self.asked(name)
        return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else default


def is_person(request: Request) -> bool:
    """Whether a person's browser opens a page at the simulator's own address, going by what no script of a page can send.

    Downloaders send such headers too, to Instagram's hosts; those names are never ours.
    """
    headers = request.headers
    return (
        request.method in ("GET", "HEAD")
        and host_of(headers.get("host", "")) == "own"
        and headers.get("sec-fetch-dest") == "document"
        and wants_page(request)
    )


def wants_page(request: Request) -> bool:
    """Whether whoever asks would rather read a page than JSON."""
    return "text/html" in request.headers.get("accept", "")


def segments_of(request: Request) -> tuple[str, ...]:
    """The parts of a request's path."""
    return tuple(part for part in request.url.path.split("/") if part)
