"""The HTML that clients read: the start page with its tokens, a post's page with the data inside, embeds, the login page."""

import json
from html import escape

from tintype.simulator.model import Answer, Media
from tintype.simulator.web import legacy, sessions
from tintype.simulator.web.look import Look

GATE = {"private": "This account is private", "age": "This post is for grown-ups", "geo": "Not available here"}


def start(look: Look, *, tokens: bool = True) -> str:
    """`/`: what the web app reads its tokens from, with those of a session when one came along."""
    defines: list[tuple[object, ...]] = []
    eqmc: Answer = {"u": "/ajax/qm/?__a=1&__user=0&__comet_req=7", "e": "", "s": "", "w": 0, "f": ""}
    viewer = look.viewer
    eimu = str(viewer.pk) if viewer else "0"
    if tokens:
        lsd = sessions.lsd(look)
        defines.append(("LSD", (), {"token": lsd}, 323))
        defines.append(("CurrentUserInitialData", (), {"ACCOUNT_ID": "0", "USER_ID": "0", "IG_USER_EIMU": eimu}, 270))
        eqmc["l"] = lsd
    if tokens and viewer:
        dtsg = sessions.dtsg(look)
        defines.append(("DTSGInitialData", (), {"token": dtsg}, 258))
        defines.append(("DTSGInitData", (), {"token": dtsg, "async_get_token": dtsg}, 3515))
        eqmc["e"] = dtsg
    inside = f'<script type="application/json" id="__eqmc">{_json(eqmc)}</script>' + _sjs({"define": defines})
    return _page("Instagram", inside)


def post(look: Look, media: Media, data: Answer) -> str:
    """The page of a post, with what the web app's query would have said already inside."""
    owner = look.owner(media)
    preload = "adp_PolarisLoggedOutDesktopWWWPostRootContentQueryRelayPreloader_000000000000000000"
    answer = {"__bbox": {"complete": True, "result": {"data": data, "extensions": {"is_final": True}}}}
    stream = ["RelayPrefetchedStreamCache", "next", [], [preload, answer]]
    handle = ["ScheduledServerJS", "handle", None, [{"__bbox": {"require": [stream]}}]]
    title = f"{owner.name} on Instagram"
    about = media.caption or f"A post by {owner.username}"
    meta = (
        f'<meta property="og:url" content="{look.permalink(media)}"/>'
        f'<meta property="og:title" content="{escape(title)}"/>'
        f'<meta property="og:description" content="{escape(about)}"/>'
    )
    return _page(title, meta + _sjs({"require": [handle]}) + _sjs(route_of(look, media)))


def gated(look: Look, media: Media) -> str:
    """The page of a post that this viewer may not see: its route says why, the post is not there."""
    return _page(GATE.get(look.standing(media), "Instagram"), _sjs(route_of(look, media)))


def route_of(look: Look, media: Media) -> Answer:
    """What the web app knows of a page before it loads."""
    private = look.standing(media) == "private"
    props: Answer = {} if private else {"media_id": str(media.pk), "media_owner_id": str(look.owner(media).pk)}
    return {
        "tracePolicy": "polaris.privatePostPage" if private else "polaris.postPage",
        "hostableView": {"props": props},
        "url": f"/p/{media.shortcode}/",
    }


def embed(look: Look, media: Media | None) -> str:
    """What other sites show in a frame: with the post in older words inside, or without it."""
    if media is None:
        return _page(
            "Instagram", "<p>The link to this photo or video may be broken, or the post may have been removed.</p>"
        )
    context = json.dumps(
        {"context": {"shortcode": media.shortcode}, "gql_data": {"shortcode_media": _old(look, media)}}
    )
    call = ["PolarisEmbedSimple", "init", [], [{"contextJSON": context}]]
    script = f'<script>requireLazy(["ServerJS"],function(s){{s.handle({_json({"require": [call, []]})});}});</script>'
    caption = f'<div class="Caption">{escape(media.caption)}</div>'
    return _page("Instagram", caption + script)


def login(look: Look) -> str:
    """The login page."""
    form = f'<form method="post" action="{look.site}/accounts/login/"><input name="username"/></form>'
    return _page("Login • Instagram", form)


def challenge() -> str:
    """Where Instagram wants to know who is there."""
    return _page("Instagram", "<h1>Help us confirm it's you</h1>")


def missing() -> str:
    """The page of what is not there."""
    return _page("Page not found • Instagram", "<h2>Sorry, this page isn't available.</h2>")


def hollow() -> str:
    """A page like a post's, without anything inside."""
    return _page("Instagram", _sjs({"require": []}))


def _old(look: Look, media: Media) -> Answer:
    return legacy.shortcode_media(look, media)


def _page(title: str, inside: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>{escape(title)}</title></head>\n'
        f"<body>{inside}</body></html>\n"
    )


def _sjs(held: Answer) -> str:
    return f'<script type="application/json" data-content-len="{len(_json(held))}" data-sjs>{_json(held)}</script>\n'


def _json(held: object) -> str:
    """JSON that may stand in a script: on one line, without tags."""
    return json.dumps(held, separators=(",", ":")).replace("<", "\\u003C")
