"""What a person shared: phones put a link into the text, texts around links, and pictures beside either."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tintype.core.recipes import accepted
from tintype.errors import Invalid

# What may stand around a link before the link is no more than a mention in a recipe of its own ("Look at this reel! …").
AROUND = 200
MOST_LINKS = 500

_LINK = re.compile(r"(?:https?://)?(?:www\.)?instagram\.com/[^\s<>\"'()]+", re.IGNORECASE)
_ANY_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shared:
    """What arrived: a title and a text, either of which may be empty, and pictures."""

    text: str = ""
    title: str = ""
    pictures: tuple[bytes, ...] = field(default=(), repr=False)

    def links(self) -> list[str]:
        """Return the links to Instagram that are meant to be looked up, each once; none where a text says it all.

        Raises `Invalid` where there is nothing but a link to somewhere else, or more links than are taken at once.
        """
        if self.pictures:
            return []
        found = list(dict.fromkeys(_whole(one) for one in _LINK.findall(self.text)))
        around = " ".join(_LINK.sub(" ", self.text).split())
        if not found:
            _check_is_no_link(self.text)
        if len(found) > MOST_LINKS:
            raise Invalid(f"at most {MOST_LINKS} links are taken at once")
        return found if len(around) <= AROUND else []


def _whole(link: str) -> str:
    bare = re.sub(r"^https?://", "", link, flags=re.IGNORECASE).rstrip(".,;:!?")
    host, _, path = bare.partition("/")
    return accepted(f"https://{host.lower()}/{path}")


def _check_is_no_link(text: str) -> None:
    found = _ANY_LINK.fullmatch(text.strip())
    if found is None:
        return
    try:
        host = urlsplit(found.group()).hostname or "another site"
    except ValueError:
        host = "another site"
    raise Invalid(f"this is a link to {host}; links to posts on instagram.com are taken, and texts, and pictures")
