"""Time zones as people name them."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tintype.errors import Invalid

# Lie among the zones of a machine and are none of IANA's: they mean something else elsewhere, or count leap seconds.
_NO_ZONE = re.compile(r"localtime|posixrules|Factory|(posix|right)/.*")


def zone_named(name: str) -> ZoneInfo:
    """Return the zone of an IANA name; raises `Invalid`."""
    unknown = Invalid(f"timezone: {name[:40]!r} is not a zone; write it like Europe/Berlin")
    if _NO_ZONE.fullmatch(name):
        raise unknown
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise unknown from None
