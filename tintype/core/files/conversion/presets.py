"""Plans with names, which an app's owner wrote once, and addresses that are signed for one of them.

Whoever may ask for presets only can ask for no ten thousand sizes, which makes a public address cheap to defend.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from tintype.backends.image_operations import AS_IS
from tintype.core.files.conversion.addresses import PRESET, read_address
from tintype.core.files.conversion.model import Plan, Source, Wish
from tintype.core.files.model import PickerApp
from tintype.errors import Invalid, NotFound

_ANY = "0" * 20


def read_plan(text: str) -> Plan:
    """Return the plan of tasks as a processing address says them, without a source; raises `Invalid` for anything else."""
    asked = read_address(f"{text.strip('/')}/{_ANY}" if text.strip("/") else _ANY)
    if asked != Wish((Source("handle", _ANY),), asked.plan):
        raise Invalid("a preset says what is done to a picture, and nothing else")
    return asked.plan


def presets_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return an app's presets, each as its plan is written; raises `Invalid` with the name of the one that is wrong."""
    found: dict[str, str] = {}
    for name, text in given.items():
        if not PRESET.fullmatch(name):
            raise Invalid(f"the preset's name {name[:40]!r} may have letters, digits, '-', '_' and '.' only")
        try:
            found[name] = read_plan(text).text
        except Invalid as wrong:
            raise Invalid(f"the preset {name!r}: {wrong.message}") from None
    return found


def planned(app: PickerApp, asked: Wish, *, proven: bool) -> Plan:
    """Return what is to be done for an app's caller: the preset's plan, in the format that the address ends with, or its own.

    Raises `NotFound` for a preset that the app does not have, `Invalid` where only presets are taken or both are asked for.
    """
    if asked.preset is None:
        if app.presets_only and not proven and not asked.plan.empty:
            raise Invalid(f"this app takes presets only: {', '.join(sorted(app.presets)) or 'it has none'}")
        return asked.plan
    form = asked.plan.output.format
    if asked.plan != Plan((), replace(AS_IS, format=form)):
        raise Invalid("a preset stands alone; put the tasks into it")
    if asked.preset not in app.presets:
        raise NotFound(f"this app has no preset {asked.preset!r}")
    plan = read_plan(app.presets[asked.preset])
    return replace(plan, output=replace(plan.output, format=form)) if form else plan


def signature_of(secret: str, path: str) -> str:
    """Return what stands in front of a signed path such as `preset:thumb/HANDLE.webp`: its HMAC-SHA256, URL-safe."""
    digest = hmac.new(secret.encode(), f"/{path.lstrip('/')}".encode(), sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_signed(secrets: Sequence[str], signature: str, path: str) -> bool:
    """Tell whether a path was signed with one of the secrets."""
    given = signature.rstrip("=").encode()
    fits = [hmac.compare_digest(signature_of(secret, path).encode(), given) for secret in secrets]
    return any(fits)
