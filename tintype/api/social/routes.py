"""The social dialect put together: each group of its routes adds itself to the one app."""

from tintype.api.dialect import Mounted, Surround, build
from tintype.api.social import accounts, auth, bulk, connecting, files, insights, members, posting, posts
from tintype.api.social.desk import SocialDesk
from tintype.api.social.dialect import SOCIAL
from tintype.core.publishing import MOST_BYTES


def mount(desk: SocialDesk) -> Mounted:
    """Return the social dialect, ready to be put behind a `Front`."""
    app = build(SOCIAL, version=desk.version)
    for group in (auth, members, connecting, accounts, posting, insights, posts, bulk, files):
        group.add(app, desk)
    larger = {posting.UPLOADS: desk.upload_max_bytes, bulk.IMPORT: MOST_BYTES}
    around = Surround(app, SOCIAL, desk.max_body_bytes, larger)
    return Mounted(SOCIAL, around, openapi=app.openapi)
