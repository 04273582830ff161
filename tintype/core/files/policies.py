"""Policies: what somebody's signed words allow. The signature covers the very letters that were sent, so these are checked first.

A policy is base64 of JSON, standard or URL-safe, padded or not; its signature is the hexadecimal HMAC-SHA256 of that text
under the app's secret. Nothing is decoded before the signature fits, and what it says can only narrow what is allowed.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

import re2

from tintype.core.files.apps import Apps
from tintype.core.files.model import PickerApp
from tintype.errors import Forbidden

POLICY_MAX = 4096
PATTERN_MAX = 500
SUBJECT_MAX = 2048
PATTERN_MEMORY = 2**20  # bytes of automaton; a pattern that needs more is no pattern of a path


class Call(StrEnum):
    """What a policy may allow."""

    PICK = "pick"
    READ = "read"
    STAT = "stat"
    WRITE = "write"
    WRITE_URL = "writeUrl"
    STORE = "store"
    CONVERT = "convert"
    REMOVE = "remove"
    EXIF = "exif"
    RUN_WORKFLOW = "runWorkflow"


_READS = frozenset({Call.READ, Call.STAT, Call.CONVERT})
_UNSAID = frozenset(Call) - {Call.EXIF}  # what a policy allows that names no calls


@dataclass(frozen=True, slots=True)
class Shown:
    """The credentials of one request; `secret` is the password that a server showed as user `app`."""

    policy: str | None = field(default=None, repr=False)
    signature: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    origin: str | None = None

    @property
    def any(self) -> bool:
        """Whether anything was shown at all."""
        return bool(self.policy or self.signature or self.secret)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about, as far as a policy may have a say in it."""

    handle: str | None = None
    url: str | None = None
    path: str | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that was signed by somebody who knows the app's secret."""

    expiry: datetime
    calls: frozenset[Call]
    handle: str | None = None
    url: str | None = None
    path: str | None = None
    container: str | None = None
    min_size: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an admitted call may do: sizes that a policy asks for, and whether it showed credentials at all."""

    app: PickerApp
    by_secret: bool = False
    policy: Policy | None = None

    @property
    def proven(self) -> bool:
        """Whether the caller showed more than a key."""
        return self.by_secret or self.policy is not None

    def may(self, call: Call) -> bool:
        """Tell whether what was shown allows one more call."""
        return self.by_secret or (self.policy is not None and call in self.policy.calls)


@dataclass(frozen=True, slots=True)
class Policies:
    """Decides whether a call may be made with what was shown. Fails closed: what cannot be understood allows nothing."""

    apps: Apps

    async def admit(self, app: PickerApp, call: Call, shown: Shown, subject: Subject | None = None) -> Admitted:
        """Return what a call may do; a wrong credential is refused even where none was needed.

        Raises `Forbidden` with the reason.
        """
        about = subject or Subject()
        if call not in _READS and not app.takes(shown.origin):
            raise Forbidden(f"pages of {shown.origin!r} may not use this app; add that origin to it")
        if shown.secret is not None:
            return await self._by_secret(app, shown.secret)
        if shown.policy or shown.signature:
            policy = await self.read(app, shown)
            self.apps.uses.note(app.id)
            check(policy, call, about, self.apps.now())
            return Admitted(app, policy=policy)
        if call is Call.EXIF or (app.secure_reads if call in _READS else app.secure_writes):
            raise Forbidden(f"this app asks for a policy and its signature to {call.value} a file")
        return Admitted(app)

    async def read(self, app: PickerApp, shown: Shown) -> Policy:
        """Return a policy whose signature fits.

        Raises `Forbidden` for one without a signature, with a wrong one, or that says what no policy says.
        """
        if not shown.policy or not shown.signature:
            raise Forbidden("a policy and its signature belong together; one of them is missing")
        if len(shown.policy) > POLICY_MAX:
            raise Forbidden(f"a policy has at most {POLICY_MAX} letters")
        given = shown.signature.strip().lower().encode()
        fits = [
            hmac.compare_digest(signed(secret, shown.policy).encode(), given) for secret in await self.apps.secrets(app)
        ]
        if not any(fits):
            raise Forbidden("the signature does not fit: it is HMAC-SHA256 of the policy as it is sent, in hexadecimal")
        return parse(shown.policy)

    async def _by_secret(self, app: PickerApp, secret: str) -> Admitted:
        known = [hmac.compare_digest(one.encode(), secret.encode()) for one in await self.apps.secrets(app)]
        if not any(known):
            raise Forbidden("the app's secret is another one")
        self.apps.uses.note(app.id)
        return Admitted(app, by_secret=True)


def signed(secret: str, policy: str) -> str:
    """Return the signature of a policy, over the letters as they are."""
    return hmac.new(secret.encode(), policy.encode(), sha256).hexdigest()


def parse(policy: str) -> Policy:
    """Return what a policy says, whichever base64 it is in.

    Raises `Forbidden` for what no policy says: a key of another type would otherwise narrow nothing.
    """
    said = _said(policy)
    expiry = said.get("expiry")
    if type(expiry) not in (int, float) or not 0 <= cast(float, expiry) < 253402300800:  # the year 10000
        raise Forbidden("the policy names no expiry in seconds")
    return Policy(
        datetime.fromtimestamp(cast(float, expiry), UTC),
        _calls(said.get("call")),
        _text(said, "handle"),
        _pattern(said, "url"),
        _pattern(said, "path"),
        _pattern(said, "container"),
        _size(said, "minSize"),
        _size(said, "maxSize"),
    )


def check(policy: Policy, call: Call, about: Subject, now: datetime) -> None:
    """Go on when a policy allows a call; raises `Forbidden` with what stands against it."""
    if policy.expiry <= now:
        raise Forbidden(f"the policy expired at {policy.expiry.isoformat()}")
    if call not in policy.calls:
        raise Forbidden(f"the policy does not allow to {call.value}; it allows {', '.join(sorted(policy.calls))}")
    if policy.handle is not None and policy.handle != about.handle:
        raise Forbidden("the policy is for another handle")
    if call in (Call.STORE, Call.PICK, Call.CONVERT, Call.WRITE_URL):
        _matching(policy.url, about.url, "url")
    if call in (Call.STORE, Call.PICK):
        _matching(policy.path, about.path or "", "path")
        _matching(policy.container, about.container or "", "container")


def _matching(pattern: str | None, text: str | None, name: str) -> None:
    if pattern is not None and text is not None and not compiled(pattern).search(text[:SUBJECT_MAX]):
        raise Forbidden(f"the policy does not allow this {name}")


def compiled(pattern: str) -> Any:
    """Return a pattern that takes time in proportion to what it is held against; raises `Forbidden` for none."""
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY, False
    try:
        return re2.compile(pattern, options)  # pyright: ignore[reportUnknownMemberType] - the library has no types
    except re2.error:  # pyright: ignore[reportUnknownMemberType] - the library has no types
        raise Forbidden(
            "a pattern in the policy cannot be read; look-around and back-references are not served"
        ) from None


def _said(policy: str) -> Mapping[str, Any]:
    wrong = Forbidden("the policy is signed but cannot be read: it is base64 of a JSON object")
    letters = policy.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        said = json.loads(base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong from None
    if not isinstance(said, dict):
        raise wrong
    return cast(Mapping[str, Any], said)


def _calls(said: object) -> frozenset[Call]:
    if said is None:
        return _UNSAID
    names: list[object] = (
        [said] if isinstance(said, str) else cast(list[object], said) if isinstance(said, list) else []
    )
    known = {call.value: call for call in Call}
    # A call that we do not know allows nothing here; it is no reason to refuse the others.
    return frozenset(known[name] for name in names if isinstance(name, str) and name in known)


def _text(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    if value is not None and not isinstance(value, str):
        raise Forbidden(f"{name} of the policy must be a string")
    return value


def _pattern(said: Mapping[str, Any], name: str) -> str | None:
    value = _text(said, name)
    if value is not None and len(value) > PATTERN_MAX:
        raise Forbidden(f"{name} of the policy has more than {PATTERN_MAX} letters")
    return value


def _size(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < 2**53:
        raise Forbidden(f"{name} of the policy must be a number of bytes")
    return int(value)
