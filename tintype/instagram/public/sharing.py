"""Share links: the one form of link that only Instagram can read, by leading to the post it was made from."""

from tintype.backends.outbound import Outbound, Outgoing
from tintype.errors import Forbidden, Invalid, TooLarge, Unreachable
from tintype.instagram.links import Link, LinkKind, parse_link
from tintype.instagram.public import signals
from tintype.instagram.public.lines import page_policy, reason_for
from tintype.instagram.public.page import BROWSER
from tintype.instagram.public.reasons import Reason, trouble


async def resolve(outbound: Outbound, link: Link, *, seconds: float = 10.0, user_agent: str = BROWSER) -> Link:
    """Return the post's own link for a SHARE link, and any other link as it is.

    One question, no redirect followed: its target is read as any pasted link is. Raises a trouble with a reason.
    """
    if link.kind is not LinkKind.SHARE:
        return link
    try:
        answer = await outbound.send(
            Outgoing("HEAD", link.url, headers={"user-agent": user_agent}), page_policy(seconds)
        )
    except (Unreachable, Forbidden, TooLarge) as problem:
        raise trouble(reason_for(problem, late=False)) from problem
    refused = signals.trouble_in(answer, link.url, wants_json=False)
    if refused is not None:
        raise refused
    try:
        found = parse_link(answer.headers.get("location", ""))
    except Invalid:
        raise trouble(Reason.NOT_FOUND) from None
    if found.shortcode is None:
        raise trouble(Reason.NOT_FOUND)
    return found
