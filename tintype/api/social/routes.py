"""The social dialect put together: each group of its routes adds itself to the one app."""

from tintype.api.dialect import Mounted, Surround, build
from tintype.api.social import auth, members
from tintype.api.social.desk import SocialDesk
from tintype.api.social.dialect import SOCIAL


def mount(desk: SocialDesk) -> Mounted:
    """Return the social dialect, ready to be put behind a `Front`."""
    app = build(SOCIAL, version=desk.version)
    for add in (auth.add, members.add):
        add(app, desk)
    return Mounted(SOCIAL, Surround(app, SOCIAL, desk.max_body_bytes), openapi=app.openapi)
