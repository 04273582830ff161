"""What Instagram's web app carries about: session cookies of people, and the tokens of the start page."""

import base64
import hashlib
import hmac
import struct

from starlette.responses import Response

from tintype.simulator import ids
from tintype.simulator.model import DAY, Person
from tintype.simulator.web.look import Look
from tintype.simulator.world import World

TOKEN_LIFE = DAY  # seconds for which the tokens of a start page are good
YEAR = 365 * DAY


def signed_in(world: World, person: Person) -> dict[str, str]:
    """Cookies of a browser in which this person has signed in just now."""
    number = world.next_number()
    parts = (world.seed, "session", person.username, number)
    session = f"{person.pk}:{ids.letters(14, *parts)}:{number % 30}:AY{ids.letters(36, *parts, 'mark')}"
    world.sessions[session] = person.username
    return {
        "sessionid": session.replace(":", "%3A"),
        "ds_user_id": str(person.pk),
        "csrftoken": ids.letters(32, *parts, "csrf"),
        "mid": ids.letters(28, *parts, "mid"),
        "ig_did": _device(*parts),
    }


def signed_out(world: World, person: Person) -> None:
    """End all sessions of this person."""
    for session in [session for session, username in world.sessions.items() if username == person.username]:
        del world.sessions[session]


def lsd(look: Look) -> str:
    """A token for queries without a session, another one at each visit; it carries its own birth and a signature."""
    plain = struct.pack(">II", int(look.world.now()) & 0xFFFFFFFF, look.arrival.entry.n & 0xFFFFFFFF)
    return "AV" + base64.urlsafe_b64encode(plain + _mark(look.world, plain)).decode()


def lsd_is_good(world: World, token: str) -> bool:
    """Whether this world gave the token out, at most TOKEN_LIFE ago by its clock."""
    try:
        raw = base64.urlsafe_b64decode(token.removeprefix("AV"))
    except ValueError:
        return False
    plain, mark = raw[:8], raw[8:]
    if len(plain) < 8 or not hmac.compare_digest(mark, _mark(world, plain)):
        return False
    return world.now() - struct.unpack(">II", plain)[0] <= TOKEN_LIFE


def dtsg(look: Look) -> str:
    """The token of a signed-in person's page."""
    return f"NAf{ids.letters(30, look.world.seed, 'dtsg', look.arrival.entry.n)}:17:{int(look.world.now())}"


def greet(look: Look, answer: Response) -> Response:
    """Give a browser that has none the cookies that Instagram gives every visitor."""
    known = look.arrival.request.cookies
    parts = (look.world.seed, "visitor", look.arrival.entry.n)
    own = look.arrival.own
    for name, value in (
        ("csrftoken", ids.letters(32, *parts, "csrf")),
        ("mid", ids.letters(28, *parts, "mid")),
        ("ig_did", _device(*parts)),
    ):
        if not known.get(name):
            answer.set_cookie(
                name, value, max_age=YEAR, secure=not own, samesite="lax", httponly=name == "ig_did",
                domain=None if own else ".instagram.com",
            )  # fmt: skip
    return answer


def _mark(world: World, plain: bytes) -> bytes:
    return hmac.new(world.cdn_secret, b"lsd" + plain, hashlib.sha256).digest()[:7]


def _device(*parts: object) -> str:
    text = f"{ids.number(38, 'device', *parts):032X}"[:32]
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
