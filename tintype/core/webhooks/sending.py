"""One attempt: a request is made and signed, sent by the house's one door, and what comes back is kept as far as it is of use."""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tintype.backends.journeys import Journey, followed
from tintype.backends.outbound import Outbound, Outgoing
from tintype.backends.outbound import Policy as Door
from tintype.backends.vault import Vault
from tintype.core.webhooks.model import ANSWER_BYTES, Answer, Endpoint, Policy, enveloped
from tintype.core.webhooks.records import Sealed
from tintype.core.webhooks.signing import Keys, sign
from tintype.errors import Forbidden, Trouble

AGENT = "Tintype-Webhooks/1"
_ANY_SIZE = 2**50  # an answer may be long: only its beginning is read

# Kept for people who look what their server said; the rest is for machines between us and it.
_HEADERS_KEPT = 40
_HEADER_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it goes out."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def context(endpoint_id: str, name: str) -> str:
    """Return where in the vault's eyes a sealed value of an endpoint belongs."""
    return f"webhook_endpoints:{endpoint_id}:{name}"


def opened(vault: Vault, endpoint_id: str, sealed: Sealed, now: datetime) -> Keys:
    """Return the keys that sign now."""
    earlier = sealed.earlier if sealed.overlap_until is not None and now < sealed.overlap_until else None
    return Keys(
        vault.open(sealed.secret, context=context(endpoint_id, "secret")),
        vault.open(sealed.private, context=context(endpoint_id, "private")),
        vault.open(earlier, context=context(endpoint_id, "earlier")) if earlier is not None else None,
    )


def prepared(
    endpoint: Endpoint,
    keys: Keys,
    body: bytes,
    uid: str,
    now: datetime,
    *,
    attempt: int = 1,
    marks: Mapping[str, str] | None = None,
) -> Prepared:
    """Return the request that tells an endpoint of a message."""
    told = enveloped(body, endpoint.envelope)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        **sign(keys, uid, now, told, attempt).headers,
        "webhook-attempt": str(attempt),
        **(marks or {}),
    }
    return Prepared(endpoint.url, headers, told)


async def send(outbound: Outbound, request: Prepared, policy: Policy) -> Answer:
    """Send a request and return what came of it; no redirect is followed, and nothing is raised for what others do."""
    with followed() as journey:
        answer = await _answered(outbound, request, policy)
    gone = {name: getattr(journey, name) for name in Journey.__dataclass_fields__}
    return replace(answer, **gone)


async def _answered(outbound: Outbound, request: Prepared, policy: Policy) -> Answer:
    begun = time.monotonic()
    status, headers, first, body = None, dict[str, str](), None, b""
    door = Door(policy.seconds, policy.seconds, _ANY_SIZE, https_only=False)
    outgoing = Outgoing("POST", request.url, headers=request.headers, content=request.body)
    try:
        async with outbound.stream(outgoing, door) as stream:
            status, headers, first = stream.status, _kept(stream.headers), time.monotonic() - begun
            async for chunk in stream.chunks:
                body += chunk
                if len(body) >= ANSWER_BYTES:
                    break
    except Trouble as trouble:
        if status is None:
            spent = time.monotonic() - begun
            return Answer(reason=reason_of(trouble), detail=trouble.message, seconds=round(spent, 4))
        # It has answered already: that the rest of its words is missing changes nothing.
    spent = round(time.monotonic() - begun, 4)
    return Answer(status, None, None, headers, text_of(body), spent, round(first, 4) if first is not None else None)


def reason_of(trouble: Trouble) -> str:
    """Return in one word why a call did not come to an answer; the words are for people who filter a log."""
    if isinstance(trouble, Forbidden):
        return "blocked"
    causes = list(_causes(trouble))
    names = {type(one).__name__ for one in causes}
    if any(isinstance(one, TimeoutError) for one in causes) or any(name.endswith("Timeout") for name in names):
        return "timeout"
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "tls"
    if any(isinstance(one, socket.gaierror | UnicodeError) for one in causes):
        return "dns"
    return "connect" if "ConnectError" in names else "broken"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def text_of(body: bytes) -> str:
    """Return the beginning of a body as text that every database takes."""
    return body[:ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    some = list(headers.items())[:_HEADERS_KEPT]
    return {name: value[:_HEADER_LENGTH].replace("\0", "") for name, value in some}
